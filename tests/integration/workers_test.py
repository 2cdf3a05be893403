"""Any program as a worker: unmodified ones, every readiness method and way to listen, and the messages about errors."""
import os
import pwd
import re
import shutil
import signal
import socket
import threading
import unittest

from harness import ROOT, GrayTest, eventually, fake, merged, run_program, two_versions

NGINX = shutil.which("nginx") or "/usr/sbin/nginx"
PYTHON_SERVER = 'exec python3 -m http.server "$PORT" --bind "$HOST"'
NGINX_CONFIG = """
daemon off; error_log stderr; pid %(folder)s/nginx.pid; %(user)s
events {}
http {
  access_log off;
  client_body_temp_path %(folder)s/body; proxy_temp_path %(folder)s/proxy; fastcgi_temp_path %(folder)s/fastcgi;
  uwsgi_temp_path %(folder)s/uwsgi; scgi_temp_path %(folder)s/scgi;
  server { listen 127.0.0.1:PORT; location / { return 200 "nginx here\\n"; } }
}
"""
# A server that knows nothing but the protocol of socket activation.
ACTIVATED = """
import os, socket, http.server
assert os.environ["LISTEN_PID"] == str(os.getpid()) and os.environ["LISTEN_FDS"] == "1", os.environ
assert "PORT" not in os.environ and "HOST" not in os.environ
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *ignored): pass
    def do_GET(self):
        body = f"activated {os.getpid()}\\n".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler, bind_and_activate=False)
server.socket = socket.socket(fileno=3)
server.server_address = server.socket.getsockname()
server.server_name = server.server_port = ""
os.write(int(os.environ["GRAY_READY_FD"]), b"READY=1\\n")
server.serve_forever()
"""
# Tells who it is and what it may do there; only what is below /usr is needed, so that any user can run it.
WHO_AM_I = """
import http.server, os, socket, socketserver
home, notify, path = os.environ["HOME"], os.environ["NOTIFY_SOCKET"], os.environ["GRAY_SOCKET"]
class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *ignored): pass
    def address_string(self): return ""
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        print(os.getuid(), os.geteuid(), os.getgid(), *os.getgroups(), os.environ.get("USER"), home, flush=True)
        with open("/dev/stdout", "w") as out: out.write("through /dev/stdout\\n")
        if self.path.startswith("/env"):
            return self.wfile.write("\\n".join(sorted(os.environ)).encode())
        self.wfile.write(f"{os.getuid()} {os.getgid()} {os.environ.get('USER')} {home}".encode())
class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer): daemon_threads = True
server = Server(path, Handler)
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock: sock.sendto(b"READY=1", notify)
server.serve_forever()
"""


def shell(script):
    return ["sh", "-c", script]


def node(listen):
    """A server in Node; `listen` as in docs/workers.md."""
    return ["node", "-e", "const server = require('node:http').createServer((request, response) => "
            "response.end(`${process.env.GRAY_VERSION}\\n`));" + listen]


def only(**versions):
    """A service whose stable version is the first of these."""
    service = merged(two_versions(), {"stable": next(iter(versions)), "version": {"v1": None, "v2": None}})
    return merged(service, {"version": versions})


