"""The commands of README.md, docs/first-steps.md and docs/releases.md do what the documents show.

Their outputs are from busy machines, so all numbers may differ; the words, the names and the order of lines may not.
docs/recipes.md has recipes_test.py, where numbers count.
"""
import os
import shutil

from harness import ROOT
from recipe_runner import RecipeTest
from recipe_text import Block, sections

NOT_RUN_AT_MOST = {"README.md": 3, "docs/first-steps.md": 2, "docs/releases.md": 4}  # blocks
RUN = {"README.md": ["Three commands"], "docs/first-steps.md": ["Five minutes"],
       "docs/releases.md": ["The release", "When something is wrong", "What is kept"]}
SERVER = """
const server = require('node:http').createServer((request, response) => response.end('ok'));
server.listen(process.env.PORT, process.env.HOST, () => process.send('ready'));
"""


def commands(text):
    return Block("commands", None, text, 0, None)


def file(name, text):
    return Block("file", name, text, 0, None)


def read(name):
    with open(os.path.join(ROOT, name)) as document:
        return document.read()


def blocks_of(name, title):
    return next(section.blocks for section in sections(read(name)) if section.title == title)


class Documents(RecipeTest):
    def test_five_minutes(self):
        start = commands("$ grayd --config config/demo.toml &\n...\nserving http://127.0.0.1:8000\n"
                         "$ until [ \"$(grayctl status | grep -c ' healthy ')\" = 3 ]; do sleep 0.1; done\n")

        def prepare(recipe):
            shutil.copytree(os.path.join(ROOT, "workers"), os.path.join(recipe.folder, "workers"))
        config = file("config/demo.toml", read("config/demo.toml"))
        self.check([config, start, *blocks_of("docs/first-steps.md", "Five minutes")], prepare, numbers=False)

    def test_the_own_program_of_the_readme(self):
        package = file("package.json", '{"name": "shop", "scripts": {"start": "node server.js"}}\n')
        own, = (block for block in blocks_of("README.md", "Three commands") if not block.not_run)
        init, serve = own.text.split("$ grayd --config", 1)
        port = commands("$ sed -i s/:80[0]0/:8000/ grayd.toml\n")  # what init wrote is not of the port of this run
        self.check([package, file("server.js", SERVER), commands(init), port, commands("$ grayd --config" + serve)],
                   numbers=False)

    def releases(self, *blocks):
        """Runs blocks in /srv/web with the configuration of docs/releases.md, where 42 is the stable version."""
        config = next(block for block in blocks_of("docs/releases.md", "") if block.kind == "file")
        start = commands("$ grayd --config grayd.toml &\n...\nserving http://127.0.0.1:8000\n"
                         "$ grayctl deploy web 42\n...\n$ grayctl promote web 42\n...\n$ curl -s localhost:8000\nok\n")

        def prepare(recipe):
            recipe.cwd = os.path.join(recipe.folder, "srv", "web")
            os.makedirs(recipe.cwd)
            for folder in ("v1", "releases/42", "releases/43"):
                recipe.write(os.path.join("srv/web", folder, "server.js"), SERVER)
        listen = '\n[listen]\nhttp = ["127.0.0.1:8000"]\n'
        self.check([file("srv/web/grayd.toml", config.text + listen), start, *blocks], prepare, numbers=False)

    def test_the_release(self):
        release, kept = (blocks_of("docs/releases.md", title) for title in ("The release", "What is kept"))
        third = commands("$ cp -R releases/43 releases/44\n$ grayctl deploy web 44\n...\n")
        self.releases(*release[:-1], third, release[-1], *kept)

    def test_when_something_is_wrong(self):
        broken = file("srv/web/releases/44/server.js",
                      "console.error('Error: no database at 10.0.0.7'); process.exit(3);\n")
        self.releases(broken, *blocks_of("docs/releases.md", "When something is wrong"))

    def test_the_blocks_that_are_not_run_are_few(self):
        for name, limit in NOT_RUN_AT_MOST.items():
            runnable = [section.title for section in sections(read(name))
                        if any(block.kind == "commands" and not block.not_run for block in section.blocks)]
            self.assertEqual(runnable, RUN[name])
            not_run = [f"{name}, line {block.line}: {block.not_run}" for section in sections(read(name))
                       for block in section.blocks if block.not_run]
            print(f"{len(not_run)} blocks of {name} are not run:", *not_run, sep="\n    ")
            self.assertLessEqual(len(not_run), limit)
