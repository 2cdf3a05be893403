"""Rules and the allowlist (contract 2.4): who gets a version although no percentage says so."""
import os
import random
import signal
import tempfile

from harness import GrayTest, eventually, fake, faulty, merged, run_program, two_versions
from http_client import request

VERSION = {"command": fake(), "ready": ["pipe"]}
QUICK = {"command": faulty(), "ready": ["pipe"]}  # it answers every path
BETA = {"name": "beta", "cookie": {"beta": True}}


def three_versions(**changes):
    versions = {"v1": VERSION, "v2": merged(VERSION, {"weight": 100}), "v3": VERSION}
    return merged(two_versions(version=versions, expose="decision"), changes)


class Targeting(GrayTest):
    def decision(self, daemon, path="/", cookie="", **headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        response = daemon.get(path, headers=merged(named, {"Cookie": cookie} if cookie else {}))
        self.assertEqual(response.status, 200, response)
        self.assertEqual(response["x-gray-version"], response["x-worker-version"] or response["x-gray-version"])
        return response["x-gray-version"], response["x-gray-decision"]

    def start_web(self, up=("v1", "v2", "v3"), **changes):
        return self.start(web=three_versions(**changes), up=up)


class Order(Targeting):
    def test_each_source_beats_the_next(self):
        """A request has all of them; the strongest is removed, one after the other."""
        daemon = self.start_web(allowlist={"users": ["77"], "version": "v3"},
                                rule=[merged(BETA, {"version": "stable"})])
        headers = {"X_Version": "v1"}
        all_cookies = "version=v2; uid=77; beta=1"
        self.assertEqual(self.decision(daemon, "/?version=v3", all_cookies, **headers), ("v3", "param"))
        self.assertEqual(self.decision(daemon, "/", all_cookies, **headers), ("v1", "header"))
        self.assertEqual(self.decision(daemon, "/", all_cookies), ("v2", "cookie"))
        self.assertEqual(self.decision(daemon, "/", "uid=77; beta=1"), ("v3", "allowlist"))
        self.assertEqual(self.decision(daemon, "/", "uid=5; beta=1"), ("v1", "rule"))
        self.assertEqual(self.decision(daemon, "/", "uid=5"), ("v2", "bucket"))
        self.assertEqual(self.decision(daemon), ("v1", "stable"))

    def test_every_kind_of_condition_and_the_name_in_the_log(self):
        rules = [{"header": {"x-country": ["ch", "de"]}}, {"name": "query", "query": {"beta": "1"}},
                 {"name": "path", "path": ["/shop"]}, {"name": "both", "header": {"x-a": "1"}, "cookie": {"b": "2"}},
                 {"name": "here", "client": ["127.0.0.0/8"], "header": {"x-here": True}}]
        daemon = self.start_web(rule=rules)
        by_rule = ("v2", "rule")
        self.assertEqual(self.decision(daemon, X_Country="de"), by_rule)
        self.assertEqual(self.decision(daemon, X_Country="fr"), ("v1", "stable"))
        self.assertEqual(self.decision(daemon, "/?x=1&%62eta=1"), by_rule)
        self.assertEqual(self.decision(daemon, "/shop/x"), by_rule)
        self.assertEqual(self.decision(daemon, "/shopping"), ("v1", "stable"))
        self.assertEqual(self.decision(daemon, cookie="b=2", X_A="1"), by_rule)
        self.assertEqual(self.decision(daemon, cookie="b=2"), ("v1", "stable"))
        self.assertEqual(self.decision(daemon, X_Here=""), by_rule)

        def logged():
            lines = daemon.access_log()
            return len(lines) >= 9 and [line.get("rule") for line in sorted(lines, key=lambda line: line["time"])]
        self.assertEqual(eventually(logged)[-8:], ["#1", None, "query", "path", None, "both", None, "here"])


class Users(Targeting):
    def start_insiders(self, third=VERSION, up=("v1", "v2", "v3"), **changes):
        """The user 77 and everybody with the cookie `beta` get v3, which has no weight."""
        return self.start_web(version={"v1": QUICK, "v2": {"weight": None}, "v3": third}, up=up,
                              allowlist={"users": ["77"], "version": "v3"}, rule=[merged(BETA, {"version": "v3"})],
                              **changes)

    def insiders(self, daemon):
        return self.decision(daemon, cookie="uid=77"), self.decision(daemon, cookie="beta=1")

    def test_a_version_that_is_down_gets_no_targeted_user(self):
        daemon = self.start_insiders({"command": fake("--exit", "3")}, up=("v1", "v2"))
        self.assertEqual(self.insiders(daemon), (("v1", "fallback"), ("v1", "fallback")))

    def test_a_request_that_the_version_fails_is_repeated_on_stable(self):
        daemon = self.start_insiders({"command": fake(), "ready": ["pipe"], "instances": 2})
        response = daemon.get("/exit", headers={"Cookie": "beta=1"})
        self.assertEqual((response.status, response["x-gray-version"], response["x-gray-decision"]),
                         (200, "v1", "fallback"))
        line = eventually(lambda: [line for line in daemon.access_log() if line["path"] == "/exit"])[0]
        self.assertEqual((line["rule"], line["decision"], line["fallback"], line["retries"]),
                         ("beta", "fallback", True, 1))

    def test_a_stopped_version_and_one_that_does_not_exist_are_no_match(self):
        daemon = self.daemon = self.start_insiders()
        self.assertEqual(self.insiders(daemon), (("v3", "allowlist"), ("v3", "rule")))
        self.ok("stop", "web", "v3")
        eventually(lambda: self.insiders(daemon) == (("v1", "stable"), ("v1", "stable")), what="no match")
        self.ok("start", "web", "v3")
        eventually(lambda: self.insiders(daemon) == (("v3", "allowlist"), ("v3", "rule")), what="a match")

    def test_an_abort_takes_the_users_away_until_the_version_gets_users_again(self):
        daemon = self.daemon = self.start_insiders()
        targeted, away = (("v3", "allowlist"), ("v3", "rule")), (("v1", "stable"), ("v1", "stable"))
        self.ok("rollout", "start", "web", "v3", "--steps", "1,100", "--hold", "1h")
        self.assertEqual(self.insiders(daemon), targeted)
        self.ok("rollout", "abort", "web")
        self.assertEqual(self.insiders(daemon), away)
        self.assertEqual(daemon.stop(), 0)
        daemon.launch().wait_up(1, "v1", "v2", "v3").wait_answers()
        self.assertEqual(self.insiders(daemon), away)
        self.ok("shift", "web", "v3", "1")
        self.assertEqual(self.insiders(daemon), targeted)
        self.ok("shift", "web", "v3", "0")  # no longer a part of all users, but still the insiders
        self.assertEqual(self.insiders(daemon), targeted)

    def test_the_users_of_the_canary_leave_with_its_weight(self):
        daemon = self.daemon = self.start_web(allowlist={"users": ["77"]}, rule=[BETA])
        self.assertEqual(self.insiders(daemon), (("v2", "allowlist"), ("v2", "rule")))
        self.ok("shift", "web", "v2", "0")
        self.assertEqual(self.insiders(daemon), (("v1", "stable"), ("v1", "stable")))
        self.ok("shift", "web", "v3", "1")
        self.assertEqual(self.insiders(daemon), (("v3", "allowlist"), ("v3", "rule")))


class Files(Targeting):
    """The users of the allowlist in a file beside the configuration."""

    def start_with_file(self, text, **changes):
        with open(self.file(), "w") as file:
            file.write(text)
        self.daemon = self.start_web(allowlist={"file": self.file(), **changes})
        return self.daemon

    def file(self):
        if not hasattr(self, "folder"):
            folder = tempfile.TemporaryDirectory()
            self.addCleanup(folder.cleanup)
            self.folder = folder.name
        return os.path.join(self.folder, "insiders.txt")

    def is_listed(self, user):
        version, decision = self.decision(self.daemon, cookie=f"uid={user}")
        return decision == "allowlist" and version == "v3"

    def rewrite(self, text):
        with open(self.file() + ".new", "w") as file:
            file.write(text)
        os.rename(self.file() + ".new", self.file())

    def test_a_reload_reads_the_file_and_a_bad_one_changes_nothing(self):
        daemon = self.start_with_file("# insiders\n 77 \r\n", version="v3", users=["alice"])
        self.assertTrue(self.is_listed("77") and self.is_listed("alice"))
        self.assertFalse(self.is_listed("78"))
        with daemon.client() as kept:
            kept.send(request("/", headers={"Cookie": "uid=78"}))
            self.assertEqual(kept.response()["x-gray-decision"], "bucket")
            self.rewrite("78\n")
            self.assertTrue(daemon.status()["config_changed"])
            self.assertEqual(self.decision(daemon, cookie="uid=78"), ("v2", "bucket"))
            self.assertIn("service web: new routing", self.ok("reload").out)
            self.assertFalse(daemon.status()["config_changed"])
            kept.send(request("/", headers={"Cookie": "uid=78"}))
            self.assertEqual(kept.response()["x-gray-decision"], "allowlist")
        self.assertTrue(self.is_listed("alice"))
        self.assertFalse(self.is_listed("77"))
        os.unlink(self.file())
        refused = daemon.ctl("reload")
        self.assertEqual(refused.code, 8, refused)
        self.assertIn("insiders.txt\" cannot be read: No such file or directory; create it, or remove", refused.err)
        self.assertTrue(self.is_listed("78"))

    def test_upgrades_keep_the_list_that_is_in_force(self):
        daemon = self.start_with_file("77\n", version="v3")
        self.rewrite("78\n")
        before = daemon.router()
        self.ok("upgrade", "router", timeout=70)
        self.assertNotEqual(daemon.router(), before)
        self.assertTrue(self.is_listed("77") and not self.is_listed("78"))
        self.rewrite("77\n")  # an upgrade of grayd wants the configuration on disk to be the one in force
        self.ok("upgrade", timeout=70)
        self.assertTrue(self.is_listed("77") and not self.is_listed("78"))
        os.kill(daemon.router(), signal.SIGKILL)
        eventually(lambda: daemon.router(), what="a router")
        daemon.wait_answers()
        self.assertTrue(self.is_listed("77") and not self.is_listed("78"))

    def test_a_hundred_thousand_ids(self):
        self.start_with_file("".join(f"user-{i}\n" for i in range(100_000)), version="v3")
        users = random.sample(range(200_000), 2_000)
        with self.daemon.client() as client:
            for first in range(0, len(users), 50):
                batch = users[first:first + 50]
                client.send(b"".join(request("/", headers={"Cookie": f"uid=user-{user}"}) for user in batch))
                for user in batch:
                    self.assertEqual(client.response()["x-gray-decision"], "allowlist" if user < 100_000 else "bucket")


class BadInputs(Targeting):
    """Errors name the line and what to do; at a reload nothing changes."""

    BAD = (({"allowlist": {"file": "nowhere.txt"}}, 'nowhere.txt" cannot be read: No such file or directory; create'),
           ({"allowlist": {"users": ["77"]}, "identity": []}, "an allowlist needs users who are identified"),
           ({"rule": [{"client": ["10.0.0.0/33"], "path": "/"}]}, '"10.0.0.0/33" is not an IP network'),
           ({"rule": [BETA, BETA]}, '"beta" is the name of an earlier rule'),
           ({"rule": [{"name": "x"}]}, "the rule has no condition"),
           ({"rule": [{"path": "/", "heeder": {"a": "b"}}]}, 'unknown key "heeder", did you mean "header"?'),
           ({"rule": [{"path": f"/{i}"} for i in range(1001)]}, "more than 1000 of [[service.web.rule]]"))

    def test_each_is_refused_by_check_at_the_start_and_at_a_reload(self):
        daemon = self.daemon = self.start_web(rule=[BETA])
        for changes, error in self.BAD:
            with self.subTest(error):
                daemon.write_config({"service": {"web": three_versions(**changes)}})
                for command in (("config", "check", daemon.config_file), ("reload",)):
                    refused = daemon.ctl(*command)
                    self.assertEqual(refused.code, 8, refused)
                    self.assertIn(error, refused.err)
                    self.assertRegex(refused.err, r"grayd.toml:\d+:\d+: error: ")
                self.assertEqual(run_program("grayd", "--check", "--config", daemon.config_file).code, 8)
                self.assertEqual(self.decision(daemon, cookie="beta=1"), ("v2", "rule"))

    def test_a_version_that_does_not_exist_is_a_warning(self):
        rule = [merged(BETA, {"version": "v4"})]
        daemon = self.daemon = self.start_web(rule=rule)
        self.assertEqual(self.decision(daemon, cookie="beta=1; uid=5"), ("v2", "bucket"))
        checked = self.ok("config", "check", daemon.config_file)
        self.assertIn('warning: there is no version "v4"', checked.out + checked.err)
        daemon.write_config({"service": {"web": three_versions(rule=rule, version={"v4": VERSION})}})
        self.ok("reload")
        daemon.wait_up(1, "v4")
        self.assertEqual(self.decision(daemon, cookie="beta=1; uid=5"), ("v4", "rule"))


class Beside(Targeting):
    """Rules with what else a request meets: pins, issued identities, assets."""

    def test_a_pin_beats_a_rule_and_an_issued_identity_is_issued(self):
        daemon = self.start_web(rule=[BETA], identity=["issue:gid"])
        response = daemon.get("/?version=v3", headers={"Cookie": "beta=1", "Sec-Fetch-Mode": "navigate"})
        self.assertEqual(response["x-gray-decision"], "param")
        self.assertIn("version=v3", response["set-cookie"] or "")
        self.assertEqual(self.decision(daemon, cookie="version=v3; beta=1"), ("v3", "cookie"))
        response = daemon.get("/", headers={"Cookie": "beta=1"})
        self.assertEqual(response["x-gray-decision"], "rule")
        self.assertIn("gid=", response["set-cookie"] or "")
