"""Who may answer for a worker: only the worker itself, however its address was taken, and only it may report ready."""
import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import unittest

from harness import SLOWER, GrayTest, eventually, is_alive, merged, two_versions

PYTHON = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else shutil.which("python3")
# Answers with its pid; closes its listener on USR1, opens it again on USR2. Any user can run it. With an argument it is
# started as root and changes its user itself.
WORKER = """
import http.server, os, select, signal, socket, socketserver, sys
unix = os.environ.get("GRAY_SOCKET")
if sys.argv[1:]:
    uid = int(sys.argv[1])
    if unix: os.chown(os.path.dirname(unix), uid, -1)
    os.setresgid(uid, uid, uid), os.setresuid(uid, uid, uid)
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = os.environ.get("PROTOCOL", "HTTP/1.1")
    def log_message(self, *ignored): pass
    def address_string(self): return ""
    def do_GET(self):
        body = str(os.getpid()).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer if unix else socketserver.TCPServer):
    daemon_threads, allow_reuse_address, request_queue_size = True, True, 128
def listen():
    return Server(unix or (os.environ["HOST"], int(os.environ["PORT"])), Handler)
wake, tell = os.pipe2(os.O_NONBLOCK)
signal.set_wakeup_fd(tell)
for number in (signal.SIGUSR1, signal.SIGUSR2): signal.signal(number, lambda *ignored: None)
server = listen()
os.write(int(os.environ["GRAY_READY_FD"]), b"READY=1\\n")
while True:
    for ready in select.select([wake] + ([server] if server else []), [], [])[0]:
        if ready != wake: server.handle_request()
        elif os.read(wake, 1)[0] == signal.SIGUSR1: server = server.server_close()
        else: server = listen()
"""
# Listens as the user whose id is given, reports every byte that it gets, and answers everything.
STRANGER = """
import os, socket, sys, threading
uid, where = int(sys.argv[1]), sys.argv[2]
listener = socket.socket(socket.AF_INET if where.isdigit() else socket.AF_UNIX)
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
def bind(): listener.bind(("127.0.0.1", int(where)) if where.isdigit() else where)
if not where.isdigit(): bind(), os.chmod(where, 0o777 if len(sys.argv) == 3 else 0o700)
os.setgroups([]), os.setresgid(uid, uid, uid), os.setresuid(uid, uid, uid)
if where.isdigit():
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bind()
listener.listen(128)
print("listens", flush=True)
def serve(connection):
    print("connected", flush=True)
    while data := connection.recv(65536):
        print("bytes", len(data), flush=True)
        connection.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 5\\r\\n\\r\\nstole")
while True: threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
"""


ONE_REQUEST = {"PROTOCOL": "HTTP/1.0"}  # a connection of its own for each request


def uid_of(user):
    return pwd.getpwnam(user).pw_uid


ANSWERED_BY_OTHER = f"is answered by user www-data (uid {uid_of('www-data')}), pid "


class Stranger:
    """A process of `user` that listens at a port or a path; counts what it got. `private`: only that user may connect,
    and root."""

    def __init__(self, test, user, where, private=False):
        self.path = where
        command = [PYTHON, "-c", STRANGER, str(uid_of(user)), str(where)] + (["private"] if private else [])
        self.process = subprocess.Popen(command, text=True, stdout=subprocess.PIPE, cwd="/")
        test.addCleanup(self.end)
        test.assertEqual(self.process.stdout.readline(), "listens\n")
        self.lines = []
        self.reader = threading.Thread(target=lambda: self.lines.extend(self.process.stdout), daemon=True)
        self.reader.start()

    def end(self):
        self.process.kill()
        self.process.wait()
        self.reader.join()
        self.process.stdout.close()

    def connections(self):
        return self.lines.count("connected\n")

    def received(self):
        return sum(int(line.split()[1]) for line in self.lines if line.startswith("bytes"))


class Traffic:
    """Requests without a pause, each on a new connection to the router, until the end of the block."""

    def __init__(self, daemon):
        self.daemon, self.answers, self.going = daemon, [], True
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while self.going:
            response = self.daemon.get()
            self.answers.append((response.status, response.text))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.going = False
        self.thread.join()


