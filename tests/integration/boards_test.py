"""The dashboard, the rules of Prometheus and docs/monitoring.md: a real Prometheus scrapes a real grayd and runs them.

The grayd has a service with a bad canary, one with a good canary in a rollout, and one that refuses requests. Every
query must find data, except those in MAY_BE_EMPTY. Conditions of alerts are usually empty; of them every selector must
find a series, and `promtool test rules` shows that each fires.
"""
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

from harness import ROOT, SLOWER, GrayTest, die_with_parent, eventually, fake, faulty, free_port, run_program

RULES = os.path.join(ROOT, "packaging", "prometheus", "grayd.rules.yml")
RULES_TESTS = [os.path.join(ROOT, "packaging", "prometheus", name)
               for name in ("grayd.rules.test.yml", "grayd.releases.test.yml")]
DASHBOARD = os.path.join(ROOT, "packaging", "grafana", "grayd.json")
PAGE = os.path.join(ROOT, "docs", "monitoring.md")

# As Grafana fills them in.
VARIABLES = {"$service": ".+", "$instance": ".+", "$__rate_interval": "5s"}

MAY_BE_EMPTY = {  # part of a query: why
    'grayd_version_up == 0 and': "every version with users is up",
    "increase(grayd_worker_restarts_total[1h])) > 0": "no worker is restarted",
    "grayd_config_file_changed == 1 or": "the file is the loaded one",
    "changes(grayd_version_weight_ratio{kind=\"desired\",service=~\".+\",instance=~\".+\"}[5s]) > 0":
        "an annotation at each change of a share",
}


def read(path):
    with open(path) as file:
        return file.read()


def filled(expression):
    """With values in place of Grafana's variables."""
    for name, value in sorted(VARIABLES.items(), key=lambda item: -len(item[0])):
        expression = expression.replace(name, value)
    return expression


def panels_of(dashboard):
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def dashboard_queries():
    dashboard = json.loads(read(DASHBOARD))
    found = {f"panel {panel['title']!r} {target['refId']}": target["expr"]
             for panel in panels_of(dashboard) for target in panel["targets"]}
    found.update({f"annotation {entry['name']!r}": entry["expr"] for entry in dashboard["annotations"]["list"]
                  if "expr" in entry})
    return found


def blocks_of(language):
    return re.findall(rf"(?ms)^```{language}\n(.*?)^```$", read(PAGE))


def page_queries():
    return {f"{PAGE}: {text.splitlines()[0]}": text for text in blocks_of("promql")}


def names_in(text):
    """Names of metrics of grayd; names of records have a colon."""
    return {name for name in re.findall(r"(?<![\w:/.-])grayd_[a-z0-9_]+(?![\w:]|\.)", text)}


def promtool(*args):
    return subprocess.run(["promtool", *args], cwd=os.path.dirname(RULES), text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=60)


def listening_port(pid):
    """The TCP port on which a process listens; None before it does."""
    inodes = set()
    for entry in os.listdir(f"/proc/{pid}/fd"):
        try:
            inodes.update(re.findall(r"socket:\[(\d+)\]", os.readlink(f"/proc/{pid}/fd/{entry}")))
        except OSError:
            continue
    for line in read("/proc/net/tcp").splitlines()[1:]:
        fields = line.split()
        if fields[3] == "0A" and fields[9] in inodes:
            return int(fields[1].split(":")[1], 16)
    return None


