"""WebSocket with the npm package `ws` on both ends: grayd in between makes no difference (rule P24)."""
import os
import subprocess

from harness import GrayTest, HERE, SLOWER, eventually, two_versions
from npm_packages import installed


class WebSocketTest(GrayTest):
    @classmethod
    def setUpClass(cls):
        modules = installed()
        cls.env = {**os.environ, "NODE_PATH": modules}
        version = {"command": ["node", os.path.join(HERE, "node", "server.js")], "ready": ["pipe"],
                   "drain_timeout": "2s", "env": {"NODE_PATH": modules, "CLOSES": "closes"}, "cwd": "."}
        patient = {"queue": 500, "queue_timeout": "30s"}
        cls.start_shared(two_versions(version={"v1": version, "v2": version}, limits=patient))

    def talk(self, name, version="v1"):
        url = f"ws://127.0.0.1:{self.shared.port}/?version={version}"
        return subprocess.Popen(["node", os.path.join(HERE, "node", "client.js"), url, name], env=self.env,
                                stdout=subprocess.PIPE, text=True)

    def check(self, name):
        client = self.talk(name)
        try:
            out, _ = client.communicate(timeout=60 * SLOWER)
        finally:
            client.kill()
        self.assertEqual(out, "ok\n")
        eventually(lambda: sum(w["tunnels"] for w in self.shared.version("v1")["workers"]) == 0, 10, "no tunnel left")

    def test_text(self):
        self.check("text")

    def test_binary_plain_and_compressed(self):
        self.check("binary")

    def test_a_mebibyte_in_fragments(self):
        self.check("fragments")

    def test_ping_and_pong_of_both_sides(self):
        self.check("ping")

    def test_close_codes_of_both_sides(self):
        self.check("codes")

    def test_200_connections_at_once(self):
        self.check("many")

    def test_32_busy_connections(self):
        self.check("busy")

    def test_a_drained_version_sends_1001_to_both_sides(self):
        client = self.talk("away", "v2")
        try:
            self.assertEqual(client.stdout.readline(), "open\n")
            self.assertEqual(self.shared.ctl("drain", "web", "v2").code, 0)
            self.assertEqual(client.communicate(timeout=20 * SLOWER)[0], "ok\n")
        finally:
            client.kill()
        # The worker writes it when it has read the Close frame, which may be after the client has.
        eventually(lambda: "1001 \n" in self.closes(), what="1001 at the worker")

    def closes(self):
        path = os.path.join(self.shared.folder, "closes")
        if not os.path.exists(path):
            return []
        with open(path) as file:
            return file.readlines()
