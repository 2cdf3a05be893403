#!/usr/bin/env python3
"""The backend of messages in small chunks. Works alone (prints its port) and as a worker of grayd.

A request with a body is read to its end and answered with its wire bytes. GET /BYTES/CHUNK is answered with that many
bytes in chunks of that size. One thread for each connection.
"""
import os
import socketserver
import threading

END = b"0\r\n\r\n"


def chunked(size, chunk):
    """A body of `size` bytes in chunks of `chunk`."""
    return (b"%x\r\n%s\r\n" % (chunk, b"x" * chunk)) * (size // chunk) + END


class Connection(socketserver.StreamRequestHandler):
    def handle(self):
        while line := self.rfile.readline():
            fields = list(iter(self.rfile.readline, b"\r\n"))
            path = line.split()[1].decode().strip("/").split("/")
            if any(field.lower().startswith(b"transfer-encoding:") for field in fields):
                self.answer(b"Content-Length: %d\r\n" % len(count := b"%d" % self.read_chunks()), count)
            elif len(path) == 2 and all(part.isdigit() for part in path):
                self.answer(b"Transfer-Encoding: chunked\r\n", chunked(*map(int, path)))
            else:
                self.answer(b"Content-Length: 2\r\n", b"ok")

    def answer(self, fields, body):
        self.wfile.write(b"HTTP/1.1 200 OK\r\n" + fields + b"\r\n" + body)

    def read_chunks(self):
        """The number of payload bytes; chunks are skipped by their sizes."""
        payload = 0
        while size := int(self.rfile.readline(), 16):
            self.rfile.read(size + 2)
            payload += size
        self.rfile.readline()
        return payload


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = allow_reuse_address = True
    request_queue_size = 64


def main():
    with Server(("127.0.0.1", int(os.environ.get("PORT", "0"))), Connection) as server:
        if ready := os.environ.get("GRAY_READY_FD"):
            os.write(int(ready), b"READY=1\n")
        else:
            print(server.server_address[1], flush=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        thread.join()


if __name__ == "__main__":
    main()
