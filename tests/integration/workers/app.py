"""A single-page app of one version: an index.html, and hashed files whose names belong to the version.

Unknown paths are answered with 404, or with --fallback with index.html, as many servers of such apps do. Every file
names its version in the body, so that a browser notices a file of a different one.
"""
import argparse
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

VERSION = os.environ["GRAY_VERSION"]
CHUNKS = 8
INDEX = f"""<!doctype html><title>{VERSION}</title>
<link rel="stylesheet" href="/assets/style-{VERSION}.css">
<link rel="preload" as="font" href="/assets/font-{VERSION}.woff2">
<script type="module" src="/assets/main-{VERSION}.js"></script>
<img src="/logo-{VERSION}.svg">
"""
FILES = {
    "/assets/style-{}.css": "text/css",
    "/assets/font-{}.woff2": "font/woff2",
    "/assets/main-{}.js": "text/javascript",
    "/logo-{}.svg": "image/svg+xml",
    **{f"/assets/chunk{i}-{{}}.js": "text/javascript" for i in range(CHUNKS)},
}


class App(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    fallback = False
    counts, lock = {}, threading.Lock()

    def do_GET(self):
        path = self.path.split("?")[0]
        with self.lock:
            self.counts[path] = self.counts.get(path, 0) + 1
        types = {name.format(VERSION): kind for name, kind in FILES.items()}
        if path == "/":
            return self.answer(200, "text/html; charset=utf-8", INDEX)
        if path == "/via":
            return self.answer(200, "text/plain", repr(self.headers.get_all("Via")))
        if path == "/count":
            with self.lock:
                return self.answer(200, "text/plain", str(self.counts.get(self.path.split("?")[1], 0)))
        if path in types:
            return self.answer(200, types[path], f"/* {path} of {VERSION} */ " + "x" * 2000)
        if self.fallback:
            return self.answer(200, "text/html; charset=utf-8", INDEX)
        return self.answer(404, "text/plain", f"{VERSION} has no {path}\n")

    do_HEAD = do_GET

    def answer(self, status, kind, text):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_):
        pass


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--fallback", action="store_true")
    App.fallback = parser.parse_args().fallback
    server = ThreadingHTTPServer((os.environ["HOST"], int(os.environ["PORT"])), App)
    os.write(int(os.environ["GRAY_READY_FD"]), b"READY=1\n")
    server.serve_forever()


main()
