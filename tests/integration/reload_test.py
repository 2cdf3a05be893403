"""A reload from outside: the effect of each row of the contract on a running grayd, by grayctl and by SIGHUP.

Two things hold for every row: it is applied or refused completely, and no request in flight is affected.
"""
import os
import signal
import threading

from harness import GrayTest, eventually, fake, faulty, is_alive, merged, two_versions


class Load:
    """Users that send requests without a pause, each on a separate connection, until the block ends."""

    def __init__(self, daemon, *paths):
        self.daemon, self.paths = daemon, paths or ("/", "/?version=v2")
        self.answered, self.failed = 0, []
        self.over = threading.Event()

    def __enter__(self):
        self.threads = [threading.Thread(target=self._ask, args=(path,)) for path in self.paths]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()

    def _ask(self, path):
        client = None
        while not self.over.wait(0.005):
            try:
                client = client or self.daemon.client()
                response = client.ask(path)
            except OSError as error:
                response = error
            if getattr(response, "status", None) == 200 and response.complete:
                self.answered += 1
            else:
                self.failed.append(response)
            if client and (not hasattr(response, "status") or response["connection"] == "close"):
                client.close()
                client = None
        if client:
            client.close()


def workers(**changes):
    """v1 stable with two workers, v2 dark with one, of a kind that starts quickly."""
    version = {"command": faulty(), "ready": ["pipe"]}
    return merged(two_versions(version={"v1": {**version, "instances": 2}, "v2": version}), changes)


class ReloadTest(GrayTest):
    def begin(self, web=None, up=("v1", "v2"), **config):
        self.daemon = self.start(web or workers(), up=up, **config)
        self.daemon.wait_up(2 if web is None else 1, "v1")

    def write(self, **changes):
        """`changes` of [service.web], or of the whole file as `config`."""
        whole = changes.pop("config", {})
        self.daemon.write_config(merged(merged(self.daemon.config, {"service": {"web": changes}}), whole))

    def reload(self, **changes):
        self.write(**changes)
        return self.daemon.ctl("reload")

    def reloaded(self, *expected, **changes):
        """A reload that is accepted and reports exactly these changes."""
        result = self.reload(**changes)
        self.assertEqual(result.code, 0, result)
        self.assertEqual(result.out, "".join(f"{line}\n" for line in ["configuration reloaded"] +
                                             [f"  {change}" for change in expected]))

    def refused(self, code, *parts, **changes):
        """A reload that is refused with these words; then restores the old file and checks that nothing has changed."""
        before, config, everything = self.all_pids(), self.daemon.config, self.facts()
        result = self.reload(**changes)
        self.assertEqual(result.code, code, result)
        self.assertEqual(result.out, "")
        for part in parts:
            self.assertIn(part, result.err)
        self.assertEqual(self.all_pids(), before)
        self.assertEqual(self.facts(), everything)
        self.assertEqual(self.daemon.get().status, 200)
        self.daemon.write_config(config)
        self.reloaded()
        return result

    def hang_up(self, expected):
        """SIGHUP, and the line about it in the log."""
        seen = self.daemon.log().count(expected)
        self.daemon.process.send_signal(signal.SIGHUP)
        eventually(lambda: self.daemon.log().count(expected) > seen, 10, f"{expected!r} in the log")

    def all_pids(self):
        return {version: sorted(self.daemon.pids(version)) for version in ("v1", "v2")}

    def facts(self):
        """The status of the versions, without the values that change by themselves."""
        return [(version["name"], version["weight"], version["state"], version["queue"]["limit"])
                for service in self.daemon.status()["services"] for version in service["versions"]]

    def replaced(self, version, old, count):
        """Waits until a version has `count` workers, none of them an old one."""
        def done():
            pids = self.daemon.pids(version)
            return len(pids) == count and not set(pids) & set(old) and not any(map(is_alive, old))
        eventually(done, 30, f"{version} on new workers")

    def unfailed(self, load):
        self.assertEqual(load.failed, [])
        self.assertGreater(load.answered, 0)


