"""Which user and which rights each process has, as root and as another user, with every way to listen. The table is in
docs/operations.md. What a process can still do with these rights is tested in tests/grayd/process."""
import os
import pwd
import shutil
import signal
import subprocess
import unittest

from harness import BUILD, GrayTest, children_of, command_line, eventually, merged, run_program

# A server for every way to listen. Its umask lets no other user connect to its socket. It has a child in its group.
SERVER = """
import http.server, os, socket, socketserver, subprocess
os.umask(0o077)
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *ignored): pass
    def address_string(self): return ""
    def do_GET(self):
        body = os.environ["GRAY_VERSION"].encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
class Unix(socketserver.ThreadingMixIn, socketserver.UnixStreamServer): daemon_threads = True
if "GRAY_SOCKET" in os.environ:
    server = Unix(os.environ["GRAY_SOCKET"], Handler)
elif "LISTEN_FDS" in os.environ:
    server = http.server.ThreadingHTTPServer(("", 0), Handler, bind_and_activate=False)
    server.socket = socket.socket(fileno=3)
    server.server_name = server.server_port = ""
else:
    server = http.server.ThreadingHTTPServer((os.environ["HOST"], int(os.environ["PORT"])), Handler)
subprocess.Popen(["sleep", "1000"])
os.write(int(os.environ["GRAY_READY_FD"]), b"READY=1\\n")
server.serve_forever()
"""
PYTHON = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else shutil.which("python3")
WAYS = ("port", "unix", "socket")
NONE = "0000000000000000"
KILL = 1 << 5
# CHOWN, DAC_OVERRIDE, FOWNER, KILL, SETGID, SETUID, SETPCAP, NET_BIND_SERVICE, SYS_PTRACE, SYS_RESOURCE
MASTER = sum(1 << number for number in (0, 1, 3, 5, 6, 7, 8, 10, 19, 24))


def status_of(pid):
    with open(f"/proc/{pid}/status") as file:
        return {name: value.strip() for name, value in (line.split(":", 1) for line in file)}


OWN = status_of("self")
ROOTS = int(OWN["CapBnd"], 16)


def children(daemon, mode):
    return [pid for pid in children_of(daemon.process.pid) if mode in command_line(pid)[1:2]]


def service(users):
    """One version for each way to listen and each user: port, port-daemon, unix, ..."""
    versions = {}
    for way in WAYS:
        for user in users:
            version = {"command": [PYTHON, "-c", SERVER], "listen": way, "cwd": "/", "ready": ["pipe"]}
            versions[way + (f"-{user}" if user else "")] = merged(version, {"user": user} if user else {})
    return {"stable": "port", "param": "version", "version": versions}


class Rights(GrayTest):
    def check(self, pid, uid, caps, *, bound, no_new_privs, seccomp, groups=None):
        status = status_of(pid)
        said = f"{command_line(pid)[:2]}: {status}"
        self.assertEqual(set(status["Uid"].split()), {str(uid)}, said)
        self.assertEqual(int(status["CapEff"], 16), caps, said)
        self.assertEqual(int(status["CapPrm"], 16), caps, said)
        self.assertEqual((status["CapInh"], status["CapAmb"]), (NONE, NONE), said)
        self.assertEqual(int(status["CapBnd"], 16), bound, said)
        self.assertEqual((status["NoNewPrivs"], status["Seccomp"]), (str(no_new_privs), "2" if seccomp else "0"), said)
        if groups is not None:
            self.assertEqual(status["Groups"].split(), groups, said)
        return status

    def check_all(self, daemon, router="nobody"):
        """All processes of a grayd that is root."""
        router = pwd.getpwnam(router)
        self.check(daemon.process.pid, 0, MASTER & ROOTS, bound=ROOTS, no_new_privs=0, seccomp=False)
        self.check(children(daemon, "guard")[0], 0, KILL, bound=KILL, no_new_privs=1, seccomp=True)
        for pid in children(daemon, "router"):
            status = self.check(pid, router.pw_uid, 0, bound=0, no_new_privs=1, seccomp=True, groups=[])
            self.assertEqual(set(status["Gid"].split()), {str(router.pw_gid)})
        for version in daemon.config["service"]["web"]["version"]:
            user = pwd.getpwnam("daemon" if version.endswith("-daemon") else "root")
            for pid in daemon.pids(version):
                self.check(pid, user.pw_uid, 0 if user.pw_uid else ROOTS, bound=ROOTS, no_new_privs=0, seccomp=False)

    def answers(self, daemon):
        for version in daemon.config["service"]["web"]["version"]:
            response = daemon.get(f"/?version={version}")
            self.assertEqual((response.status, response.text), (200, version))


