"""Rows 16 and 17: nothing is left when grayd dies, and no signal reaches a process with a reused pid."""
import os
import random
import re
import shutil
import signal
import subprocess
import sys

from faults.kills import MANY, kill_often, kill_one_between_fork_and_exec, kill_with_router, start_clean
from faults.matrix import cgroups_of, processes_of
from harness import GrayTest

HERE = os.path.dirname(os.path.abspath(__file__))
ROUNDS = 20


class Death(GrayTest):
    def test_fault_16_grayd_is_killed(self):
        seed = random.randrange(1 << 32)
        print(f"seed {seed}")
        daemon = self._prepared(MANY, {})
        self._own.append(daemon)
        longest = kill_often(daemon, ROUNDS, seed)
        print(f"    nothing outlived {ROUNDS} kills for more than {longest:.2f} s")
        self.assertLessEqual(len(start_clean(daemon)), 16)
        self.assertEqual(daemon.stop(), 0)
        self.assertEqual(daemon.leftovers(), [])

    def test_fault_16_router_is_killed(self):
        """Alone, without effect on clients; and together with grayd, first or last, with nothing left behind."""
        daemon = self._prepared(MANY, {})
        self._own.append(daemon)
        daemon.launch().wait_up(12, "v1").wait_answers()
        workers, router = daemon.pids("v1"), daemon.router()
        os.kill(router, signal.SIGKILL)
        daemon.wait_answers()
        self.assertEqual(daemon.pids("v1"), workers)
        self.assertNotEqual(daemon.router(), router)
        for router_first in (True, False) * 2:
            orphans = kill_with_router(daemon, router_first)
            print(f"    {'router first' if router_first else 'grayd first'}: {orphans} ended by the next start")
            daemon.wait_up(12, "v1").wait_answers()
            self.assertLessEqual(len(cgroups_of(daemon)), 16)

    def test_fault_16_between_fork_and_exec(self):
        """The child is delayed in its first system call, and grayd is killed meanwhile."""
        if not shutil.which("strace"):
            self.skipTest("there is no strace")
        daemon = self._prepared(MANY, {})
        self._own.append(daemon)
        for delay in (0, 20_000, 200_000):
            tracer = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=setsid,pidfd_open",
                      "-e", f"inject=setsid:delay_enter={delay}", "-e", "inject=pidfd_open:signal=KILL:when=2"]
            kill_one_between_fork_and_exec(daemon, tracer)
            self.assertEqual(processes_of(daemon, "v1"), {})
        start_clean(daemon)

    def test_fault_17_pid_reuse(self):
        inside = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]
        if subprocess.run([*inside, "true"], stderr=subprocess.DEVNULL).returncode != 0:
            self.skipTest("this user may make no PID namespace")
        done = subprocess.run([*inside, sys.executable, os.path.join(HERE, "pid_reuse.py")], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=120)
        found = re.search(r"(\d+) strangers, (\d+) signalled", done.stdout)
        self.assertIsNotNone(found, done.stdout)
        self.assertGreaterEqual(int(found[1]), 12)
        self.assertEqual(int(found[2]), 0, done.stdout)
