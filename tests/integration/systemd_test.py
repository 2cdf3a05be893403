"""Under a service manager: the messages to it, the sockets from it, and the unit file."""
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from harness import MARK, ROOT, GrayTest, eventually, free_port, merged

UNIT = os.path.join(ROOT, "packaging", "grayd.service")


class Manager:
    """The other side of NOTIFY_SOCKET."""

    def __init__(self, test):
        folder = tempfile.mkdtemp(prefix="grayd-test-")
        test.addCleanup(shutil.rmtree, folder)
        self.path = os.path.join(folder, "notify")
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        test.addCleanup(self.sock.close)
        self.sock.bind(self.path)
        self.heard = []

    def listen(self):
        """All messages, oldest first, without those for the watchdog; and the number of the latter."""
        while True:
            try:
                self.heard.append(self.sock.recv(4096).decode())
            except BlockingIOError:
                told = [text for text in self.heard if text != "WATCHDOG=1"]
                return told, len(self.heard) - len(told)

    def wait(self, start, count=1):
        """Waits until `count` messages begin like this; returns the last of them."""
        def found():
            some = [text for text in self.listen()[0] if text.startswith(start)]
            return some[count - 1] if len(some) >= count else None
        return eventually(found, what=f"{count} x {start}")


class Notifications(GrayTest):
    def test_ready_reload_watchdog_and_stop(self):
        manager = Manager(self)
        daemon = self._prepared(None, {})
        self._own.append(daemon)
        daemon.launch(env={"NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "400000"})
        ready = manager.wait("READY=1")
        self.assertEqual(ready, f"READY=1\nSTATUS=serving http://127.0.0.1:{daemon.port}")
        self.assertEqual(daemon.get().status, 200)  # it was true
        pings = manager.listen()[1]
        eventually(lambda: manager.listen()[1] >= pings + 5, what="the watchdog being told")
        daemon.process.send_signal(signal.SIGHUP)
        self.assertRegex(manager.wait("RELOADING=1"), r"^RELOADING=1\nMONOTONIC_USEC=\d+$")
        self.assertEqual(manager.wait("READY=1", 2), ready)
        with open(daemon.config_file, "a") as file:
            file.write("nonsense = [\n")
        self.assertEqual(daemon.ctl("reload").code, 8)
        self.assertEqual(manager.wait("READY=1", 3), ready + "; the last reload was refused")
        for version in ("v1", "v2"):  # the workers have their own notify sockets, or none
            with open(f"/proc/{daemon.pids(version)[0]}/environ", "rb") as file:
                self.assertNotIn(manager.path.encode(), file.read())
        os.kill(daemon.process.pid, signal.SIGSTOP)
        time.sleep(0.5)
        pings = manager.listen()[1]
        time.sleep(1)
        self.assertEqual(manager.listen()[1], pings)  # who stands still must be found out
        os.kill(daemon.process.pid, signal.SIGCONT)
        self.assertEqual(daemon.stop(), 0)
        kinds = [text.split("\n")[0] for text in manager.listen()[0]]
        self.assertEqual(kinds, ["READY=1", "RELOADING=1", "READY=1", "RELOADING=1", "READY=1", "STOPPING=1"])


class Sockets(GrayTest):
    def test_an_activated_socket_is_used_and_not_removed(self):
        program = shutil.which("systemd-socket-activate")
        if not program:
            self.skipTest("there is no systemd-socket-activate")
        path = os.path.join(tempfile.mkdtemp(prefix="grayd-test-"), "web.sock")
        self.addCleanup(shutil.rmtree, os.path.dirname(path))
        daemon = self._prepared(None, {})
        daemon.write_config(merged(daemon.config, {"listen": {"http": [f"127.0.0.1:{daemon.port}", f"unix:{path}"]}}))
        self._own.append(daemon)
        daemon.launch(prefix=[program, "-E", MARK, "-l", f"127.0.0.1:{daemon.port}", "-l", path,
                              "-l", f"127.0.0.1:{free_port()}"])

        def connected():
            try:  # the path exists before somebody listens at it
                return daemon.client(path)
            except (FileNotFoundError, ConnectionRefusedError):
                return None
        with eventually(connected, what="the sockets") as other, daemon.client() as early:  # both wait for grayd
            self.assertEqual(early.ask("/").status, 200)
            self.assertEqual(other.ask("/").status, 200)
        daemon.wait_up(1, "v1", "v2")
        self.assertRegex(daemon.log(), r"127\.0\.0\.1:\d+: the service manager passed a socket for it, "
                                       r"but \[listen\] does not name it")
        with open(f"/proc/{daemon.pids('v1')[0]}/environ", "rb") as file:
            self.assertNotIn(b"LISTEN_FDS", file.read())
        self.assertEqual(daemon.stop(), 0)
        self.assertTrue(os.path.exists(path))  # it is the manager's
        self.assertEqual(daemon.leftovers(), [])


class Unit(GrayTest):
    def setUp(self):
        if not shutil.which("systemd-analyze"):
            self.skipTest("there is no systemd-analyze")

    def test_systemd_accepts_the_unit(self):
        with open(UNIT) as file:
            text = re.sub(r"/usr/bin/gray(d|ctl)\b", "/bin/true", file.read())
        folder = tempfile.mkdtemp(prefix="grayd-test-")
        self.addCleanup(shutil.rmtree, folder)
        path = os.path.join(folder, "grayd.service")
        with open(path, "w") as file:
            file.write(text)
        shutil.copy(os.path.join(ROOT, "packaging", "grayd.socket"), folder)
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", path], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
        self.assertEqual((done.returncode, "grayd" in done.stdout), (0, False), done.stdout)

    def test_the_unit_is_hardened_but_allows_jit_compilers(self):
        done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=30", UNIT],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.assertEqual(done.returncode, 0, done.stdout[-2000:])
        with open(UNIT) as file:
            self.assertNotRegex(file.read(), r"(?m)^MemoryDenyWriteExecute")
