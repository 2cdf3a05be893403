"""What works, but not as the operator expects: one warning in the log, as an event, and in the status."""
import unittest

from harness import GrayTest, eventually, fake, merged, two_versions

# Python's own server: a backlog of 5. The argument is the address to listen on.
SERVER = """
import http.server, os, sys
http.server.HTTPServer((sys.argv[1] or os.environ["HOST"], int(os.environ["PORT"])),
                       http.server.BaseHTTPRequestHandler).serve_forever()
"""


class Warnings(GrayTest):
    def causes(self, daemon):
        return sorted(warning["cause"] for warning in daemon.status()["warnings"])

    def check(self, daemon, cause, *texts):
        """The warning is everywhere, once; returns its text."""
        warning = eventually(lambda: [one for one in daemon.status()["warnings"] if one["cause"] == cause],
                             what=f"the warning {cause}")
        self.assertEqual(len(warning), 1)
        text = warning[0]["text"]
        for part in texts:
            self.assertIn(part, text)
        events = [event for event in daemon.ctl("events", "-o", "json").json()["events"]
                  if event["kind"] == "warning" and event["cause"] == cause]
        self.assertEqual([event["text"] for event in events], [text])
        self.assertEqual(daemon.log().count(text), 1)
        self.assertIn("warning", daemon.ctl("status").out)
        return text

    def test_a_proxy_that_is_not_trusted(self):
        web = two_versions(identity=["client-ip"], version={"v2": {"weight": 20}})
        daemon = self.start(web)
        self.assertEqual(self.causes(daemon), [])

        def versions():
            return {daemon.get(headers={"X-Forwarded-For": f"192.0.2.{user}"})["x-gray-version"] for user in range(60)}

        self.assertEqual(len(versions()), 1)  # the trap: all users are one
        self.check(daemon, "trusted-proxies", "the peer 127.0.0.1 ", "router.trusted_proxies")
        daemon.write_config(merged(daemon.config, {"router": {"trusted_proxies": ["127.0.0.1"]}}))
        result = daemon.ctl("reload")
        self.assertEqual(result.code, 0, result)
        self.assertEqual(self.causes(daemon), [])
        eventually(lambda: len(versions()) == 2, what="users of both versions")

    def test_a_listener_with_a_short_backlog_that_is_open_to_all(self):
        version = {"command": ["python3", "-c", SERVER, "0.0.0.0"], "ready": ["tcp"]}
        web = two_versions(version={"v1": version, "v2": {"command": fake("--ready", "none"), "ready": ["tcp"]}})
        daemon = self.start(web, up=())
        daemon.wait_healthy(1, "v1", "v2")
        self.check(daemon, "listen-backlog", "worker web@v1#0 listens with a backlog of 5, ", "max_sockets = 64")
        self.check(daemon, "open-listener", "worker web@v1#0 listens on every interface, port ", "HOST")
        self.assertEqual(daemon.ctl("upgrade").code, 0)  # the next image knows them, and does not repeat them
        self.check(daemon, "listen-backlog")
        version = {**version, "command": ["python3", "-c", SERVER, ""]}
        web = merged(web, {"limits": {"max_sockets": 5}, "version": {"v1": version}})
        daemon.write_config({"service": {"web": web}})
        self.assertEqual(daemon.ctl("reload").code, 0)
        eventually(lambda: self.causes(daemon) == [], 20, "no warning")


if __name__ == "__main__":
    unittest.main()
