"""Rows 14, 15 and 21 to 26: the fault is in the machine, or in the program that started grayd."""
import fcntl
import itertools
import os
import pwd
import signal
import struct
import subprocess
import sys
import time

from faults.matrix import (LONGEST_WAIT, Clients, Unharmed, configure, environment, events_of, open_files,
                           processes_of, shell, wait_event)
from harness import BUILD, eventually, fake, faulty, is_alive

CANARY = {"command": faulty(), "ready": ["pipe"]}
DAY = 86_400
F_SETPIPE_SZ = 1031
EATS = ("import os\n"
        "os.write(int(os.environ['GRAY_READY_FD']), b'READY=1\\n')\n"
        "eaten = []\n"
        "while True: eaten.append(b'x' * (1 << 20))\n")
POISON = ("import os, resource, signal, sys\n"
          "signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGCHLD, signal.SIGUSR2})\n"
          "for number in (signal.SIGPIPE, signal.SIGCHLD, signal.SIGUSR2): signal.signal(number, signal.SIG_IGN)\n"
          "for fd in range(3, 50): os.dup2(0, fd, inheritable=True)\n"
          "resource.setrlimit(resource.RLIMIT_CORE, (0, 0))\n"
          "os.umask(0o077)\n"
          "os.execv(sys.argv[1], sys.argv[1:])\n")


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def signals_of(pid):
    """Masks of /proc/PID/status by name."""
    with open(f"/proc/{pid}/status") as file:
        return {line[:6]: int(line.split()[1], 16) for line in file if line.startswith("Sig") and line[6] == ":"}


def prlimit(pid, what, change=""):
    """By a program of the same user: root may lack CAP_SYS_RESOURCE, and the router has a user of its own."""
    with open(f"/proc/{pid}/status") as file:
        ids = {line.split()[0]: int(line.split()[1]) for line in file if line[:4] in ("Uid:", "Gid:")}
    options = {"user": ids["Uid:"], "group": ids["Gid:"], "extra_groups": []} if os.geteuid() == 0 else {}
    show = [] if change else ["--output=SOFT", "--noheadings"]
    return subprocess.run(["prlimit", f"--pid={pid}", f"--{what}{change}", *show], check=True, cwd="/", text=True,
                          stdout=subprocess.PIPE, **options).stdout.strip()


def limited(pid, what, soft):
    """Sets the soft limit of a living process; returns what it was."""
    before = prlimit(pid, what)
    prlimit(pid, what, f"={soft}:")
    return before


def leave_descriptors(pid, free):
    """Limits the descriptors of a living process so that it can open exactly `free` more; returns the limit before. The
    numbers in use have gaps, which differ from run to run."""
    used = set(open_files(pid))
    unused = (number for number in itertools.count() if number not in used)
    return limited(pid, "nofile", next(itertools.islice(unused, free, None)))