class Prometheus:
    """A Prometheus with the configuration of docs/monitoring.md, in its own folder."""

    INTERVAL = "400ms"

    def __init__(self, metrics_port):
        self.folder = tempfile.mkdtemp(prefix="grayd-prometheus-")
        shutil.copy(RULES, self.folder)
        text, = blocks_of("yaml")
        for old, new in (("15s", self.INTERVAL), ("127.0.0.1:9109", f"127.0.0.1:{metrics_port}")):
            if old not in text:
                raise AssertionError(f"{PAGE}: its prometheus.yml has no {old}")
            text = text.replace(old, new)
        with open(os.path.join(self.folder, "prometheus.yml"), "w") as file:
            file.write(text)
        self.output = open(os.path.join(self.folder, "output"), "wb")
        self.process = subprocess.Popen(
            ["prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=data", "--log.level=warn",
             "--web.listen-address=127.0.0.1:0"], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=self.output,
            stderr=self.output, preexec_fn=die_with_parent)
        self.port = eventually(self._port, 20, "a Prometheus that listens")
        eventually(self._ready, 20, "a Prometheus that answers queries")

    def _port(self):
        if self.process.poll() is not None:
            raise AssertionError(f"prometheus ended: {read(os.path.join(self.folder, 'output'))}")
        return listening_port(self.process.pid)

    def _ready(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/-/ready", timeout=20 * SLOWER):
                return True
        except OSError:  # 503, too
            return False

    def ask(self, path, **query):
        """The data of an answer of its API; an AssertionError with its text if it refuses."""
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        try:
            with urllib.request.urlopen(url, timeout=20 * SLOWER) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(error.read().decode()) from None

    def values(self, expression):
        """The values that are numbers."""
        data = self.ask("query", query=expression)
        samples = [data["result"]] if data["resultType"] == "scalar" else [one["value"] for one in data["result"]]
        return [float(text) for _, text in samples if text != "NaN"]

    def rules(self):
        return [rule for group in self.ask("rules")["groups"] for rule in group["rules"]]

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10 * SLOWER)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.output.close()
        shutil.rmtree(self.folder, ignore_errors=True)


class Load(threading.Thread):
    """About 200 requests a second on a few connections, until it is stopped."""

    def __init__(self, daemon):
        super().__init__(daemon=True)
        self.of, self.stopping, self.failure = daemon, False, None

    def run(self):
        try:
            slow = [threading.Thread(target=self._jobs, daemon=True) for _ in range(4)]
            for thread in slow:
                thread.start()
            with self.of.client() as web, self.of.client() as shop, self.of.client() as nowhere:
                user = 0
                while not self.stopping:
                    user += 1
                    for client, host in ((web, "web.test"), (shop, "shop.test")):
                        client.ask("/", host=host, headers={"Cookie": f"uid={user}"})
                    if user % 20 == 0:
                        nowhere.ask("/", host="nowhere.test")
                    if user % 50 == 0:
                        self._broken()
                    time.sleep(0.008)  # the pace of the load
            for thread in slow:
                thread.join()
        except Exception as failure:  # shown by the test
            self.failure = failure

    def _broken(self):
        with self.of.client() as client:
            client.send("GET / HTTP/1.1\r\nHost: web.test\r\nContent-Length: x\r\n\r\n")
            client.response()

    def _jobs(self):
        """More than one worker with one socket can answer: some wait, some are refused."""
        with self.of.client() as client:
            while not self.stopping:
                client.ask("/?ms=150", host="jobs.test")
                time.sleep(0.05)  # a refusal comes at once, and a client that repeats at once is not bounded

    def stop(self):
        self.stopping = True
        self.join(20 * SLOWER)
        if self.failure:
            raise self.failure


def services():
    def canary(host, *flags):
        return {"stable": "v1", "hosts": [host], "identity": ["cookie:uid"],
                "version": {"v1": {"command": faulty()}, "v2": {"command": faulty(*flags), "weight": 25.0}}}

    return {"web": canary("web.test", "--error-rate", "0.2"), "shop": canary("shop.test"),
            "jobs": {"stable": "v1", "hosts": ["jobs.test"], "version": {"v1": {"command": fake(), "ready": ["pipe"]}},
                     "limits": {"max_sockets": 1, "queue": 2, "queue_timeout": "200ms"}}}


