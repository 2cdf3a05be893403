#!/usr/bin/env python3
"""Runs the integration tests: run.py [FILTER...], where a filter is part of FILE.CLASS.TEST ("http", "test_chunked").

Each *_test.py of this folder and of those in it runs in a separate process, two at a time, with a time limit. A file
that passes gives one line, one that fails is shown in full, and a skipped test has its reason; the output of each is in
$GRAYD_BUILD/integration. The last line is "N passed, N failed"; the exit code is 0 only if nothing failed.
"""
import concurrent.futures
import glob
import os
import re
import signal
import subprocess
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
FILE_LIMIT = 300  # seconds
AT_ONCE = 2


class Timed(unittest.TextTestResult):
    """Prints how long each test took, to find slow ones."""

    def startTest(self, test):
        self.started = time.monotonic()
        super().startTest(test)

    def addSuccess(self, test):
        super().addSuccess(test)
        self.stream.writeln(f"    {time.monotonic() - self.started:.1f} s")


def tests_of(suite):
    for test in suite:
        yield from tests_of(test) if isinstance(test, unittest.TestSuite) else [test]


def selected(file, filters):
    found = unittest.defaultTestLoader.loadTestsFromName(file)
    return [test for test in tests_of(found) if not filters or any(part in test.id() for part in filters)]


def run_file(file, filters):
    """In the process of one file."""
    tests = selected(file, filters)
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2, resultclass=Timed).run(unittest.TestSuite(tests))
    failed = len(result.failures) + len(result.errors)
    print(f"{max(result.testsRun - failed - len(result.skipped), 0)} passed, {failed} failed", flush=True)
    return 1 if failed else 0


def run_apart(file, filters):
    """One file in its own process and session; returns its output, its counts and its time."""
    started = time.monotonic()
    process = subprocess.Popen([sys.executable, __file__, "--file", file, *filters], stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, start_new_session=True)
    try:
        output, _ = process.communicate(timeout=FILE_LIMIT)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
        output += f"\n{file} took longer than {FILE_LIMIT} s and was killed\n".encode()
    text = output.decode(errors="replace")
    last = re.search(r"(\d+) passed, (\d+) failed\n\Z", text)
    passed, failed = (int(last[1]), int(last[2])) if last else (0, 1)
    if process.returncode != 0 and failed == 0:
        failed = 1
    return file, text, passed, failed, time.monotonic() - started


def main():
    sys.path.insert(0, HERE)
    arguments = sys.argv[1:]
    if arguments[:1] == ["--file"]:
        sys.exit(run_file(arguments[1], arguments[2:]))
    from harness import BUILD
    for program in ("grayd", "grayctl", "faulty"):
        if not os.path.exists(os.path.join(BUILD, program)):
            sys.exit(f"{BUILD}/{program} is missing; scripts/test --integration builds it")
    names = glob.glob("**/*_test.py", root_dir=HERE, recursive=True)
    files = sorted(name[:-3].replace(os.sep, ".") for name in names)  # as modules
    files = [file for file in files if selected(file, arguments)]
    passed = failed = 0
    os.makedirs(os.path.join(BUILD, "integration"), exist_ok=True)
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        for done in concurrent.futures.as_completed([pool.submit(run_apart, file, arguments) for file in files]):
            file, text, good, bad, seconds = done.result()
            passed, failed = passed + good, failed + bad
            with open(os.path.join(BUILD, "integration", file + ".log"), "w") as log:
                log.write(text)
            print(f"   {file:24} {good} passed, {bad} failed, {seconds:.0f} s", flush=True)
            for reason in re.findall(r"(?m)^.* \.\.\. skipped .*$", text):
                print("   " + reason, flush=True)
            if bad:
                print(text, flush=True)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)


main()