class UnmodifiedPrograms(GrayTest):
    """Each through the router, all in one grayd."""

    @classmethod
    def setUpClass(cls):
        versions = {
            "node": {"command": ["node", os.path.join(ROOT, "workers/node/hello.js")]},
            "python": {"command": shell(PYTHON_SERVER), "cwd": os.path.join(ROOT, "workers")},
            "nginx": {"command": shell(f'sed "s/PORT/$PORT/" nginx.in >nginx.conf; exec {NGINX} -c "$PWD/nginx.conf"'),
                      "health": {"path": "/"}, "stop": {"signal": "QUIT"}},
            "notify": {"command": shell('systemd-notify --ready --status="from a shell"; ' + PYTHON_SERVER),
                       "ready": ["notify"]},
            "activated": {"command": ["python3", "-c", ACTIVATED], "listen": "socket"},
        }
        cls.shared = cls._prepared(only(**versions), {})
        cls.addClassCleanup(cls.shared.clean_up)
        user = "user root;" if os.geteuid() == 0 else ""
        with open(os.path.join(cls.shared.folder, "nginx.in"), "w") as file:
            file.write(NGINX_CONFIG % {"folder": cls.shared.folder, "user": user})
        try:
            cls._started(cls.shared, tuple(versions))
        except AssertionError:
            print(cls.shared.log()[-6000:], flush=True)
            raise

    def check(self, version, body, ready_by):
        for _ in range(3):
            response = self.shared.get(f"/?version={version}")
            self.assertEqual((response.status, response["x-gray-version"]), (200, version))
            self.assertIn(body, response.text)
        worker = self.shared.version(version)["workers"][0]
        self.assertEqual((worker["ready_by"], worker["restarts"]), (ready_by, 0))
        return worker

    def test_node(self):
        self.check("node", '"version":"node"', "ipc")

    def test_the_web_server_of_python(self):
        self.check("python", "faulty.cpp", "tcp")

    def test_nginx(self):
        self.check("nginx", "nginx here", "http")

    def test_a_script_that_uses_systemd_notify(self):
        worker = self.check("notify", "Directory listing", "notify")
        self.assertEqual(worker["status"], "from a shell")

    def test_a_socket_activated_server_is_restarted_without_a_refused_connection(self):
        worker = self.check("activated", "activated", "pipe")
        host, port = worker["address"].rsplit(":", 1)
        problems, answers, stop = [], [], threading.Event()

        def press():
            while not stop.is_set():
                try:
                    with socket.create_connection((host, int(port)), 10) as sock:
                        sock.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                        answers.extend(int(pid) for pid in re.findall(rb"activated (\d+)", sock.recv(4096)))
                except ConnectionRefusedError as error:
                    problems.append(error)
                except OSError:  # it was killed while it held this connection
                    pass

        threads = [threading.Thread(target=press) for _ in range(4)]
        for thread in threads:
            thread.start()
        seen = [worker["pid"]]
        while True:
            eventually(lambda: answers.count(seen[-1]) > 50, 20, "answers of this process")
            if len(seen) == 3:
                break
            os.kill(seen[-1], signal.SIGKILL)
            seen += eventually(lambda: set(self.shared.pids("activated")) - set(seen), 15, "the next process")
        stop.set()
        for thread in threads:
            thread.join()
        self.assertEqual(problems, [])
        self.assertEqual(self.shared.version("activated")["workers"][0]["address"], worker["address"])


class Ways(GrayTest):
    """Readiness methods and ways to listen, configured by name."""

    READY_BY = {"pipe": "pipe", "fd": "fd:9", "http": "http", "unix": "notify", "unix_tcp": "tcp", "socket": "http",
                "node_pipe": "pipe", "node_unix": "ipc", "node_fd3": "ipc", "shell_fd": "fd:7"}

    @classmethod
    def setUpClass(cls):
        say = "require('node:fs').writeSync(Number(process.env.GRAY_READY_FD), 'READY=1\\n')"
        cls.start_shared(only(
            pipe={"command": fake(), "ready": ["pipe"]},
            fd={"command": fake("--ready", "fd:9"), "ready": "fd:9"},
            http={"command": fake("--ready", "none"), "ready": ["http"], "health": {"path": "/status?code=301"}},
            unix={"command": fake("--ready", "notify"), "listen": "unix"},
            unix_tcp={"command": fake("--ready", "none"), "listen": "unix", "ready": ["tcp"]},
            socket={"command": fake("--ready", "none"), "listen": "socket", "ready": ["http"], "health": {"path": "/"}},
            node_pipe={"command": node(f"server.listen(process.env.PORT, process.env.HOST, () => {say})"),
                       "ready": ["pipe"]},
            node_unix={"command": node("server.listen(process.env.GRAY_SOCKET, () => process.send?.('ready'))"),
                       "listen": "unix"},
            node_fd3={"command": node("server.listen({ fd: 3 }, () => process.send?.('ready'))"), "listen": "socket"},
            shell_fd={"command": shell(f"echo >&7; exec {' '.join(fake('--ready', 'none'))}"), "ready": "fd:7"},
        ), up=tuple(cls.READY_BY))

    def worker(self, version):
        response = self.shared.get(f"/?version={version}")
        self.assertEqual((response.status, response.text), (200, f"{version}\n"))
        return self.shared.version(version)["workers"][0]

    def test_the_readiness_method_is_reported(self):
        self.assertEqual({version: self.worker(version)["ready_by"] for version in self.READY_BY}, self.READY_BY)

    def test_a_unix_socket_is_in_a_folder_that_only_its_worker_and_the_routers_may_enter(self):
        worker = self.worker("unix")
        self.assertEqual(worker["status"], "all is well")
        self.assertRegex(worker["address"], r"^unix:/.+/http$")
        path = worker["address"][5:]
        self.assertLessEqual(len(path), 107)
        folder = os.path.dirname(path)
        self.assertEqual(os.stat(folder).st_mode & 0o7707, 0o700)
        routers = os.geteuid() == 0  # as a user of their own, who is in the access list
        self.assertEqual("system.posix_acl_access" in os.listxattr(folder), routers)
        self.assertEqual(os.stat(folder).st_mode & 0o070, 0o010 if routers else 0)

    def test_a_killed_worker_gets_a_new_path_and_its_old_one_is_removed(self):
        before = self.worker("unix_tcp")
        os.kill(before["pid"], signal.SIGKILL)
        pid = eventually(lambda: [worker["pid"] for worker in self.shared.version("unix_tcp")["workers"]
                                  if worker["state"] == "healthy" and worker["pid"] != before["pid"]], 15, "a new one")
        after = self.worker("unix_tcp")
        self.assertEqual([after["pid"]], pid)
        self.assertNotEqual(after["address"], before["address"])
        self.assertFalse(os.path.exists(os.path.dirname(before["address"][5:])))


