"""`grayd doctor` on a running grayd: faults are provoked; each finding has its check, its place and the remedy."""
import json
import os
import shutil
import signal
import subprocess
import sys
import unittest

from harness import BUILD, SLOWER, GrayTest, eventually, free_port, run_program, two_versions

# What listens where it is told on the command line: HOST PORT; an empty one is that of the environment.
SERVER = """
import os, socket, sys
host, port = sys.argv[1] or os.environ["HOST"], int(sys.argv[2] or os.environ["PORT"])
server = socket.create_server((host, port), backlog=128)
while True:
    server.accept()[0].close()
"""
HOST_CHECKS = {"clock", "disk", "memory"}  # what they say depends on the host of the test


def server(host="", port=""):
    return {"command": [sys.executable, "-c", SERVER, host, str(port)], "ready": "auto"}


def checks(result):
    """The checks of the findings that are the same on every host."""
    return sorted({one["check"] for one in result["findings"] if one["severity"] != "hint"} - HOST_CHECKS)


class Doctor(GrayTest):
    def doctor(self, daemon, *args, code=1):
        result = run_program("grayd", "doctor", "--socket", daemon.admin, *args, cwd=daemon.folder)
        self.assertEqual(result.code, code, result)
        self.assertEqual(result.err, "")
        return result

    def examine(self, daemon, code=1):
        return self.doctor(daemon, "-o", "json", code=code).json()

    def finding(self, daemon, check):
        """Waits for a finding of this check."""
        def found():
            result = run_program("grayd", "doctor", "--socket", daemon.admin, "-o", "json", cwd=daemon.folder).json()
            return next((one for one in result["findings"] if one["check"] == check), None)
        return eventually(found, what=f"a finding of {check}")

    def prepared(self):
        """One that the test launches in its own way."""
        daemon = self._prepared(two_versions(), {})
        self._own.append(daemon)
        return daemon

    def test_nothing_to_find(self):
        daemon = self.start(two_versions(limits={"max_sockets": 4}), router={"max_connections": 100})
        result = self.examine(daemon, code=self.code_of(daemon))
        self.assertEqual(result["schema_version"], 1)
        self.assertEqual(checks(result), [])
        fine = {one["check"] for one in result["passed"]}
        self.assertLessEqual({"port", "open-listener", "ready", "process", "restarts", "health", "stable", "canary",
                              "drift", "router", "trusted-proxies", "config", "files", "program", "admin-socket",
                              "log"}, fine)
        self.assertEqual(result["skipped"], [one for one in result["skipped"] if one["check"] in HOST_CHECKS])
        text = self.doctor(daemon, code=self.code_of(daemon)).out
        self.assertIn(f"grayd 0.1.0, pid {daemon.process.pid}, at {daemon.admin}\n", text)
        self.assertRegex(text, r"\nfine:\n  port +2 workers: each that listens does so where grayd told it\n")
        by_file = run_program("grayd", "doctor", "--config", daemon.config_file)
        self.assertIn(f"pid {daemon.process.pid}", by_file.out)

    def code_of(self, daemon):
        """1 if this host has a fault of its own, such as a full disk."""
        result = run_program("grayd", "doctor", "--socket", daemon.admin, "-o", "json").json()
        return 1 if any(one["severity"] != "hint" for one in result["findings"]) else 0

    def test_a_worker_on_every_interface_and_one_on_a_port_of_its_own(self):
        own = free_port()
        web = two_versions(version={"v1": server("0.0.0.0"), "v2": {**server(port=own), "weight": 5}})
        daemon = self.start(web, up=())
        daemon.wait_healthy(1, "v1")
        port = self.finding(daemon, "port")
        self.assertEqual((port["subject"], port["severity"]), ("web@v2#0", "error"))
        self.assertRegex(port["message"], rf"it listens on port {own}, but grayd gave it \d+")
        self.assertIn("PORT and HOST", port["remedy"])
        result = self.examine(daemon)
        self.assertEqual(checks(result), ["canary", "open-listener", "port"])
        opened = next(one for one in result["findings"] if one["check"] == "open-listener")
        self.assertEqual(opened["subject"], "web@v1#0")
        self.assertIn("every interface", opened["message"])
        canary = next(one for one in result["findings"] if one["check"] == "canary")
        self.assertIn("it has 5% of the users", canary["message"])
        self.assertIn("grayctl shift web v2 0", canary["remedy"])
        text = self.doctor(daemon).out
        self.assertIn("error    web@v2#0 (port)\n         it listens on port", text)

    def test_a_worker_that_restarts(self):
        daemon = self.start(two_versions())
        os.kill(daemon.pids("v2")[0], signal.SIGKILL)
        found = self.finding(daemon, "restarts")
        self.assertEqual(found["subject"], "web@v2#0")
        self.assertIn("grayctl logs web v2", found["remedy"])

    def test_a_shell_in_between(self):
        command = ["sh", "-c", f"{sys.executable} -c \"$0\" '' ''; exit 3", SERVER]
        daemon = self.start(two_versions(version={"v2": {"command": command, "ready": ["tcp"]}}))
        found = self.finding(daemon, "process")
        self.assertEqual(found["subject"], "web@v2#0")
        self.assertRegex(found["message"], r"grayd started sh \(pid \d+\), and that started ")
        self.assertIn("exec PROGRAM", found["remedy"])

    def test_drift_of_weight_and_file(self):
        daemon = self.start(two_versions(version={"v2": {"weight": 5}}))
        self.assertEqual(daemon.ctl("shift", "web", "v2", "20").code, 0)
        found = self.finding(daemon, "drift")
        self.assertEqual(found["subject"], "web v2")
        self.assertIn("its weight is 20%, in the file 5%", found["message"])
        with open(daemon.config_file, "a") as file:
            file.write("# and a change\n[service.web.rollout]\nhold = \"9m\"\n")

        def subjects():
            return {one["subject"] for one in self.examine(daemon)["findings"] if one["check"] == "drift"}
        eventually(lambda: subjects() == {"web v2", daemon.config_file}, what="the drift of the file")
        with open(daemon.config_file, "a") as file:
            file.write("no such key = 1\n")
        found = self.finding(daemon, "config")
        self.assertEqual(found["severity"], "error")
        self.assertIn("--check", found["remedy"])

    def test_few_descriptors(self):
        daemon = self.prepared()
        daemon.launch(prefix=["prlimit", "--nofile=2000:2000"])
        daemon.wait_up(1, "v1", "v2")
        found = self.finding(daemon, "files")
        self.assertEqual((found["subject"], found["severity"]), ("router.max_connections", "error"))
        self.assertIn("may open 2000 files, but needs up to 103", found["message"])
        self.assertIn("LimitNOFILE=103", found["remedy"])

    def test_a_newer_program_on_disk_and_an_open_admin_socket(self):
        daemon = self.prepared()
        program = os.path.join(daemon.folder, "grayd")
        shutil.copy2(os.path.join(BUILD, "grayd"), program)
        daemon.launch(prefix=["sh", "-c", f'shift; exec {program} "$@"', "sh"])
        daemon.wait_up(1, "v1", "v2")
        self.assertNotIn("program", checks(self.examine(daemon, code=self.code_of(daemon))))
        shutil.copy2(program, program + ".new")
        os.rename(program + ".new", program)
        found = self.finding(daemon, "program")
        self.assertEqual(found["subject"], program)
        self.assertIn("grayctl upgrade", found["remedy"])
        os.chmod(daemon.admin, 0o666)
        found = self.finding(daemon, "admin-socket")
        self.assertIn("0666", found["message"])
        self.assertEqual(found["remedy"], f"chmod 0660 {daemon.admin}")

    def test_a_proxy_that_is_not_trusted(self):
        daemon = self.start(two_versions())
        daemon.get(headers={"X-Forwarded-For": "192.0.2.1"})
        found = self.finding(daemon, "trusted-proxies")
        self.assertIn("the peer 127.0.0.1 sends X-Forwarded-*", found["message"])
        self.assertIn("router.trusted_proxies", found["remedy"])

    @unittest.skipUnless(os.geteuid() == 0, "only root can become another user")
    def test_another_user_is_told_what_it_may_not_see(self):
        daemon = self.start(two_versions())
        os.chmod(daemon.folder, 0o755)
        result = self.as_nobody(daemon)
        self.assertEqual(result.returncode, 4, result)
        os.chmod(daemon.admin, 0o666)
        result = json.loads(self.as_nobody(daemon).stdout)
        skipped = {one["check"]: one["message"] for one in result["skipped"]}
        self.assertIn("of 2 workers belong to another user: run this as root", skipped["port"])
        self.assertIn("open-listener", skipped)
        self.assertNotIn("port", {one["check"] for one in result["passed"]})

    def as_nobody(self, daemon):
        program = os.path.join(daemon.folder, "doctor")  # where that user may execute it
        shutil.copy2(os.path.join(BUILD, "grayd"), program)
        return subprocess.run([program, "doctor", "--socket", daemon.admin, "-o", "json"], user=65534, group=65534,
                              extra_groups=[], cwd="/", stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=30 * SLOWER)

    def test_no_grayd(self):
        result = run_program("grayd", "doctor", "--socket", "/nonexistent/grayd.sock")
        self.assertEqual(result.code, 7, result)
        self.assertIn("no grayd answers at /nonexistent/grayd.sock", result.err)
        self.assertEqual(run_program("grayd", "doctor", "-o", "yaml").code, 2)


if __name__ == "__main__":
    unittest.main()