class Live(GrayTest):
    @classmethod
    def setUpClass(cls):
        port = free_port()
        cls.start_shared(services()["web"], up=(), service=services(), listen={"metrics": f"127.0.0.1:{port}"})
        for service, versions in (("web", ("v1", "v2")), ("shop", ("v1", "v2")), ("jobs", ("v1",))):
            cls.shared.wait_up(1, *versions, service=service)
        started = cls.shared.ctl("rollout", "start", "shop", "v2", "--steps", "25,100", "--hold", "1h")
        if started.code != 0:
            raise AssertionError(started)
        cls.prometheus = Prometheus(port)
        cls.addClassCleanup(cls.prometheus.close)
        cls.load = Load(cls.shared)
        cls.load.start()
        cls.addClassCleanup(cls.load.stop)
        # Enough for the rules about the bad canary, and as many requests of the good one: then the rest has data too.
        enough = 'version:grayd_requests:increase5m{version="v2"} >= 60'
        eventually(lambda: len(cls.prometheus.values(enough)) == 2 and cls.alerts("GraydCanaryErrors")
                   and cls.alerts("GraydVerdictFail"), 20, "the alerts about the bad canary")

    @classmethod
    def alerts(cls, name):
        """Services and versions of this alert, pending or firing."""
        return [(alert["labels"].get("service"), alert["labels"].get("version"))
                for alert in cls.prometheus.ask("alerts")["alerts"] if alert["labels"]["alertname"] == name]

    def test_the_bad_canary_has_an_alert_and_the_good_one_has_none(self):
        self.assertEqual(self.alerts("GraydCanaryErrors"), [("web", "v2")])
        self.assertEqual(self.alerts("GraydVerdictFail"), [("web", "v2")])
        self.assertEqual(self.alerts("GraydRolloutAborted") + self.alerts("GraydRolloutPaused"), [])
        shop, = self.prometheus.values('canary:grayd_error_ratio:difference5m{service="shop",version="v2"}')
        self.assertEqual(shop, 0)
        web, = self.prometheus.values('canary:grayd_error_ratio:difference5m{service="web",version="v2"}')
        self.assertTrue(0.05 < web < 0.4, web)
        alert = next(alert for alert in self.prometheus.ask("alerts")["alerts"]
                     if alert["labels"]["alertname"] == "GraydCanaryErrors")
        self.assertRegex(alert["annotations"]["description"], r", is [\d.]+%\. .*: grayctl shift web v2 0$")

    def test_the_next_command_of_that_alert_ends_it(self):
        """The last of these tests by its name: the others need a canary with users."""
        self.assertEqual(self.shared.ctl("shift", "web", "v2", "0").code, 0)
        eventually(lambda: self.alerts("GraydCanaryLostUsers") == [("web", "v2")], 10, "the alert about lost users")
        eventually(lambda: not self.alerts("GraydCanaryErrors") + self.alerts("GraydVerdictFail"), 10,
                   "the end of the alerts about errors")
        self.assertEqual(self.shared.ctl("rollout", "abort", "shop").code, 0)
        eventually(lambda: self.alerts("GraydRolloutAborted") == [("shop", "v2")], 10, "the alert about the rollout")
        self.assertEqual(self.alerts("GraydCanaryLostUsers"), [("web", "v2")])

    def test_every_query_finds_data(self):
        queries = {**dashboard_queries(), **page_queries()}
        queries.update({rule["name"]: rule["query"] for rule in self.prometheus.rules() if rule["type"] == "recording"})
        self.assertGreater(len(queries), 60)
        empty = [f"{name}: {text}" for name, text in queries.items()
                 if not self.prometheus.values(filled(text)) and not any(part in filled(text) for part in MAY_BE_EMPTY)]
        self.assertEqual(empty, [])

    def test_every_rule_is_evaluated_and_every_selector_of_an_alert_finds_a_series(self):
        rules = self.prometheus.rules()
        self.assertEqual([(rule["name"], rule.get("lastError")) for rule in rules if rule["health"] != "ok"], [])
        missing = set()
        for rule in rules:
            for selector in re.findall(r'[a-z0-9_]*:?grayd_[\w:]+(?:\{[^}]*\})?', rule["query"]):
                if rule["type"] == "alerting" and not self.prometheus.values(f"count({selector})"):
                    missing.add(selector)
        self.assertEqual(missing, set())

    def test_refused_requests_are_counted_by_reason(self):
        refused = self.prometheus.ask("query", query="increase(grayd_failures_total[5m]) > 0")["result"]
        reasons = {sample["metric"]["reason"] for sample in refused if sample["metric"]["service"] == "jobs"}
        self.assertTrue({"queue-full", "queue-timeout", "overloaded"} & reasons, refused)
        self.assertEqual(set(self.alerts("GraydRequestsRefused")), {("jobs", "v1")})
        self.assertEqual(self.alerts("GraydVersionDown") + self.alerts("GraydDown") + self.alerts("GraydNoRouter"), [])

    def test_every_state_has_its_name_in_the_timelines(self):
        panels = {panel["title"]: panel for panel in panels_of(json.loads(read(DASHBOARD)))}
        for title, metric, label in (("State of the last rollout", "grayd_rollout_state", "state"),
                                     ("Verdict about versions with users", "grayd_verdict", "result")):
            shown = {entry["text"]: int(number)
                     for number, entry in panels[title]["fieldConfig"]["defaults"]["mappings"][0]["options"].items()}
            query = panels[title]["targets"][0]["expr"]
            asked = {name: int(factor or 1)
                     for name, factor in re.findall(rf'{label}="(\w+)"[^}}]*}}(?: \* (\d+))?', query)}
            series = self.prometheus.ask("query", query=metric)["result"]
            self.assertEqual(set(asked), {one["metric"][label] for one in series}, title)
            self.assertEqual(asked, shown, title)
            now = {names["metric"][label] for names in series if names["value"][1] == "1"}
            self.assertEqual({shown[name] for name in now}, set(self.prometheus.values(filled(query))), title)

    def test_every_name_is_one_that_grayd_exports(self):
        exported = set()
        for name, kind in re.findall(r"(?m)^# TYPE (\S+) (\S+)$", self.shared.ctl("metrics").out):
            exported |= {name + end for end in (("_bucket", "_sum", "_count") if kind == "histogram" else ("",))}
        records = {rule["name"] for rule in self.prometheus.rules() if rule["type"] == "recording"}
        for file in (DASHBOARD, RULES, PAGE):
            text = read(file)
            self.assertEqual(names_in(text) - exported, set(), file)
            used = set(re.findall(r"\b[a-z]+:grayd_[\w:]+", text))
            self.assertEqual(used - records, set(), file)
        self.assertEqual(names_in(json.dumps(list(dashboard_queries().values()))) - exported, set())