@unittest.skipUnless(os.geteuid() == 0 and OWN["NoNewPrivs"] == "0", "needs root")
class AsRoot(Rights):
    @classmethod
    def setUpClass(cls):
        config = service(["", "daemon"])
        cls.start_shared(config, up=tuple(config["version"]), router={"user": "nobody", "threads": 2})

    def test_every_process_has_the_rights_that_it_needs(self):
        self.shared.wait_healthy(1, *self.shared.config["service"]["web"]["version"])
        self.answers(self.shared)
        self.check_all(self.shared)

    def test_no_other_user_can_write_to_the_sockets_of_a_worker(self):
        path = self.shared.version("unix-daemon")["workers"][0]["address"][5:]
        probe = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"
        for user, may in (("nobody", True), ("daemon", True), ("bin", False)):
            done = subprocess.run([PYTHON, "-c", probe, path], user=user, extra_groups=[], cwd="/", capture_output=True)
            self.assertEqual(done.returncode == 0, may, (user, done.stderr))

    def test_the_rights_are_the_same_after_an_upgrade_of_grayd(self):
        guard, routers = children(self.shared, "guard"), children(self.shared, "router")
        self.assertEqual(self.shared.ctl("upgrade").code, 0)
        self.assertEqual((children(self.shared, "guard"), children(self.shared, "router")), (guard, routers))
        self.check_all(self.shared)
        self.assertEqual(self.shared.ctl("restart", "web", "unix-daemon").code, 0)
        self.answers(self.shared)
        self.check_all(self.shared)

    def test_a_guard_that_is_killed_is_replaced(self):
        guard = children(self.shared, "guard")
        os.kill(guard[0], signal.SIGKILL)
        eventually(lambda: children(self.shared, "guard") not in ([], guard), 10, "a new guard")
        eventually(lambda: status_of(children(self.shared, "guard")[0])["Seccomp"] == "2", 5, "its filter")
        self.check_all(self.shared)


@unittest.skipUnless(os.geteuid() == 0 and OWN["NoNewPrivs"] == "0", "needs root")
class Changes(Rights):
    def test_a_reload_changes_the_user_of_the_router(self):
        config = merged(service(["", "daemon"]), {"version": {way + user: None for way in ("port", "socket")
                                                              for user in ("", "-daemon")}, "stable": "unix"})
        daemon = self.start(config, up=("unix", "unix-daemon"), router={"user": "nobody"})
        before = children(daemon, "router")
        daemon.write_config(merged(daemon.config, {"router": {"user": "bin"}}))
        self.assertEqual(daemon.ctl("reload").code, 0)

        def replaced():
            self.answers(daemon)  # also while both run
            return not set(before) & set(children(daemon, "router"))
        eventually(replaced, 20, "the new router")
        self.check_all(daemon, router="bin")
        daemon.write_config(merged(daemon.config, {"router": {"user": "no-such-user-here"}}))
        refused = daemon.ctl("reload")
        self.assertEqual(refused.code, 8, refused)
        self.assertIn('there is no user "no-such-user-here"', refused.err)

    def test_nothing_of_any_user_survives_the_master(self):
        config = service(["", "daemon"])
        daemon = self.start(config, up=tuple(config["version"]), router={"user": "nobody"})
        self.assertGreaterEqual(len(daemon.leftovers()), 3 + 2 * len(config["version"]))
        daemon.kill()
        eventually(lambda: not daemon.leftovers(), 2, "every process ending")


class AsSomebody(Rights):
    def launched(self, up, **config):
        daemon = self._prepared(service([""]), config)
        self._own.append(daemon)
        options = {}
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            options = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
            os.chown(daemon.folder, nobody.pw_uid, nobody.pw_gid)
        try:
            subprocess.run([os.path.join(BUILD, "grayd"), "--help"], stdout=subprocess.DEVNULL, check=True, cwd="/",
                           **options)
        except OSError as error:
            self.skipTest(f"another user may not run {BUILD}/grayd: {error}")
        daemon.launch(**options)
        return daemon, options.get("user", os.geteuid())

    def test_every_process_has_the_same_user_and_no_capability(self):
        daemon, uid = self.launched(WAYS)
        daemon.wait_healthy(1, *WAYS).wait_answers()
        self.answers(daemon)
        self.check(daemon.process.pid, uid, 0, bound=ROOTS, no_new_privs=0, seccomp=False)
        for pid in children(daemon, "guard") + children(daemon, "router"):
            self.check(pid, uid, 0, bound=ROOTS, no_new_privs=1, seccomp=True)
        for way in WAYS:
            for pid in daemon.pids(way):
                self.check(pid, uid, 0, bound=ROOTS, no_new_privs=0, seccomp=False)
        self.assertEqual(daemon.stop(), 0)

    def test_another_user_for_the_router_is_refused(self):
        daemon, _ = self.launched((), router={"user": "root"})
        self.assertEqual(daemon.process.wait(20), 8)
        self.assertRegex(daemon.log(), r'grayd\.toml:\d+:8: error: router: to run as "root", grayd must be root')

    def test_an_unknown_user_is_refused_with_its_position(self):
        daemon = self._prepared(service([""]), {"router": {"user": "no-such-user-here"}})
        self.addCleanup(daemon.clean_up)
        result = run_program("grayd", "--config", daemon.config_file, "--check")
        self.assertEqual(result.code, 8, result)
        self.assertRegex(result.err, r'grayd\.toml:\d+:8: error: router: there is no user "no-such-user-here"')
        self.assertIn("create it or correct", result.err)


if __name__ == "__main__":
    unittest.main()
