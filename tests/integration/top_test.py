"""`grayctl top` in a pseudo terminal and without one, against a grayd with a good and a bad version under a small
load."""
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
import unittest

from harness import BUILD, SLOWER, GrayTest, eventually, faulty, run_program, two_versions
from users import Users

LONGEST_WAIT = 20 * SLOWER
CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
SECOND_PAGE, FIRST_PAGE = "\x1b[?1049h", "\x1b[?1049l"


class Terminal:
    """A grayctl that runs in a pseudo terminal of its own, as its controlling one."""

    def __init__(self, *args, columns=80, lines=24, **env):
        self.master, self.slave = pty.openpty()
        self.resize(columns, lines, tell=False)
        self.settings = termios.tcgetattr(self.slave)
        self.shown = ""
        env = {**{name: value for name, value in os.environ.items() if name != "NO_COLOR"}, "TERM": "xterm",
               "LC_ALL": "C.UTF-8", **env}
        self.process = subprocess.Popen([os.path.join(BUILD, "grayctl"), *args], stdin=self.slave, stdout=self.slave,
                                        stderr=self.slave, env=env, start_new_session=True,
                                        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.master)
        os.close(self.slave)

    def resize(self, columns, lines, tell=True):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        if tell:
            self.process.send_signal(signal.SIGWINCH)

    def press(self, keys):
        os.write(self.master, keys)

    def read(self):
        while select.select([self.master], [], [], 0)[0]:
            self.shown += os.read(self.master, 65536).decode(errors="replace")

    def frame(self):
        """The last whole frame, with its colours; None before the first."""
        self.read()
        whole = [part.split("\x1b[J")[0] for part in self.shown.split("\x1b[H")[1:] if "\x1b[J" in part]
        return whole[-1] if whole else None

    def lines(self):
        return [CODES.sub("", line).rstrip("\r") for line in (self.frame() or "").split("\r\n")]

    def wait_for(self, text, timeout=10):
        eventually(lambda: any(text in line for line in self.lines()), timeout, f"{text!r} in the frame")

    def row(self, version):
        """The cells of the row of a version; None without one."""
        for line in self.lines():
            cells = line.split()
            if f"web {version}" in " ".join(cells[:3]).replace("*", "") and "%" in line and "BAD" not in line:
                return line
        return None

    def ended(self):
        """The exit code, negative for a signal; the terminal must be as it was."""
        eventually(lambda: self.read() or self.process.poll() is not None, 10, "its end")
        self.read()
        return self.process.returncode

    def is_restored(self):
        return termios.tcgetattr(self.slave) == self.settings and self.shown.rstrip().endswith(FIRST_PAGE)


def top(daemon, *args):
    return ("--socket", daemon.admin, "top", *args)


class TopTest(GrayTest):
    def started(self, *flags):
        self.daemon = self.start(two_versions(version={"v1": {"command": faulty()}, "v2": {"command": faulty(*flags)}}))
        return self.daemon


