"""HTTP/1.1 on both sides of the router: framing, forwarding and refusals."""
import hashlib

from harness import GrayTest, two_versions
from http_client import Client, request

MEGABYTE = 1 << 20


class Http(GrayTest):
    @classmethod
    def setUpClass(cls):
        cls.start_shared(two_versions(limits={"head": "8KiB", "fields": 50, "body": "16MiB", "head_timeout": "700ms"}))

    def assert_refused(self, data, status, reason):
        with self.shared.client() as client:
            client.send(data)
            response = client.response()
            self.assertIsNotNone(response, "closed without an answer")
            self.assertEqual((response.status, response["x-gray-reason"]), (status, reason), response)
            self.assertTrue(response["x-request-id"])
            return response, client


class Answers(Http):
    def test_a_connection_is_kept_alive(self):
        with self.shared.client() as client:
            for _ in range(20):
                self.assertEqual(client.ask("/").text, "v1\n")

    def test_close_is_answered_with_close(self):
        with self.shared.client() as client:
            self.assertEqual(client.ask("/", headers={"Connection": "close"})["connection"], "close")
            self.assertTrue(client.is_closed())

    def test_head_204_and_304_have_no_body(self):
        with self.shared.client() as client:
            response = client.ask("/", "HEAD")
            self.assertEqual((response.status, response["content-length"], response.body), (200, "3", b""))
            self.assertEqual(client.ask("/204").status, 204)
            self.assertEqual(client.ask("/304")["etag"], '"a"')
            self.assertEqual(client.ask("/").text, "v1\n")

    def test_chunked_answers_arrive_whole(self):
        with self.shared.client() as client:
            response = client.ask("/chunked?n=500")
            self.assertEqual(response.text, "".join(f"piece {i}\n" for i in range(500)))
            self.assertTrue(response.complete)
            self.assertEqual(client.ask("/").status, 200)

    def test_a_close_delimited_answer_gets_a_framing(self):
        for path in ("/close-delimited", "/http10"):
            with self.shared.client() as client:
                response = client.ask(path)
                self.assertEqual((response.text, response.complete), ("all there is\n", True))
                self.assertEqual(response["transfer-encoding"], "chunked")
                self.assertEqual(client.ask("/").status, 200)

    def test_a_large_answer_arrives_whole(self):
        response = self.shared.get(f"/big?n={20 * MEGABYTE}")
        self.assertEqual((len(response.body), response.complete), (20 * MEGABYTE, True))

    def test_interim_answers_are_passed_on(self):
        response = self.shared.get("/early-hints")
        self.assertEqual([interim.status for interim in response.interim], [103])
        self.assertEqual((response.status, response.text), (200, "v1"))

    def test_http_10_gets_no_chunks_and_a_close(self):
        for path, body in (("/", "v1\n"), ("/chunked?n=2", "piece 0\npiece 1\n")):
            with self.shared.client() as client:
                client.send(f"GET {path} HTTP/1.0\r\n\r\n")
                response = client.response()
                self.assertEqual((response.status, response.text), (200, body))
                self.assertIsNone(response["transfer-encoding"])
                self.assertTrue(client.is_closed())

    def test_http_10_keep_alive_is_kept(self):
        with self.shared.client() as client:
            for _ in range(2):
                client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
                response = client.response()
                self.assertEqual(response["connection"].lower(), "keep-alive")

    def test_pipelined_requests_are_answered_in_order(self):
        with self.shared.client() as client:
            client.send(b"".join(request(f"/echo?n={i}" if i % 3 else f"/?ms=30&n={i}") for i in range(30)))
            for i in range(30):
                expected = f"GET /echo?n={i} " if i % 3 else "v1\n"
                self.assertTrue(client.response().text.startswith(expected), i)


