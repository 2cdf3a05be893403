"""tests/pictures/release.py runs a release and draws it; the picture in docs/images is one that it can have drawn."""
import os
import re
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as xml

from harness import BUILD, ROOT, SLOWER

MOST_BYTES = 30_000
SVG = "{http://www.w3.org/2000/svg}"


class Pictures(unittest.TestCase):
    def check(self, path):
        """It is a picture with a title and figures that fit each other."""
        self.assertLess(os.path.getsize(path), MOST_BYTES)
        root = xml.parse(path).getroot()
        self.assertEqual(root.find(f"{SVG}title").text, "A release that goes back by itself")
        self.assertIn("prefers-color-scheme: dark", root.find(f"{SVG}style").text)
        texts = ["".join(text.itertext()) for text in root.iter(f"{SVG}text")]
        sums = r"(\d+\.\d) s from the first failed answer until version 2 had no users\. (\d+) users? "
        seconds, users = re.match(sums, texts[-1]).groups()
        self.assertIn(f"{seconds} s", texts)
        self.assertGreater(int(users), 0)
        failed = re.search(r"version 1: (\d+), version 2: (\d+)", " ".join(texts))
        self.assertEqual(failed[1], "0")
        self.assertGreaterEqual(int(failed[2]), int(users))
        self.assertIn(f"{users} user", root.find(f"{SVG}desc").text)
        for text in ("step: 5 %", "step: 25 %", "v2 fails", "judged worse:", "all users back on v1"):
            self.assertIn(text, texts)
        self.assertTrue([bar for bar in root.iter(f"{SVG}rect") if bar.get("class") == "bad"])

    def test_a_release_is_run_and_drawn(self):
        with tempfile.TemporaryDirectory(prefix="grayd-test-") as folder:
            path = os.path.join(folder, "release.svg")
            done = subprocess.run([sys.executable, os.path.join(ROOT, "tests/pictures/release.py"), path, "--build",
                                   BUILD], text=True, timeout=120 * SLOWER, capture_output=True)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.check(path)

    def test_the_picture_of_the_documents(self):
        self.check(os.path.join(ROOT, "docs/images/release.svg"))