class Rows(ReloadTest):
    """Each row of the contract."""

    def test_a_new_version_is_started_and_the_others_run_on(self):
        self.begin()
        before = self.all_pids()
        with Load(self.daemon) as load:
            self.reloaded("version web v3: started", version={"v3": {"command": faulty(), "ready": ["pipe"]}})
            self.daemon.wait_up(1, "v3")
            eventually(lambda: '"v3"' in self.daemon.get("/?version=v3").text, 10, "an answer of v3")
        self.unfailed(load)
        self.assertEqual(self.all_pids(), before)

    def test_a_changed_command_is_a_rolling_restart_of_that_version_alone(self):
        self.begin()
        before = self.all_pids()
        with Load(self.daemon) as load:
            self.reloaded("version web v1: rolling restart", version={"v1": {"command": faulty("--body", "64")}})
            self.replaced("v1", before["v1"], 2)
        self.unfailed(load)
        self.assertEqual(sorted(self.daemon.pids("v2")), before["v2"])

    def test_a_command_that_fails_keeps_the_old_workers_and_is_reported(self):
        self.begin()
        before = self.all_pids()
        with Load(self.daemon) as load:
            self.reloaded("version web v1: rolling restart", version={"v1": {"command": faulty("--crash-on-start")}})
            eventually(lambda: "rolled back to the old workers" in self.daemon.log(), 20, "the roll back")
        self.unfailed(load)
        self.assertEqual(self.all_pids(), before)

    def test_a_removed_version_is_drained_after_its_last_answer(self):
        self.begin(two_versions())
        pid = self.daemon.pids("v2")[0]
        with self.daemon.client() as client:
            client.send("GET /?version=v2&ms=5000 HTTP/1.1\r\nHost: a\r\n\r\n")
            eventually(lambda: self.daemon.version("v2")["in_flight"] == 1, 5, "the request in flight")
            self.reloaded("version web v2: drains and ends", version={"v2": None})
            self.assertEqual(self.daemon.get("/?version=v2").text, "v1\n")
            self.assertTrue(is_alive(pid))
            self.assertEqual(client.response().text, "v2\n")
        eventually(lambda: not is_alive(pid), 10, "the end of v2")
        eventually(lambda: self.daemon.version("v2") is None, 10, "v2 leaving status")

    def test_a_version_that_is_stable_or_weighted_is_not_removed(self):
        self.begin()
        self.refused(3, "version web v1 is stable and cannot be removed", stable="v2", version={"v1": None})
        self.assertEqual(self.daemon.ctl("shift", "web", "v2", "5").code, 0)
        self.refused(3, "version web v2 carries traffic", "grayctl shift web v2 0 first", version={"v2": None})
        self.assertEqual(self.daemon.ctl("shift", "web", "v2", "0").code, 0)
        self.reloaded("version web v2: drains and ends", version={"v2": None})

    def test_settings_that_cannot_change_at_runtime_need_a_restart(self):
        self.begin()
        rows = {"listen.http": {"listen": {"http": ["127.0.0.1:1"]}}, "listen.admin": {"listen": {"admin": "x.sock"}},
                "router.threads": {"router": {"threads": 1}}, "state_dir": {"state_dir": "elsewhere"},
                "access_log": {"access_log": "off"}, "memory.budget": {"memory": {"budget": "64MiB"}}}
        for name, change in rows.items():
            with self.subTest(name):
                self.refused(3, f"a change of {name} needs a restart", "put the old value back", config=change)
        self.refused(3, "a change of listen.http, router.threads needs a restart",
                     config=merged(rows["listen.http"], rows["router.threads"]))

    def test_weight_and_stable_of_the_file_move_no_user(self):
        self.begin(workers(version={"v2": {"command": faulty(), "ready": ["pipe"], "weight": 5.0}}))
        self.reloaded(version={"v2": {"weight": 60.0}})
        self.assertEqual([self.daemon.version(name)["weight"] for name in ("v1", "v2")], [95, 5])
        self.reloaded(stable="v2", version={"v2": {"weight": None}})
        self.assertEqual([self.daemon.version(name)["weight"] for name in ("v1", "v2")], [95, 5])
        self.assertRegex(self.daemon.ctl("status").out, r"v1\* .*95%")
        self.assertEqual(self.daemon.ctl("shift", "web", "v2", "0").code, 0)
        self.assertEqual(self.daemon.stop(), 0)
        self.daemon.launch().wait_up(1, "v1", "v2")
        self.assertEqual([self.daemon.version(name)["weight"] for name in ("v1", "v2")], [100, 0])

    def test_a_version_that_comes_back_is_a_new_one(self):
        """Removed while grayd did not run: neither its weight nor its stop apply to the next version of its name."""
        self.begin()
        versions = self.daemon.config["service"]["web"]["version"]
        for order in (["shift", "web", "v2", "30"], ["drain", "web", "v2"]):
            with self.subTest(order[0]):
                self.assertEqual(self.daemon.ctl(*order).code, 0)
                self.assertEqual(self.daemon.stop(), 0)
                self.write(version={"v2": None})
                self.daemon.launch().wait_up(2, "v1")
                self.assertIn("dropped from the state: the ", self.daemon.log())
                self.reloaded("version web v2: started", version={"v2": versions["v2"]})
                self.daemon.wait_up(1, "v2")
                found = self.daemon.version("v2")
                self.assertEqual((found["weight"], found["stopped"], found["state"]), (0, False, "dark"))

    def test_a_second_weight_is_refused(self):
        self.begin()
        self.assertEqual(self.daemon.ctl("shift", "web", "v2", "5").code, 0)
        self.refused(3, "new version web v3 has a weight while v2 carries traffic",
                     version={"v3": {"command": faulty(), "weight": 1.0}})

    def test_instances_grow_and_shrink_and_the_rest_stays(self):
        self.begin()
        before = set(self.daemon.pids("v1"))
        with Load(self.daemon) as load:
            self.reloaded("version web v1: number of instances changed", version={"v1": {"instances": 4}})
            eventually(lambda: len(self.daemon.pids("v1")) == 4, 20, "four workers")
            self.assertLess(before, set(self.daemon.pids("v1")))
            self.reloaded("version web v1: number of instances changed", version={"v1": {"instances": 1}})
            eventually(lambda: len(self.daemon.pids("v1")) == 1, 20, "one worker")
        self.unfailed(load)

    def test_limits_hold_for_connections_that_are_open(self):
        self.begin()
        before = self.all_pids()
        with self.daemon.client() as client:
            self.assertEqual(client.ask("/", "POST", body=b"x" * 2000).status, 200)
            self.reloaded("service web: new routing", limits={"body": "1KiB", "queue": 7})
            self.assertEqual(client.ask("/", "POST", body=b"x" * 2000).status, 413)
        self.assertEqual(self.all_pids(), before)
        self.assertEqual(self.daemon.version("v1")["queue"]["limit"], 7)

    def test_selectors_hosts_and_expose_change_the_next_request(self):
        self.begin(two_versions(), up=("v1", "v2"))
        with self.daemon.client() as client:
            self.assertEqual(client.ask("/?v=v2").text, "v1\n")
            self.reloaded("service web: new routing", param="v", expose="none", hosts=["one.example"])
            answer = client.ask("/?v=v2", host="one.example")
            self.assertEqual((answer.text, answer["x-gray-version"]), ("v2\n", None))
            self.assertEqual(client.ask("/", host="two.example")["x-gray-reason"], "no-route")

    def test_health_changes_without_a_restart(self):
        self.begin(two_versions())
        before = self.all_pids()
        said = "version web v2: updated without a restart"

        def state_becomes(state):
            eventually(lambda: self.daemon.version("v2")["workers"][0]["state"] == state, 10, state)
        self.reloaded(said, version={"v2": {"health": {"path": "/status?code=500", "interval": "50ms", "fall": 1}}})
        state_becomes("unhealthy")
        self.reloaded(said, version={"v2": {"health": {"path": "/status?code=204"}}})
        state_becomes("healthy")
        self.assertEqual(self.all_pids(), before)

    def test_stop_and_drain_times_change_without_a_restart(self):
        self.begin(two_versions())
        pid = self.daemon.pids("v2")[0]
        self.reloaded("version web v2: updated without a restart", version={"v2": {"drain_timeout": "100ms"}})
        with self.daemon.client() as client:
            client.send("GET /?version=v2&ms=60000 HTTP/1.1\r\nHost: a\r\n\r\n")
            eventually(lambda: self.daemon.version("v2")["in_flight"] == 1, 5, "the request in flight")
            self.reloaded("version web v2: drains and ends", version={"v2": None})
            eventually(lambda: not is_alive(pid), 10, "the end of v2 after its short drain")

    def test_a_new_service_gets_its_paths_and_is_removed_only_without_users(self):
        self.begin()
        api = {"stable": "v1", "paths": ["/api"], "version": {"v1": {"command": fake(), "ready": ["pipe"]}}}
        self.reloaded("service api: added", "version api v1: started", config={"service": {"api": api}})
        self.daemon.wait_up(1, "v1", service="api")
        eventually(lambda: self.daemon.get("/api").text == "v1\n", 10, "an answer of api")
        result = self.reload(config={"service": {"api": None}})
        self.assertEqual(result.code, 3, result)
        self.assertIn("service api carries traffic and cannot be removed: grayctl stop api v1 first", result.err)

    def test_router_settings_start_a_new_router_and_keep_the_connections(self):
        self.begin()
        before, router = self.all_pids(), self.daemon.router()
        with Load(self.daemon) as load:
            self.reloaded("router: a new generation with the new settings",
                          config={"router": {"max_connections": 5000}})
            eventually(lambda: self.daemon.router() not in (None, router), 10, "another router")
            eventually(lambda: not is_alive(router), 30, "the end of the old router")
        self.unfailed(load)
        self.assertEqual(self.all_pids(), before)


