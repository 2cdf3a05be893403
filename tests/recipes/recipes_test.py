"""docs/recipes.md: every recipe works as it stands, with the real programs, and shows what they really say.

Each section of the file is a test; one with several grayd.toml runs each in a folder of its own.
"""
import os
import re
import shutil
import unittest

from harness import BUILD, ROOT
from init_layouts import InitLayouts  # noqa: F401, run with these
from npm_packages import CACHE, installed
from recipe_runner import RecipeTest
from recipe_text import matches, sections

DOCUMENT = os.path.join(ROOT, "docs", "recipes.md")
FOLDER = os.path.dirname(os.path.abspath(__file__))
LOCK = os.path.join(FOLDER, "package-lock.json")
ENVIRONMENT = {"npm_config_cache": CACHE, "npm_config_offline": "true", "npm_config_fund": "false",
               "npm_config_audit": "false", "npm_config_update_notifier": "false"}
NOT_RUN_AT_MOST = 2  # blocks
PROGRAMS = ("caddy", "curl", "gunicorn", "nginx", "node", "npm", "openssl", "php", "php-fpm8.2", "puma",
            "systemd-analyze", "systemd-notify", "uvicorn")


def setUpModule():
    path = os.environ["PATH"] + os.pathsep + "/usr/sbin"
    missing = [program for program in PROGRAMS if not shutil.which(program, path=path)]
    if missing:
        raise AssertionError(f"not installed: {' '.join(missing)}; scripts/recipes installs them (scripts/packages)")
    installed(FOLDER, "recipes", CACHE)


def prepared(recipe):
    """Puts the versions of all npm packages, the programs and the unit where a recipe expects them."""
    shutil.copy(LOCK, recipe.folder)
    os.mkdir(os.path.join(recipe.folder, "build"))
    os.symlink(BUILD, os.path.join(recipe.folder, "build", "release"))
    with open(os.path.join(ROOT, "packaging", "grayd.service")) as unit:
        recipe.write("packaging/grayd.service", unit.read())


def parts(section):
    """The blocks of a section, those of each grayd.toml separately; a part begins with its first file."""
    blocks, starts = section.blocks, [0]
    for config in [index for index, block in enumerate(blocks) if block.name == "grayd.toml"][1:]:
        start = config
        while blocks[start - 1].kind == "file":
            start -= 1
        starts.append(start)
    return [blocks[start:end] for start, end in zip(starts, starts[1:] + [None])]


with open(DOCUMENT) as document:
    RECIPES = sections(document.read())


class Recipes(RecipeTest):
    def check_section(self, section):
        for blocks in parts(section):
            with self.subTest(line=blocks[0].line):
                self.check(blocks, prepared, ENVIRONMENT)


def add_tests():
    for section in RECIPES:
        def test(self, section=section):
            self.check_section(section)
        words = re.sub(r"\W+", "_", section.title.lower()).strip("_").split("_")
        name = "_".join([words[0].zfill(2), *words[1:]])
        if "systemd" in words:
            test = unittest.skipUnless(os.geteuid() == 0, "only root may start programs as another user")(test)
        setattr(Recipes, f"test_{name}", test)


add_tests()


class Document(unittest.TestCase):
    def test_every_block_is_run_or_says_why_not(self):
        self.assertEqual([section.title.split(".")[0] for section in RECIPES], [str(n) for n in range(1, 14)])
        blocks = [(section.title, block) for section in RECIPES for block in section.blocks]
        strange = [block.line for _, block in blocks if block.kind == "other" and not block.not_run]
        self.assertEqual(strange, [], "lines of blocks that are neither files nor commands")
        not_run = [f"{title}, line {block.line}: {block.not_run}" for title, block in blocks if block.not_run]
        print(f"{len(not_run)} blocks are not run:", *not_run, sep="\n    ")
        self.assertLessEqual(len(not_run), NOT_RUN_AT_MOST)


class Comparison(unittest.TestCase):
    def same(self, expected, output, **options):
        self.assertTrue(matches(expected.splitlines(), output, **options), f"{expected!r} {output!r}")

    def different(self, expected, output, **options):
        self.assertFalse(matches(expected.splitlines(), output, **options), f"{expected!r} {output!r}")

    def test_what_may_differ(self):
        self.same("", "")
        self.same("pid 7, 12.5 ms, 8 MiB, 3s", "pid 81236, 9 ms, 120 MiB, 400ms")
        self.same("11-30 19:41:25.795  worker-exited  web@v1#0", "12-01 00:00:00.001 worker-exited web@v1#0")
        self.same("Date: Mon, 30 Nov 2026 19:41:13 GMT", "Date: Tue, 01 Dec 2026 00:00:13 GMT")
        self.same("  web@v1#0  30288  healthy  127.0.0.1:40965", "  web@v1#0  88  healthy  127.0.0.1:1234")
        self.same("a\n...\nz", "a\nb\nc\nz\n")
        self.same("a\n...\nz", "a\nz\n")
        self.same("worker ... is ready", "worker 7 is ready\n")
        self.same("ready", "ready\nmore\n", goes_on=True)

    def test_what_may_not(self):
        self.different("HTTP/1.1 200 OK", "HTTP/1.1 503 OK")
        self.different("exit 0", "exit 6")
        self.different("web@v1#0", "web@v1#1")
        self.different("20% of the users", "25% of the users")
        self.different("1 of 2 workers", "2 of 2 workers")
        self.different("", "an error\n")
        self.different("ready", "ready\nmore\n")
        self.different("ready", "")
        self.different("a\n...\nz", "a\nb\n")
        self.different("127.0.0.1", "127.0.0.5")