def somebody():
    """Options of Popen that run grayd as nobody, because the limit of processes does not apply to root."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def limit_processes(soft, daemon, options):
    """By a program of the same user: other users are not allowed."""
    subprocess.run(["prlimit", f"--pid={daemon.process.pid}", f"--nproc={soft}:"], check=True, cwd="/", **options)


def processes_allowed(daemon):
    """The hard limit."""
    with open(f"/proc/{daemon.process.pid}/limits") as file:
        return next(line.split()[3] for line in file if line.startswith("Max processes"))


class Scarcity(Unharmed):
    def test_fault_14_no_more_processes(self):
        options = somebody()
        try:
            subprocess.run([os.path.join(BUILD, "grayd"), "--help"], stdout=subprocess.DEVNULL, check=True, cwd="/",
                           **options)
        except OSError as error:
            self.skipTest(f"another user may not run {BUILD}/grayd: {error}")
        daemon, clients, before = self.alone(**options)
        with self.unharmed(daemon, clients, before):
            limit_processes("0", daemon, options)
            configure(daemon, later=CANARY)
            wait_event(daemon, "later", "worker-backoff", 2, cause="resources")
            self.assertEqual(daemon.version("later")["state"], "starting")
            self.assertIn("cannot create a process", daemon.version("later")["cause"])
            self.assertEqual(daemon.ctl("status").code, 0)
            limit_processes(processes_allowed(daemon), daemon, options)
            daemon.wait_up(1, "later")
            self.assertEqual(daemon.get("/?version=later").status, 200)
            self.assertEqual({event["cause"] for event in events_of(daemon, "later", "worker-backoff")}, {"resources"})
            configure(daemon)

    def test_fault_15_no_more_descriptors(self):
        daemon, clients, before = self.alone()
        clients.stop()
        router, master = daemon.router(), daemon.process.pid
        kept = daemon.client()
        self.assertEqual(kept.ask("/").status, 200)
        was = limited(router, "nofile", max(open_files(router)) + 21)
        idle = [daemon.client() for _ in range(100)]
        time.sleep(0.3)  # the accepts that fail
        spent = cpu_seconds(router)
        for _ in range(50):
            self.assertEqual(kept.ask("/").status, 200)
            time.sleep(0.02)
        self.assertLess(cpu_seconds(router) - spent, 0.5, "the router spins")
        self.assertEqual(daemon.ctl("status").code, 0)
        for client in idle:
            client.close()
        prlimit(router, "nofile", f"={was}:")
        kept.close()
        daemon.wait_answers()
        # The master: no descriptor for a worker, but one for an operator.
        was = leave_descriptors(master, 12)
        configure(daemon, later=CANARY)
        wait_event(daemon, "later", "worker-backoff", 2, cause="resources")
        spent = cpu_seconds(master)
        self.assertEqual(daemon.ctl("status").code, 0)
        self.assertEqual(daemon.get().status, 200)
        self.assertLess(cpu_seconds(master) - spent, 0.5, "the master spins")
        prlimit(master, "nofile", f"={was}:")
        daemon.wait_up(1, "later")
        clients = Clients(daemon)
        self.addCleanup(clients.stop)
        with self.unharmed(daemon, clients, before):
            configure(daemon)

    def test_fault_22_out_of_memory(self):
        folder = f"/sys/fs/cgroup/memory/grayd-test-{os.getpid()}"
        limit = "memory.limit_in_bytes"
        if not os.access(os.path.dirname(folder), os.W_OK):
            self.skipTest("no memory controller of cgroup v1 that this test may write to")
        os.mkdir(folder)
        self.addCleanup(lambda: eventually(lambda: remove(folder), LONGEST_WAIT, "the cgroup being empty"))
        with open(os.path.join(folder, limit), "w") as file:
            file.write(str(400 << 20))
        daemon, clients, before = self.alone(
            prefix=["sh", "-c", 'echo $$ >"$0"; exec "$@"', os.path.join(folder, "cgroup.procs")])
        self.addCleanup(daemon.clean_up)
        with self.unharmed(daemon, clients, before):
            configure(daemon, eats={"command": [sys.executable, "-c", EATS], "ready": ["pipe"]})
            event = wait_event(daemon, "eats", "worker-exited", timeout=60)
            self.assertEqual(event["cause"], "oom")
            self.assertIn("the kernel killed it because memory was exhausted", event["text"])
            self.assertIn("oom", daemon.version("eats")["workers"][0]["last_exit"])
            configure(daemon, dies=CANARY)
            daemon.wait_up(1, "dies")
            os.kill(daemon.pids("dies")[0], signal.SIGKILL)  # by an operator, not by the kernel
            self.assertEqual(wait_event(daemon, "dies", "worker-exited")["cause"], "signal 9")
            configure(daemon)


def remove(folder):
    try:
        os.rmdir(folder)
        return True
    except OSError:
        return False


class Clocks(Unharmed):
    def test_fault_21_clock_jump(self):
        library = os.path.join(BUILD, "tests", "clock_jump.so")
        if not os.path.exists(library):
            self.skipTest(f"{library} is not built")
        path = os.path.join(os.environ.get("TMPDIR", "/tmp"), f"grayd-test-clock-{os.getpid()}")
        self.addCleanup(os.unlink, path)

        def jump(seconds):
            with open(path, "r+b" if os.path.exists(path) else "wb") as file:
                file.write(struct.pack("q", seconds))

        jump(0)
        daemon, clients, before = self.alone({"version": {"busy": {**CANARY, "health": {
            "path": "/healthz", "interval": "100ms", "timeout": "2s", "fall": 2}}}},
            env={"LD_PRELOAD": library, "CLOCK_JUMP_FILE": path})
        daemon.wait_up(1, "busy")
        last = daemon.ctl("events", "-o", "json", "-n", "1").json()["last"]
        with self.unharmed(daemon, clients, before):
            for seconds in (DAY, -DAY, 3600, -3600, 10 * 365 * DAY, 0) * 4:
                jump(seconds)
                served = clients.served
                eventually(lambda: clients.served > served + 20 or clients.failures, LONGEST_WAIT, "answers")
            jump(DAY)
            daemon.ctl("shift", "web", "busy", "0")
            told = [event for event in events_of(daemon) if event["sequence"] > last]
            self.assertEqual([event["kind"] for event in told], ["shifted"], told)  # nothing else has changed
            day = time.strftime("%Y-%m-%d", time.gmtime(time.time() + DAY))
            self.assertTrue(told[0]["time"].startswith(day), told)  # the jump was real


class Logs(Unharmed):
    """Access log and events on a full disk are tested in observe_test."""

    def test_fault_23_log_reader_stands_still(self):
        reading, writing = os.pipe()
        self.addCleanup(os.close, reading)
        fcntl.fcntl(writing, F_SETPIPE_SZ, 4096)
        daemon, clients, before = self.alone(
            {"version": {"chatty": {"command": shell("yes & exec " + " ".join(fake())), "ready": ["pipe"]}}},
            stdout=writing, stderr=writing)
        os.close(writing)
        daemon.wait_up(1, "chatty")
        with self.unharmed(daemon, clients, before):
            served = clients.served
            eventually(lambda: clients.served > served + 200 or clients.failures, LONGEST_WAIT, "answers")
            self.assertEqual(daemon.ctl("status").code, 0)
            self.assertEqual(daemon.get("/?version=chatty").status, 200)
            writer = next(pid for pid in processes_of(daemon, "chatty") if pid not in daemon.pids("chatty"))
            count = written_bytes(writer)
            eventually(lambda: written_bytes(writer) > count, LONGEST_WAIT, "the worker writing on")
            os.set_blocking(reading, False)
            text = bytearray()

            def told():
                try:
                    text.extend(os.read(reading, 65536))
                except BlockingIOError:
                    pass
                return b" lines lost: the reader of this log did not keep up" in text

            eventually(told, LONGEST_WAIT, "the log coming back")

    def test_fault_24_master_stands_still(self):
        health = {"path": "/healthz", "interval": "100ms", "timeout": "1s", "fall": 2}
        daemon, clients, before = self.alone({"version": {"busy": {**CANARY, "health": health}}})
        daemon.wait_up(1, "busy")
        last = daemon.ctl("events", "-o", "json", "-n", "1").json()["last"]
        with self.unharmed(daemon, clients, before):
            os.kill(daemon.process.pid, signal.SIGSTOP)
            served = clients.served
            time.sleep(4)  # more than any deadline of the health checks
            self.assertGreater(clients.served, served)
            os.kill(daemon.process.pid, signal.SIGCONT)
            served = clients.served
            eventually(lambda: clients.served > served + 100 or clients.failures, LONGEST_WAIT, "answers")
            self.assertEqual([event for event in events_of(daemon) if event["sequence"] > last], [])


def written_bytes(pid):
    with open(f"/proc/{pid}/io") as file:
        return int(next(line for line in file if line.startswith("wchar")).split()[1])


class Inheritance(Unharmed):
    def test_fault_25_26_signals_descriptors_and_environment(self):
        poison = {"NODE_CHANNEL_FD": "7", "NODE_UNIQUE_ID": "1", "NODE_CHANNEL_SERIALIZATION_MODE": "advanced",
                  "LISTEN_FDS": "2", "LISTEN_PID": "1", "LISTEN_FDNAMES": "a:b", "WATCHDOG_USEC": "1", "MAINPID": "1",
                  "PORT": "1", "HOST": "256.0.0.1", "GRAY_READY_FD": "9", "GRAY_SOCKET": "/nowhere"}
        sleeper = shell('printf "READY=1\\n" >&"$GRAY_READY_FD"; exec sleep 300')
        hello = ["node", "-e", "require('node:http').createServer((request, response) => response.end('hello')).listen("
                 "process.env.PORT, process.env.HOST, () => process.send('ready'))"]
        daemon, clients, before = self.alone(
            {"version": {"sleeper": {"command": sleeper, "ready": ["pipe"]},
                         "node": {"command": hello, "ready": ["ipc"]}}},
            prefix=[sys.executable, "-c", POISON], env=poison)
        daemon.wait_up(1, "node")
        pid = eventually(lambda: daemon.version("sleeper")["workers"][0]["pid"], what="a worker")
        eventually(lambda: "sleep" in open(f"/proc/{pid}/comm").read(), what="the program")
        self.assertEqual(signals_of(pid), {"SigPnd": 0, "SigBlk": 0, "SigIgn": 0, "SigCgt": 0})
        self.assertEqual(sorted(os.listdir(f"/proc/{pid}/fd"), key=int), ["0", "1", "2", "3"])
        env = environment(pid)
        self.assertEqual({name: env[name] for name in poison if name in env},
                         {"PORT": env["PORT"], "HOST": "127.0.0.1", "GRAY_READY_FD": "3"})
        self.assertNotEqual(env["PORT"], "1")
        self.assertEqual(daemon.get("/?version=node").text, "hello")
        victim = daemon.pids("node")[0]
        os.kill(victim, signal.SIGKILL)  # seen, although SIGCHLD was ignored
        self.assertEqual(wait_event(daemon, "node", "worker-exited")["cause"], "signal 9")
        eventually(lambda: not is_alive(victim), what="the dead worker being waited for")
        daemon.wait_up(1, "node")
        clients.stop()
        self.assertEqual(clients.failures, [])
        self.assertEqual(daemon.stop(), 0)  # heard, although SIGTERM was blocked
        self.assertEqual(daemon.leftovers(), [])