class Whole(ReloadTest):
    """All changes or none, for grayctl and for SIGHUP."""

    def test_one_refusal_refuses_all_changes(self):
        self.begin()
        new = {"command": faulty(), "ready": ["pipe"]}
        self.refused(3, "router.threads needs a restart", config={"router": {"threads": 1}}, limits={"queue": 9},
                     version={"v3": new, "v1": {"instances": 3}, "v2": {"env": {"A": "1"}}})
        self.assertIsNone(self.daemon.version("v3"))

    def test_a_broken_file_changes_nothing(self):
        self.begin()
        with open(self.daemon.config_file) as file:
            good = file.read()
        before, facts = self.all_pids(), self.facts()
        texts = {"this is no TOML": "grayd.toml:1:", good.replace("stable = ", "stabel = "): 'did you mean "stable"?',
                 good + '\n[service.web.version.v3]\ncommand = ["/nonexistent"]\n': "/nonexistent does not exist",
                 "": "there is no service"}
        for text, expected in texts.items():
            with self.subTest(expected), open(self.daemon.config_file, "w") as file:
                file.write(text)
                file.flush()
                result = self.daemon.ctl("reload")
                self.assertEqual(result.code, 8, result)
                self.assertIn(expected, result.err)
                self.hang_up("not reloaded: ")
                self.assertEqual((self.all_pids(), self.facts()), (before, facts))
        os.unlink(self.daemon.config_file)
        self.assertEqual(self.daemon.ctl("reload").code, 8)
        self.assertEqual(self.daemon.get().status, 200)

    def test_a_warning_is_in_the_result_and_after_sighup_in_the_log(self):
        self.begin()
        odd = "warning: 0.05 % is 1 user in 2000; did you mean 5?"
        result = self.reload(version={"v2": {"weight": 0.05}})
        self.assertEqual(result.code, 0, result)
        self.assertIn(odd, result.out)
        self.hang_up(odd)

    def test_sighup_does_what_grayctl_does(self):
        self.begin()
        before = self.all_pids()
        self.write(version={"v3": {"command": faulty(), "ready": ["pipe"]}, "v1": {"env": {"A": "1"}}})
        with Load(self.daemon) as load:
            self.hang_up("reloaded ")
            self.daemon.wait_up(1, "v3")
            self.replaced("v1", before["v1"], 2)
        self.unfailed(load)
        config = self.daemon.config
        self.write(config={"router": {"threads": 1}}, version={"v3": None})
        self.hang_up("not reloaded: a change of router.threads needs a restart")
        self.assertIsNotNone(self.daemon.version("v3"))
        self.daemon.write_config(config)
        self.reloaded()

    def test_a_reload_while_grayd_ends_starts_nothing(self):
        self.begin(two_versions())
        with self.daemon.client() as client:
            client.send("GET /?ms=5000 HTTP/1.1\r\nHost: a\r\n\r\n")
            eventually(lambda: self.daemon.version("v1")["in_flight"] == 1, 5, "the request in flight")
            self.write(version={"v3": {"command": fake(), "ready": ["pipe"]}})
            self.daemon.process.send_signal(signal.SIGTERM)
            eventually(lambda: "stopping;" in self.daemon.log(), 5, "grayd stopping")
            self.hang_up("not reloaded: grayd is stopping")
            self.assertEqual(client.response().text, "v1\n")
        self.assertEqual(self.daemon.process.wait(15), 0)
        self.assertNotIn("web@v3", self.daemon.log())
        self.assertEqual(self.daemon.leftovers(), [])


