"""Row 17, to be run as the first process of a PID namespace.

Other processes get the pids of dead workers as soon as those are free, each as leader of a separate session, so that a
signal to the old process group would reach them, too. Prints how many there were, and how many got a signal.
"""
import os
import signal
import subprocess
import sys

sys.path[:0] = [os.path.dirname(os.path.dirname(os.path.abspath(__file__)))]
from harness import Grayd, eventually, faulty, merged, two_versions  # noqa: E402

ROUNDS = 12


def stranger_as(pid):
    """A process with this pid, unless another process got it first."""
    with open("/proc/sys/kernel/ns_last_pid", "w") as file:
        file.write(str(pid - 1))
    process = subprocess.Popen(["sleep", "300"], start_new_session=True)
    if process.pid == pid:
        return process
    process.kill()
    process.wait()
    return None


def main():
    version = {"command": faulty(), "ready": ["pipe"], "instances": 2}
    web = merged(two_versions(), {"version": {"v1": version, "v2": version}})
    daemon = Grayd({"service": {"web": web}})
    strangers = []
    try:
        daemon.launch().wait_up(2, "v1", "v2").wait_answers()
        while len(strangers) < ROUNDS:
            pid = daemon.pids("v2")[0]
            os.kill(pid, signal.SIGKILL)
            eventually(lambda: not os.path.exists(f"/proc/{pid}"), 10, "the worker being waited for")
            strangers += filter(None, [stranger_as(pid)])
            if len(strangers) % 4 == 0:  # a version that fails is started again
                daemon.ctl("stop", "web", "v2", "--yes")
                daemon.ctl("start", "web", "v2")
            daemon.wait_up(1, "v2")
        for order in ("restart", "stop"):
            daemon.ctl(order, "web", "v2", "--yes" if order == "stop" else "--timeout=30s")
        daemon.kill()  # the router now kills what is left
        eventually(lambda: not daemon.leftovers(), 5, "the end of all")
        print(f"{len(strangers)} strangers, {sum(process.poll() is not None for process in strangers)} signalled")
    finally:
        for process in strangers:
            process.kill()
        daemon.clean_up()


main()
