"""A worker whose listener overflows: no request is lost for that, and one that waits for room costs little."""
import collections
import os
import pathlib
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

# Takes as many connections as TAKES says, the health check included, and no more; it answers nothing.
STUCK = """
import os, socket, time
listener = socket.socket(socket.AF_UNIX)
listener.bind(os.environ["GRAY_SOCKET"])
listener.listen(0)
os.write(int(os.environ["GRAY_READY_FD"]), b"READY=1\\n")
held = [listener.accept() for _ in range(int(os.environ["TAKES"]))]
time.sleep(600)
"""


def wake_ups(pid):
    """How often the threads of a process have waited."""
    count = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        for line in pathlib.Path(f"/proc/{pid}/task/{task}/status").read_text().splitlines():
            count += int(line.split()[1]) if line.startswith("voluntary_ctxt_switches") else 0
    return count


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


class Waiting(GrayTest):
    """A request that waits for a second alone, for room in a backlog or for a socket, hardly wakes the router."""
    MOST = 30  # of them 15 looks at the backlog

    def check(self, takes, reason, limits):
        version = {"command": ["python3", "-c", STUCK], "ready": ["pipe"], "listen": "unix", "env": {"TAKES": takes},
                   "health": {"interval": "600s", "rise": 1}}
        limits = {"connect_timeout": "1s", "queue_timeout": "1s", "request_timeout": "600s", **limits}
        daemon = self.start({"stable": "v1", "limits": limits, "version": {"v1": version}}, up=(),
                            router={"threads": 1}, memory={"leak_detection": "off"})
        daemon.wait_healthy(1, "v1")
        with daemon.client() as first, daemon.client() as second, daemon.client() as waiting:
            for holder in (first, second)[:2 if reason == "connect-timeout" else 1]:
                holder.send(request("/"))
            router = daemon.router()
            before = wake_ups(router)
            waiting.send(request("/"))
            self.assertEqual(waiting.response()["x-gray-reason"], reason)
            self.assertLessEqual(wake_ups(router) - before, self.MOST)

    def test_for_room_in_a_backlog(self):
        self.check("1", "connect-timeout", {})

    def test_for_a_socket(self):
        self.check("2", "queue-timeout", {"max_sockets": 1})


if __name__ == "__main__":
    unittest.main()