class Folders(GrayTest):
    def test_no_folder_is_left_after_a_stop_or_the_start_after_a_kill(self):
        daemon = self.start(only(v1={"command": fake(), "listen": "unix"}), up=("v1",))
        path = daemon.version("v1")["workers"][0]["address"][5:]
        base = os.path.dirname(os.path.dirname(path))
        with open(os.path.join(base, "left"), "w"):
            daemon.kill()
        eventually(lambda: not daemon.leftovers(), 5, "the end of all")
        self.assertTrue(os.path.exists(base))
        daemon.launch().wait_up(1, "v1").wait_answers()
        self.assertNotIn("left", os.listdir(base))
        self.assertEqual(daemon.stop(), 0)
        self.assertFalse(os.path.exists(base))


class Users(GrayTest):
    def check(self, **version):
        daemon = self._prepared(only(v1=merged({"command": fake()}, version)), {})
        self.addCleanup(daemon.clean_up)
        return run_program("grayd", "--config", daemon.config_file, "--check")

    def test_an_unknown_user_is_refused_with_its_position(self):
        result = self.check(user="no-such-user-here")
        self.assertEqual(result.code, 8, result)
        self.assertRegex(result.err, r'grayd\.toml:\d+:8: error: web@v1: there is no user "no-such-user-here"')
        self.assertIn("create it or correct", result.err)

    @unittest.skipUnless(os.geteuid() == 0, "only root may start programs as a different user")
    def test_a_worker_runs_as_its_user_with_its_own_folder(self):
        python = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else shutil.which("python3")
        daemon = self.start(only(v1={"command": [python, "-c", WHO_AM_I], "user": "nobody", "cwd": "/",
                                     "listen": "unix", "ready": ["notify"]}), up=("v1",))
        nobody = pwd.getpwnam("nobody")
        self.assertEqual(daemon.get().text, f"{nobody.pw_uid} {nobody.pw_gid} nobody {nobody.pw_dir}")
        for said in (f"{nobody.pw_uid} {nobody.pw_uid} {nobody.pw_gid}", "through /dev/stdout"):
            eventually(lambda: said in daemon.log(), 5, f"\"{said}\" in the log")
        worker = daemon.version("v1")["workers"][0]
        folder = os.stat(os.path.dirname(worker["address"][5:]))
        self.assertEqual((folder.st_uid, folder.st_mode & 0o777), (nobody.pw_uid, 0o700))
        daemon.kill()
        eventually(lambda: not daemon.leftovers(), 2, "every process ending")


