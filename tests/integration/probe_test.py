"""Health and readiness probes are requests as users send them, and a failed one says what was asked and answered."""
import unittest

from harness import GrayTest, eventually

# As frameworks with a list of allowed hosts do: every other Host is answered 400; a request that did not come over
# https is redirected to where nothing is.
PICKY = """
import http.server, os, sys
allowed, needs_https = sys.argv[1], len(sys.argv) > 2
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *ignored): pass
    def do_GET(self):
        secure = self.headers.get("X-Forwarded-Proto") == "https" or not needs_https
        self.send_response(400 if self.headers.get("Host") != allowed else 200 if secure else 426)
        self.send_header("Content-Length", "0")
        self.end_headers()
http.server.ThreadingHTTPServer((os.environ["HOST"], int(os.environ["PORT"])), Handler).serve_forever()
"""


def picky(*arguments):
    return ["python3", "-c", PICKY, *arguments]


def service(version, **others):
    return {"stable": "v1", "version": {"v1": {"ready": ["http"], **version}}, **others}


class Probes(GrayTest):
    def status_of(self, daemon, host):
        return daemon.get("/", host=host).status

    def test_a_probe_sends_the_first_host_of_the_service(self):
        daemon = self.start(service({"command": picky("shop.example"), "health": {"path": "/healthz"}},
                                    hosts=["Shop.example", "www.shop.example"]), up=())
        daemon.wait_healthy(1, "v1")
        self.assertEqual(daemon.version("v1")["workers"][0]["ready_by"], "http")
        eventually(lambda: self.status_of(daemon, "shop.example") == 200, what="an answer")
        result = daemon.ctl("upgrade", "router")  # the warm-up check of a new router is a probe, too
        self.assertEqual(result.code, 0, result)

    def test_a_refused_probe_is_explained_and_corrected_without_a_restart(self):
        version = {"command": picky("shop.example", "https"), "health": {"path": "/healthz"}}
        daemon = self.start(service(version), up=())

        def cause():
            status = daemon.ctl("status", "-o", "json")
            return status.code == 0 and status.json()["services"][0]["versions"][0]["cause"]

        text = eventually(cause, what="a cause in the status")
        self.assertRegex(text, r"^worker web@v1#0: last probe of (127.0.0.1:\d+): GET /healthz with Host: \1 was "
                               r"answered 400$")
        pid = daemon.version("v1")["workers"][0]["pid"]
        headers = {"X-Forwarded-Proto": "https"}
        version["health"] = {"path": "/healthz", "host": "shop.example", "headers": headers}
        daemon.write_config({"service": {"web": service(version)}})
        self.assertEqual(daemon.ctl("reload").code, 0)
        daemon.wait_healthy(1, "v1")
        self.assertEqual(daemon.pids("v1"), [pid])
        self.assertEqual(daemon.version("v1")["cause"], "")

        version["health"] = {"path": "/up", "host": "shop.example", "interval": "50ms"}
        daemon.write_config({"service": {"web": service(version)}})
        self.assertEqual(daemon.ctl("reload").code, 0)
        eventually(lambda: daemon.version("v1")["workers"][0]["state"] == "unhealthy", what="an unhealthy worker")
        failure = "GET /up with Host: shop.example was answered 426"
        self.assertIn(failure, daemon.version("v1")["cause"])
        self.assertIn(failure, daemon.ctl("events", "-o", "json").out)
        self.assertIn(failure, daemon.log())

    def test_a_version_that_fails_by_its_probe_says_what_was_asked_and_answered(self):
        daemon = self.start(service({"command": picky("shop.example"), "health": {"path": "/healthz"},
                                     "ready_timeout": "2s"}), up=())  # time to start on a busy machine
        eventually(lambda: "was answered 400" in daemon.log(), what="a log line")
        eventually(lambda: "with Host: 127.0.0.1:" in daemon.ctl("events", "-o", "json").out, what="an event")


if __name__ == "__main__":
    unittest.main()
