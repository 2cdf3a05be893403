#!/usr/bin/env python3
"""release.py OUT.svg [--build FOLDER]: runs a release that goes wrong and draws it.

`grayd demo` serves two versions with users. While v2 has 25 % of them it is broken, and grayd takes its users away.
Weight and failed answers are read from the admin socket ten times a second; the moment at which the weight was 0 is
that of grayd itself, and the first failed answer is what its users have met. The picture has no value that is not
measured.
"""
import argparse
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from datetime import datetime

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BREAK_AT = 25  # percent
BEFORE_BREAK, AFTER_BREAK = 4.0, 5.0  # seconds of this step, and of the end
BETWEEN = 0.1
TIME_LIMIT = 90

STYLE = """
text { font: 13px -apple-system, "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif; fill: #1f2328 }
.head { font-size: 14px; font-weight: 600 } .small { font-size: 12px; font-weight: 400; fill: #59636e }
.axis { stroke: #59636e } .grid { stroke: #818b98; stroke-opacity: .25 }
.v2 { stroke: #0969da; stroke-width: 2.5; fill: none } .area { fill: #0969da; fill-opacity: .12 } .t2 { fill: #0969da }
.bad { fill: #cf222e } .mark { stroke: #cf222e; stroke-dasharray: 4 3 } .span { stroke: #cf222e; stroke-width: 1.5 }
.zoom { fill: #818b98; fill-opacity: .14 }
@media (prefers-color-scheme: dark) {
text { fill: #f0f6fc } .small { fill: #9198a1 } .axis { stroke: #9198a1 } .v2 { stroke: #4493f8 }
.area, .t2 { fill: #4493f8 } .bad { fill: #f85149 } .mark, .span { stroke: #f85149 }
}
"""


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=5)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def asked(admin, path):
    connection = UnixConnection(admin)
    try:
        connection.request("GET", path)
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()


def sample(admin):
    """The moment, the percent of the users that have v2, and the failed answers of both versions so far."""
    versions = {one["name"]: one for one in asked(admin, "/v1/status")["services"][0]["versions"]}
    return {"at": time.time(), "weight": versions["v2"]["weight"],
            "failed": {name: one["errors"] for name, one in versions.items()}}