class Files(unittest.TestCase):
    def alerts(self):
        """Name and text of each alert of the rules."""
        parts = re.split(r"(?m)^      - alert: (\w+)\n", read(RULES))[1:]
        return dict(zip(parts[::2], parts[1::2]))

    def test_promtool_accepts_the_rules(self):
        checked = promtool("check", "rules", RULES)
        self.assertEqual(checked.returncode, 0, checked.stdout)

    def test_promtool_tests_the_rules(self):
        tested = promtool("test", "rules", *RULES_TESTS)
        self.assertEqual(tested.returncode, 0, tested.stdout)

    def test_each_alert_is_complete_tested_and_described(self):
        tested = set(re.findall(r'exp_samples:(?:\n +- .*|\n +labels: .*|\n +ALERTS\{.*|\n +severity.*|\n +value.*)+',
                                "".join(map(read, RULES_TESTS))))
        fired = {name for block in tested for name in re.findall(r'alertname="(\w+)"', block)}
        rows = re.findall(r"(?m)^\| `(Grayd\w+)` \| (\w+) \|", read(PAGE))
        severities = {name: re.search(r"severity: (critical|warning|info)\n", text)[1]
                      for name, text in self.alerts().items()}
        self.assertEqual(fired, set(severities))
        self.assertEqual(rows, list(severities.items()))
        for name, text in self.alerts().items():
            self.assertRegex(text, r'summary: "', name)
            self.assertRegex(text, r"(?s)description: .*\bgrayctl \w", name)

    def test_the_verbs_in_the_texts_exist(self):
        texts = read(RULES) + read(PAGE)
        verbs = set(re.findall(r"grayctl\s+((?:rollout|config|upgrade) [a-z]+|[a-z]+)", texts))
        self.assertGreater(len(verbs), 10)
        for verb in sorted(verbs):
            self.assertEqual(run_program("grayctl", *verb.split(), "--help").code, 0, verb)

    def test_the_dashboard_is_whole(self):
        dashboard = json.loads(read(DASHBOARD))
        ids = [panel["id"] for panel in dashboard["panels"]]
        self.assertEqual(len(set(ids)), len(ids))
        cells = set()
        for panel in dashboard["panels"]:
            place = panel["gridPos"]
            own = {(x, y) for x in range(place["x"], place["x"] + place["w"])
                   for y in range(place["y"], place["y"] + place["h"])}
            self.assertFalse(own & cells, f"{panel['title']} lies over another panel")
            self.assertLessEqual(max(x for x, _ in own), 23, panel["title"])
            cells |= own
        names = {f"${entry['name']}" for entry in dashboard["templating"]["list"]} | {"$__rate_interval"}
        self.assertEqual(set(re.findall(r"\$\w+", " ".join(dashboard_queries().values()))) - names, set())
        for panel in panels_of(dashboard):
            for part in (panel, *panel["targets"]):
                self.assertEqual(part["datasource"], {"type": "prometheus", "uid": "${datasource}"}, panel["title"])
