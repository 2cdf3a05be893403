"""A replacement by a build that fails some time after it was ready: with the defaults, no user notices.

The versions run side by side on one grayd, so that their proving times pass at the same time.
"""
import os
import shlex
import shutil
import threading

from harness import SLOWER, GrayTest, command_line, eventually, faulty, merged

INSTANCES = 4
LONGEST_WAIT = 90  # seconds; longest wait of a grayctl

NODE = """
const http = require('node:http');
const server = http.createServer((request, response) => response.end('ok\\n'));
server.listen(process.env.PORT, process.env.HOST, () => {
  process.send('ready');
  if (DIES) setTimeout(() => { throw new Error('no database'); }, DIES);
});
process.on('SIGTERM', () => { server.close(() => process.exit(0)); server.closeIdleConnections(); });
"""
GUNICORN = """
import time
def application(environ, start_response):
    start_response('200 OK', [('Content-Length', '3')])
    return [b'ok\\n']
FAILS
"""


class Users:
    """Ask each version in turn without a pause, one thread for each; everything but a complete 200 is a failure."""

    def __init__(self, daemon, *versions):
        self.daemon, self.stopped = daemon, threading.Event()
        self.failures, self.answered = {version: [] for version in versions}, dict.fromkeys(versions, 0)
        self.threads = [threading.Thread(target=self._ask, args=(version,)) for version in versions]

    def _ask(self, version):
        while not self.stopped.wait(0.005):
            try:
                response = self.daemon.get(f"/?version={version}")
            except OSError as error:
                response = error
            if getattr(response, "status", None) == 200 and response.complete:
                self.answered[version] += 1
            else:
                self.failures[version].append(response)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        for thread in self.threads:
            thread.join()


class Proving(GrayTest):
    """The builds are files, which a restart reads again."""

    def build(self, name, dies_ms):
        path = os.path.join(self.daemon.folder, name)
        if name.endswith(".js"):
            text = NODE.replace("DIES", str(dies_ms))
        else:
            text = "exec " + shlex.join(faulty(*(["--crash-after", str(dies_ms)] if dies_ms else []))) + "\n"
        with open(path + ".new", "w") as file:
            file.write(text)
        os.replace(path + ".new", path)

    def begin(self, **versions):
        """Versions by name, each with the file of its build; v1 is stable."""
        settings = {name: {"command": ["node" if file.endswith(".js") else "sh", file], "instances": INSTANCES,
                           "min_healthy": "default", **({"health": {"path": "/healthz"}} if ".js" in file else {})}
                    for name, file in versions.items()}
        web = {"stable": "v1", "param": "version", "expose": "decision", "version": settings}
        self.daemon = self._prepared(web, {})
        self._own.append(self.daemon)
        for file in versions.values():
            self.build(file, 0)
        self.daemon.launch()
        self.daemon.wait_healthy(INSTANCES, *versions, timeout=60)

    def together(self, orders):
        """Runs one grayctl for each version at the same time; the results by version."""
        results = {}

        def run(version, order):
            results[version] = self.daemon.ctl(*order, timeout=LONGEST_WAIT)

        threads = [threading.Thread(target=run, args=item) for item in orders.items()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return results

    def test_a_restart_by_a_build_that_dies_after_it_was_ready(self):
        dies = {"v1": ("a.sh", 1_000), "v2": ("b.sh", 3_000), "v3": ("c.sh", 10_000),
                "v4": ("a.js", 1_000), "v5": ("b.js", 3_000), "v6": ("c.js", 10_000)}
        self.begin(**{name: file for name, (file, _) in dies.items()})
        before = {name: self.daemon.pids(name) for name in dies}
        for file, after in dies.values():
            self.build(file, after)
        with Users(self.daemon, *dies) as users:
            results = self.together({name: ["restart", "web", name] for name in dies})
        for name, (file, after) in dies.items():
            with self.subTest(name):
                self.assertEqual(results[name].code, 1, results[name])
                self.assertIn("no database" if ".js" in file else f"faulty: crashed after {after} ms",
                              results[name].err)
                left = set(before[name]) & {worker["pid"] for worker in self.daemon.version(name)["workers"]}
                self.assertGreater(users.answered[name], 50)
                if after < 5_000:  # it was never proven
                    self.assertEqual(users.failures[name], [])
                    self.assertIn(f"stopped after 0 of {INSTANCES} workers replaced", results[name].err)
                    self.assertEqual(left, set(before[name]))
                else:  # the first new worker had replaced one, the second had not
                    self.assertIn(f"stopped after 1 of {INSTANCES} workers replaced", results[name].err)
                    self.assertEqual(len(left), INSTANCES - 1)

    def test_a_reload_goes_back_to_the_old_command(self):
        """v1: dies before it is proven; v2: after it has replaced one."""
        self.begin(v1="a.sh", v2="b.sh")
        before = {name: self.daemon.pids(name) for name in ("v1", "v2")}
        dying = {"v1": {"command": faulty("--crash-after", "1000")}, "v2": {"command": faulty("--crash-after", "8000")}}
        with Users(self.daemon, "v1", "v2") as users:
            for name in ("v1", "v2"):
                self.daemon.write_config(merged(self.daemon.config,
                                                {"service": {"web": {"version": {name: dying[name]}}}}))
                result = self.daemon.ctl("reload", "--wait", timeout=LONGEST_WAIT)
                self.assertEqual(result.code, 1, result)
                self.assertIn(f"configuration reloaded, but the restart of web {name} stopped", result.err)
            def went_back():
                workers = self.daemon.version("v2")["workers"]
                commands = [command_line(worker["pid"]) for worker in workers]
                healthy = [worker["state"] for worker in workers] == ["healthy"] * INSTANCES
                return healthy and not any("--crash-after" in command for command in commands)
            eventually(went_back, 20, "the old command on every worker")
        self.assertEqual(self.daemon.pids("v1"), before["v1"])
        self.assertEqual(len(set(self.daemon.pids("v2")) & set(before["v2"])), INSTANCES - 1)
        self.assertEqual(users.failures["v1"], [])
        self.assertIn("version-rolled-back", self.daemon.ctl("events", "web", "v2").out)
        self.assertIn("faulty: crashed after 8000 ms", self.daemon.version("v2")["cause"])

    def test_gunicorn_that_fails_while_it_loads(self):
        if not shutil.which("gunicorn"):
            self.skipTest("gunicorn is not installed; Debian has it as gunicorn")
        command = ["sh", "-c", 'exec gunicorn --bind "$HOST:$PORT" --chdir . app:application']
        web = {"stable": "v1", "version": {"v1": {"command": command, "instances": 2, "min_healthy": "default"}}}
        self.daemon = self._prepared(merged({"param": "version"}, web), {})
        self._own.append(self.daemon)
        app = os.path.join(self.daemon.folder, "app.py")
        with open(app, "w") as file:
            file.write(GUNICORN.replace("FAILS", ""))
        self.daemon.launch()
        self.daemon.wait_healthy(2, "v1", timeout=60).wait_answers()
        before = self.daemon.pids("v1")
        with open(app, "w") as file:
            file.write(GUNICORN.replace("FAILS", "time.sleep(2); raise RuntimeError('no database')"))
        with Users(self.daemon, "v1") as users:
            result = self.daemon.ctl("restart", "web", "v1", timeout=LONGEST_WAIT * SLOWER)
        self.assertEqual(result.code, 1, result)
        self.assertIn("no database", result.err)
        self.assertEqual(self.daemon.pids("v1"), before)
        self.assertEqual(users.failures["v1"], [])
