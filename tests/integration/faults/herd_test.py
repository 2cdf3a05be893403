"""Rows 27 and 28: many crashes at once, and commands in any order."""
import contextlib
import os
import random
import signal
import time

from faults.matrix import LONGEST_WAIT, FaultTest, processes_of
from harness import eventually, faulty

HERD = 64
AT_ONCE = max(1, (os.cpu_count() or 1) // 2)
SURELY = 0.5  # seconds, of the one after which a start that is slow no longer counts


def seconds_of(event):
    hours, minutes, seconds = event["time"][11:-1].split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def most_at_once(events):
    """The most workers that were starting at once, counting only the certain ones."""
    most, starting = 0, {}
    for event in events:
        if event["kind"] == "worker-started":
            starting[event["pid"]] = seconds_of(event)
        elif event["kind"] in ("worker-ready", "worker-exited"):
            starting.pop(event["pid"], None)
        now = seconds_of(event)
        most = max(most, sum(now - since < SURELY for since in starting.values()))
    return most


class Herd(FaultTest):
    def test_fault_27_workers_that_crash_together(self):
        with self.row({}, herd={"command": faulty("--threads", "1"), "ready": ["pipe"], "instances": HERD}):
            self.shared.wait_up(HERD, "herd", timeout=90)
            pids = self.shared.pids("herd")
            last = self.events("herd")[-1]["sequence"]
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):  # grayd ends the rest as soon as it has given up
                    os.kill(pid, signal.SIGKILL)
            self.wait_state("herd", "failed")  # more than 10 ends, and no traffic: it is not started again
            events = [event for event in self.events("herd") if event["sequence"] > last]
            self.assertLessEqual(most_at_once(self.events("herd")), AT_ONCE)
            self.assertEqual([event["kind"] for event in events].count("version-failed"), 1)
            delays = [event["text"].rsplit("(", 1)[1] for event in events if event["kind"] == "worker-backoff"]
            self.assertLessEqual(len(delays), 10)

    def test_fault_28_commands_in_any_order(self):
        seed = random.randrange(1 << 32)
        print(f"seed {seed}")
        chance = random.Random(seed)
        versions = {name: {"command": faulty("--ready-after", str(delay)), "ready": ["pipe"], "instances": 2,
                           "stop": {"timeout": "500ms"}} for name, delay in (("quick", 0), ("slow", 300))}
        with self.row({}, **versions):
            deadline = time.monotonic() + 6
            while time.monotonic() < deadline:
                version, dice = chance.choice(list(versions)), chance.randrange(6)
                if dice == 0:
                    for pid in processes_of(self.shared, version):
                        with contextlib.suppress(ProcessLookupError):
                            os.kill(pid, chance.choice([signal.SIGKILL, signal.SIGTERM, signal.SIGSTOP]))
                elif dice == 1:
                    versions[version]["instances"] = chance.randint(1, 3)
                    versions[version]["env"] = {"ROUND": str(chance.randrange(3))}
                    self.configure(**versions)
                else:
                    order = ["start", "stop", "restart", "drain"][dice - 2]
                    result = self.shared.ctl(order, "web", version, "--no-wait")
                    self.assertIn(result.code, (0, 3), result)  # done, or in conflict with what is so already
            for version in versions:
                result = self.shared.ctl("stop", "web", version, "--no-wait", "--yes")
                self.assertIn(result.code, (0, 3), result)
                eventually(lambda: not processes_of(self.shared, version), LONGEST_WAIT, f"the end of {version}")
