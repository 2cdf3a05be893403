"""A worker whose listener overflows: no request is lost for that, whatever its method."""
import collections
import threading
import time
import unittest

from harness import GrayTest
from http_client import request

# One request at a time, with Python's default backlog of 5; on TCP or on a unix socket.
SLOW = """
import http.server, os, socketserver, time
class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *ignored): pass
    def address_string(self): return ""
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        time.sleep(0.03)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
if "PORT" in os.environ:
    server = http.server.HTTPServer((os.environ["HOST"], int(os.environ["PORT"])), Handler)
else:
    server = socketserver.UnixStreamServer(os.environ["GRAY_SOCKET"], Handler)
server.serve_forever()
"""


class Backlog(GrayTest):
    CLIENTS = 25  # with 40, a busy machine needs nearly connect_timeout to serve them all, one after the other

    def press(self, daemon, size):
        """Every client sends one POST, its head and its body in packets of their own. Returns the answers."""
        answers = collections.Counter()

        def post():
            with daemon.client() as client:
                client.send(request("/", "POST", {"Content-Length": str(size)}))
                time.sleep(0.02)  # the time between the packets of a slow client
                client.send(b"x" * size)
                response = client.response()
                answers[(response.status, response["x-gray-reason"], len(response.body) == size)] += 1

        threads = [threading.Thread(target=post) for _ in range(self.CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return answers

    def check(self, **version):
        version = {"command": ["python3", "-c", SLOW], "ready": ["tcp"], **version}
        daemon = self.start({"stable": "v1", "version": {"v1": version}}, up=())
        daemon.wait_healthy(1, "v1")
        for size in (200, 20_000):  # one that is kept for a repetition, and one that is not
            self.assertEqual(self.press(daemon, size), {(200, None, True): self.CLIENTS})

    def test_no_post_is_lost(self):
        self.check()

    def test_no_post_is_lost_on_a_unix_socket(self):
        self.check(listen="unix")


if __name__ == "__main__":
    unittest.main()
