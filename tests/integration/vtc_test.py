"""Runs the scenarios of tests/vtc: varnishtest is the client in front of grayd and the server behind it, so one file
has the input on each side of an exchange and the expected output on the other."""
import glob
import os
import subprocess
import sys

from harness import HERE, ROOT, SLOWER, GrayTest

SCENARIOS = sorted(glob.glob(os.path.join(ROOT, "tests", "vtc", "*.vtc")))
LIMIT = 30  # seconds for one scenario


class Scenarios(GrayTest):
    def run_scenario(self, file):
        relay = [sys.executable, os.path.join(HERE, "workers", "relay.py")]
        server = "s1.sock"
        # The server of a scenario has one connection at a time. Each thread of the router opens its own, so there is
        # one thread.
        daemon = self.start({"stable": "v1", "limits": {"request_timeout": "2s", "body": "64B"},
                             "version": {"v1": {"command": relay, "ready": ["pipe"], "env": {"RELAY_TO": server}}}},
                            up=(), router={"threads": 1})
        daemon.wait_up(1, "v1")
        done = subprocess.run(
            ["varnishtest", "-t", str(LIMIT * SLOWER), f"-Dgrayd=127.0.0.1:{daemon.port}",
             f"-Dserver={os.path.join(daemon.folder, server)}", file],
            timeout=2 * LIMIT * SLOWER, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace")
        self.assertEqual(done.returncode, 0, done.stdout[-6000:])


def add(file):
    def test(self):
        self.run_scenario(file)
    setattr(Scenarios, "test_" + os.path.basename(file)[:-4], test)


for scenario in SCENARIOS:
    add(scenario)