class InATerminal(TopTest):
    def test_a_bad_version_is_marked_within_three_seconds_and_the_keys_work(self):
        daemon = self.started("--error-rate", "0.3")
        with Users(daemon.port, rate=100) as users, Terminal(*top(daemon)) as terminal:
            terminal.wait_for("RPS 60s")
            self.assertEqual(len(terminal.lines()), 24)
            eventually(lambda: users.served["v1"] > 50, 10, "users")
            self.assertTrue(terminal.row("v2").startswith(" "), terminal.row("v2"))
            self.ok("shift", "web", "v2", "50")
            eventually(lambda: users.failed, 10, "the first error")
            first = time.monotonic()
            eventually(lambda: terminal.row("v2").startswith("!"), 10, "the mark")
            self.assertLess(time.monotonic() - first, 3 * SLOWER)
            self.assertTrue(terminal.row("v1").startswith(" "), terminal.row("v1"))
            self.assertIn("\x1b[31m!", terminal.frame())
            terminal.wait_for("! BAD    web v2: ")
            terminal.wait_for("go back  grayctl shift web v2 0")
            terminal.wait_for("verdict  web v2 / v1: ")
            self.use_keys(terminal)
        self.assertEqual(users.not_of("v2"), [])

    def use_keys(self, terminal):
        terminal.press(b"x\x1b[A")  # without a meaning
        terminal.press(b"s")
        terminal.wait_for("sorted by weight")
        terminal.press(b"S/")
        terminal.wait_for("Enter: keep this filter")
        terminal.press(b"v2\r")
        terminal.wait_for('only "v2"')
        self.assertIsNone(terminal.row("v1"))
        terminal.press(b"/\x1b")
        eventually(lambda: terminal.row("v1"), 5, "the row of v1")
        terminal.press(b"p")
        terminal.wait_for("PAUSED")
        terminal.press(b" ?")
        terminal.wait_for("The bars are requests per second")
        terminal.resize(120, 40)
        eventually(lambda: len(terminal.lines()) == 40, 5, "the new size")
        terminal.wait_for("VERDICT")
        terminal.press(b"q")
        self.assertEqual(terminal.ended(), 0)
        self.assertTrue(terminal.is_restored(), repr(terminal.shown[-200:]))

    def test_it_goes_on_when_grayd_is_back_and_signals_restore_the_terminal(self):
        daemon = self.started()
        with Terminal(*top(daemon), NO_COLOR="1") as terminal, Terminal(*top(daemon)) as other:
            terminal.wait_for("web")
            other.wait_for("web")
            daemon.kill()
            terminal.wait_for("retrying")
            daemon.launch().wait_up(1, "v1")
            terminal.wait_for(f"pid {daemon.process.pid}")
            self.assertNotIn("\x1b[31m", terminal.shown)
            self.stop_and_continue(terminal)
            terminal.press(b"\x03")
            self.assertEqual(terminal.ended(), -signal.SIGINT)
            other.wait_for(f"pid {daemon.process.pid}")
            other.process.send_signal(signal.SIGTERM)
            self.assertEqual(other.ended(), -signal.SIGTERM)
            for ended in terminal, other:
                self.assertIn(SECOND_PAGE, ended.shown)
                self.assertTrue(ended.is_restored(), repr(ended.shown[-200:]))

    def stop_and_continue(self, terminal):
        def is_stopped():
            terminal.read()
            with open(f"/proc/{terminal.process.pid}/stat") as file:
                return file.read().rsplit(")", 1)[1].split()[0] == "T"
        terminal.press(b"\x1a")
        eventually(is_stopped, 5, "the stop")
        terminal.read()
        self.assertTrue(terminal.is_restored(), repr(terminal.shown[-200:]))
        terminal.shown = ""
        terminal.process.send_signal(signal.SIGCONT)
        terminal.wait_for("web")
        self.assertIn(SECOND_PAGE, terminal.shown)

    def test_without_a_grayd_the_terminal_is_not_touched(self):
        with Terminal("--socket", "/nonexistent/grayd.sock", "top") as terminal:
            self.assertEqual(terminal.ended(), 7)
            self.assertIn("no grayd answers at", terminal.shown)
            self.assertNotIn(SECOND_PAGE, terminal.shown)


class WithoutATerminal(TopTest):
    def test_there_are_lines_or_objects(self):
        daemon = self.started("--error-rate", "0.3")
        with Users(daemon.port, rate=100) as users:
            self.ok("shift", "web", "v2", "50")
            eventually(lambda: users.failed, 10, "the first error")
            plain = self.ok("top", "--count", "3", "--interval", "200ms").out.splitlines()
            titles = plain[0].split()
            rows = [dict(zip(titles, line.split(), strict=True)) for line in plain[1:]]
            self.assertEqual([(row["VERSION"], row["MARK"]) for row in rows], [("v1", "ok"), ("v2", "bad")] * 3)
            self.assertGreater(float(rows[-1]["RPS"]), 0)
            self.assertGreater(float(rows[-1]["ERR%"]), 1)
            looks = [json.loads(line) for line in
                     self.ok("top", "-o", "json", "--count", "2", "--interval", "200ms").out.splitlines()]
            self.assertEqual([[version["bad"] for version in look["versions"]] for look in looks], [[False, True]] * 2)
        wrong = daemon.ctl("top", "wbe")
        self.assertEqual((wrong.code, "did you mean \"web\"" in wrong.err), (2, True), wrong)

    def test_it_says_once_that_grayd_is_gone_and_goes_on(self):
        daemon = self.started()
        command = [os.path.join(BUILD, "grayctl"), *top(daemon, "--interval", "100ms")]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            self.assertIn("SERVICE", process.stdout.readline())
            daemon.kill()
            self.assertIn("asks again until it answers", process.stderr.readline())
            daemon.launch().wait_up(1, "v1")
            eventually(lambda: process.stdout.readline().split()[5:6] == ["1"], 10, "a line with a worker")
            process.terminate()
            self.assertEqual(process.stderr.read(), "")
        self.assertEqual(run_program("grayctl", "--socket", daemon.admin, "top", "-n", "0").code, 2)


if __name__ == "__main__":
    unittest.main()
