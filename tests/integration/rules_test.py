"""The rules of docs/http.md between a real client and a worker that breaks them on purpose: what the client receives,
whether an end is clean, and whether a broken connection is used again."""
import json

from harness import GrayTest, eventually, fake, two_versions
from http_client import request

CALM = {"interval": "60s"}  # probes out of the way
OK = "HTTP/1.1 200 OK\r\n"
STRAY = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"


def played(answer, then="keep"):
    return f"/play?then={then}&send={answer.encode('latin-1').hex()}"


class Rules(GrayTest):
    """One thread and one socket to the worker: a connection that is used again is the same one."""
    LIMITS = {"max_sockets": 1, "request_timeout": "1s", "idle_timeout": "1s", "queue_timeout": "20s"}
    ROUTER = {"threads": 1}

    @classmethod
    def setUpClass(cls):
        version = {"command": fake(), "ready": ["pipe"], "health": CALM}
        cls.start_shared(two_versions(limits=cls.LIMITS, version={"v1": version, "v2": version}), router=cls.ROUTER)

    def counts(self):
        return json.loads(self.shared.get("/counts").text)

    def line_of(self, response):
        """Of the access log, which is written a moment later."""
        wanted = response["x-request-id"]
        lines = lambda: [line for line in self.shared.access_log() if line["request_id"] == wanted]
        return eventually(lines, 5, "the line of the request")[0]