def service(**version):
    changes = {"command": [PYTHON, "-c", WORKER], "user": "nobody", "cwd": "/", "instances": 2, "ready": ["pipe"],
               "health": {"path": "/"}}
    base = merged(two_versions(), {"version": {"v1": None, "v2": None}})
    return merged(base, {"version": {"v1": merged(changes, version)}})


@unittest.skipUnless(os.geteuid() == 0, "only root may start programs as different users")
class Taken(GrayTest):
    """A stranger takes the address of one of two workers: it gets no byte, the other worker serves every request."""

    def begin(self, **version):
        self.daemon = self.start(service(**version), up=("v1",))
        self.daemon.wait_healthy(2, "v1")
        self.victim = self.daemon.version("v1")["workers"][0]
        address = self.victim["address"]
        self.where = address[5:] if address.startswith("unix:") else int(address.rsplit(":", 1)[1])

    def worker(self):
        return self.daemon.version("v1")["workers"][0]

    def events(self, kind):
        found = self.daemon.ctl("events", "-o", "json", "-n", "1000").json()["events"]
        return [event for event in found if event["kind"] == kind and event["worker"] == self.victim["id"]]

    def expect_taken(self, swap, found, expected="user nobody (uid 65534)", reached=True):
        """`swap` takes the address and returns the stranger. Requests go on all the time. `reached`: the router can
        connect to the stranger."""
        with Traffic(self.daemon) as traffic:
            stranger = swap()
            taken = time.monotonic()
            eventually(lambda: self.events("address-taken"), 2, "the event")
            self.assertLess(time.monotonic() - taken, 2 * SLOWER)
            version = self.daemon.version("v1")
            behind = len(traffic.answers)
            eventually(lambda: len(traffic.answers) > behind + 50, 10, "traffic")
        event, = self.events("address-taken")
        for text in (self.victim["address"] + " " + found, "; expected " + expected, "restart the worker"):
            self.assertIn(text, event["text"])
            self.assertIn(text, version["cause"])
            self.assertIn(text, self.daemon.log())
        self.assertEqual({status for status, _ in traffic.answers}, {200}, traffic.answers[-5:])
        self.assertNotIn("stole", {text for _, text in traffic.answers})
        self.assertEqual(len({text for _, text in traffic.answers[-40:]}), 1)  # of the other worker
        if reached:
            eventually(stranger.connections, 5, "the stranger accepting a connection")
        self.assertEqual(stranger.received(), 0)
        worker = self.worker()
        self.assertEqual((worker["state"], worker["pid"], worker["restarts"]), ("unhealthy", self.victim["pid"], 0))
        return stranger

    def expect_back(self):
        eventually(lambda: self.worker()["state"] == "healthy", 5, "the worker being healthy again")
        self.assertEqual((self.worker()["pid"], self.worker()["restarts"]), (self.victim["pid"], 0))
        self.assertEqual(self.daemon.version("v1")["cause"], "")
        self.assertIn("healthy again", self.events("worker-healthy")[-1]["text"])
        eventually(lambda: self.daemon.get().text == str(self.victim["pid"]), 5, "an answer of the worker")

    def take_port(self, user):
        def swap():
            os.kill(self.victim["pid"], signal.SIGUSR1)
            eventually(lambda: not listens(self.where), 2, "the worker closing its listener")
            return Stranger(self, user, self.where)
        return swap

    def outside(self):
        """A folder on the file system of the workers' folders."""
        above = os.path.dirname(os.path.dirname(os.path.dirname(self.where)))
        folder = tempfile.mkdtemp(prefix="grayd-test-", dir=above)
        os.chmod(folder, 0o755)
        self.addCleanup(shutil.rmtree, folder)
        return folder

    def link_to(self, user, **options):
        """A swap: the worker's socket becomes a link to one of that user."""
        def swap():
            stranger = Stranger(self, user, os.path.join(self.outside(), "other"), **options)
            os.rename(self.where, self.where + ".own")
            os.symlink(stranger.path, self.where)
            return stranger
        return swap

    def replace_by(self, user):
        """A swap: a socket of that user takes the place of the worker's."""
        def swap():
            stranger = Stranger(self, user, os.path.join(self.outside(), "other"))
            os.rename(self.where, self.where + ".own")
            os.rename(stranger.path, self.where)
            return stranger
        return swap

    def test_the_port_is_taken_by_another_user(self):
        self.begin(env=ONE_REQUEST)
        stranger = self.expect_taken(self.take_port("www-data"), ANSWERED_BY_OTHER)
        stranger.end()
        os.kill(self.victim["pid"], signal.SIGUSR2)
        self.expect_back()

    def test_the_socket_becomes_a_link_to_a_socket_of_root(self):
        self.begin(listen="unix")
        self.expect_taken(self.link_to("root"), "is answered by user root (uid 0), pid ")
        os.rename(self.where + ".own", self.where)
        self.expect_back()

    def test_the_socket_becomes_a_link_to_a_socket_that_the_router_may_not_reach(self):
        self.begin(listen="unix")
        self.expect_taken(self.link_to("root", private=True), "is a symbolic link",
                          "a socket of user nobody (uid 65534)", reached=False)
        os.rename(self.where + ".own", self.where)
        self.expect_back()

    def test_the_socket_is_replaced_by_a_socket_of_another_user(self):
        self.begin(listen="unix")
        self.expect_taken(self.replace_by("www-data"), ANSWERED_BY_OTHER)
        os.rename(self.where + ".own", self.where)
        self.expect_back()

    def test_the_folder_is_replaced(self):
        self.begin(listen="unix")
        folder = os.path.dirname(self.where)

        def swap():
            stranger = Stranger(self, "www-data", os.path.join(self.outside(), "http"))
            os.rename(folder, folder + ".own")
            os.symlink(os.path.dirname(stranger.path), folder)
            return stranger
        self.expect_taken(swap, ANSWERED_BY_OTHER)
        os.unlink(folder)
        os.rename(folder + ".own", folder)
        self.expect_back()

    def check_same_user(self, swap):
        """The routers cannot tell, but the next probe of the master does."""
        stranger = swap()
        eventually(lambda: self.events("address-taken"), 2, "the event")
        event, = self.events("address-taken")
        holder = f"is answered by pid {stranger.process.pid} ("
        self.assertIn(holder, event["text"])
        self.assertIn(holder, self.daemon.version("v1")["cause"])
        self.daemon.wait_healthy(1, "v1")
        received = stranger.received()
        answers = {self.daemon.get().text for _ in range(50)}
        self.assertEqual(len(answers), 1)
        self.assertNotIn("stole", answers)
        self.assertLessEqual(stranger.received() - received, 200)  # one more probe at most
        self.assertEqual((self.worker()["state"], self.worker()["restarts"]), ("unhealthy", 0))
        return stranger

    def test_the_port_is_taken_by_a_process_of_the_same_user(self):
        self.begin()
        self.check_same_user(self.take_port("nobody")).end()
        os.kill(self.victim["pid"], signal.SIGUSR2)
        self.expect_back()

    def test_the_socket_is_replaced_by_one_of_the_same_user(self):
        self.begin(listen="unix")
        self.check_same_user(self.replace_by("nobody"))
        os.rename(self.where + ".own", self.where)
        self.expect_back()

    def test_the_worker_is_dead_and_its_port_taken(self):
        self.begin()
        with Traffic(self.daemon) as traffic:
            os.kill(self.victim["pid"], signal.SIGKILL)
            eventually(lambda: not listens(self.where), 2, "the end of the listener")
            stranger = Stranger(self, "www-data", self.where)
            eventually(lambda: self.worker()["pid"] not in (0, self.victim["pid"]), 5, "a new worker")
            self.daemon.wait_healthy(2, "v1")
            behind = len(traffic.answers)
            eventually(lambda: len(traffic.answers) > behind + 50, 10, "traffic")
        self.assertNotIn("stole", {text for _, text in traffic.answers})
        self.assertEqual(stranger.received(), 0)
        self.assertNotEqual(self.worker()["address"], self.victim["address"])

    def test_the_address_of_the_only_worker_is_taken(self):
        self.daemon = self.start(service(instances=1, env=ONE_REQUEST), up=("v1",))
        self.victim = self.daemon.version("v1")["workers"][0]
        self.where = int(self.victim["address"].rsplit(":", 1)[1])
        stranger = self.take_port("www-data")()
        answer = self.daemon.get()
        self.assertEqual((answer.status, answer["x-gray-reason"]), (502, "connect-failed"))
        eventually(lambda: self.events("address-taken"), 2, "the event")
        stranger.end()
        self.assertEqual(stranger.received(), 0)
        os.kill(self.victim["pid"], signal.SIGUSR2)
        self.expect_back()

    def test_a_worker_that_opens_its_listener_again_stays(self):
        self.begin()
        with Traffic(self.daemon) as traffic:
            for _ in range(3):
                os.kill(self.victim["pid"], signal.SIGUSR1)
                eventually(lambda: not listens(self.where), 2, "the worker closing its listener")
                os.kill(self.victim["pid"], signal.SIGUSR2)
                eventually(lambda: listens(self.where), 2, "the worker listening again")
                probed = time.monotonic()
                eventually(lambda: time.monotonic() > probed + 1.2, 5, "a probe")
        self.assertEqual({status for status, _ in traffic.answers}, {200})
        self.assertEqual((self.worker()["state"], self.worker()["restarts"]), ("healthy", 0))
        self.assertEqual(self.events("address-taken"), [])