class Misbehaviour(GrayTest):
    """Reported in `status` and in the log, with the remedy, and without effect on the other version."""

    @classmethod
    def setUpClass(cls):
        health = {"path": "/", "interval": "100ms"}
        cls.start_shared(only(
            good={"command": fake()},
            daemon={"command": fake("--daemonise", "--ready", "none")},
            closes={"command": shell('eval "exec $GRAY_READY_FD>&-"; exec sleep 60'), "ready": ["pipe"],
                    "ready_timeout": "2s"},
            shy={"command": fake("--no-listener", "--ready", "none"), "ready_timeout": "500ms"},
            says={"command": fake("--no-listener"), "ready": ["pipe"]},
            tcp={"command": fake("--no-listener", "--ready", "none"), "ready": ["tcp"]},
            http={"command": fake("--no-listener", "--ready", "none"), "ready": ["http"], "health": health},
        ), up=("good",))

    def cause(self, version, *parts):
        """The cause in the status, once it has all these texts; the log must have them too."""
        def found():
            text = self.shared.version(version)["cause"]
            return text if all(part in text for part in parts) else None
        try:
            return eventually(found, 20, f"{version}: {parts}")
        finally:
            self.assertEqual(self.shared.get("/?version=good").status, 200)

    def assert_failed(self, version, *parts):
        cause = self.cause(version, *parts)
        self.assertNotIn("\n", cause)
        self.assertIn(cause[:cause.index(parts[-1])], self.shared.log())
        eventually(lambda: self.shared.version(version)["state"] == "failed", 20, f"{version} failing")

    def address_of_young_worker(self, version):
        """A version that does not fail (10 s after it reported ready) while the test checks it."""
        def young():
            worker = self.shared.version(version)["workers"][0]
            return worker["address"] if worker["pid"] > 0 and (version != "says" or worker["uptime_s"] < 5) else None
        return eventually(young, 30, f"a fresh worker of {version}")

    def test_a_worker_that_becomes_a_daemon(self):
        self.assert_failed("daemon", "daemonised (exit 0)", "its first process ended while pid ",
                           "keep it in the foreground")

    def test_a_worker_that_closes_its_channel(self):
        self.assert_failed("closes", "ready-timeout", "it closed its channel (pipe) before it wrote READY=1",
                           "keep it open")

    def test_a_worker_that_listens_nowhere(self):
        self.assert_failed("shy", "ready-timeout", "last probe of 127.0.0.1:", "Connection refused; it must listen")

    def test_a_port_of_another_program_makes_no_worker_ready(self):
        stop = threading.Event()

        def serve(sock):
            while not stop.is_set():
                try:
                    with sock.accept()[0] as client:
                        client.recv(4096)
                        client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                except OSError:
                    pass

        for version in ("says", "tcp", "http"):
            with self.subTest(version):
                address = self.address_of_young_worker(version)
                with socket.socket() as stranger:
                    stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    stranger.bind(("127.0.0.1", int(address.rsplit(":", 1)[1])))
                    stranger.listen(64)
                    stranger.settimeout(0.2)
                    thread = threading.Thread(target=serve, args=(stranger,))
                    thread.start()
                    try:
                        self.cause(version, f"{address} is answered by pid {os.getpid()} (",
                                   "not by this worker; stop that program")
                        self.assertNotIn(self.shared.version(version)["state"], ("serving", "dark"))
                        self.assertEqual(self.shared.get(f"/?version={version}").status, 503)
                    finally:
                        stop.set()
                        thread.join()
                        stop.clear()


class Refusals(GrayTest):
    def test_impossible_readiness_methods_are_refused_with_position_and_remedy(self):
        bad = {"command": fake(), "listen": "socket", "ready": ["tcp", "http", "fd:3"]}
        daemon = self._prepared(only(v1=bad), {})
        self.addCleanup(daemon.clean_up)
        result = run_program("grayd", "--config", daemon.config_file, "--check")
        self.assertEqual(result.code, 8, result)
        for text in (r'\d+:10: error: "tcp" cannot be used with listen = "socket"',
                     r':\d+: error: "http" needs a health path', r":\d+: error: descriptor 3 is the listening socket"):
            self.assertRegex(result.err, text)

    @unittest.skipUnless(os.geteuid() == 0, "only root may start programs as a different user")
    def test_a_worker_with_a_user_gets_no_variable_of_the_login_of_root(self):
        python = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else shutil.which("python3")
        login = {"TMPDIR": "/root/tmp", "XDG_RUNTIME_DIR": "/run/user/0", "MAIL": "/var/mail/root", "SUDO_USER": "x",
                 "DBUS_SESSION_BUS_ADDRESS": "unix:path=/run/user/0/bus", "SSH_CONNECTION": "x"}
        service = {"NODE_ENV": "production", "LANG": "C.UTF-8"}
        worker = {"command": [python, "-c", WHO_AM_I], "cwd": "/", "listen": "unix", "ready": ["notify"]}
        versions = {"v1": {**worker, "user": "nobody", "env": {"SUDO_USER": "configured"}}, "v2": worker}
        daemon = self._prepared(only(**versions), {})
        self._own.append(daemon)
        daemon.launch(env={**login, **service}).wait_up(1, "v1", "v2")
        names = {version: daemon.get(f"/env?version={version}").text.split("\n") for version in versions}
        self.assertEqual([name for name in login if name in names["v1"]], ["SUDO_USER"])
        self.assertEqual([name for name in login if name in names["v2"]], list(login))
        self.assertEqual([name for name in service if name in names["v1"]], list(service))
        self.assertIn("SHELL", names["v1"])
