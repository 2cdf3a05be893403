"""A worker that uses more memory than its version allows is replaced, and no request fails."""
import sys

from faults.matrix import Clients, events_of, wait_event
from harness import GrayTest, eventually, fake, merged, rss_bytes, two_versions

LIMIT = 64 << 20
STABLE_RUN = 30  # seconds that a worker has run before it is replaced for this
# Becomes a fake that uses more memory than the limit, in a separate process, once the file exists.
HEAVY = ("import os, sys, time\n"
         "if os.fork() == 0:\n"
         "    while not os.path.exists(sys.argv[1]): time.sleep(0.05)\n"
         "    os.rename(sys.argv[1], sys.argv[1] + '.eaten')\n"
         f"    eaten = b'x' * {LIMIT}\n"
         "    time.sleep(300)\n"
         "os.execv(sys.argv[2], sys.argv[2:])\n")


class Memory(GrayTest):
    def test_a_worker_above_its_memory_limit_is_replaced(self):
        daemon = self._prepared(two_versions(version={"v2": None}), {})
        self._own.append(daemon)
        trigger = f"{daemon.folder}/eat"
        heavy = {"command": [sys.executable, "-c", HEAVY, trigger, *fake()], "ready": ["pipe"], "memory": "64MiB",
                 "instances": 2}
        daemon.write_config(merged(daemon.config, {"service": {"web": {"version": {"v1": heavy}}}}))
        daemon.launch().wait_up(2, "v1").wait_answers()
        clients = Clients(daemon)
        self.addCleanup(clients.stop)
        before = daemon.pids("v1")
        self.assertLess(max(map(rss_bytes, before)), LIMIT)
        with open(trigger, "w"):
            pass
        event = wait_event(daemon, "v1", "worker-restarting", timeout=STABLE_RUN + 30)
        self.assertEqual(event["cause"], "memory")
        self.assertIn(event["pid"], before)
        self.assertRegex(event["text"],
                         r"^it holds \d+MiB, more than 64MiB; a new worker starts first, then it drains$")
        kept, = set(before) - {event["pid"]}
        after = eventually(lambda: len(pids := daemon.pids("v1")) == 2 and event["pid"] not in pids and pids, 30,
                           "two workers without that one")
        self.assertIn(kept, after)
        exited = wait_event(daemon, "v1", "worker-exited")
        self.assertEqual((exited["pid"], exited["cause"]), (event["pid"], "stopped"))
        fresh = [other for other in events_of(daemon, "v1", "worker-healthy") if other["pid"] not in before]
        self.assertLess(event["sequence"], fresh[0]["sequence"])
        self.assertLess(fresh[0]["sequence"], exited["sequence"])
        clients.stop()
        self.assertEqual(clients.failures, [])
        self.assertEqual(len(events_of(daemon, "v1", "worker-restarting")), 1)
        # A lower limit holds at once for who runs: the other one is above it, and by now has run long enough.
        lower = {"service": {"web": {"version": {"v1": {"memory": "1MiB"}}}}}
        daemon.write_config(merged(daemon.config, lower))
        self.assertEqual(daemon.ctl("reload").code, 0)
        self.assertEqual(wait_event(daemon, "v1", "worker-restarting", 2)["pid"], kept)
