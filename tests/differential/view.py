"""Answers with what Python's http.server made of a request, as view.js does. http.server leaves the body to its
handler; this one reads it as the applications do that run on it.
"""
import hashlib
import http.server
import os


class View(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 10

    def __getattr__(self, name):
        if name.startswith("do_"):
            return self.show
        raise AttributeError(name)

    def show(self):
        body = self.read_body()
        if body is None:
            self.close_connection = True
            return
        self.send_response(200)
        self.send_header("X-View", f"{self.command} {self.requestline.split(' ')[1]}")
        self.send_header("X-Body", f"{len(body)} {hashlib.sha1(body).hexdigest()}")
        self.send_header("Content-Length", "0")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()

    def read_body(self):
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            return self.read_chunks()
        size = int(self.headers.get("Content-Length", "0"))
        body = self.rfile.read(size)
        return body if len(body) == size else None

    def read_chunks(self):
        body = b""
        while True:
            line = self.rfile.readline()
            if not line.endswith(b"\r\n"):
                return None
            size = int(line, 16)
            data = self.rfile.read(size + 2)
            if len(data) != size + 2 or not data.endswith(b"\r\n"):
                return None
            if size == 0:
                return body
            body += data[:-2]

    def log_message(self, *_):
        pass


http.server.ThreadingHTTPServer((os.environ["HOST"], int(os.environ["PORT"])), View).serve_forever()
