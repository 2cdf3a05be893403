"""`grayd init` on small real projects: what it recognises, what it sees of the program, and what it leaves behind.

Each test runs grayd with the file that was written, and asks the program through it.
"""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest
import uuid

from harness import (BUILD, MARK, SLOWER, Client, command_line, die_with_parent, eventually, free_port,
                     processes_with, run_program)

NODE_SERVER = """
const server = require('node:http').createServer((request, answer) => answer.end('hello from node'));
server.listen(process.env.PORT, process.env.HOST, () => process.send?.('ready'));
"""
# What Express does, without the package: an app with routes, whose listen() opens the port.
EXPRESS_LIKE = """
const express = () => {
  const routes = new Map();
  const app = (request, answer) => (routes.get(request.url) || ((_, it) => { it.statusCode = 404; it.end(); }))(
      request, answer);
  app.get = (path, route) => routes.set(path, route);
  app.listen = (port, host) => require('node:http').createServer(app).listen(port, host);
  return app;
};
const app = express();
app.get('/hello', (request, answer) => answer.end('hello from the app'));
app.listen(process.env.PORT || 3000, '127.0.0.1');
"""
PYTHON_SERVER = """#!/usr/bin/env python3
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")
    def log_message(self, *_):
        pass
server = http.server.ThreadingHTTPServer((%s, int(os.environ["PORT"])), Handler)
os.write(int(os.environ["GRAY_READY_FD"]), b"READY=1\\n")
server.serve_forever()
"""


class InitTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="grayd-init-test-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.mark = uuid.uuid4().hex
        self.env = {**os.environ, MARK: self.mark}
        self.addCleanup(self.check_nothing_runs)

    def check_nothing_runs(self):
        left = processes_with(self.mark)
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        self.assertEqual(left, [], "processes are left")

    def put(self, name, text, mode=0o644):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)
        os.chmod(path, mode)

    def init(self, *args, code=0):
        """grayd init in the folder; afterwards nothing of it runs, and it has written nothing but the file."""
        before = set(os.listdir(self.folder)) | {"grayd.toml"}
        result = run_program("grayd", "init", *args, cwd=self.folder, env=self.env)
        self.assertEqual(result.code, code, result)
        self.assertEqual(processes_with(self.mark), [], result)
        self.assertLessEqual(set(os.listdir(self.folder)), before)
        return result

    def serve(self, path="/", body=None):
        """Runs grayd with the file, on a free port, and returns the answer."""
        port = free_port()
        file = os.path.join(self.folder, "grayd.toml")
        with open(file) as text:
            changed = re.sub(r'"127\.0\.0\.1:80\d\d"', f'"127.0.0.1:{port}"', text.read())
        with open(file, "w") as text:
            text.write(changed)
        with open(os.path.join(self.folder, "log"), "wb") as log:
            grayd = subprocess.Popen([os.path.join(BUILD, "grayd"), "--config", file], cwd=self.folder, env=self.env,
                                     stdout=log, stderr=log, preexec_fn=die_with_parent)
        try:
            def answer():
                try:
                    with Client(port, timeout=20 * SLOWER) as client:
                        response = client.ask(path)
                        return response if response.status == 200 else None
                except OSError:
                    return None
            response = eventually(answer, what=f"an answer to {path}")
            if body is not None:
                self.assertEqual(response.body, body)
            return response
        finally:
            grayd.terminate()
            grayd.wait(15 * SLOWER)

    def test_npm(self):
        self.put("package.json", json.dumps({"name": "@acme/shop", "scripts": {"start": "node server.js"}}))
        self.put("server.js", NODE_SERVER)
        result = self.init()
        self.assertIn("found: npm (package.json)", result.out)
        self.assertRegex(result.out, r"ok +it listens on port \d+, which grayd gave it")
        self.assertRegex(result.out, r"ok +ready after \d+\.\d s, by ipc")
        self.assertRegex(result.out, r"ok +GET / was answered 200")
        self.assertNotIn("fix ", result.out)
        self.assertIn("grayd --config grayd.toml", result.out)
        with open(os.path.join(self.folder, "grayd.toml")) as file:
            text = file.read()
        self.assertIn("[service.shop.version.v1]", text)
        self.assertEqual(os.stat(os.path.join(self.folder, "grayd.toml")).st_mode & 0o7777, 0o644)
        self.serve(body=b"hello from node")

        result = self.init(code=3)  # the file is there now
        self.assertIn("grayd.toml exists and was not changed", result.err)
        printed = self.init("--print").out
        self.assertIn('command = ["node", "server.js"]', printed)

    def test_an_app_of_several_routes(self):
        self.put("package.json", json.dumps({"scripts": {"start": "NODE_ENV=production node src/app.js"}}))
        self.put("src/app.js", EXPRESS_LIKE)
        result = self.init()
        self.assertRegex(result.out, r"hint +GET / was answered 404")
        self.assertRegex(result.out, r"by tcp")
        self.serve("/hello", b"hello from the app")

    def test_a_script_that_listens_everywhere(self):
        self.put("serve", PYTHON_SERVER % '"0.0.0.0"', 0o755)
        result = self.init()
        self.assertIn("found: executable file (serve)", result.out)
        self.assertRegex(result.out, r"ok +ready after \d+\.\d s, by pipe")
        self.assertRegex(result.out, r"fix +it listens on every interface \(port \d+\)")
        self.serve(body=b"hello")

    def test_a_python_server_by_a_procfile(self):
        self.put("Procfile", 'web: python3 server.py "$PORT"\n')
        self.put("server.py", PYTHON_SERVER % '"127.0.0.1"')
        self.put("package.json", json.dumps({"scripts": {"start": "node x.js"}}))
        result = self.init()
        self.assertIn("Procfile has a web: line, which decides", result.out)
        self.assertNotIn("fix ", result.out)
        self.serve(body=b"hello")

    def test_a_program_that_ignores_port(self):
        own = free_port()
        self.put("package.json", json.dumps({"scripts": {"start": "node server.js"}}))
        self.put("server.js", f"require('node:http').createServer((q, a) => a.end()).listen({own}, '127.0.0.1');")
        result = self.init(code=1)
        self.assertIn("note: server.js does not mention PORT", result.out)
        self.assertRegex(result.out, rf"fix +it listens on port {own}, but grayd gave it \d+: let it listen on PORT")

    def test_a_program_that_the_shell_does_not_find(self):
        self.put("Procfile", 'web: no-such-program --port "$PORT"\n')
        result = self.init(code=1)
        self.assertIn("127 is the shell's code for a program that is not there", result.out)
        self.assertIn("no-such-program: not found", result.out)

    def test_a_program_that_exits(self):
        self.put("serve", "#!/bin/sh\necho reading settings >&2\necho 'DATABASE_URL is not set' >&2\nexit 4\n", 0o755)
        result = self.init(code=1)
        self.assertRegex(result.out, r"fix +it did not become healthy: died-before-ready \(exit 4\)")
        self.assertIn("last lines:\n        | reading settings\n        | DATABASE_URL is not set\n  it", result.out)
        self.assertIn("next, when that is corrected:", result.out)

    def test_a_program_that_never_listens(self):
        self.put("serve", "#!/bin/sh\nexec sleep 1000\n", 0o755)
        result = self.init("--timeout", "1s", code=5)
        self.assertRegex(result.out, r"fix +it was not healthy within 1\.\d s")
        self.assertRegex(result.out, r"fix +it listens on no port")

    def test_ctrl_c_ends_what_was_started(self):
        self.put("serve", "#!/bin/sh\nexec sleep 1000\n", 0o755)
        process = subprocess.Popen([os.path.join(BUILD, "grayd"), "init"], cwd=self.folder, env=self.env,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, preexec_fn=die_with_parent)
        # init, its grayd, the router, the guard and the worker
        eventually(lambda: len(processes_with(self.mark)) >= 5, what="the start")
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=20 * SLOWER)
        self.assertEqual(process.returncode, 130, output)
        self.assertIn(b"interrupted", output)

    def test_a_kill_of_init_ends_what_was_started(self):
        self.put("serve", "#!/bin/sh\nexec sleep 1000\n", 0o755)
        process = subprocess.Popen([os.path.join(BUILD, "grayd"), "init"], cwd=self.folder, env=self.env,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=die_with_parent)
        eventually(lambda: len(processes_with(self.mark)) >= 5, what="the start")
        for pid in processes_with(self.mark):  # nobody else can remove the folder then
            words = command_line(pid)
            if words[:2] == ["grayd", "--config"]:
                self.addCleanup(shutil.rmtree, os.path.dirname(words[2]), ignore_errors=True)
        process.kill()
        process.wait()
        eventually(lambda: not processes_with(self.mark), what="the end of all processes")

    def test_nothing_recognised(self):
        self.put("package.json", '{"name": "x"')
        result = self.init(code=1)
        self.assertIn("package.json: it is not valid JSON at 1:", result.err)
        self.assertIn("index.php (or public/index.php: PHP): not here", result.err)
        self.assertIn('stable = "v1"', result.err)
        self.assertFalse(os.path.exists(os.path.join(self.folder, "grayd.toml")))

    def test_a_program_that_is_missing_on_this_host(self):
        self.put("Procfile", "web: no-such-program --port 1\n")
        result = self.init(code=8)
        self.assertIn("no-such-program", result.err)
        self.assertIn("grayd.toml:", result.err)

    def test_no_start_starts_nothing(self):
        self.put("serve", "#!/bin/sh\ntouch started\n", 0o755)
        result = self.init("--no-start")
        self.assertIn("grayd.toml is valid", result.out)
        self.assertFalse(os.path.exists(os.path.join(self.folder, "started")))

    def test_the_address_for_users_is_free(self):
        with socket.socket() as taken:
            try:
                taken.bind(("127.0.0.1", 8000))
                taken.listen()
            except OSError:
                pass  # by another program: as good
            self.put("serve", "#!/bin/sh\n", 0o755)
            result = self.init("--print")
        self.assertNotIn('"127.0.0.1:8000"', result.out)
        self.assertIn('"127.0.0.1:80', result.out)
        self.assertRegex(result.err, r"port 8000 is in use.*, so http in \[listen\] is port 80\d\d")

    @unittest.skipUnless(shutil.which("php"), "php is not installed")
    def test_php(self):
        self.put("public/index.php", "<?php echo 'hello from php';")
        result = self.init()
        self.assertIn("found: PHP (php -S) (public/index.php)", result.out)
        self.assertNotIn("fix ", result.out)
        self.serve(body=b"hello from php")

    @unittest.skipUnless(shutil.which("gunicorn"), "gunicorn is not installed")
    def test_gunicorn_by_a_procfile(self):
        self.put("Procfile", 'web: gunicorn --bind "$HOST:$PORT" app:app\n')
        self.put("app.py", "def app(environ, start):\n    start('200 OK', [])\n    return [b'hello from gunicorn']\n")
        result = self.init()
        self.assertRegex(result.out, r"ok +ready after \d+\.\d s, by notify")
        self.serve(body=b"hello from gunicorn")


if __name__ == "__main__":
    unittest.main()