class Answers(Rules):
    def check(self, answer, expected, fault=None, reused=None, method="GET", then="keep"):
        """`expected`: status, body, whether it ended cleanly. `fault`: the rule that the worker broke."""
        before = self.counts()["accepted"]
        with self.shared.client() as client:
            response = client.ask(played(answer, then), method)
            self.assertEqual((response.status, response.text if response.status == 200 else "", response.complete),
                             expected, response)
            if response.complete:
                self.assertEqual(client.ask("/").text, "v1\n", "the next answer on the same connection")
            else:
                self.assertTrue(client.is_closed())
        reused = fault is None if reused is None else reused
        self.assertEqual(self.counts()["accepted"] - before, 0 if reused else 1, "new connections to the worker")
        if fault:
            line = self.line_of(response)
            self.assertEqual((line["fault"], line["fault_side"]), (fault, "upstream"))

    def each(self, cases):
        for name, *arguments in cases:
            options = arguments.pop() if isinstance(arguments[-1], dict) else {}
            with self.subTest(name):
                self.check(*arguments, **options)

    def test_p18_more_bytes_than_the_answer_has(self):
        chunked = OK + "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
        self.each([
            ("exactly its length", OK + "Content-Length: 2\r\n\r\nok", (200, "ok", True)),
            ("a byte more", OK + "Content-Length: 2\r\n\r\noks", (200, "ok", True), "P18"),
            ("another answer", OK + "Content-Length: 2\r\n\r\nok" + STRAY, (200, "ok", True), "P18"),
            ("a byte behind nothing", OK + "Content-Length: 0\r\n\r\nx", (200, "", True), "P18"),
            ("an empty line behind", OK + "Content-Length: 2\r\n\r\nok\r\n", (200, "ok", True), "P18"),
            ("chunks", chunked, (200, "ok", True)),
            ("another answer behind chunks", chunked + STRAY, (200, "ok", True), "P18"),
            ("an empty line behind chunks", chunked + "\r\n", (200, "ok", True), "P18"),
            ("a second last chunk", chunked + "0\r\n\r\n", (200, "ok", True), "P18"),
        ])

    def test_p18_answers_that_have_no_body(self):
        self.each([
            ("204", "HTTP/1.1 204 No Content\r\n\r\n", (204, "", True)),
            ("204 with bytes", "HTTP/1.1 204 No Content\r\n\r\nok", (204, "", True), "P18"),
            ("204 with a length", "HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nok", (204, "", True), "P18"),
            ("204 with chunks", "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
             (204, "", True), "P18"),
            ("304", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", (304, "", True)),
            ("304 with its body", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nhello", (304, "", True),
             "P18"),
            ("304 with an answer", "HTTP/1.1 304 Not Modified\r\n\r\n" + STRAY, (304, "", True), "P18"),
        ])

    def test_p19_head_has_no_body_whatever_comes(self):
        head = {"method": "HEAD"}
        self.each([
            ("a length", OK + "Content-Length: 5\r\n\r\n", (200, "", True), None, None, "HEAD"),
            ("a length and the body", OK + "Content-Length: 5\r\n\r\nhello", (200, "", True), "P18", head),
            ("chunked", OK + "Transfer-Encoding: chunked\r\n\r\n", (200, "", True), head),
            ("chunked and the chunks", OK + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", (200, "", True), "P18",
             head),
            ("another answer", OK + "Content-Length: 5\r\n\r\n" + STRAY, (200, "", True), "P18", head),
        ])

    def test_p27_fewer_bytes_than_the_answer_has(self):
        for then in ("close", "reset"):
            options = {"then": then}
            self.each([
                (f"a length, {then}", OK + "Content-Length: 10\r\n\r\nok", (200, "ok", False), "P27", options),
                (f"no last chunk, {then}", OK + "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", (200, "ok", False),
                 "P27", options),
                (f"half a chunk, {then}", OK + "Transfer-Encoding: chunked\r\n\r\n5\r\nok", (200, "ok", False), "P27",
                 options),
                (f"half a last chunk, {then}", OK + "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n",
                 (200, "ok", False), "P27", options),
            ])

    def test_p27_a_cut_answer_is_a_reset_to_http_10(self):
        answer = OK + "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n"
        with self.shared.client() as client:
            client.send(f"GET {played(answer, 'close')} HTTP/1.0\r\n\r\n")
            with self.assertRaises(ConnectionResetError):
                while client.sock.recv(65536):
                    pass

    def test_p20_broken_chunks_end_the_answer(self):
        for tail in ("x\r\n", "-1\r\n", "2;\r\nok\r\n", "2\nok\r\n", "2\r\nokay\r\n0\r\n\r\n", "0\r\n\n"):
            with self.subTest(tail):
                answer = OK + "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n" + tail
                with self.shared.client() as client:
                    response = client.ask(played(answer))
                    self.assertFalse(response.complete)
                    self.assertTrue(response.text.startswith("ok"))
                self.assertIn(self.line_of(response)["fault"], ("P12", "P20"))

    def test_p26_a_worker_that_says_close_and_keeps_the_socket(self):
        closing = "Connection: close\r\n"
        self.each([
            ("a length", OK + closing + "Content-Length: 2\r\n\r\nok", (200, "ok", True), None, False),
            ("chunks", OK + closing + "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", (200, "ok", True), None,
             False),
            ("no body", "HTTP/1.1 204 No Content\r\n" + closing + "\r\n", (204, "", True), None, False),
            ("HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", (200, "ok", True), None, False),
            ("HTTP/1.0 that goes on", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok",
             (200, "ok", True)),
        ])

    def test_p27_an_answer_whose_end_never_comes_is_cut(self):
        for framing in ("", "Content-Length: 10\r\n", "Transfer-Encoding: chunked\r\n"):
            with self.subTest(framing), self.shared.client() as client:
                response = client.ask(played(OK + framing + "\r\n2\r\nok\r\n", "hold"))
                self.assertEqual((response.status, response.complete), (200, False))
                self.assertTrue(client.is_closed())

    def test_p15_p17_answers_with_two_ends(self):
        for rule, fields in (("P15", "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n"),
                             ("P17", "Content-Length: 2\r\nContent-Length: 3\r\n"),
                             ("P17", "Content-Length: 2\r\nContent-Length: 2\r\n"),
                             ("P17", "Content-Length: +2\r\n"),
                             ("P16", "Transfer-Encoding: chunked, chunked\r\n"),
                             ("P16", "Transfer-Encoding: gzip, chunked\r\n")):
            with self.subTest(fields):
                self.check(OK + fields + "\r\nok", (502, "", True), rule)

    def test_p22_what_stands_between_an_interim_answer_and_the_final_one_is_no_answer(self):
        hints = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
        self.each([
            ("two hints", hints + hints + OK + "Content-Length: 2\r\n\r\nok", (200, "ok", True)),
            ("a body of a hint", hints + "ok" + OK + "Content-Length: 2\r\n\r\nok", (502, "", True), "P9"),
            ("no final answer", hints, (502, "", True), None, False, "GET", "close"),
            ("101 unasked", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
             (502, "", True), "P24"),
        ])

    def test_p25_a_request_that_may_have_been_carried_out_is_not_sent_twice(self):
        for answer in ("", "HTTP/1.1 200 OK\r\nConte", "HTTP/1.1 103 Early Hints\r\n\r\n"):
            for then in ("close", "reset"):
                with self.subTest(answer=answer, then=then):
                    before = self.counts()["requests"]
                    response = self.shared.get(played(answer, then), "POST", body=b"x")
                    self.assertEqual((response.status, response["x-gray-reason"]), (502, "upstream-closed"))
                    self.assertEqual(self.counts()["requests"] - before, 2, "this POST and the question")


class Expectations(Rules):
    def test_p23_a_final_answer_before_the_body_ends_both_connections(self):
        before = self.counts()
        with self.shared.client() as client:
            head = request(played(STRAY) + "&unread", "POST",
                           {"Expect": "100-continue", "Content-Length": "46"})
            client.send(head)
            response = client.response()
            self.assertEqual((response.status, response.text, response["connection"]), (200, "evil", "close"))
            try:
                client.send(request("/smuggled"))
            except OSError:
                pass
            self.assertTrue(client.is_closed())
        after = self.counts()
        self.assertEqual(after["accepted"] - before["accepted"], 1)
        self.assertNotIn("/smuggled", after["seen"])

    def test_p23_a_body_that_does_not_wait_is_forwarded_all_the_same(self):
        with self.shared.client() as client:
            client.send(request("/body", "POST", {"Expect": "100-continue"}, b"hello") + request("/"))
            response = client.response("POST")
            self.assertEqual(([one.status for one in response.interim], response.text), ([100], "hello"))
            self.assertEqual(client.response().text, "v1\n")

    def test_p23_other_expectations_are_417(self):
        for value in ("the-moon", "100-continue, x", "100-continue;q=1", "y 100-continue", "100"):
            response = self.shared.get("/", headers={"Expect": value})
            self.assertEqual((response.status, response["connection"]), (417, "close"), value)


SMUGGLED = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"


class Smuggling(Rules):
    """Each payload is two requests for a wrong parser. `reach`: how many of them the worker may see."""

    def check(self, name, payload, statuses, reach, body=None):
        with self.subTest(name):
            before = self.counts()["requests"]
            with self.shared.client() as client:
                client.send(payload)
                for status in statuses:
                    response = client.response()
                    self.assertIsNotNone(response, "no answer")
                    self.assertEqual(response.status, status, response)
                    if body is not None:
                        self.assertEqual(response.text, body)
                if statuses and statuses[-1] >= 400:
                    self.assertEqual(response["connection"], "close")
                    self.assertTrue(client.is_closed())
            after = self.counts()
            self.assertEqual(after["requests"] - before - 1, reach, after["seen"][-4:])
            self.assertNotIn("/smuggled", after["seen"])
            self.assertEqual(self.shared.get("/").text, "v1\n")

    def post(self, *fields, body="", path="/body"):
        lines = "".join(field + "\r\n" for field in fields)
        return f"POST {path} HTTP/1.1\r\nHost: a\r\n{lines}\r\n{body}"

    def test_p15_cl_te(self):
        for te in ("Transfer-Encoding: chunked", "transfer-encoding:chunked", "Transfer-Encoding: identity",
                   "Transfer-Encoding: gzip", "Transfer-Encoding:"):
            self.check("CL.TE " + te, self.post("Content-Length: 6", te, body="0\r\n\r\n" + SMUGGLED), [400], 0)

    def test_p15_te_cl(self):
        body = f"{len(SMUGGLED):x}\r\n{SMUGGLED}\r\n0\r\n\r\n"
        self.check("TE.CL", self.post("Transfer-Encoding: chunked", "Content-Length: 4", body=body), [400], 0)
        self.check("TE.CL 0", self.post("Transfer-Encoding: chunked", "Content-Length: 0", body=body), [400], 0)

    def test_p16_te_te(self):
        body = "0\r\n\r\n" + SMUGGLED
        for status, *fields in ((400, "Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
                                (400, "Transfer-Encoding: chunked", "Transfer-encoding: x"),
                                (400, "Transfer-Encoding: chunked, identity"), (400, "Transfer-Encoding: chunked,"),
                                (400, "Transfer-Encoding: ,chunked"), (400, 'Transfer-Encoding: "chunked"'),
                                (400, "Transfer-Encoding : chunked"), (400, " Transfer-Encoding: chunked"),
                                (400, "Transfer-Encoding:\x0bchunked"), (400, "Transfer-Encoding: chunked\x00"),
                                (400, "Transfer-Encoding: chunked;a=b"), (400, "X: y\n Transfer-Encoding: chunked"),
                                (501, "Transfer-Encoding: xchunked"), (501, "Transfer-Encoding: chunke")):
            self.check(f"TE.TE {fields}", self.post(*fields, body=body), [status], 0)

    def test_p28_cl_0(self):
        """A body that reads like a request is a body, with every method."""
        for method in ("POST", "GET", "OPTIONS", "DELETE", "PUT"):
            payload = request("/body", method, body=SMUGGLED.encode())
            self.check(f"CL.0 {method}", payload, [200], 1, SMUGGLED)

    def test_p26_cl_0_of_our_own_answers(self):
        """An answer that grayd makes before it has read the body: what is left of it is not the next request."""
        payload = request("/", "POST", {"Max-Forwards": "0"}, SMUGGLED.encode()).replace(b"POST", b"OPTIONS", 1)
        with self.shared.client() as client:
            client.send(payload)
            self.assertEqual(client.response()["connection"], "close")
            self.assertTrue(client.is_closed())
        self.assertNotIn("/smuggled", self.counts()["seen"])

    def test_p17_0_cl(self):
        """A length that one reads and the other does not."""
        for field in ("Content-Length : 36", "Content-Length: +36", "Content-Length: 0x24", "Content-Length: 36,36",
                      "Content-Length: 3 6", "Content-Length:\x0c36", "Content-Length: 36\x00", "Content-Length: ",
                      "\x00Content-Length: 36", "Content-Length: 0\r\nContent-Length: 36", "Content-Length: -0"):
            self.check(f"0.CL {field!r}", self.post(field, body=SMUGGLED), [400], 0)

    def test_p31_0_cl_by_a_name_that_only_cgi_knows(self):
        payload = (request("/echo", headers={"Content_Length": "36", "Transfer_Encoding": "chunked"}) + request("/"))
        with self.shared.client() as client:
            client.send(payload)
            echoed = client.response().text.lower()
            self.assertNotIn("content_length", echoed)
            self.assertNotIn("transfer_encoding", echoed)
            self.assertEqual(client.response().text, "v1\n")

    def test_p28_te_0(self):
        chunks = f"{len(SMUGGLED):x}\r\n{SMUGGLED}\r\n0\r\n\r\n"
        for method in ("POST", "GET", "OPTIONS", "DELETE"):
            payload = f"{method} /body HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}"
            self.check(f"TE.0 {method}", payload, [200], 1, SMUGGLED)

    def test_p23_by_expectation(self):
        self.check("Expect and a body at once", self.post("Expect: 100-continue", f"Content-Length: {len(SMUGGLED)}",
                                                          body=SMUGGLED), [200], 1, SMUGGLED)
        self.check("Expect, obfuscated", self.post("Expect: y 100-continue", f"Content-Length: {len(SMUGGLED)}",
                                                   body=SMUGGLED), [417], 0)
        self.check("Expect twice", self.post("Expect: 100-continue", "Expect: x", body=SMUGGLED), [417], 0)

    def test_p20_by_chunk(self):
        """The hidden request lies behind what another parser may take for the end of the body."""
        for chunks in ("0\n\r\n", "0\r\n\n", "0;\n\r\n\r\n", "0;a=\"\n\"\r\n\r\n", "+0\r\n\r\n", " 0\r\n\r\n",
                       "0x0\r\n\r\n", "\r\n0\r\n\r\n", "0\rX\n\r\n", "5\r\nabcdefg\r\n0\r\n\r\n",
                       "10000000000000000\r\n", "0\r\nA: b\n\r\n"):
            body = chunks + SMUGGLED
            self.check(f"chunk {chunks!r}", self.post("Transfer-Encoding: chunked", body=body), [400], 0)

    def test_p25_two_requests_are_two(self):
        with self.shared.client() as client:
            client.send(self.post("Content-Length: 3", body="one") + self.post("Transfer-Encoding: chunked",
                                                                              body="3\r\ntwo\r\n0\r\n\r\n"))
            self.assertEqual([client.response().text for _ in range(2)], ["one", "two"])


class Trust(Rules):
    CLAIMS = {"X-Forwarded-For": "9.9.9.9", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "claimed.test",
              "Forwarded": "for=9.9.9.9;proto=https", "X-Request-Id": "claimed-id", "X-Gray-Version": "claimed",
              "X_Forwarded_For": "8.8.8.8", "X_Gray_Version": "claimed", "X_Request_Id": "claimed-id"}

    def seen_by_worker(self, **headers):
        self.response = self.shared.get("/echo", headers=headers or self.CLAIMS)
        text = self.response.text
        return {name.lower(): value.strip() for name, value in
                (line.split(":", 1) for line in text.split("\r\n")[1:] if line)}

    def test_p31_a_stranger_is_not_believed(self):
        seen = self.seen_by_worker()
        self.assertEqual((seen["x-forwarded-for"], seen["x-forwarded-proto"], seen["x-forwarded-host"]),
                         ("127.0.0.1", "http", "localhost"))
        self.assertEqual(len(seen["x-request-id"]), 32)
        for name in ("forwarded", "x-gray-version", "x_forwarded_for", "x_gray_version", "x_request_id"):
            self.assertNotIn(name, seen)

    def test_p31_a_trace_passes_below_a_span_of_ours(self):
        trace = "0af7651916cd43dd8448eb211c80319c"
        seen = self.seen_by_worker(traceparent=f"00-{trace}-b7ad6b7169203331-01", tracestate="a=1")
        line = self.line_of(self.response)
        self.assertEqual((line["trace"], seen["traceparent"]), (trace, f"00-{trace}-{line['span']}-01"))
        self.assertNotEqual(line["span"], "b7ad6b7169203331")
        self.assertEqual(seen["tracestate"], "a=1")
        seen = self.seen_by_worker(traceparent=f"00-{trace}-0000000000000000-01", tracestate="a=1")
        self.assertNotIn("traceparent", seen)
        self.assertNotIn("tracestate", seen)


class TrustedProxy(Trust):
    ROUTER = {"threads": 1, "trusted_proxies": ["127.0.0.0/8"]}

    def test_p31_a_stranger_is_not_believed(self):
        """The other way round: a trusted proxy is, but never about what only grayd says."""
        seen = self.seen_by_worker()
        self.assertEqual((seen["x-forwarded-for"], seen["x-forwarded-proto"], seen["x-forwarded-host"]),
                         ("9.9.9.9, 127.0.0.1", "https", "claimed.test"))
        self.assertEqual((seen["x-request-id"], seen["forwarded"]), ("claimed-id", "for=9.9.9.9;proto=https"))
        for name in ("x-gray-version", "x_forwarded_for", "x_gray_version", "x_request_id"):
            self.assertNotIn(name, seen)

    def test_an_unreadable_hop_is_counted_and_logged_once_a_minute(self):
        for _ in range(2):
            self.assertEqual(self.shared.get("/", headers={"X-Forwarded-For": "192.0.2.1, unknown"}).status, 200)
        eventually(lambda: "\ngrayd_forwarded_for_unreadable_total 2\n" in self.shared.ctl("metrics").out, 5,
                   "the count")
        self.assertEqual(self.shared.log().count('X-Forwarded-For: "unknown" from the trusted proxy 127.0.0.1:'), 1)


class Counted(Rules):
    def metric(self, name):
        for line in self.shared.ctl("metrics").out.splitlines():
            if line.startswith(name + " "):
                return int(line.rsplit(" ", 1)[1])
        return 0

    def check(self, ask, line, *metrics):
        """`line`: what the access log says of the request; each of `metrics` goes up by one."""
        before = [self.metric(name) for name in metrics]
        response = ask()
        self.assertEqual({name: self.line_of(response).get(name) for name in line}, line)
        self.assertEqual([self.metric(name) for name in metrics], [count + 1 for count in before])

    def raw(self, data):
        with self.shared.client() as client:
            client.send(data)
            return client.response()

    def test_what_goes_wrong_is_told_once_and_counted(self):
        self.check(lambda: self.raw("GET / HTTP/1.1\r\nHost: a\r\nX: \n\r\n\r\n"),
                   {"status": 400, "reason": "bad-request", "fault": "P12", "offset": 28, "fault_side": "downstream"},
                   'grayd_refused_total{reason="bad-request"}', 'grayd_faults_total{rule="P12",side="downstream"}')
        chunked = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        self.check(lambda: self.raw(chunked + "2\r\nok\r\nx\r\n"),
                   {"status": 400, "version": "v1", "fault": "P20", "offset": 7, "fault_side": "downstream"},
                   'grayd_failures_total{service="web",version="v1",reason="bad-request"}',
                   'grayd_faults_total{rule="P20",side="downstream"}')
        self.check(lambda: self.shared.get(played(OK + "X : y\r\n\r\n")),
                   {"status": 502, "reason": "upstream-invalid", "fault": "P10", "offset": 18,
                    "fault_side": "upstream"},
                   'grayd_faults_total{rule="P10",side="upstream"}')
        self.check(lambda: self.shared.get(played(OK + "Content-Length: 9\r\n\r\nshort", "close")),
                   {"status": 200, "reason": "upstream-closed", "fault": "P27", "offset": 5, "fault_side": "upstream"},
                   'grayd_faults_total{rule="P27",side="upstream"}')
        self.check(lambda: self.shared.get("/"), {"status": 200, "reason": "", "fault": None, "offset": None})


class Override(GrayTest):
    def test_p31_a_header_names_a_version_only_from_override_from(self):
        for networks, version in ((["127.0.0.0/8"], "v2"), (["10.0.0.0/8"], "v1")):
            daemon = self.start(two_versions(override_from=networks))
            self.assertEqual(daemon.get("/", headers={"X-Version": "v2"}).text, version + "\n")
            daemon.stop()


class LastRequest(GrayTest):
    def test_p26_requests_of_one_connection_are_bounded(self):
        daemon = self.start(router={"threads": 1, "max_requests_per_connection": 3})
        with daemon.client() as client:
            client.send(request("/") * 50)
            self.assertEqual([client.response()["connection"] for _ in range(3)], [None, None, "close"])
            self.assertTrue(client.is_closed())
