"""The build of the page by control/dashboard/page.cmake, with small projects in place of the real one."""
import json
import os
import shutil
import subprocess
import tempfile
import unittest

from harness import ROOT

FILES = ("index.html", "index.html.gz", "csp.txt")
WRITE = "const fs = require('fs'); fs.mkdirSync(process.env.OUT, { recursive: true });" + "".join(
    f"fs.writeFileSync(process.env.OUT + '/{name}', 'the {name}');" for name in FILES)


@unittest.skipUnless(shutil.which("cmake") and shutil.which("npm"), "needs cmake and npm")
class PageBuild(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="page-build-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.source, self.made = os.path.join(self.folder, "page"), os.path.join(self.folder, "made")
        os.makedirs(os.path.join(self.source, "src"))

    def project(self, script, locked=True):
        package = {"name": "page", "version": "1.0.0", "scripts": {"build": "node src/build.js"}}
        lock = {"name": "page", "version": "1.0.0", "lockfileVersion": 3, "packages": {"": package}}
        for name, text in ("package.json", json.dumps(package)), ("package-lock.json", json.dumps(lock) if locked
                                                                  else "not a lock file"), ("src/build.js", script):
            with open(os.path.join(self.source, name), "w") as file:
                file.write(text)

    def build(self):
        npm = shutil.which("npm")
        return subprocess.run(["cmake", f"-DSOURCE={self.source}", f"-DMADE={self.made}", f"-DNPM={npm}",
                               "-P", os.path.join(ROOT, "control/dashboard/page.cmake")], text=True, timeout=120,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def texts(self):
        return [open(os.path.join(self.made, name)).read() for name in FILES]

    def test_the_files_are_built_beside_the_build_and_nothing_beside_the_sources(self):
        self.project(WRITE)
        before = sorted(os.listdir(self.source))
        done = self.build()
        self.assertEqual((done.returncode, self.texts()), (0, [f"the {name}" for name in FILES]), done.stdout)
        self.assertEqual(sorted(os.listdir(self.source)), before)
        self.assertEqual(self.build().returncode, 0)

    def test_an_error_leaves_the_page_out_with_a_warning_and_does_not_fail(self):
        for script, locked, part in ((WRITE, False, "npm ci failed"), ("process.exit(1)", True, "npm run build failed"),
                                     ("", True, "npm run build failed")):
            self.project(script, locked)
            done = self.build()
            self.assertEqual((done.returncode, self.texts()), (0, ["", "", ""]), done.stdout)
            self.assertIn("built without its page: " + part, " ".join(done.stdout.split()))


if __name__ == "__main__":
    unittest.main()