class Bodies(Http):
    BODY = bytes(range(256)) * (10 * MEGABYTE // 256)

    @staticmethod
    def chunked(body, size):
        pieces = (body[i:i + size] for i in range(0, len(body), size))
        return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"

    def test_a_body_with_a_length_arrives_whole(self):
        with self.shared.client() as client:
            self.assertEqual(client.ask("/length", "POST", body=self.BODY).text, str(len(self.BODY)))
            self.assertEqual(client.ask("/length", "POST", body=b"x").text, "1")

    def test_a_chunked_body_arrives_whole(self):
        with self.shared.client() as client:
            for size in (1 << 17, 4099):
                client.send(request("/length", "POST", {"Transfer-Encoding": "chunked"}))
                client.send(self.chunked(self.BODY, size))
                self.assertEqual(client.response().text, str(len(self.BODY)))

    def test_a_body_comes_back_byte_for_byte(self):
        body = self.BODY[:MEGABYTE]
        echoed = self.shared.get("/body", "POST", body=body).body
        self.assertEqual(hashlib.sha256(echoed).digest(), hashlib.sha256(body).digest())

    def test_expect_100_continue_is_answered(self):
        with self.shared.client() as client:
            client.send(request("/length", "POST", {"Expect": "100-continue", "Content-Length": "5"}))
            client.send(b"hello")
            self.assertEqual(client.response().text, "5")

    def test_a_body_above_the_limit_is_413(self):
        head = request("/length", "POST", {"Content-Length": str(17 * MEGABYTE)})
        self.assert_refused(head, 413, "too-large")

    def test_a_chunked_body_above_the_limit_is_not_served(self):
        with self.shared.client() as client:
            client.send(request("/length", "POST", {"Transfer-Encoding": "chunked"}))
            try:
                client.send(self.chunked(b"x" * (17 * MEGABYTE), 1 << 16))
            except (ConnectionResetError, BrokenPipeError):
                pass
            response = client.response()
            self.assertTrue(response is None or response.status == 413, response)


class Refusals(Http):
    def test_what_is_not_http_is_400(self):
        for data in (b"GET / HTTP/1.1\nHost: a\n\n",
                     b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                     b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
                     b"GET / HTTP/1.1\r\n\r\n",
                     b"GET / HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n",
                     b"GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n folded\r\n\r\n",
                     b"GET / HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n",
                     b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
                     b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n",
                     b"G@T / HTTP/1.1\r\nHost: a\r\n\r\n"):
            with self.subTest(data=data):
                _, client = self.assert_refused(data, 400, "bad-request")

    def test_a_refusal_closes_the_connection(self):
        with self.shared.client() as client:
            client.send(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
            self.assertEqual(client.response()["connection"], "close")
            self.assertTrue(client.is_closed())

    def test_a_head_that_is_too_large_is_431(self):
        self.assert_refused(request("/", headers={"X-Large": "x" * 9000}), 431, "too-large")
        self.assert_refused(request("/", headers={f"X-{i}": "1" for i in range(60)}), 431, "too-large")

    def test_a_target_that_is_too_long_is_414(self):
        self.assert_refused(request("/" + "x" * 9000), 414, "too-large")

    def test_an_unknown_version_is_505_and_an_unknown_coding_501(self):
        self.assert_refused(b"GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505, "unsupported")
        self.assert_refused(request("/", "POST", {"Transfer-Encoding": "gzip, chunked"}), 501, "unsupported")

    def test_an_unknown_expectation_is_417(self):
        self.assert_refused(request("/", headers={"Expect": "the-moon"}), 417, "bad-request")

    def test_a_head_that_does_not_end_is_408(self):
        self.assert_refused(b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ", 408, "request-timeout")

    def test_a_bad_chunk_never_reaches_a_clean_end(self):
        with self.shared.client() as client:
            client.send(request("/length", "POST", {"Transfer-Encoding": "chunked"}) + b"zz\r\nhello\r\n0\r\n\r\n")
            response = client.response()
            self.assertEqual(response.status, 400, response)


class Forwarding(Http):
    def fields(self, path="/echo", **headers):
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        lines = self.shared.get(path, headers=sent).text.split("\r\n")[1:]
        return {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in lines if line)}

    def test_hop_by_hop_fields_are_removed_on_the_way_in(self):
        fields = self.fields(Connection="keep-alive, x-private", X_Private="1", Keep_Alive="timeout=9", X_Public="1",
                             TE="gzip", Proxy_Connection="keep-alive")
        for name in ("x-private", "keep-alive", "proxy-connection"):
            self.assertNotIn(name, fields)
        self.assertEqual(fields["x-public"], "1")

    def test_hop_by_hop_fields_are_removed_on_the_way_out(self):
        response = self.shared.get("/hop")
        self.assertIsNone(response["x-private"])
        self.assertIsNone(response["keep-alive"])
        self.assertEqual(response["x-public"], "1")

    def test_the_forwarding_headers_have_the_client(self):
        fields = self.fields()
        self.assertEqual(fields["host"], "localhost")
        self.assertEqual(fields["x-forwarded-for"], "127.0.0.1")
        self.assertEqual(fields["x-forwarded-proto"], "http")
        self.assertIn("1.1 ", fields["via"])

    def test_forwarding_headers_of_an_untrusted_client_are_ignored(self):
        self.assertEqual(self.fields(X_Forwarded_For="9.9.9.9")["x-forwarded-for"], "127.0.0.1")

    def test_content_length_named_in_connection_still_frames(self):
        with self.shared.client() as client:
            response = client.ask("/length", "POST", {"Connection": "content-length"}, b"hello")
            self.assertEqual(response.text, "5")

    def test_an_absolute_target_is_forwarded_by_its_host(self):
        with self.shared.client() as client:
            client.send(b"GET http://other.test/echo?x HTTP/1.1\r\nHost: ignored\r\n\r\n")
            text = client.response().text
            self.assertTrue(text.startswith("GET /echo?x HTTP/1.1\r\n"), text)
            self.assertIn("\r\nhost: other.test\r\n", text.lower())


class BrokenUpstream(Http):
    def test_garbage_is_502(self):
        for path in ("/garbage", "/bare-lf", "/two-lengths"):
            response = self.shared.get(path)
            self.assertEqual((response.status, response["x-gray-reason"]), (502, "upstream-invalid"), path)

    def test_no_answer_is_502(self):
        response = self.shared.get("/silent")
        self.assertEqual((response.status, response["x-gray-reason"]), (502, "upstream-closed"))

    def test_a_cut_answer_never_ends_cleanly(self):
        for path in ("/die", "/die-chunked"):
            response = self.shared.get(path)
            self.assertEqual((response.status, response.complete), (200, False), path)
            with self.shared.client() as client:
                client.send(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")
                client.response()
                self.assertTrue(client.is_closed())

    def test_the_next_request_is_served(self):
        for path in ("/garbage", "/silent", "/die"):
            self.shared.get(path)
            self.assertEqual(self.shared.get("/").status, 200)


class Trusted(GrayTest):
    def test_forwarding_headers_of_a_trusted_proxy_count(self):
        daemon = self.start(router={"trusted_proxies": ["127.0.0.0/8"]})
        response = daemon.get("/echo", headers={"X-Forwarded-For": "9.9.9.9", "X-Request-Id": "theirs"})
        self.assertEqual(response["x-request-id"], "theirs")
        self.assertIn("x-forwarded-for: 9.9.9.9, 127.0.0.1", response.text.lower())


class Timeouts(GrayTest):
    def test_a_silent_worker_is_504_after_request_timeout(self):
        daemon = self.start(two_versions(limits={"request_timeout": "300ms"}))
        response = daemon.get("/?ms=3000")
        self.assertEqual((response.status, response["x-gray-reason"]), (504, "response-timeout"))
        self.assertEqual(daemon.get("/").status, 200)

    def test_an_idle_client_is_closed_after_idle_timeout(self):
        daemon = self.start(two_versions(limits={"idle_timeout": "300ms"}))
        with Client(daemon.port, timeout=5) as client:
            client.ask("/")
            self.assertTrue(client.is_closed())
