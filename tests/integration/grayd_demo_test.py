"""`grayd demo`: the commands that it prints, the release that goes back by itself, and that nothing is left of it.

Each test has a folder in the place of $XDG_RUNTIME_DIR, so demos of others on this machine are not seen.
"""
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import termios
import threading
import uuid

from harness import (BUILD, MARK, SLOWER, Client, GrayTest, command_line, die_with_parent, eventually, processes_with,
                     run_program)

GRAYD = os.path.join(BUILD, "grayd")
NOBODY = 65534


class DemoTest(GrayTest):
    def setUp(self):
        super().setUp()
        self.folder = tempfile.mkdtemp(prefix="grayd-demo-test-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.mark = uuid.uuid4().hex
        self.env = {**os.environ, MARK: self.mark, "XDG_RUNTIME_DIR": self.folder, "TERM": "xterm"}
        self.env.pop("GRAYCTL_SOCKET", None)
        self.addCleanup(self.check_nothing_runs)
        self.demos = 0

    def check_nothing_runs(self):
        left = processes_with(self.mark)
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        self.assertEqual(left, [], "processes are left")

    def demo(self, *args, prefix=(), until="Ctrl-C ends everything.", **options):
        """A demo whose output is in a file; returns when its introduction is complete."""
        self.demos += 1
        output = os.path.join(self.folder, f"output{self.demos}")
        with open(output, "wb") as file:
            options = {"stdin": subprocess.DEVNULL, "stdout": file, "stderr": file, **options}
            process = subprocess.Popen([*prefix, GRAYD, "demo", *args], env=self.env, cwd="/",
                                       preexec_fn=die_with_parent, **options)
        self.addCleanup(self.end, process)
        process.output = lambda: open(output, errors="replace").read()
        if until:
            self.await_text(process, until)
        return process

    def await_text(self, process, text, timeout=20):
        def there():
            if process.poll() is not None:
                raise AssertionError(f"the demo has ended:\n{process.output()}")
            return re.search(text, process.output())
        try:
            return eventually(there, timeout, text)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{process.output()}") from None

    @staticmethod
    def end(process):
        if process.poll() is None:
            process.terminate()
            process.wait(20 * SLOWER)

    def interrupt(self, process):
        """Ctrl-C: exit 0, no process, no folder."""
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(20 * SLOWER), 0, process.output())
        self.assertTrue(process.output().endswith("The demo has ended; nothing of it is left.\n"), process.output())
        self.assertEqual(processes_with(self.mark), [])
        self.assertFalse(os.path.exists(self.place()))

    def place(self):
        return os.path.join(self.folder, "grayd-demo")

    @staticmethod
    def printed_commands(text):
        return re.findall(r"(?m)^  (\S*grayctl .*?)  ", text)

    def shell(self, command, code=0):
        done = subprocess.run(command, shell=True, env=self.env, cwd="/tmp", capture_output=True, text=True,
                              timeout=30 * SLOWER)
        self.assertEqual(done.returncode, code, f"{command}\n{done.stdout}{done.stderr}")
        return done.stdout

    def ctl(self, *args, code=0):
        result = run_program("grayctl", *args, cwd=self.folder, env=self.env)
        self.assertEqual(result.code, code, result)
        return result

    def weight(self):
        status = self.ctl("status", "-o", "json", "--socket", os.path.join(self.place(), "grayd.sock")).json()
        return next(one["weight"] for one in status["services"][0]["versions"] if one["name"] == "v2")

    def test_a_broken_version_goes_back_and_a_healed_one_gets_all_users(self):
        demo = self.demo("--port", "0")
        commands = self.printed_commands(demo.output())
        self.assertEqual([command.split()[1:] for command in commands],
                         [["top"], ["demo", "break", "v2"], ["rollout", "status", "web"]])
        self.await_text(demo, r"step 1 of 4: v2 gets 5 % of the users")
        self.assertIn("v2", self.shell(f"{commands[0]} --count 2"))
        self.assertIn("holding, 5% of the users", self.shell(commands[2]))
        self.assertIn("v2 answers every request with 500", self.shell(commands[1]))
        eventually(lambda: self.weight() == 0, 15, "the way back")
        told = self.await_text(demo, r"back on v1: v2 was worse and has lost its users by itself, (\d+\.\d) s after "
                                     r"its first failed answer; (\d+) users saw an error")
        self.assertLess(float(told[1]), 15 * SLOWER)
        self.assertGreaterEqual(int(told[2]), 3)
        heal, retry = self.await_text(demo, r"to try again: (.*), then: (.*)").groups()
        self.assertIn("v2 works again", self.shell(heal))
        self.shell(retry)
        self.await_text(demo, r"step 2 of 4: v2 gets 25 % of the users", 40)
        self.await_text(demo, r"v2 has all users: it is the stable version now", 60)
        self.assertEqual(self.weight(), 100)
        again = self.await_text(demo, r"to go back: (.*); then again")[1]
        self.shell(again)
        self.await_text(demo, r"v1 has all users again")
        self.interrupt(demo)

    def test_a_crash_that_no_user_sees_and_answers_that_are_late(self):
        demo = self.demo("--port", "0")
        self.await_text(demo, r"step 1 of 4")
        self.ctl("demo", "break", "v2", "--how", "crash")
        self.await_text(demo, r"by itself, \d+\.\d s after it was broken; no user saw an error", 15)
        self.await_text(demo, r"reason: .*process(es)? of v2 ended")
        self.ctl("demo", "heal", "v2")
        self.ctl("rollout", "retry", "web")
        self.await_text(demo, r"step 2 of 4", 40)
        self.ctl("demo", "break", "v2", "--how", "slow")
        self.await_text(demo, r"after its first late answer; \d+ users had to wait", 20)
        self.assertIn("the price list is empty, giving up", self.ctl("logs", "web", "v2").out)
        self.interrupt(demo)

    def test_the_first_rollout_stays_until_a_person_goes_on(self):
        demo = self.demo("--port", "0")
        resume = self.await_text(demo, r"it stays there until v2 breaks: .*; or to give it all users: (.*)", 60)[1]
        self.await_text(demo, r"\| paused, step 3 of 4")
        self.assertEqual(self.weight(), 50)
        self.shell(resume)
        self.await_text(demo, r"step 4 of 4: v2 gets 100 % of the users", 30)
        self.interrupt(demo)

    def test_users_of_a_browser_are_served_on_the_printed_port(self):
        demo = self.demo("--port", "0")
        port = int(re.search(r"http://127\.0\.0\.1:(\d+)/", demo.output())[1])
        self.await_text(demo, r"both versions are up")
        with Client(port, timeout=20 * SLOWER) as client:
            answer = client.ask("/?version=v2")
            self.assertEqual((answer.status, answer.body), (200, b"hello from v2\n"))
        self.interrupt(demo)

    def test_a_port_that_is_taken(self):
        with socket.create_server(("127.0.0.1", 0)) as other:
            taken = other.getsockname()[1]
            demo = self.demo("--port", str(taken))
            own = re.match(rf"port {taken}: Address already in use; this demo has port (\d+)\n", demo.output())
            self.assertTrue(own, demo.output())
            self.assertIn(f"http://127.0.0.1:{own[1]}/ is a small service", demo.output())
            self.interrupt(demo)

    def test_another_grayd_is_not_touched(self):
        self.daemon = self.start()
        for verb in ("break", "heal"):
            result = self.daemon.ctl("demo", verb, "v2")
            self.assertEqual(result.code, 3, result)
            self.assertIn(f"is not a demo, it serves {self.daemon.config_file}: nothing was changed", result.err)
        self.assertEqual([name for name in os.listdir(self.daemon.folder) if "broken" in name], [])
        missing = self.ctl("demo", "break", "v2", "--socket", "/nonexistent/s", code=7)
        self.assertIn("no demo runs at /nonexistent/s; start one in another terminal: grayd demo", missing.err)

    def test_a_second_demo_and_one_beside_another_grayd_name_their_socket(self):
        first = self.demo("--port", "0")
        second = self.demo("--port", "0")
        commands = self.printed_commands(second.output())
        self.assertTrue(all(re.search(r"grayctl --socket /tmp/grayd-demo-\w+/grayd\.sock ", one) for one in commands),
                        commands)
        self.await_text(second, r"step 1 of 4")
        self.shell(commands[1])
        self.await_text(second, r"back on v1")
        self.assertNotIn("broken", first.output())
        second.send_signal(signal.SIGINT)
        self.assertEqual(second.wait(20 * SLOWER), 0)
        self.assertFalse(os.path.exists(os.path.dirname(commands[0].split()[2])))
        self.interrupt(first)
        self.env["GRAYCTL_SOCKET"] = "/nonexistent/s"
        named = self.demo("--port", "0")
        self.assertIn(f"grayctl --socket {self.place()}/grayd.sock top", named.output())
        self.interrupt(named)

    def test_what_a_killed_demo_leaves_is_removed_by_the_next(self):
        demo = self.demo("--port", "0")
        self.await_text(demo, r"both versions are up")
        demo.kill()
        demo.wait()
        eventually(lambda: not processes_with(self.mark), 20, "the end of all processes")
        self.assertTrue(os.path.exists(self.place()))
        self.ctl("demo", "break", "v2", code=7)
        demo = self.demo("--port", "0")
        self.assertNotIn("--socket", demo.output())
        self.interrupt(demo)

    def test_a_grayd_that_ends_is_told_with_its_output(self):
        demo = self.demo("--port", "0")
        self.await_text(demo, r"both versions are up")
        grayd = next(pid for pid in processes_with(self.mark) if command_line(pid)[:2] == ["grayd", "--config"])
        os.kill(grayd, signal.SIGKILL)
        self.assertEqual(demo.wait(20 * SLOWER), 1)
        self.assertIn("grayd demo: grayd has ended; its output:\n", demo.output())
        eventually(lambda: not processes_with(self.mark), 20, "the end of the workers")
        self.assertFalse(os.path.exists(self.place()))

    def test_a_reader_that_leaves_ends_the_demo(self):
        demo = self.demo("--port", "0", until=None, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.assertTrue(demo.stdout.readline())
        demo.stdout.close()
        demo.wait(30 * SLOWER)
        self.assertEqual(processes_with(self.mark), [])
        self.assertFalse(os.path.exists(self.place()))

    def test_on_a_terminal_one_line_is_redrawn(self):
        terminal, inner = os.openpty()
        termios.tcsetwinsize(inner, (24, 60))
        demo = self.demo("--port", "0", until=None, stdout=inner, stderr=inner)
        os.close(inner)
        seen = []
        reader = threading.Thread(target=self.read_all, args=(terminal, seen))
        reader.start()
        demo.output = lambda: b"".join(seen).decode().replace("\r\n", "\n")
        self.await_text(demo, r"step 1 of 4")
        self.await_text(demo, r"\| v2 5 %, 0 f")
        self.assertEqual(demo.send_signal(signal.SIGINT) or demo.wait(20 * SLOWER), 0)
        reader.join(20)
        self.assertFalse(reader.is_alive())
        os.close(terminal)
        drawn = re.findall(r"\r\x1b\[K([^\r\n]*\| v2[^\r\n]*)", demo.output())
        self.assertGreater(len(drawn), 5)
        self.assertLess(max(map(len, drawn)), 60)
        self.assertIn("The demo has ended; nothing of it is left.\n", demo.output())

    @staticmethod
    def read_all(terminal, seen):
        try:
            while data := os.read(terminal, 4096):
                seen.append(data)
        except OSError:  # the other side is closed
            pass

    def test_an_ordinary_user(self):
        if os.geteuid() != 0:
            self.skipTest("this user is one, so the other tests show it")
        readable = subprocess.run(["setpriv", "--reuid", str(NOBODY), "--clear-groups", "test", "-x", GRAYD])
        if readable.returncode != 0:
            self.skipTest(f"{GRAYD} cannot be run by other users")
        os.chown(self.folder, NOBODY, -1)
        user = ["setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups"]
        demo = self.demo("--port", "0", prefix=user)
        self.await_text(demo, r"step 1 of 4")
        facts = os.stat(self.place())
        self.assertEqual((facts.st_uid, stat.S_IMODE(facts.st_mode)), (NOBODY, 0o700))
        self.shell(" ".join([*user, os.path.join(BUILD, "grayctl"), "demo", "break", "v2"]))
        self.await_text(demo, r"back on v1")
        self.interrupt(demo)
