"""Runs the blocks of one recipe, as a reader would do it, in a temporary folder. See recipe_text.py for the blocks.

Ports of the recipe are replaced by free ones, and folders of the system (/etc/grayd, /usr/bin, ...) by folders below
the temporary one. A command that ends with "&" goes on running: the next one waits until its output is there. All that
was started is ended by close().
"""
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
import uuid

from harness import BUILD, MARK, SLOWER, die_with_parent, free_port, processes_with
from recipe_text import commands, matches

COMMAND_LIMIT = 60  # seconds
OUTPUT_LIMIT = 30  # until a command in the background has said what the recipe shows
PORT = re.compile(r"(?:127\.0\.0\.1|localhost):(\d{4,5})\b")
# Folders of the system that are replaced; others, such as /dev and /etc/nginx, are those of the host.
SYSTEM = re.compile(r"(?<![\w.$}-])/(?=etc/(?:grayd|systemd)\b|srv/|usr/bin\b|run/grayd\b|var/l(?:ib|og)/grayd\b)")


class Mismatch(AssertionError):
    """The output of a command is not that of the document."""

    def __init__(self, block, command, output, why):
        super().__init__(f"line {block.line}: {why}\n$ {command.text}\n--- the document shows\n" +
                         "\n".join(command.expected) + f"\n--- the output\n{output}")


class Recipe:
    def __init__(self, blocks, prepare=None, env=None, numbers=True):
        """`prepare` gets this recipe before anything is run, `env` is added to the environment of all commands; without
        `numbers` the output may have different numbers."""
        self.blocks = blocks
        self.numbers = numbers
        self.cwd = self.folder = tempfile.mkdtemp(prefix="grayd-recipe-")
        os.chmod(self.folder, 0o755)  # servers read it as another user
        self.mark = uuid.uuid4().hex
        self.running = []  # (process, file of its output), in the order of their start
        self.count = 0
        text = "".join(block.text for block in blocks)
        self.ports = {port: str(free_port()) for port in dict.fromkeys(PORT.findall(text))}
        self.env = {**{name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "GRAY"))},
                    "PATH": BUILD + os.pathsep + os.environ["PATH"] + os.pathsep + "/usr/sbin",
                    "HOME": self.folder, "COLUMNS": "80", "NO_COLOR": "1", MARK: self.mark, **(env or {})}
        self.write(".curlrc", "no-progress-meter\n")  # as on a terminal
        if prepare:
            prepare(self)

    def placed(self, text):
        """`text` with the ports of this run, and with paths of the system below its folder."""
        for port, free in self.ports.items():
            text = re.sub(rf"(?<![\w.]){port}\b", free, text)
        return SYSTEM.sub(lambda found: self.folder + found[0], text)

    def run(self):
        """Returns how many commands were run; raises Mismatch at the first that does not do what the recipe shows."""
        for block in self.blocks:
            if block.kind == "file":
                self.write(block.name, block.text)
            elif block.kind == "commands" and not block.not_run:
                for command in commands(block.text):
                    self.run_command(block, command)
        return self.count

    def write(self, name, text):
        path = os.path.join(os.path.realpath(self.folder), name.lstrip("/"))
        assert os.path.realpath(path) == path, f"{path} is outside of the folder of the recipe"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(self.placed(text))

    def run_command(self, block, command):
        self.count += 1
        text = self.placed(command.text)
        if text.endswith(" &"):
            self.start(block, command, text[:-2])
            return
        try:
            done = subprocess.run(["bash", "-c", text], cwd=self.cwd, env=self.env, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                                  timeout=COMMAND_LIMIT * SLOWER)
        except subprocess.TimeoutExpired as late:
            raise Mismatch(block, command, late.stdout, f"it took longer than {COMMAND_LIMIT} s") from None
        self.compare(block, command, done.stdout.replace(self.folder, ""))

    def compare(self, block, command, output):
        if not matches(command.expected, output, numbers=self.numbers):
            raise Mismatch(block, command, output, "a different output")

    def start(self, block, command, text):
        """Starts a command in its own session, and waits for the output that the recipe shows."""
        path = os.path.join(self.folder, f".output-{self.count}")
        simple = not re.search(r"[;|&]", text)  # the process is then the program itself
        with open(path, "w") as output:
            process = subprocess.Popen(["bash", "-c", f"exec {text}" if simple else text], cwd=self.cwd,
                                       env=self.env, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                       start_new_session=True, preexec_fn=die_with_parent)
        self.running.append((process, path))
        deadline = time.monotonic() + OUTPUT_LIMIT * SLOWER
        while not matches(command.expected, self.read(path), goes_on=True):
            if process.poll() is not None and not matches(command.expected, self.read(path), goes_on=True):
                raise Mismatch(block, command, self.read(path), f"it ended with {process.returncode}")
            if time.monotonic() > deadline:
                raise Mismatch(block, command, self.read(path), f"not shown within {OUTPUT_LIMIT} s")
            time.sleep(0.02)

    @staticmethod
    def read(path):
        with open(path, errors="replace") as file:
            return file.read()

    def outputs(self):
        """The end of the output of all that runs in the background."""
        return "".join(f"--- {' '.join(process.args[2:])}\n{self.read(path)[-3000:]}" for process, path in self.running)

    def close(self):
        """Ends all processes, the last one first; returns those that had to be killed."""
        for process, _ in reversed(self.running):
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
                try:
                    process.wait(10 * SLOWER)
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
        left = processes_with(self.mark)
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        shutil.rmtree(self.folder, ignore_errors=True)
        return left


class RecipeTest(unittest.TestCase):
    def check(self, blocks, prepare=None, env=None, numbers=True):
        """Runs the blocks, see Recipe; what ran in the background is shown if they fail, and nothing of it may stay."""
        recipe = Recipe(blocks, prepare, env, numbers)
        try:
            recipe.run()
        except AssertionError:
            print(f"--- what ran in the background\n{recipe.outputs()}--- end of it", flush=True)
            raise
        finally:
            left = recipe.close()
        self.assertEqual(left, [], "processes were left")
