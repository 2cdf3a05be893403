"""Buffers that are held for too long are watched, and a lack of memory is an answer, not a crash."""
import collections
import re
import threading

from harness import GrayTest, eventually, faulty, merged, two_versions

REQUESTS, CLIENTS = 1500, 8
ONE = two_versions(version={"v1": {"command": faulty(), "instances": 2}, "v2": None})


def metric(daemon, name, **labels):
    """The sum of the series of a family that have these labels."""
    total = 0
    for line in daemon.ctl("metrics").out.splitlines():
        if line.startswith(name + "{") and all(f'{key}="{value}"' in line for key, value in labels.items()):
            total += float(line.rsplit(" ", 1)[1])
    return total


class Leaks(GrayTest):
    def test_the_level_changes_while_a_router_runs(self):
        daemon = self.start(ONE, up=("v1",))
        router = daemon.router()
        daemon.write_config(merged(daemon.config, {"memory": {"leak_detection": "off"}}))
        result = daemon.ctl("reload")
        self.assertEqual(result.code, 0, result)
        self.assertIn("memory: a new level of leak detection", result.out)
        self.assertEqual(daemon.get().status, 200)
        self.assertEqual(daemon.router(), router)

    def test_the_figures_of_the_buffers_are_in_the_metrics(self):
        daemon = self.start(ONE, up=("v1",))
        self.assertEqual(daemon.get().status, 200)
        self.assertGreaterEqual(metric(daemon, "grayd_buffers_high_water_bytes", size="1024"), 1024)
        eventually(lambda: metric(daemon, "grayd_buffers_in_use_bytes") == 0, what="no buffer in use")
        self.assertEqual(metric(daemon, "grayd_buffer_leaks_total"), 0)

    def test_one_failed_allocation_in_a_hundred_is_an_answer(self):
        daemon = self._prepared(ONE, {})
        self._own.append(daemon)
        daemon.launch(env={"GRAYD_FAIL_ALLOCATIONS": "1"}).wait_up(2, "v1")
        router = daemon.router()
        outcomes = collections.Counter()
        lock = threading.Lock()

        def ask():
            client = None
            for i in range(REQUESTS // CLIENTS):
                try:
                    client = client or daemon.client()
                    answer = client.ask("/", *(["POST", None, b"x" * 3000] if i % 3 == 0 else []))
                    outcome = f"{answer.status} {answer['x-gray-reason'] or ''}".strip() if answer else "none"
                except OSError as error:
                    answer, outcome = None, repr(error)
                with lock:
                    outcomes[outcome] += 1
                if answer is None and client:
                    client.close()
                    client = None

        threads = [threading.Thread(target=ask) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertLessEqual(set(outcomes), {"200", "503 overloaded"}, outcomes)
        self.assertGreater(outcomes["503 overloaded"], 5, outcomes)
        self.assertGreater(outcomes["200"], REQUESTS * 0.8, outcomes)
        self.assertEqual(daemon.router(), router, daemon.log()[-2000:])
        eventually(lambda: metric(daemon, "grayd_buffers_in_use_bytes") == 0, what="no buffer in use")
        refused = re.findall(r'grayd_refused_total{reason="overloaded"} (\d+)', daemon.ctl("metrics").out)
        self.assertGreater(int(refused[0]), 0)
