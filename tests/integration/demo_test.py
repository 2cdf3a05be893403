"""scripts/demo-rollout: what it promises happens, and it cleans up."""
import glob
import os
import signal
import subprocess
import tempfile

from harness import BUILD, ROOT, GrayTest, eventually

DEMO = ["node", os.path.join(ROOT, "scripts", "demo_rollout.js")]


class Demo(GrayTest):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="grayd-demo-test-")
        self.environment = {**os.environ, "TMPDIR": self.folder}

    def tearDown(self):
        os.rmdir(self.folder)  # fails unless the demonstration has removed its own folder

    def test_the_good_release_is_promoted_and_the_bad_one_aborted(self):
        done = subprocess.run([*DEMO, BUILD], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=200, env=self.environment)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertNotIn("not as expected", done.stdout)
        for text in ("shop v2: promoted, 100% of the users", "(exit 0)\n",
                     "shop v3: aborted, 0% of the users", "(exit 6, ", "of its requests failed",
                     "cannot read the shopping cart of uid=", "% < 5 % → canary v3",
                     "shop: all users get v1 again", "without an answer: 0"):
            self.assertIn(text, done.stdout)

    def test_ctrl_c_ends_it_and_all_that_it_started(self):
        demo = subprocess.Popen([*DEMO, BUILD], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                                env=self.environment)
        sockets = os.path.join(self.folder, "grayd-demo-*", "grayd.sock")
        eventually(lambda: glob.glob(sockets), 20, "the socket of grayd")
        demo.send_signal(signal.SIGINT)
        _, errors = demo.communicate(timeout=60)
        self.assertEqual((demo.returncode, errors), (1, "demo-rollout: ended by SIGINT\n"))

    def test_a_folder_without_programs_is_named(self):
        done = subprocess.run([*DEMO, self.folder], capture_output=True, text=True, timeout=20, env=self.environment)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertEqual(done.stderr, f"demo-rollout: there is no {self.folder}/grayd; run scripts/build\n")
