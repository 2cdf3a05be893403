"""`grayd init` on ten project layouts of the usual tools, with the real programs: the command, the port, the readiness.

Two of them are replaced by small programs that take the same arguments: Next, and FastAPI behind the real uvicorn. The
layout of puma is a Rack application; Rails itself is not installed.

Each layout counts as right if the first run of `grayd init` writes the expected
command, and the program listens where grayd told it, is ready as expected, and answers GET / with 200.
"""
import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

from harness import BUILD, run_program
from npm_packages import CACHE, installed

FOLDER = os.path.dirname(os.path.abspath(__file__))
RIGHT_AT_LEAST = 9  # of ten
NODE = """
const server = require('node:http').createServer((request, answer) => answer.end('hello'));
server.listen(process.env.PORT, process.env.HOST, () => process.send?.('ready'));
"""
NEXT = """#!/usr/bin/env node
const { values } = require('node:util').parseArgs({ args: process.argv.slice(3), options: {
  hostname: { type: 'string' }, port: { type: 'string' } } });
if (process.argv[2] !== 'start' || !require('node:fs').existsSync('.next')) process.exit(64);
require('node:http').createServer((request, answer) => answer.end('hello')).listen(+values.port, values.hostname);
"""
FASTAPI = """
class FastAPI:
    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"hello"})
"""
FLASK = """
from flask import Flask
app = Flask(__name__)
@app.route("/")
def hello():
    return "hello"
"""


def package(**keys):
    return json.dumps({"name": "shop", **keys})


def files(**texts):
    """Writes files of a layout: put(folder)."""
    def put(folder):
        for name, text in texts.items():
            path = os.path.join(folder, name.replace("__", "/").replace("_DOT_", "."))
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w") as file:
                file.write(text)
            os.chmod(path, 0o755 if text.startswith("#!") else 0o644)
    return put


def vite(folder):
    os.symlink(installed(FOLDER, "recipes", CACHE), os.path.join(folder, "node_modules"))
    files(package_DOT_json=package(devDependencies={"vite": "6"}), dist__index_DOT_html="<p>hello</p>")(folder)


def django(folder):
    subprocess.run(["/usr/bin/python3", "-m", "django", "startproject", "shop", "."], cwd=folder, check=True)
    files(requirements_DOT_txt="Django\ngunicorn\n")(folder)


def binary(folder):
    shutil.copy(os.path.join(BUILD, "faulty"), os.path.join(folder, "server"))


# The layout, what makes it, a part of the command that is expected, and by what it is ready. Behind yarn no message
# arrives: yarn is a Node program itself, and takes it.
LAYOUTS = [
    ("npm", files(package_DOT_json=package(scripts={"start": "node server.js"}), server_DOT_js=NODE),
     '"node", "server.js"', "ipc"),
    ("yarn", files(package_DOT_json=package(scripts={"start": "NODE_ENV=production && node server.js"}),
                   server_DOT_js=NODE, yarn_DOT_lock="# yarn lockfile v1\n"), '"yarn", "start"', "tcp"),
    ("Vite", vite, "node_modules/.bin/vite preview", "tcp"),
    ("Next", files(package_DOT_json=package(scripts={"start": "next start"}, dependencies={"next": "15"}),
                   node_modules___DOT_bin__next=NEXT, _DOT_next__BUILD_ID="1"), "node_modules/.bin/next start", "tcp"),
    ("gunicorn (Flask)", files(app_DOT_py=FLASK, requirements_DOT_txt="flask\ngunicorn\n"), "gunicorn", "notify"),
    ("uvicorn (FastAPI)", files(main_DOT_py="from fastapi import FastAPI\napp = FastAPI()\n",
                                fastapi_DOT_py=FASTAPI, requirements_DOT_txt="fastapi\nuvicorn\n"), "uvicorn", "tcp"),
    ("Django", django, "gunicorn", "notify"),
    ("puma (Rack)", files(config_DOT_ru="run ->(env) { [200, {}, ['hello']] }\n"), "puma", "tcp"),
    ("PHP", files(public__index_DOT_php="<?php echo 'hello';"), "php -S", "tcp"),
    ("a binary", binary, '"./server"', None),
]


class InitLayouts(unittest.TestCase):
    def look(self, put, command, ready):
        """What is wrong with the first run in a layout, and the command and readiness that it found."""
        folder = tempfile.mkdtemp(prefix="grayd-layout-")
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        project = os.path.join(folder, "shop")
        os.mkdir(project)
        put(project)
        packages = installed(FOLDER, "recipes", CACHE)
        env = {**os.environ, "PATH": os.path.join(packages, ".bin") + os.pathsep + os.environ["PATH"]}
        done = run_program("grayd", "init", "--timeout", "40s", cwd=project, env=env, timeout=60)
        written = ""
        if os.path.exists(os.path.join(project, "grayd.toml")):
            with open(os.path.join(project, "grayd.toml")) as file:
                written = next((line for line in file if line.startswith("command = ")), "").strip()
        by = re.search(r"ok +ready after (\d+\.\d s), by (\w+)", done.out)
        wrong = [what for what, right in (
            ("exit code", done.code == 0), ("command", command in written),
            ("port", re.search(r"ok +it listens on port \d+, which grayd gave it", done.out)),
            ("readiness", by and (ready is None or by[2] == ready)),
            ("answer", "GET / was answered 200" in done.out)) if not right]
        return wrong, written.split("   #")[0].strip(), f"{by[2]}, {by[1]}" if by else "-", done

    def test_ten_layouts(self):
        right, rows, failed = 0, [], []
        for name, put, command, ready in LAYOUTS:
            wrong, written, by, done = self.look(put, command, ready)
            right += not wrong
            rows.append(f"| {name} | `{written.removeprefix('command = ')}` | {by} | {', '.join(wrong) or 'right'} |")
            if wrong:
                failed.append(f"{name}: {wrong}\n{done}")
        print("\n".join(rows) + f"\n{right} of {len(LAYOUTS)} are right", flush=True)
        self.assertGreaterEqual(right, RIGHT_AT_LEAST, "\n".join(failed))


if __name__ == "__main__":
    unittest.main()