class InARow(ReloadTest):
    """A reload while an earlier one is still in progress."""

    def slow(self, mark):
        return {"v1": {"command": faulty("--ready-after", "300"), "instances": 3, "env": {"MARK": mark}}}

    def marks(self):
        """The settings with which the living workers of v1 were started."""
        found = []
        for pid in self.daemon.pids("v1"):
            try:
                with open(f"/proc/{pid}/environ", "rb") as file:
                    found += [part[5:].decode() for part in file.read().split(b"\0") if part.startswith(b"MARK=")]
            except OSError:
                pass
        return found

    def test_a_reload_during_a_rolling_restart_continues_with_the_newest_settings(self):
        self.begin(workers(version=self.slow("one")))
        eventually(lambda: self.marks() == ["one"] * 3, 20, "three workers")
        with Load(self.daemon) as load:
            self.write(version=self.slow("two"))
            self.hang_up("reloaded ")
            eventually(lambda: "two" in self.marks(), 20, "the first new worker")
            self.assertIn("one", self.marks())
            self.write(version=self.slow("three"))
            self.hang_up("reloaded ")
            eventually(lambda: self.marks() == ["three"] * 3, 40, "all on the newest")
        self.unfailed(load)

    def test_a_reload_can_reverse_a_rolling_restart(self):
        self.begin(workers(version=self.slow("one")))
        eventually(lambda: self.marks() == ["one"] * 3, 20, "three workers")
        with Load(self.daemon) as load:
            self.reloaded("version web v1: rolling restart", version=self.slow("two"))
            eventually(lambda: "two" in self.marks(), 20, "the first new worker")
            self.reloaded("version web v1: rolling restart", version=self.slow("one"))
            eventually(lambda: self.marks() == ["one"] * 3, 40, "all as they were")
        self.unfailed(load)

    def test_two_reloads_in_a_row_end_with_the_settings_of_the_second(self):
        self.begin()
        before = self.all_pids()
        with Load(self.daemon) as load:
            self.reloaded("version web v1: rolling restart", version={"v1": {"env": {"A": "1"}}})
            self.reloaded("version web v1: number of instances changed", version={"v1": {"instances": 3}})
            self.replaced("v1", before["v1"], 3)
        self.unfailed(load)

    def test_a_version_that_is_removed_and_added_again_serves(self):
        self.begin(two_versions())
        v2 = self.daemon.config["service"]["web"]["version"]["v2"]
        with self.daemon.client() as client:
            client.send("GET /?version=v2&ms=1000 HTTP/1.1\r\nHost: a\r\n\r\n")
            eventually(lambda: self.daemon.version("v2")["in_flight"] == 1, 5, "the request in flight")
            self.reloaded("version web v2: drains and ends", version={"v2": None})
            self.reloaded("version web v2: started", version={"v2": v2})
            self.assertEqual(client.response().text, "v2\n")
        self.daemon.wait_up(1, "v2")
        eventually(lambda: self.daemon.get("/?version=v2").text == "v2\n", 10, "an answer of v2")

    def test_many_reloads_leave_nothing_behind(self):
        self.begin()
        before = self.all_pids()
        with Load(self.daemon) as load:
            for turn in range(10):
                v3 = {"command": faulty(), "ready": ["pipe"]} if turn % 2 == 0 else None
                self.assertEqual(self.reload(version={"v3": v3}).code, 0)
            eventually(lambda: self.daemon.version("v3") is None, 20, "the end of every v3")
        self.unfailed(load)
        self.assertEqual(self.all_pids(), before)
