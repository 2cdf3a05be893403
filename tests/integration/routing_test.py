"""Routing of a request (contract 2.4): version and worker, the reason, and the headers of the answer."""
import os
import re
import signal

from harness import GrayTest, eventually, fake, faulty, merged, two_versions
from http_client import request


class Named(GrayTest):
    """Versions named by parameter, header and cookie."""

    @classmethod
    def setUpClass(cls):
        cls.start_shared()

    def decision(self, path="/", **headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        response = self.shared.get(path, headers=named)
        self.assertEqual(response.status, 200, response)
        self.assertEqual(response["x-gray-version"], response["x-worker-version"])
        return response["x-gray-version"], response["x-gray-decision"]

    def test_a_request_that_names_no_version_gets_stable(self):
        self.assertEqual(self.decision(), ("v1", "stable"))

    def test_a_parameter_names_a_version(self):
        self.assertEqual(self.decision("/?version=v2"), ("v2", "param"))
        self.assertEqual(self.decision("/?a=1&version=v2&b=2"), ("v2", "param"))
        self.assertEqual(self.decision("/?version=%762"), ("v2", "param"))

    def test_a_header_names_a_version(self):
        self.assertEqual(self.decision(X_Version="v2"), ("v2", "header"))

    def test_a_cookie_names_a_version(self):
        self.assertEqual(self.decision(Cookie="a=b; version=v2"), ("v2", "cookie"))

    def test_the_order_is_param_header_cookie(self):
        self.assertEqual(self.decision("/?version=v1", X_Version="v2", Cookie="version=v2"), ("v1", "param"))
        self.assertEqual(self.decision(X_Version="v1", Cookie="version=v2"), ("v1", "header"))

    def test_an_unknown_name_is_skipped_for_the_next_source(self):
        self.assertEqual(self.decision("/?version=v9", X_Version="v2"), ("v2", "header"))
        self.assertEqual(self.decision("/?version=v9", X_Version="v8", Cookie="version=v2"), ("v2", "cookie"))
        self.assertEqual(self.decision("/?version=v9"), ("v1", "stable"))
        self.assertEqual(self.decision("/?version="), ("v1", "stable"))

    def test_of_a_repeated_parameter_the_first_counts(self):
        self.assertEqual(self.decision("/?version=v2&version=v1"), ("v2", "param"))
        self.assertEqual(self.decision("/?version=v9&version=v2"), ("v1", "stable"))

    def test_the_parameter_is_forwarded_unchanged(self):
        target = "/echo?a=%20b&version=%762&version=v1&c"
        self.assertTrue(self.shared.get(target).text.startswith(f"GET {target} HTTP/1.1\r\n"))

    def test_every_answer_carries_a_request_id_of_its_own(self):
        ids = {self.shared.get()["x-request-id"] for _ in range(5)}
        self.assertEqual(len(ids), 5)
        self.assertNotIn(None, ids)
        self.assertTrue(self.shared.get("/\x01")["x-request-id"])

    def test_a_request_id_of_an_untrusted_client_does_not_count(self):
        response = self.shared.get("/echo", headers={"X-Request-Id": "mine"})
        self.assertNotEqual(response["x-request-id"], "mine")
        self.assertIn(f"X-Request-Id: {response['x-request-id']}".lower(), response.text.lower())


class Share(GrayTest):
    """Sticky buckets of users."""

    USERS = 20_000

    @classmethod
    def setUpClass(cls):
        version = {"command": faulty(), "ready": ["pipe"]}
        cls.start_shared(two_versions(version={"v1": version, "v2": merged(version, {"weight": 5.0})}))

    def users_of_v2(self, users):
        """The share is measured in pipelined batches: many users, few round trips."""
        found = set()
        for start in range(0, len(users), 5000):  # below the limit of one connection
            found |= self.users_of_v2_on_one_connection(users[start:start + 5000])
        return found

    def users_of_v2_on_one_connection(self, users):
        found = set()
        with self.shared.client() as client:
            for first in range(0, len(users), 50):
                batch = users[first:first + 50]
                client.send(b"".join(request("/", headers={"Cookie": f"uid={user}"}) for user in batch))
                for user in batch:
                    response = client.response()
                    self.assertEqual(response.status, 200, response)
                    if response["x-gray-version"] == "v2":
                        self.assertEqual(response["x-gray-decision"], "bucket")
                        found.add(user)
        return found

    def test_the_share_is_exact_sticky_and_only_grows(self):
        at_five = self.users_of_v2(range(1, self.USERS + 1))
        self.assertAlmostEqual(len(at_five) / self.USERS, 0.05, delta=0.005)
        some = sorted(at_five)[:200]
        self.assertEqual(self.users_of_v2(some), set(some))
        self.assertEqual(self.shared.ctl("shift", "web", "v2", "20").code, 0)
        self.assertEqual(self.users_of_v2(some), set(some))
        self.assertEqual(self.shared.ctl("shift", "web", "v2", "0").code, 0)
        self.assertEqual(self.users_of_v2(some), set())
        self.assertEqual(self.shared.ctl("shift", "web", "v2", "5").code, 0)

    def test_users_without_an_identity_get_stable(self):
        self.assertEqual({self.shared.get()["x-gray-version"] for _ in range(100)}, {"v1"})

    def test_a_weight_of_100_takes_every_identified_user(self):
        self.assertEqual(self.shared.ctl("shift", "web", "v2", "100").code, 0)
        self.assertEqual(len(self.users_of_v2(range(500))), 500)
        self.assertEqual(self.shared.get()["x-gray-version"], "v1")
        self.assertEqual(self.shared.ctl("shift", "web", "v2", "5").code, 0)


class Down(GrayTest):
    """A canary whose workers never come up."""

    @classmethod
    def setUpClass(cls):
        canary = {"command": fake("--exit", "3"), "weight": 100.0}
        cls.start_shared(two_versions(version={"v2": canary}), up=["v1"])

    def test_the_users_of_a_canary_that_is_down_go_to_stable(self):
        response = self.shared.get(headers={"Cookie": "uid=7"})
        self.assertEqual((response.status, response["x-gray-version"], response["x-gray-decision"]),
                         (200, "v1", "fallback"))

    def test_a_request_that_names_a_version_that_is_down_gets_503(self):
        for path, headers in (("/?version=v2", {}), ("/", {"X-Version": "v2"}), ("/", {"Cookie": "version=v2"})):
            response = self.shared.get(path, headers=headers)
            self.assertEqual((response.status, response["x-gray-reason"]), (503, "version-down"))
            self.assertTrue(int(response["retry-after"]) >= 1)


class Services(GrayTest):
    """Host, then the longest path prefix, picks the service."""

    @classmethod
    def setUpClass(cls):
        version = {"command": fake(), "ready": ["pipe"]}

        def service(name, **keys):
            return {"stable": name, "version": {name: version}, **keys}

        cls.start_shared(two_versions(hosts=["web.test"]), up=(),
                         service={"api": service("a1", hosts=["web.test"], paths=["/api"]),
                                  "deep": service("d1", hosts=["web.test"], paths=["/api/deep"]),
                                  "quiet": service("q1", hosts=["quiet.test"], expose="none")})
        cls.shared.wait_up(1, "v1").wait_answers(host="web.test")
        for name, version in (("api", "a1"), ("deep", "d1"), ("quiet", "q1")):
            cls.shared.wait_up(1, version, service=name)

    def served_by(self, host, path):
        response = self.shared.get(path, host=host)
        return response["x-worker-version"] if response.status == 200 else response.status

    def test_host_and_path_pick_the_service(self):
        self.assertEqual(self.served_by("web.test", "/"), "v1")
        self.assertEqual(self.served_by("WEB.test:8080", "/other"), "v1")
        self.assertEqual(self.served_by("web.test", "/api"), "a1")
        self.assertEqual(self.served_by("web.test", "/api/x?y"), "a1")
        self.assertEqual(self.served_by("web.test", "/api/deep/x"), "d1")
        self.assertEqual(self.served_by("web.test", "/apix"), "v1")

    def test_no_match_is_404(self):
        response = self.shared.get("/", host="nobody.test")
        self.assertEqual((response.status, response["x-gray-reason"]), (404, "no-route"))
        self.assertTrue(response["x-request-id"])

    def test_expose_none_hides_the_versions(self):
        response = self.shared.get("/", host="quiet.test")
        self.assertEqual((response.status, response["x-worker-version"]), (200, "q1"))
        self.assertIsNone(response["x-gray-version"])
        self.assertIsNone(response["x-gray-decision"])
        self.assertTrue(response["x-request-id"])

    def test_counts_are_kept_by_version(self):
        before = self.shared.version("d1", "deep")["requests"]
        for _ in range(7):
            self.served_by("web.test", "/api/deep")
        eventually(lambda: self.shared.version("d1", "deep")["requests"] == before + 7, 5, "7 requests counted")


ISSUED = re.compile(r"gid=([0-9a-f]{32}); Path=/; Max-Age=31536000; SameSite=Lax; HttpOnly")


class Issued(GrayTest):
    """Identities that grayd gives to users who have none."""

    @classmethod
    def setUpClass(cls):
        cls.start_shared(two_versions(identity=["cookie:uid", "issue:gid"], version={"v2": {"weight": 50.0}}))

    def issued(self, response):
        self.assertEqual(response.status, 200, response)
        match = ISSUED.fullmatch(response["set-cookie"] or "")
        self.assertTrue(match, response)
        return match.group(1)

    def test_the_cookie_leads_to_the_version_that_it_came_with(self):
        seen = set()
        for user in range(40):
            agent = {"User-Agent": f"agent {user}"}
            first = self.shared.get(headers=agent)
            cookie = {"Cookie": f"gid={self.issued(first)}"}
            for headers in (cookie, {**agent, **cookie}):
                response = self.shared.get(headers=headers)
                self.assertEqual(response["x-gray-version"], first["x-gray-version"])
                self.assertIsNone(response["set-cookie"])
            seen.add(first["x-gray-version"])
        self.assertEqual(seen, {"v1", "v2"})

    def test_parallel_first_requests_get_the_same_identity(self):
        for user in range(10):
            clients = [self.shared.client() for _ in range(6)]
            for client in clients:
                client.send(request("/", headers={"User-Agent": f"browser {user}", "Accept-Language": "de"}))
            answers = [client.response() for client in clients]
            self.assertEqual(len({self.issued(answer) for answer in answers}), 1)
            self.assertEqual(len({answer["x-gray-version"] for answer in answers}), 1)
            for client in clients:
                client.close()

    def test_a_user_with_an_identity_gets_no_cookie(self):
        for cookie in ("uid=7", "gid=not from here", "gid=" + 400 * "x", "gid=0123456789abcdef0123456789abcdef"):
            response = self.shared.get("/echo", headers={"Cookie": cookie})
            self.assertIsNone(response["set-cookie"])
            self.assertIn(f"Cookie: {cookie}\r\n", response.text)

    def test_the_worker_does_not_see_what_its_answer_sets(self):
        response = self.shared.get("/echo")
        self.assertNotIn(self.issued(response), response.text)

    def test_the_cookie_is_set_whatever_the_decision(self):
        self.issued(self.shared.get("/?version=v1"))
        self.issued(self.shared.get("/chunked?version=v2"))

    def test_an_answer_of_the_router_sets_no_cookie(self):
        self.assertIsNone(self.shared.get("/\x01")["set-cookie"])
        self.assertEqual(self.shared.get("/garbage")["x-gray-reason"], "upstream-invalid")
        self.assertIsNone(self.shared.get("/garbage")["set-cookie"])

    def test_the_identity_survives_a_new_table_and_a_new_router(self):
        agent = {"User-Agent": "faithful"}
        before = self.issued(self.shared.get(headers=agent))
        self.assertEqual(self.shared.ctl("shift", "web", "v2", "50").code, 0)
        old = self.shared.router()
        os.kill(old, signal.SIGKILL)
        eventually(lambda: self.shared.router() not in (None, old), 10, "a new router")
        after = self.issued(self.shared.wait_answers(headers=agent))
        self.assertEqual(after, before)


class Affinity(GrayTest):
    """A user stays on one worker of a version."""

    USERS = 60

    @classmethod
    def setUpClass(cls):
        cls.start_shared(two_versions(affinity="identity", version={"v1": {"instances": 3}}))
        cls.shared.wait_healthy(3, "v1")

    def worker_of(self, user):
        response = self.shared.get(headers={"Cookie": f"uid={user}"})
        self.assertEqual(response.status, 200, response)
        return response["x-worker-pid"]

    def all_workers(self):
        return {user: self.worker_of(user) for user in range(self.USERS)}

    def slots(self):
        return {str(worker["pid"]): worker["id"] for worker in self.shared.version("v1")["workers"]}

    def test_a_user_stays_and_users_are_spread(self):
        first = self.all_workers()
        self.assertEqual(len(set(first.values())), 3)
        for _ in range(3):
            self.assertEqual(self.all_workers(), first)

    def test_without_identity_the_least_loaded_worker_is_taken(self):
        self.assertEqual(len({self.shared.get()["x-worker-pid"] for _ in range(12)}), 3)

    def test_a_worker_that_dies_moves_its_own_users_and_its_successor_gets_them_back(self):
        before, slots = self.all_workers(), self.slots()
        victim = before[0]
        os.kill(int(victim), signal.SIGKILL)
        for user, worker in before.items():
            if worker != victim:
                self.assertEqual(self.worker_of(user), worker)
            else:
                self.worker_of(user)  # answered 200, by any worker
        eventually(lambda: int(victim) not in self.shared.pids("v1"), 20, "its end is seen")
        self.shared.wait_healthy(3, "v1")
        here = {user: slots[worker] for user, worker in before.items()}

        def settled():
            now = self.slots()
            return {user: now.get(worker) for user, worker in self.all_workers().items()} == here
        eventually(settled, 30, "every user is back in their slot")


class Reloaded(GrayTest):
    """Identities and affinity switched on under traffic."""

    def test_a_reload_enables_identities_and_affinity(self):
        daemon = self.start(two_versions(version={"v1": {"instances": 2}}))
        daemon.wait_healthy(2, "v1")
        self.assertIsNone(daemon.get()["set-cookie"])
        daemon.write_config(merged(daemon.config, {"service": {"web": {"identity": ["issue:gid"],
                                                                       "affinity": "identity"}}}))
        result = daemon.ctl("reload")
        self.assertEqual(result.code, 0, result)
        first = daemon.get()
        value = ISSUED.fullmatch(first["set-cookie"]).group(1)
        workers = {daemon.get(headers={"Cookie": f"gid={value}"})["x-worker-pid"] for _ in range(10)}
        self.assertEqual(workers, {first["x-worker-pid"]})


class Crowded(GrayTest):
    """Affinity to a worker that has no socket left."""

    @classmethod
    def setUpClass(cls):
        cls.start_shared(two_versions(affinity="identity", version={"v1": {"instances": 2}, "v2": None},
                                      limits={"max_sockets": 1}), up=["v1"], router={"threads": 1})
        cls.shared.wait_healthy(2, "v1")

    def test_a_request_waits_for_its_worker(self):
        user = {"Cookie": "uid=7"}
        own = self.shared.get(headers=user)["x-worker-pid"]
        before = self.shared.version("v1")["affinity_spills"]
        with self.shared.client() as busy:
            busy.send(request("/slow?ms=300", headers=user))
            eventually(lambda: self.shared.version("v1")["in_flight"] == 1, 10, "the slow one is under way")
            self.assertEqual(self.shared.get(headers=user)["x-worker-pid"], own)
            self.assertEqual(busy.response()["x-worker-pid"], own)
        self.assertEqual(self.shared.version("v1")["affinity_spills"], before)

    def test_a_request_that_has_waited_for_queue_timeout_takes_another_worker(self):
        user = {"Cookie": "uid=7"}
        own = self.shared.get(headers=user)["x-worker-pid"]
        self.assertEqual(self.shared.get(headers=user)["x-worker-pid"], own)
        with self.shared.client() as busy:
            busy.send(request("/slow?ms=1500", headers=user))
            eventually(lambda: self.shared.version("v1")["in_flight"] == 1, 10, "the slow one is under way")
            other = self.shared.get(headers=user)["x-worker-pid"]
            self.assertNotEqual(other, own)
            self.assertGreater(self.shared.version("v1")["affinity_spills"], 0)
            self.assertIn("max_sockets = 1 were in use", self.shared.ctl("status").out.replace("\n", " "))
            self.assertEqual(busy.response()["x-worker-pid"], own)
        self.assertEqual(self.shared.get(headers=user)["x-worker-pid"], own)
