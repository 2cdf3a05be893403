"""The configuration file from outside: all errors are reported at once, with positions, and nothing is started."""
import os
import re
import socket

from harness import GrayTest, Grayd, eventually, fake, merged, run_program, two_versions


class Check(GrayTest):
    """grayd --check, and the same file given to --config."""

    def check(self, service=None, text=None, **config):
        daemon = Grayd(merged({"service": {"web": service or two_versions()}}, config))
        self._own.append(daemon)
        if text is not None:
            with open(daemon.config_file, "w") as file:
                file.write(text)
        self.daemon = daemon
        return run_program("grayd", "--config", daemon.config_file, "--check", cwd=daemon.folder)

    def test_a_good_file_is_ok_and_starts_nothing(self):
        result = self.check()
        self.assertEqual(result.code, 0, result)
        self.assertFalse(os.path.exists(self.daemon.admin))
        self.assertEqual(self.daemon.leftovers(), [])

    def test_all_errors_are_reported_at_once_with_line_and_column(self):
        result = self.check(text='[listen]\nhttp = ["nonsense"]\n[service.web]\nstable = "v9"\n'
                                 '[service.web.limits]\nqueue_timeout = 5\n'
                                 '[service.web.version.v1]\ncommand = ["true"]\ninstances = "two"\n')
        self.assertEqual(result.code, 8, result)
        self.assertEqual(result.out, "")
        places = re.findall(r"grayd\.toml:(\d+):(\d+): error: ", result.err)
        self.assertEqual(sorted(int(line) for line, _ in places), [2, 4, 6, 9], result)
        self.assertIn("^", result.err)

    def test_an_unknown_key_suggests_the_nearest_one(self):
        result = self.check(service=two_versions(limits={"max_socket": 3}))
        self.assertEqual(result.code, 8, result)
        self.assertIn('did you mean "max_sockets"', result.err)

    def test_a_syntax_error_has_its_position(self):
        result = self.check(text='[listen]\nhttp = [\n')
        self.assertEqual(result.code, 8, result)
        self.assertRegex(result.err, r"grayd\.toml:[23]:\d+: error: ")

    def test_a_missing_file_is_named(self):
        result = run_program("grayd", "--config", "/nonexistent/grayd.toml", "--check")
        self.assertEqual(result.code, 8, result)
        self.assertIn("/nonexistent/grayd.toml", result.err)

    def test_two_canaries_with_weight_are_refused(self):
        version = {"command": fake(), "weight": 5.0}
        result = self.check(service=two_versions(version={"v2": version, "v3": version}))
        self.assertEqual(result.code, 8, result)

    def test_usage_errors_are_2(self):
        self.assertEqual(run_program("grayd", "--nonsense").code, 2)
        self.assertEqual(run_program("grayd").code, 2)


class Start(GrayTest):
    def test_a_config_error_starts_nothing(self):
        daemon = self.start(two_versions(stable="v9"), up=())
        self.assertEqual(daemon.process.wait(10), 8)
        self.assertFalse(os.path.exists(daemon.admin))
        self.assertFalse(os.path.exists(os.path.join(daemon.folder, "state")))
        self.assertEqual(daemon.leftovers(), [])

    def test_a_port_in_use_is_one_line_that_names_it(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            daemon = self.start(listen={"http": [address]}, up=())
            self.assertEqual(daemon.process.wait(10), 1)
        lines = [line for line in daemon.log().splitlines() if address in line]
        self.assertEqual(len(lines), 1, daemon.log())
        self.assertRegex(lines[0], r"(?i)in use")
        self.assertEqual(daemon.leftovers(), [])

    def test_a_missing_binary_fails_its_version_only(self):
        daemon = self.start(two_versions(version={"v2": {"command": ["/nonexistent/program"]}}), up=["v1"])
        self.assertEqual(daemon.get().text, "v1\n")
        eventually(lambda: daemon.version("v2")["state"] == "failed", 30, "v2 failing")
        named = [line for line in daemon.log().splitlines() if re.search(r"ENOENT|No such file", line)]
        self.assertTrue(named, daemon.log())
        self.assertTrue(any("web" in line and "v2" in line and "#0" in line for line in named), named)
        self.assertEqual(daemon.version("v1")["state"], "serving")

    def test_missing_parent_folders_are_created_and_private(self):
        daemon = self.start(state_dir="deep/er/state", access_log="logs/here/access.log")
        self.assertEqual(os.stat(os.path.join(daemon.folder, "deep/er/state")).st_mode & 0o777, 0o700)
        self.assertEqual(os.stat(daemon.admin).st_mode & 0o777, 0o660)
        daemon.get("/logged")
        eventually(lambda: any(line["path"].startswith("/logged") for line in daemon.access_log()), 5, "a log line")

    def test_a_second_grayd_on_the_same_state_is_refused(self):
        daemon = self.start()
        second = self.start(state_dir=os.path.join(daemon.folder, "state"), up=())
        self.assertEqual(second.process.wait(10), 1)
        self.assertIn(str(daemon.process.pid), second.log())
        self.assertEqual(daemon.get().status, 200)

    def test_a_unix_listener_serves(self):
        daemon = self.start(listen={"http": ["unix:web.sock"]}, up=()).wait_up(1, "v1")
        with socket.socket(socket.AF_UNIX) as sock:
            path = os.path.join(daemon.folder, "web.sock")
            eventually(lambda: os.path.exists(path) and sock.connect_ex(path) == 0, 5, "the listener")
            sock.settimeout(10)
            sock.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            self.assertTrue(sock.recv(4096).startswith(b"HTTP/1.1 200 "))