def listens(port):
    """Whether a process listens on the port; without a connect, which a worker would see."""
    with open("/proc/net/tcp") as table:
        return any(re.match(rf"\s*\d+: 0100007F:{port:04X} \S+ 0A ", line) for line in table)


@unittest.skipUnless(os.geteuid() == 0, "only root may start programs as different users")
class OtherUsers(GrayTest):
    def test_a_program_that_changes_its_user_itself_is_accepted(self):
        for listen in ("port", "unix"):
            with self.subTest(listen):
                command = [PYTHON, "-c", WORKER, str(uid_of("www-data"))]
                daemon = self.start(service(command=command, user=None, listen=listen), up=("v1",))
                daemon.wait_healthy(2, "v1")
                self.assertEqual({daemon.get().status for _ in range(20)}, {200})
                events = daemon.ctl("events", "-o", "json", "-n", "1000").json()["events"]
                self.assertNotIn("address-taken", {event["kind"] for event in events})
                self.assertEqual({worker["restarts"] for worker in daemon.version("v1")["workers"]}, {0})

    def test_a_worker_cannot_report_ready_for_another_one_of_its_user(self):
        forger = ("import os, signal, socket, time\n"
                  "sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
                  "own = os.environ['NOTIFY_SOCKET']\n"
                  "base = os.path.dirname(os.path.dirname(own))\n"
                  "def others(): return [path for path in (f'{base}/{number}/notify' for number in range(1, 20))\n"
                  "                      if path != own and os.path.exists(path)]\n"
                  "while not others(): time.sleep(0.01)\n"
                  "for path in others(): sock.sendto(b'READY=1\\nSTATUS=forged', path)\n"
                  "print('sent', flush=True)\n"
                  "signal.pause()\n")
        versions = {"slow": {"command": ["sh", "-c", "exec sleep 60"], "ready": ["notify"], "ready_timeout": "60s"},
                    "forger": {"command": [PYTHON, "-c", forger], "ready": ["notify"], "ready_timeout": "60s"}}
        for version in versions.values():
            version.update(user="nobody", cwd="/")
        web = merged(two_versions(), {"version": {"v2": None}})
        daemon = self.start(merged(web, {"version": versions}), up=("v1",))
        slow = eventually(lambda: daemon.version("slow")["workers"][0]["pid"], 5, "the slow worker")
        eventually(lambda: "web@forger#0: sent" in daemon.log(), 10, "the forged message")
        eventually(lambda: "a message on its NOTIFY_SOCKET was ignored" in daemon.log(), 5, "the report")
        worker = daemon.version("slow")["workers"][0]
        self.assertEqual((worker["state"], worker["pid"], worker["status"]), ("spawned", slow, ""))
        self.assertTrue(is_alive(slow))
        self.assertRegex(daemon.log(), r"warn web@slow#0: a message on its NOTIFY_SOCKET was ignored: the sender, pid "
                                       r"\d+ \(python3[.\d]*\), is not a process of this worker")
