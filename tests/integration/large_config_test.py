"""The largest configurations: each list and text at its limit is served, also by a router that is killed during or
after the reload; one more is refused by --check with the limit named."""
import os
import signal
import threading
import time

from harness import SLOWER, GrayTest, eventually, faulty, merged, run_program, two_versions
from upgrade_test import Waiting, routers

ITEMS = 10_000
OUTAGE = 2 * SLOWER  # seconds; on an idle machine it is below 0.2
YOUNG = 1.2  # seconds: routers that die sooner are replaced more slowly
TEXT = 131_071  # bytes of one argument or variable


def web(**changes):
    version = {"command": faulty(), "ready": ["pipe"]}
    return {"service": {"web": two_versions(version={"v1": {**version, **changes}, "v2": version})}}


def of_web(**changes):
    return {"service": {"web": changes}}


def hosts(count):
    return ["localhost", *(f"host-{i}.example.org" for i in range(count - 1))]


def networks(count):
    return [f"{11 + i // 65536}.{i // 256 % 256}.{i % 256}.0/24" for i in range(count)]


def paths(count, length=20):
    return ["/", *("/" + f"{i:08}".ljust(length - 1, "x") for i in range(count - 1))]


def variables(total):
    """Environment variables of `total` bytes, in the largest pieces."""
    env = {}
    for number in range(total // (TEXT + 1)):
        env[f"X{number}"] = "x" * (TEXT - len(f"X{number}="))
    return env


def many_versions(count, env):
    version = {"command": faulty(), "ready": ["pipe"], "env": env}
    return of_web(version={f"v{number}": version for number in range(3, count + 1)})


# Name: the changes, and those of one step more with the words of the error.
LARGEST = {
    "hosts": (of_web(hosts=hosts(ITEMS)),
              of_web(hosts=hosts(ITEMS + 1)), '"hosts" has 10001 items: at most 10000 are allowed'),
    "networks": ({"router": {"trusted_proxies": networks(ITEMS)}},
                 {"router": {"trusted_proxies": networks(ITEMS + 1)}}, '"trusted_proxies" has 10001 items'),
    "override": (of_web(override_from=["127.0.0.1/32", *networks(ITEMS - 1)]),
                 of_web(override_from=networks(ITEMS + 1)), '"override_from" has 10001 items'),
    "paths": (of_web(paths=paths(ITEMS)), of_web(paths=paths(ITEMS + 1)), '"paths" has 10001 items'),
    "routes": (of_web(hosts=hosts(50), paths=paths(1_000)),
               of_web(hosts=hosts(50), paths=paths(1_001)), "more than 50000 routes in all"),
    "long routes": (of_web(paths=paths(512, 4_096)), of_web(paths=paths(514, 4_096)),
                    "more than 2MiB of routes in all"),
    "long texts": (of_web(hosts=["localhost", "h" * 253], paths=paths(2, 4_096), param="p" * 256, cookie="c" * 256,
                          header="h" * 256),
                   of_web(hosts=["h" * 254]), "the text has 254 bytes: at most 253 are allowed here"),
    "health": (web(health={"path": "/healthz?" + "x" * 4_087}), web(health={"path": "/" * 4_097}),
               "the text has 4097 bytes: at most 4096 are allowed here"),
    "versions": (many_versions(64, variables(TEXT + 1)), many_versions(65, {}), "more than 64 versions in all"),
    "environment": (web(env=variables((1 << 20) - 8_192)),
                    web(env=variables(1 << 20)), "at most 1MiB are allowed"),
    "variable": (web(env={"X": "x" * (TEXT - 2)}), web(env={"X": "x" * (TEXT - 1)}), "at most 131069 are allowed here"),
    "command": (web(command=["sh", "-c", 'exec "$0"', *faulty(), *(["a" * 90] * (ITEMS - 4))]),
                web(command=faulty(*(["a"] * ITEMS))),
                '"command" has 10001 items'),
}


class Clients:
    """Asks without a pause; knows the longest time without an answer."""

    def __init__(self, daemon):
        self.daemon, self.over, self.longest = daemon, threading.Event(), 0.0

    def __enter__(self):
        self.thread = threading.Thread(target=self._ask)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

    def _ask(self):
        answered = time.monotonic()
        while not self.over.wait(0.001):
            try:
                answer = self.daemon.get()
                good = answer is not None and answer.status == 200
            except OSError:
                good = False
            now = time.monotonic()
            self.longest = max(self.longest, now - answered)
            if good:
                answered = now


class Largest(GrayTest):
    def kill_router(self, daemon, pid):
        """The time without service."""
        with Clients(daemon) as clients:
            os.kill(pid, signal.SIGKILL)
            eventually(lambda: pid not in routers(daemon) and [
                router for router in daemon.status()["routers"] if router["state"] == "ready"], 20, "another router")
            daemon.wait_answers()
        return clients.longest

    def test_each_is_served_and_survives_its_router(self):
        for name, (changes, _, _) in LARGEST.items():
            with self.subTest(name):
                daemon = self.start(web()["service"]["web"])
                small = daemon.config
                daemon.write_config(merged(merged(small, changes), {"router": {"max_connections": 5_000}}))
                check = run_program("grayd", "--check", "--config", daemon.config_file)
                self.assertEqual(check.code, 0, check.err[:500])
                old = daemon.router()
                with Clients(daemon) as clients:
                    reload = Waiting(daemon, "reload", "--timeout", "30s")
                    eventually(lambda: len(routers(daemon)) > 1 or reload.process.poll() is not None, 20, "a router")
                    os.kill(old, signal.SIGKILL)
                    code, _, error = reload.end()
                    daemon.wait_answers()
                self.assertIn(code, (0, 1), error)
                if code == 1:
                    self.assertIn("the old configuration stays in force", error)
                started = time.monotonic()
                result = daemon.ctl("reload", "--timeout", "30s")
                took = time.monotonic() - started
                self.assertEqual(result.code, 0, result)
                self.assertFalse(daemon.status()["config_changed"])
                eventually(lambda: len(routers(daemon)) == 1, 40, "one router")
                daemon.wait_answers()
                eventually(lambda: daemon.status()["routers"][0]["uptime_s"] > YOUNG, 10, "a router that is not young")
                after = [self.kill_router(daemon, routers(daemon)[0]) for _ in range(2)]
                print(f"{name}: reload {took * 1000:.0f} ms; without service: killed during the reload "
                      f"{clients.longest * 1000:.0f} ms, after it {min(after) * 1000:.0f} ms")
                self.assertLess(clients.longest, OUTAGE)
                self.assertLess(min(after), OUTAGE)
                self.assertEqual(daemon.stop(), 0)
                daemon.launch()
                daemon.wait_answers(timeout=30)
                self.assertEqual(daemon.stop(), 0)

    def test_more_is_refused_with_the_limit(self):
        daemon = self.start(web()["service"]["web"])
        small = daemon.config
        for name, (_, changes, words) in LARGEST.items():
            with self.subTest(name):
                daemon.write_config(merged(small, changes))
                check = run_program("grayd", "--check", "--config", daemon.config_file)
                self.assertEqual(check.code, 8, check.err[:500])
                self.assertRegex(check.err.split("\n")[0], r"grayd\.toml:\d+:\d+: ")
                self.assertIn(words, check.err[:5_000])
                result = daemon.ctl("reload")
                self.assertEqual(result.code, 8, result.err[:500])
        with open(daemon.config_file, "a") as file:
            file.write("# " + "x" * (16 << 20))
        result = daemon.ctl("reload")
        self.assertEqual(result.code, 8)
        self.assertIn("grayd.toml:1:1: error: the file is larger than 16MiB", result.err)
        self.assertEqual(daemon.get().status, 200)
