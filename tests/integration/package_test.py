"""The Debian package: what is in it, and its life from the installation to the purge.

It is installed with dpkg in a copy of this system: an overlay in a mount namespace of its own, of which nothing is left
behind. No systemd runs in it, so the test starts grayd itself, as the unit does.
"""
import functools
import glob
import os
import re
import shutil
import subprocess
import tempfile
import unittest

from harness import BUILD, ROOT, Client, eventually, free_port
from steady_load import SteadyLoad

PACKAGING = os.path.join(BUILD, "packaging")
ENTER = """
set -e
mount -t tmpfs none {0}
mkdir {0}/changed {0}/work {0}/root
mount -t overlay overlay -o lowerdir=/,upperdir={0}/changed,workdir={0}/work {0}/root
mount -t proc proc {0}/root/proc
mount --rbind /dev {0}/root/dev
mount -t tmpfs none {0}/root/run
mount -t tmpfs none {0}/root/tmp
cp {1}/*.deb {0}/root/tmp
echo entered
read end
"""
CLIENTS = 64
INSTALL = ["dpkg", "--no-triggers", "--force-unsafe-io", "-i"]  # man-db would index the manuals of the whole system


@functools.cache
def build_package():
    done = subprocess.run([os.path.join(ROOT, "scripts/package"), "--build", BUILD], cwd=ROOT, text=True, timeout=280,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        raise AssertionError(f"scripts/package failed:\n{done.stdout[-3000:]}")
    return os.path.join(ROOT, done.stdout.split()[-1])


def newer(package, folder):
    """The same package as version 9.9.9."""
    tree = os.path.join(folder, "tree")
    subprocess.run(["dpkg-deb", "-R", package, tree], check=True)
    control = os.path.join(tree, "DEBIAN/control")
    with open(control) as file:
        text = re.sub(r"(?m)^Version: .*$", "Version: 9.9.9", file.read())
    with open(control, "w") as file:
        file.write(text)
    result = os.path.join(folder, "newer.deb")
    subprocess.run(["dpkg-deb", "-Zgzip", "-b", tree, result], check=True, stdout=subprocess.DEVNULL)
    shutil.rmtree(tree)
    return result


class System:
    """A copy of this system that forgets all changes."""

    def __init__(self, test, packages):
        self.folder = tempfile.mkdtemp(prefix="grayd-test-")
        test.addCleanup(shutil.rmtree, self.folder)
        self.keeper = subprocess.Popen(["unshare", "--mount", "sh", "-c", ENTER.format(self.folder, packages)],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                       text=True)
        test.addCleanup(self.leave)
        line = self.keeper.stdout.readline()
        if line != "entered\n":
            test.skipTest(f"an overlay cannot be mounted here: {line}{self.keeper.stdout.read()}".strip())

    def leave(self):
        self.keeper.communicate("end\n", timeout=20)

    def command(self, *words):
        return ["nsenter", "-t", str(self.keeper.pid), "--mount", "chroot", os.path.join(self.folder, "root"), *words]

    def run(self, *words, code=0):
        done = subprocess.run(self.command(*words), text=True, timeout=120, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})
        if code is not None and done.returncode != code:
            raise AssertionError(f"{words} ended with {done.returncode}:\n{done.stdout}")
        return done.stdout

    def start(self, *words):
        return subprocess.Popen(self.command(*words), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def named_gray(self):
        """Files and folders of this name; of what is in such a folder, only the folder."""
        found = self.run("find", "/usr", "/etc", "/var/lib", "/var/log", "/run", "-path", "*/dpkg/*", "-prune", "-o",
                         "(", "-name", "*grayd*", "-o", "-name", "*grayctl*", ")", "-print", "-prune")
        return sorted(found.split())


@unittest.skipIf(os.geteuid() != 0, "mounts need root")
class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.packages = tempfile.mkdtemp(prefix="grayd-test-")
        cls.addClassCleanup(shutil.rmtree, cls.packages)
        shutil.copy(build_package(), os.path.join(cls.packages, "grayd.deb"))
        newer(os.path.join(cls.packages, "grayd.deb"), cls.packages)

    def installed(self):
        system = System(self, self.packages)
        self.before = system.named_gray()
        system.run(*INSTALL, "/tmp/grayd.deb")
        return system

    def serving(self, system):
        """The port of a grayd that runs as the unit would run it, with its process."""
        port = free_port()
        system.run("sed", "-i", f"s/127.0.0.1:8000/127.0.0.1:{port}/", "/etc/grayd/grayd.toml")
        process = system.start("setpriv", "--reuid", "grayd", "--regid", "grayd", "--clear-groups",
                               "/usr/bin/grayd", "--config", "/etc/grayd/grayd.toml")
        self.addCleanup(self.end, process)
        eventually(lambda: process.poll() is not None or self.answers(port), what="an answer")
        if process.poll() is not None:
            self.fail(process.stdout.read())
        return port, process

    @staticmethod
    def answers(port):
        try:
            return Client(port).ask("/").status == 200
        except OSError:
            return False

    @staticmethod
    def end(process):
        process.terminate()
        process.communicate(timeout=30)

    def test_life_of_a_package(self):
        system = self.installed()
        self.assertIn("grayd:", system.run("getent", "passwd", "grayd"))
        self.assertEqual(system.run("stat", "-c", "%U %a", "/var/lib/grayd", "/var/log/grayd", "/run/grayd"),
                         "grayd 700\ngrayd 750\ngrayd 755\n")
        system.run("grayd", "--config", "/etc/grayd/grayd.toml", "--check")
        port, process = self.serving(system)
        page = Client(port).ask("/").text
        self.assertIn("/etc/grayd/grayd.toml", page)

        with SteadyLoad(port, kept=CLIENTS // 2, short=CLIENTS // 2, streams=0, uploads=0) as load:
            eventually(lambda: load.figures.total > CLIENTS, what="load")
            said = system.run(*INSTALL, "/tmp/newer.deb")
            before = load.figures.total
            eventually(lambda: load.figures.total > before + CLIENTS, what="load after the upgrade")
        self.assertEqual((load.figures.failed, load.figures.truncated), (0, 0), str(load.figures))
        self.assertIn("9.9.9", system.run("dpkg-query", "-W", "grayd"))
        self.assertNotIn("was not replaced", said)
        self.assertIsNone(process.poll(), "grayd keeps its process")
        status = system.run("grayctl", "--socket", "/run/grayd/grayd.sock", "status", "-o", "json")
        self.assertIn('"upgrades"', status)
        program = os.readlink(f"/proc/{self.grayd_pid(status)}/exe")
        self.assertTrue(program.endswith("/usr/bin/grayd"), f"the new program runs: {program}")
        self.assertIn(f"127.0.0.1:{port}", system.run("cat", "/etc/grayd/grayd.toml"), "an edited file is kept")

        self.end(process)
        system.run("dpkg", "--no-triggers", "-r", "grayd")
        self.assertEqual(set(system.named_gray()) - set(self.before),
                         {"/etc/grayd", "/var/lib/grayd", "/var/log/grayd"})
        system.run("dpkg", "--no-triggers", "-P", "grayd")
        self.assertEqual(system.named_gray(), self.before)

    @staticmethod
    def grayd_pid(status):
        return int(re.search(r'"pid": ?(\d+)', status)[1])

    def test_an_upgrade_without_a_running_grayd_starts_none(self):
        system = self.installed()
        said = system.run(*INSTALL, "/tmp/newer.deb")
        self.assertNotIn("not replaced", said)
        self.assertEqual(system.run("ls", "/run/grayd"), "")


class Files(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.package = build_package()

    def test_installation_without_a_package(self):
        folder = tempfile.mkdtemp(prefix="grayd-test-")
        self.addCleanup(shutil.rmtree, folder)
        subprocess.run(["cmake", "--install", BUILD], check=True, stdout=subprocess.DEVNULL,
                       env={**os.environ, "DESTDIR": folder})
        files = {os.path.relpath(file, folder) for file in glob.glob(folder + "/**", recursive=True)
                 if os.path.isfile(file)}
        listed = subprocess.run(["dpkg-deb", "-c", self.package], check=True, text=True,
                                stdout=subprocess.PIPE).stdout
        self.assertEqual(files, {line.split(" ./")[1] for line in listed.splitlines() if not line.endswith("/")})

    def test_manual_pages_are_valid(self):
        pages = sorted(glob.glob(os.path.join(PACKAGING, "gray*.[158]")))
        self.assertEqual([os.path.basename(page) for page in pages], ["grayctl.1", "grayd.8", "grayd.toml.5"])
        for page in pages:
            done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", page], text=True, stdout=subprocess.PIPE)
            self.assertEqual((done.returncode, done.stdout), (0, ""))

    def test_manual_pages_have_every_verb_and_every_key(self):
        page = self.shown("grayctl.1")
        helped = subprocess.run([os.path.join(BUILD, "grayctl"), "--help"], check=True, text=True,
                                stdout=subprocess.PIPE).stdout
        verbs = re.findall(r"^  (\w+) {2,}\w", helped.split("Look:")[1].split("Exit codes:")[0], re.M)
        self.assertGreater(len(verbs), 20)
        for verb in verbs:
            self.assertRegex(page, rf"(?m)^ +{verb}\n(.*\n)+? +grayctl {verb}", f"a section for {verb}")
        page = self.shown("grayd.toml.5")
        with open(os.path.join(ROOT, "config/reference.toml")) as file:
            keys = re.findall(r"^(\w+) = ", file.read(), re.M)
        self.assertGreater(len(keys), 50)
        for key in keys:
            self.assertIn(f"{key} = ", page)

    @staticmethod
    def shown(name):
        done = subprocess.run(["mandoc", "-T", "ascii", os.path.join(PACKAGING, name)], check=True, text=True,
                              stdout=subprocess.PIPE)
        return re.sub(r".\x08", "", done.stdout)

    def test_the_schema_and_the_manual_have_what_grayd_says(self):
        schema = subprocess.run([os.path.join(BUILD, "grayd"), "schema"], check=True, stdout=subprocess.PIPE).stdout
        with open(os.path.join(PACKAGING, "grayd.schema.json"), "rb") as made:
            self.assertEqual(made.read(), schema)
        page = self.shown("grayd.8")
        for verb in ("init", "doctor", "schema"):
            self.assertRegex(page, rf"(?m)^ +{verb}\n(.*\n)+? +grayd {verb}", f"a section for {verb}")

    def test_bash_completes_the_sub_commands_of_grayd(self):
        def offered(*words):
            script = (f'source "{PACKAGING}/grayd.bash"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _grayd; '
                      'echo "${COMPREPLY[@]}"')
            return subprocess.run(["bash", "-c", script, "bash", *words], check=True, text=True,
                                  stdout=subprocess.PIPE).stdout.split()
        self.assertEqual(sorted(offered("grayd", "d")), ["demo", "doctor"])
        self.assertEqual(offered("grayd", "doctor", "--s"), ["--socket"])
        self.assertEqual(offered("grayd", "init", "--"), ["--help", "--output", "--print", "--no-start", "--timeout"])
        self.assertEqual(offered("grayd", "doctor", "--config", ""), [])

    @unittest.skipUnless(shutil.which("fish"), "fish is not installed")
    def test_fish_completes_the_sub_commands_of_grayd(self):
        def offered(line):
            script = f'source "{PACKAGING}/grayd.fish"; complete -C "$argv"'
            told = subprocess.run(["fish", "-c", script, line], check=True, text=True, stdout=subprocess.PIPE).stdout
            return [one.split("\t")[0] for one in told.splitlines()]
        self.assertEqual(sorted(offered("grayd d")), ["demo", "doctor"])
        self.assertEqual(offered("grayd --con"), ["--config"])
        self.assertEqual(sorted(offered("grayd init --")), ["--help", "--no-start", "--output", "--print", "--timeout"])

    @unittest.skipUnless(shutil.which("zsh"), "zsh is not installed")
    def test_zsh_completes_the_sub_commands_of_grayd(self):
        def offered(*words):
            """What the function gives to the completion system of zsh, which itself needs a terminal."""
            script = ('compdef() {}; _files() { print files }; _describe() { print -l -- ${(P)2%%:*} }; '
                      f'source "{PACKAGING}/_grayd"; words=("$@"); CURRENT=$#; _grayd')
            return subprocess.run(["zsh", "-f", "-c", script, "zsh", *words], check=True, text=True,
                                  stdout=subprocess.PIPE).stdout.split()
        self.assertEqual(offered("grayd", ""),
                         ["init", "doctor", "schema", "demo", "--help", "--version", "--config", "--check"])
        self.assertEqual(offered("grayd", "init", ""), ["--help", "--output", "--print", "--no-start", "--timeout"])
        self.assertEqual(offered("grayd", "doctor", "--config", ""), ["files"])

    def test_completions_are_what_grayctl_prints(self):
        for shell, file in (("bash", "grayctl.bash"), ("zsh", "_grayctl"), ("fish", "grayctl.fish")):
            printed = subprocess.run([os.path.join(BUILD, "grayctl"), "completion", shell], check=True,
                                     stdout=subprocess.PIPE).stdout
            with open(os.path.join(PACKAGING, file), "rb") as made:
                self.assertEqual(made.read(), printed)