class Demo:
    """`grayd demo` in a folder of its own."""

    def __init__(self, build, folder):
        self.build, self.admin = build, os.path.join(folder, "grayd-demo", "grayd.sock")
        self.env = {**os.environ, "XDG_RUNTIME_DIR": folder}
        self.env.pop("GRAYCTL_SOCKET", None)
        self.path = os.path.join(folder, "output")
        with open(self.path, "wb") as output:
            self.process = subprocess.Popen([os.path.join(build, "grayd"), "demo", "--port", "0"], env=self.env,
                                            stdout=output, stderr=output)

    def output(self):
        with open(self.path, errors="replace") as file:
            return file.read()

    def await_text(self, pattern, each=lambda: None):
        """Calls `each` ten times a second until the demo has told this."""
        end = time.monotonic() + TIME_LIMIT
        while not (found := re.search(pattern, self.output())):
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"the demo did not tell {pattern!r}:\n{self.output()}")
            each()
            time.sleep(BETWEEN)
        return found

    def break_v2(self):
        subprocess.run([os.path.join(self.build, "grayctl"), "--socket", self.admin, "demo", "break", "v2"],
                       check=True, stdout=subprocess.DEVNULL, env=self.env)

    def end(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(30)


def measured(build):
    """A run: samples with times from the start of v1 alone, the moments, and the figures."""
    with tempfile.TemporaryDirectory(prefix="grayd-picture-") as folder:
        demo = Demo(build, folder)
        try:
            samples = []

            def look(seconds=0.0):
                end = time.monotonic() + seconds
                while True:
                    samples.append(sample(demo.admin))
                    if time.monotonic() >= end:
                        return
                    time.sleep(BETWEEN)
            demo.await_text("both versions are up")
            demo.await_text(f"v2 gets {BREAK_AT} %", look)
            look(BEFORE_BREAK)
            demo.break_v2()
            told = demo.await_text(r"by itself, (\d+\.\d) s after its first failed answer; (\d+) users? saw an error",
                                   look)
            look(AFTER_BREAK)
            since = asked(demo.admin, "/v1/rollout-status?service=web")["since"]
        finally:
            demo.end()
    back = datetime.fromisoformat(since.replace("Z", "+00:00")).timestamp()
    start, took = samples[0]["at"], float(told[1])
    for one in samples:
        one["at"] -= start
    return {"samples": samples, "back": back - start, "broke": back - start - took, "took": took,
            "users": int(told[2]), "failed": samples[-1]["failed"]}


def escaped(text):
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


class Panel:
    """A part of the picture: seconds on the x axis, percent of the users above, failed answers per second below."""
    TOP, ZERO, LOW = 62, 196, 262  # of the weight, of both axes
    MOST = 30  # percent

    def __init__(self, left, right, begin, end, run):
        self.left, self.right, self.begin, self.end, self.run = left, right, begin, end, run
        self.parts = []

    def x(self, seconds):
        inside = min(max(seconds, self.begin), self.end)
        return round(self.left + (inside - self.begin) * (self.right - self.left) / (self.end - self.begin), 1)

    def y(self, percent):
        return round(self.ZERO - percent * (self.ZERO - self.TOP) / self.MOST, 1)

    def line(self, x1, y1, x2, y2, kind):
        self.parts.append(f'<line class="{kind}" x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"/>')

    def text(self, x, y, words, kind="", anchor="start"):
        self.parts.append(f'<text x="{x}" y="{y}"{f" class={chr(34)}{kind}{chr(34)}" if kind else ""}'
                          f'{f" text-anchor={chr(34)}{anchor}{chr(34)}" if anchor != "start" else ""}>'
                          f'{escaped(words)}</text>')

    def axes(self, ticks, names):
        for percent in (0, 10, 20, 30):
            self.line(self.left, self.y(percent), self.right, self.y(percent), "axis" if percent == 0 else "grid")
            if names:
                self.text(self.left - 8, self.y(percent) + 4, f"{percent} %", "small", "end")
        self.line(self.left, self.LOW, self.right, self.LOW, "axis")
        for seconds, words in ticks:
            self.text(self.x(seconds), self.LOW + 18, words, "small", "middle")

    def moments(self):
        """Each change of the weight; the last one at the moment that grayd names."""
        changes = [(0, 0)]
        for one in self.run["samples"]:
            if one["weight"] != changes[-1][1]:
                changes.append((self.run["back"] if one["weight"] == 0 else one["at"], one["weight"]))
        return changes

    def weight(self):
        at_begin = [percent for at, percent in self.moments() if at <= self.begin][-1]
        path = f"M{self.left} {self.y(at_begin)}"
        for at, percent in self.moments():
            if at > self.begin:
                path += f"H{self.x(at)}V{self.y(percent)}"
        path += f"H{self.right}"
        self.parts.append(f'<path class="area" d="{path}V{self.y(0)}H{self.left}Z"/>')
        self.parts.append(f'<path class="v2" d="{path}"/>')

    def failures(self, width):
        """Failed answers of v2 in parts of `width` seconds, from the first one on."""
        samples, broke = self.run["samples"], self.run["broke"]
        counts = {}
        for before, one in zip(samples, samples[1:]):
            part = int((one["at"] - broke) // width)
            counts[part] = counts.get(part, 0) + one["failed"]["v2"] - before["failed"]["v2"]
        most = max(counts.values())
        for part, count in counts.items():
            if count:
                at, height = self.x(broke + part * width), round(44 * count / most, 1)
                wide = round(max(self.x(broke + (part + 1) * width) - at - 1, 3), 1)
                self.parts.append(f'<rect class="bad" x="{at}" y="{self.LOW - height}" width="{wide}" '
                                  f'height="{height}"/>')


def whole_release(run):
    end = run["samples"][-1]["at"]
    panel = Panel(56, 500, 0, end, run)
    zoom_begin, zoom_end = run["broke"] - 1, run["broke"] + 2
    panel.parts.append(f'<rect class="zoom" x="{panel.x(zoom_begin)}" y="{panel.TOP - 18}" '
                       f'width="{round(panel.x(zoom_end) - panel.x(zoom_begin), 1)}" '
                       f'height="{panel.LOW - panel.TOP + 18}"/>')
    panel.axes([(seconds, f"{seconds} s") for seconds in range(0, int(end) + 1, 5)], True)
    panel.weight()
    panel.failures(0.5)
    panel.text(56, 34, "Users that have version 2", "head")
    for (at, percent), (until, _) in zip(panel.moments()[1:], panel.moments()[2:]):
        panel.text(round((panel.x(at) + panel.x(until)) / 2, 1), panel.y(percent) - 8, f"step: {percent:g} %", "t2",
                   "middle")
    failed = f"version 1: {run['failed']['v1']}, version 2: {run['failed']['v2']}"
    panel.parts.append(f'<text class="head" x="56" y="{panel.LOW - 42}">Failed answers'
                       f'<tspan class="small" dx="10">{failed}</tspan></text>')
    return panel.parts


def three_seconds(run):
    """The grey part of the other panel."""
    broke, back = run["broke"], run["back"]
    panel = Panel(556, 806, broke - 1, broke + 2, run)
    panel.axes([(broke + seconds, f"{seconds} s" if seconds else "0") for seconds in (-1, 0, 1, 2)], False)
    panel.parts.append(f'<rect class="zoom" x="{panel.left}" y="{panel.TOP - 18}" width="{panel.right - panel.left}" '
                       f'height="{panel.LOW - panel.TOP + 18}"/>')
    panel.weight()
    panel.failures(0.2)
    panel.text(556, 34, "Three of these seconds", "head")
    for at in (broke, back):
        panel.line(panel.x(at), panel.TOP - 4, panel.x(at), panel.LOW, "mark")
    panel.text(panel.x(broke) - 6, panel.TOP + 6, "v2 fails", "", "end")
    panel.text(panel.x(back) + 6, panel.TOP + 6, "judged worse:")
    panel.text(panel.x(back) + 6, panel.TOP + 23, "all users back on v1")
    panel.line(panel.x(broke), panel.ZERO - 14, panel.x(back), panel.ZERO - 14, "span")
    panel.text(panel.x(back) + 6, panel.ZERO - 10, f"{run['took']:.1f} s")
    return panel.parts


def drawn(run):
    users = f"{run['users']} user{'' if run['users'] == 1 else 's'}"
    sums = (f"{run['took']:.1f} s from the first failed answer until version 2 had no users. {users} saw an error; "
            f"grayd went back by itself.")
    desc = (f"A measured run of grayd demo. Version 2 gets 5 % and then {BREAK_AT} % of the users. Then it answers "
            f"every request with 500. {run['took']:.1f} s after the first failed answer all users are back on version "
            f"1. {users} saw an error. Failed answers: version 1 {run['failed']['v1']}, version 2 "
            f"{run['failed']['v2']}.")
    lines = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 830 326" width="830" height="326" role="img" '
             'aria-labelledby="title desc">', '<title id="title">A release that goes back by itself</title>',
             f'<desc id="desc">{escaped(desc)}</desc>', f"<style>{STYLE}</style>",
             *whole_release(run), *three_seconds(run),
             f'<text x="56" y="312">{escaped(sums)}</text>', "</svg>"]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", metavar="OUT.svg")
    parser.add_argument("--build", default=os.path.join(ROOT, "build", "release"), help="the folder of grayd")
    chosen = parser.parse_args()
    run = measured(chosen.build)
    with open(chosen.out, "w") as file:
        file.write(drawn(run))
    print(f"{chosen.out}: {run['took']:.1f} s, {run['users']} users, failed answers {run['failed']}")


if __name__ == "__main__":
    sys.exit(main())
