"""A worker that gets upgrade requests and acts as the path says; it records the bytes it received.

/echo... sends everything back; /first says a word and FIN, then listens; /listen only listens; /reset resets at the
first byte; /status/N is no upgrade; /unasked, /other and /early are 101s that must not be taken. /heard tells what
tunnels have said so far, /requests which targets have come, /fields the head of this request.
"""
import json
import os
import re
import signal
import socket
import struct
import sys
import threading
import time

heard, requests, lock = [], [], threading.Lock()


class Connection:
    def __init__(self, sock):
        self.sock, self.pending = sock, b""

    def more(self):
        data = self.sock.recv(65536)
        self.pending += data
        return data

    def exactly(self, size):
        while len(self.pending) < size:
            if not self.more():
                raise EOFError
        data, self.pending = self.pending[:size], self.pending[size:]
        return data

    def head(self):
        while b"\r\n\r\n" not in self.pending:
            if not self.more():
                raise EOFError
        head, self.pending = self.pending.split(b"\r\n\r\n", 1)
        return head.decode("latin-1") + "\r\n\r\n"

    def answer(self, status, body):
        self.sock.sendall(f"HTTP/1.1 {status} Asked For\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())

    def switch(self, protocol):
        self.sock.sendall(f"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: {protocol}\r\n\r\n"
                          .encode())

    def pieces(self):
        """What comes in the tunnel, until FIN; all of it is remembered."""
        mine = {"bytes": b"", "end": None}
        with lock:
            heard.append(mine)
        try:
            data = self.pending or self.sock.recv(65536)
            while data:
                mine["bytes"] += data
                yield data
                data = self.sock.recv(65536)
            mine["end"] = "fin"
        except OSError:
            mine["end"] = "reset"


def tunnel(conn, path, protocol):
    if path == "/reset":
        conn.switch(protocol)
        next(conn.pieces())
        conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return
    conn.switch(protocol)
    if path == "/first":
        conn.sock.sendall(b"my last word")
        conn.sock.shutdown(socket.SHUT_WR)
    for data in conn.pieces():
        if path.startswith("/echo"):
            conn.sock.sendall(data)


def answer(conn, head, path):
    """Handles one request; returns whether the connection continues as HTTP."""
    asked = re.search(r"(?im)^upgrade: *(.*?)\r", head)
    length = re.search(r"(?im)^content-length: *(\d+)", head)
    if path == "/early":
        conn.switch(asked[1])
        time.sleep(1)
        return False
    body = conn.exactly(int(length[1])) if length else b""
    if path == "/heard":
        with lock:
            conn.answer(200, json.dumps([{"hex": one["bytes"].hex(), "end": one["end"]} for one in heard]))
    elif path == "/requests":
        conn.answer(200, json.dumps(requests))
    elif path == "/fields":
        conn.answer(200, head)
    elif path.startswith("/status/"):
        conn.answer(int(path[8:]), "no tunnel")
    elif path in ("/unasked", "/other"):
        conn.switch("nonsense")
        return False
    elif asked:
        tunnel(conn, path, asked[1])
        return False
    else:
        conn.answer(200, f"{os.environ.get('GRAY_VERSION', '')} {len(body)}\n")
    return True


def serve(sock):
    conn = Connection(sock)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        while True:
            head = conn.head()
            path = head.split(" ")[1].split("?")[0]
            with lock:
                requests.append(path)
            if not answer(conn, head, path):
                return
    except (EOFError, OSError, StopIteration):
        pass
    finally:
        sock.close()


def main():
    if "--ignore-term" in sys.argv:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    listener = socket.create_server((os.environ["HOST"], int(os.environ["PORT"])), backlog=1024)
    os.write(int(os.environ["GRAY_READY_FD"]), b"READY=1\n")
    while True:
        sock, _ = listener.accept()
        threading.Thread(target=serve, args=(sock,), daemon=True).start()


main()
