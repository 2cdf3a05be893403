"""HTTP/2 as clients see it, by raw frames: the rules of RFC 9113 and RFC 7541, requests, and hostile clients."""
import functools
import os
import random
import signal
import ssl
import threading
import time
import unittest

from h2_cases import CASES
from h2_client import (
    CONTINUATION, ENHANCE_YOUR_CALM, FIRST_WINDOW, INITIAL_WINDOW, INSERTED, NO_ERROR, PADDED, PING,
    PRIORITY, SETTINGS, DATA, Client, block, data_frame, frame, goaway, headers, indexed, literal, ping, priority,
    request_fields, rst_stream, settings, split_headers, window_update)
from harness import SLOWER, GrayTest, eventually, free_port, merged, rss_bytes, two_versions
from tls_test import make_certificates


class Http2(GrayTest):
    """One grayd for all classes: HTTP/2 by prior knowledge on its port, and by ALPN on `https`."""

    @classmethod
    def setUpClass(cls):
        if Http2.shared:
            return
        daemon = Http2._prepared(two_versions(limits={"body": "6MiB"}), {})
        unittest.addModuleCleanup(daemon.clean_up)
        Http2.https = free_port()
        make_certificates(os.path.join(daemon.folder, "tls"))
        daemon.write_config(merged(daemon.config, {
            "listen": {"https": [f"127.0.0.1:{Http2.https}"], "h2c": True},
            "tls": {"main": {"certificate": "tls/cert.pem", "key": "tls/key.pem"}}}))
        Http2._started(daemon, ["v1", "v2"])
        Http2.context = ssl.create_default_context(cafile=os.path.join(daemon.folder, "tls", "ca.pem"))
        Http2.context.set_alpn_protocols(["h2"])
        Http2.shared = daemon

    def setUp(self):
        self.router = eventually(self.shared.router)

    def tearDown(self):
        self.assertEqual(self.shared.router(), self.router, "the router was replaced: it has crashed")
        self.assertNotIn("buffer leak", self.shared.log())

    def connect(self, tls=False, **options):
        client = Client(self.https if tls else self.shared.port, self.context if tls else None, **options)
        self.addCleanup(client.close)
        return client


class Conformance(Http2):
    def conform(self, group):
        for case in CASES[group]:
            for tls in (False, True):
                with self.subTest(case.name, section=case.section, tls=tls):
                    with self.connect(tls, **case.options) as client:
                        for step in case.steps:
                            client.send(step) if isinstance(step, bytes) else step(client)
                        case.want(client)

    def test_starting(self):
        self.conform("starting")

    def test_frames(self):
        self.conform("frames")

    def test_streams(self):
        self.conform("streams")

    def test_control_frames(self):
        self.conform("control frames")

    def test_windows(self):
        self.conform("windows")

    def test_header_blocks(self):
        self.conform("header blocks")

    def test_messages(self):
        self.conform("messages")


def on_both(test=None, **options):
    """Runs a test with a connection of each kind."""
    if test is None:
        return functools.partial(on_both, **options)

    @functools.wraps(test)
    def both(self):
        for tls in (False, True):
            with self.subTest(tls=tls), self.connect(tls, **options) as client:
                test(self, client)
    return both


class Requests(Http2):
    @on_both
    def test_the_worker_sees_an_ordinary_request(self, client):
        answer = client.ask("/echo?a=b", fields=[("x-own", "1")])
        head = answer.body.decode().lower()
        self.assertEqual(answer.status, 200, answer)
        self.assertTrue(head.startswith("get /echo?a=b http/1.1\r\n"), head)
        for line in ("host: localhost", "x-own: 1", f"x-forwarded-proto: {client.scheme}", "via: 2.0 grayd"):
            self.assertIn(f"\r\n{line}\r\n", head)

    @on_both
    def test_crumbs_of_cookies_are_joined(self, client):
        fields = [("cookie", "a=1"), ("x-between", "y"), ("cookie", "version=v2"), ("cookie", "c=3")]
        answer = client.ask("/echo", fields=fields)
        self.assertEqual(answer["x-gray-version"], "v2")
        cookies = [line for line in answer.body.decode().split("\r\n") if line.lower().startswith("cookie:")]
        self.assertEqual([cookie.lower() for cookie in cookies], ["cookie: a=1; version=v2; c=3"])

    @on_both
    def test_routing_by_header_cookie_and_parameter(self, client):
        for path, fields in (("/", [("x-version", "v2")]), ("/", [("cookie", "version=v2")]), ("/?version=v2", [])):
            answer = client.ask(path, fields=fields)
            self.assertEqual((answer.status, answer["x-gray-version"]), (200, "v2"), answer)
        self.assertEqual(client.ask("/")["x-gray-version"], "v1")

    @on_both
    def test_answers_without_a_body(self, client):
        answer = client.ask("/", "HEAD")
        self.assertEqual((answer.status, answer["content-length"], answer.size), (200, "3", 0))
        for status in (204, 304):
            answer = client.ask(f"/{status}")
            self.assertEqual((answer.status, answer.size, answer.ended), (status, 0, True))

    @on_both
    def test_connection_fields_of_the_worker_are_not_forwarded(self, client):
        answer = client.ask("/hop")
        self.assertEqual(answer["x-public"], "1")
        names = {name for name, _ in answer.fields}
        self.assertEqual(names & {"connection", "keep-alive", "x-private", "transfer-encoding"}, set())
        self.assertEqual([name for name in names if name != name.lower()], [])

    @on_both
    def test_trailers_of_an_answer(self, client):
        text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 7\r\n\r\n"
        answer = client.ask(f"/play?send={text.encode().hex()}", fields=[("te", "trailers")])
        self.assertEqual((answer.body, answer.trailers, answer.ended), (b"abc", [("x-sum", "7")], True))

    @on_both
    def test_interim_answers(self, client):
        answer = client.ask("/early-hints")
        self.assertEqual([dict(fields)[":status"] for fields in answer.interim], ["103"])
        self.assertEqual((answer.status, answer.body), (200, b"v1"))

    @on_both
    def test_expect_100_continue(self, client):
        stream = client.request("/length", "POST", [("expect", "100-continue")], end_stream=False)
        self.assertTrue(client.wait(lambda: client.answers[stream].interim))
        self.assertEqual([dict(fields)[":status"] for fields in client.answers[stream].interim], ["100"])
        client.upload(stream, b"x" * 1000)
        self.assertEqual(client.answer(stream).body, b"1000")

    @on_both
    def test_a_worker_that_breaks_off_does_not_look_complete(self, client):
        for path in ("/die", "/die-chunked"):
            answer = client.ask(path)
            self.assertEqual((answer.status, answer.ended), (200, False), answer)
            self.assertNotEqual(answer.reset, NO_ERROR)
        self.assertEqual(client.ask("/").status, 200)

    @on_both
    def test_an_answer_before_the_end_of_the_body(self, client):
        """413 is complete, and RST_STREAM with NO_ERROR says that the rest of the body is of no use."""
        declared = client.request("/length", "POST", [("content-length", "7000000")], end_stream=False)
        undeclared = client.request("/length", "POST", body=b"x" * 7_000_000, end_stream=False)
        for stream in (declared, undeclared):
            answer = client.answer(stream)
            client.wait(lambda: answer.reset is not None)
            self.assertEqual((answer.status, answer.ended, answer.reset), (413, True, NO_ERROR), answer)
        self.assertEqual(client.ask("/").status, 200)

    @on_both
    def test_a_large_head_is_431(self, client):
        many = [(f"x-{at}", "a") for at in range(101)]
        wide = [(f"x-{at:02}", "a" * 330) for at in range(90)]
        self.assertEqual(client.ask("/", fields=many).status, 431)
        stream, client.next_stream = client.next_stream, client.next_stream + 2
        client.send(split_headers(stream, block(request_fields(fields=wide))))
        self.assertEqual(client.answer(stream).status, 431)
        self.assertEqual(client.ask("/").status, 200)

    @on_both
    def test_a_head_in_several_frames(self, client):
        fields = [(f"x-{at:02}", "a" * 300) for at in range(80)]
        stream, client.next_stream = client.next_stream, client.next_stream + 2
        client.send(split_headers(stream, block(request_fields("/echo", fields=fields))))
        answer = client.answer(stream)
        self.assertEqual((answer.status, answer.body.count(b"a" * 300)), (200, 80))

    @on_both
    def test_bodies_pass_unchanged(self, client):
        data = os.urandom(200_000)
        self.assertEqual(client.ask("/body", "POST", body=data).body, data)
        self.assertEqual(client.ask("/length", "POST", body=b"x" * 5_000_000).body, b"5000000")
        answer = client.ask("/big?n=20000000", "GET")
        self.assertEqual((answer.size, answer.ended), (20_000_000, True))

    @on_both(pairs=[(INITIAL_WINDOW, 1)])
    def test_windows_of_one_byte(self, client):
        answer = client.ask("/body", "POST", body=bytes(range(200)))
        self.assertEqual((answer.body, len(answer.pieces)), (bytes(range(200)), 200))

    @on_both
    def test_100_streams_at_once(self, client):
        client.send(b"".join(headers(stream, request_fields(f"/?n={stream}&ms=20")) for stream in range(1, 201, 2)))
        for stream in range(1, 201, 2):
            self.assertEqual(client.answer(stream).status, 200, client.answers[stream])

    @on_both(pairs=[(INITIAL_WINDOW, 0)])
    def test_a_stalled_stream_does_not_hold_up_the_others(self, client):
        client.send(headers(1, request_fields("/big?n=100000")))
        started = time.monotonic()
        for stream in range(3, 201, 2):
            client.send(headers(stream, request_fields("/big?n=20000")) + window_update(stream, 20000))
        for stream in range(3, 201, 2):
            self.assertEqual(client.answer(stream).size, 20000)
        self.assertLess(time.monotonic() - started, 5 * SLOWER)
        self.assertEqual((client.answers[1].status, client.answers[1].size), (200, 0))
        client.send(window_update(1, FIRST_WINDOW))
        self.assertEqual(client.answer(1).size, 100_000)

    @on_both
    def test_a_reset_ends_the_request_at_the_worker(self, client):
        def connections():
            return int(self.shared.get("/counts").text.split('"open": ')[1].split(",")[0])
        streams = [client.request("/stream?n=2000&ms=10") for _ in range(20)]
        self.assertTrue(client.wait(lambda: all(client.answers[stream].size > 0 for stream in streams)))
        during = connections()
        client.send(b"".join(map(rst_stream, streams)))
        eventually(lambda: connections() <= during - 15, 1, "the end of the requests at the worker")
        self.assertEqual(client.ask("/").status, 200)

    @on_both
    def test_a_close_ends_all_requests_at_the_worker(self, client):
        def connections():
            return int(self.shared.get("/counts").text.split('"open": ')[1].split(",")[0])
        streams = [client.request("/stream?n=2000&ms=10") for _ in range(20)]
        self.assertTrue(client.wait(lambda: all(client.answers[stream].size > 0 for stream in streams)))
        during = connections()
        client.close()
        eventually(lambda: connections() <= during - 15, 1, "the end of the requests at the worker")

    def test_a_client_that_reads_nothing_costs_little_memory(self):
        self.connect().ask("/big?n=2000000")
        for tls in (False, True):
            with self.subTest(tls=tls):
                client = self.connect(tls, pairs=[(INITIAL_WINDOW, 2 ** 31 - 1)], receive_buffer=4096)
                client.ask("/")
                before = rss_bytes(self.router)
                client.send(window_update(0, 2 ** 30) + b"".join(
                    headers(stream, request_fields("/big?n=3000000")) for stream in range(3, 103, 2)))
                most, until = before, time.monotonic() + 1
                while time.monotonic() < until:
                    most = max(most, rss_bytes(self.router))
                    time.sleep(0.02)
                print(f"50 answers that are not read: {(most - before) >> 10} KiB")
                self.assertLess(most - before, (1 << 20) * SLOWER)
                self.assertEqual(self.connect(tls).ask("/?version=v2").status, 200)
                client.close()

    @on_both
    def test_the_access_log_has_a_line_for_each_request(self, client):
        client.ask(f"/logged-{client.scheme}?a=b")
        line = eventually(lambda: [entry for entry in self.shared.access_log()
                                   if entry["path"].startswith(f"/logged-{client.scheme}")])[0]
        self.assertEqual((line["method"], line["status"], line["version"], line["host"]),
                         ("GET", 200, "v1", "localhost"), line)

    def test_http_1_and_2_share_a_port(self):
        self.assertEqual(self.shared.get("/").status, 200)
        with self.shared.client() as client:
            client.send("PRI / HTTP/1.1\r\nHost: a\r\n\r\n")
            self.assertNotEqual(client.response().status, 101)


class Ends(GrayTest):
    """How connections end that nobody broke."""

    def start_h2c(self, **web):
        return self.start(merged(two_versions(), web), listen={"h2c": True})

    def test_an_idle_connection_gets_goaway(self):
        daemon = self.start_h2c(hosts=["localhost"], limits={"idle_timeout": "300ms"})
        with Client(daemon.port) as client:
            answer = client.ask("/", authority="unknown.test")
            self.assertEqual((answer.status, answer["x-gray-reason"]), (404, "no-route"))
            self.assertEqual(client.ask("/").status, 200)
            self.assertTrue(client.wait(lambda: client.closed))
            self.assertEqual(client.goaways, [(3, NO_ERROR)])

    def test_a_stop_waits_for_the_streams(self):
        daemon = self.start_h2c()
        with Client(daemon.port) as client:
            stream = client.request("/stream?n=50&ms=10")
            client.wait(lambda: client.answers[stream].size > 0)
            daemon.process.send_signal(signal.SIGTERM)
            self.assertTrue(client.answer(stream).body.endswith(b"piece 49\n"))
            self.assertTrue(client.wait(lambda: client.closed))
            self.assertEqual(client.goaways[-1], (stream, NO_ERROR))
        self.assertEqual(daemon.stop(), 0)

    def test_a_new_router_costs_no_request(self):
        daemon = self.start_h2c()
        failed, done = [], threading.Event()

        def keep_asking():
            client, answered = Client(daemon.port), 0
            while not done.is_set():
                if client.goaways or client.closed:
                    client.close()
                    client = Client(daemon.port)
                try:
                    stream = client.request("/")
                    answer = client.answer(stream)
                except AssertionError as error:
                    # Not served, as GOAWAY says: asked again.
                    if not client.goaways or client.goaways[-1][0] >= stream:
                        failed.append(str(error))
                    continue
                answered += answer.status == 200
                if answer.status != 200:
                    failed.append(str(answer))
            client.close()
            if answered < 50:
                failed.append(f"only {answered} requests")

        asking = [threading.Thread(target=keep_asking) for _ in range(2)]
        with Client(daemon.port) as client:
            client.ask("/")
            last = client.request("/stream?n=100&ms=10")
            client.wait(lambda: client.answers[last].size > 0)
            for thread in asking:
                thread.start()
            result = daemon.ctl("upgrade", "router")
            self.assertEqual(result.code, 0, result)
            answer = client.answer(last)
            self.assertTrue(client.wait(lambda: client.closed))
            done.set()
            for thread in asking:
                thread.join()
            self.assertTrue(answer.body.endswith(b"piece 99\n"), answer)
            self.assertEqual(client.goaways, [(2 ** 31 - 1, NO_ERROR), (last, NO_ERROR)])
        self.assertEqual(failed, [])


REQUEST = block(request_fields())
UPLOAD = block(request_fields("/length", "POST"))
MALFORMED = headers(1, [(":method", "GET")])
WAITING = block(request_fields("/?ms=1000"))


def each_stream(make, count=5000):
    """Pieces of what `make` sends for stream after stream."""
    streams = range(3, 3 + 2 * count, 2)
    return [b"".join(make(stream) for stream in streams[at:at + 50]) for at in range(0, count, 50)]


def opened(data):
    """On a stream with an open request, many times."""
    return [headers(1, UPLOAD, False)] + [data * 100] * 500


FLOODS = {  # each must end the connection
    "rapid reset": each_stream(lambda stream: headers(stream, REQUEST) + rst_stream(stream)),
    "rapid reset of uploads": each_stream(lambda stream: headers(stream, UPLOAD, False) + rst_stream(stream)),
    "made to reset: WINDOW_UPDATE by 0": each_stream(
        lambda stream: headers(stream, WAITING) + window_update(stream, 0)),
    "made to reset: a window beyond its limit": each_stream(
        lambda stream: headers(stream, WAITING) + window_update(stream, 2 ** 31 - 1) * 2),
    "made to reset: DATA behind the end": each_stream(
        lambda stream: headers(stream, WAITING) + data_frame(stream, b"x", True)),
    "made to reset: HEADERS behind the end": each_stream(
        lambda stream: headers(stream, WAITING) + headers(stream, WAITING)),
    "made to reset: PRIORITY of a wrong size": each_stream(
        lambda stream: headers(stream, WAITING) + frame(PRIORITY, 0, stream, b"1234")),
    "made to reset: a stream that depends on itself": each_stream(
        lambda stream: headers(stream, WAITING) + priority(stream, stream)),
    "malformed requests": each_stream(lambda stream: headers(stream, [(":method", "GET")])),
    "streams beyond the limit": each_stream(lambda stream: headers(stream, UPLOAD, False)),
    "CONTINUATION without end": [headers(1, REQUEST, flags=0)] + [frame(CONTINUATION, 0, 1, b"\0\1a\1b" * 200)] * 9000,
    "CONTINUATION of no bytes": [headers(1, REQUEST, flags=0)] + [frame(CONTINUATION, 0, 1) * 100] * 500,
    "CONTINUATION of one byte": [headers(1, REQUEST, flags=0)] + [frame(CONTINUATION, 0, 1, b"\x82") * 100] * 500,
    "a header block of 64 KiB": [split_headers(1, REQUEST + literal("x-a", "b" * 65536))],
    "PING": [ping() * 100] * 500,
    "PING with ACK": [frame(PING, 1, 0, b"12345678") * 100] * 500,
    "SETTINGS": [settings((INITIAL_WINDOW, 70000)) * 100] * 500,
    "SETTINGS without pairs": [settings() * 100] * 500,
    "SETTINGS with ACK": [frame(SETTINGS, 1) * 100] * 500,
    "SETTINGS of 2000 pairs": [settings(*[(INITIAL_WINDOW, 70000)] * 2000)] * 10,
    "PRIORITY": [priority(7) * 100] * 500,
    "DATA of no bytes": opened(data_frame(1)),
    "DATA of padding alone": opened(frame(DATA, PADDED, 1, b"\xff" + b"\0" * 255)),
    "WINDOW_UPDATE of the connection": [window_update(0, 1) * 100] * 500,
    "WINDOW_UPDATE of a stream": opened(window_update(1, 1)),
    "RST_STREAM of a stream that was reset": [headers(1, UPLOAD, False)] + [rst_stream(1) * 100] * 500,
    "DATA of no bytes that ends a stream which was reset": [MALFORMED] + [data_frame(1, b"", True) * 100] * 500,
    "HEADERS of a stream which was reset": [MALFORMED] + [headers(1, REQUEST) * 100] * 200,
    "unknown frames": [frame(0x77, 0, 0) * 100] * 500,
}
BOMB = literal("x-bomb", "b" * 3900, INSERTED)


class Hostile(Http2):
    """A hostile client ends only its own connection, and costs the router no memory."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with Client(cls.shared.port) as client:  # the pools have their size
            for _ in range(2):
                streams = [client.request("/?ms=10") for _ in range(100)]
                for stream in streams:
                    client.answer(stream)

    def attack(self, pieces, reads=True, tls=False):
        """Sends until the connection ends; the code of GOAWAY, None for a close without one. `reads`: meanwhile."""
        client = self.connect(tls, credits=False, receive_buffer=None if reads else 4096)
        client.sock.settimeout(5 * SLOWER)
        client.wait(lambda: client.settings)  # acknowledged, and not inside of a header block
        for piece in pieces:
            if not client.send(piece) or client.closed:
                break
            if reads:
                client.read(0.0001)
        client.wait(lambda: client.closed, 3 * SLOWER)
        self.assertTrue(client.closed, f"the connection goes on: goaways={client.goaways}")
        client.close()
        return client.goaways[-1][1] if client.goaways else None

    def survived(self, honest, before):
        self.assertEqual(honest.ask("/").status, 200)
        self.assertFalse(honest.goaways)
        self.assertLess(rss_bytes(self.router) - before, (1 << 20) * SLOWER)

    def test_floods_end_their_connection(self):
        honest = self.connect()
        for name, pieces in FLOODS.items():
            for reads in (True, False):
                with self.subTest(name, reads=reads):
                    before = rss_bytes(self.router)
                    self.assertIn(self.attack(pieces, reads), (ENHANCE_YOUR_CALM, None))
                    self.survived(honest, before)

    def test_floods_over_tls(self):
        honest = self.connect(tls=True)
        for name in ("rapid reset", "CONTINUATION without end", "PING", "SETTINGS"):
            with self.subTest(name):
                before = rss_bytes(self.router)
                self.assertIn(self.attack(FLOODS[name], tls=True), (ENHANCE_YOUR_CALM, None))
                self.survived(honest, before)

    def test_a_header_bomb_costs_nothing(self):
        """A block of 4 KB that means 16 MB: the answer is 431, and 100 of them with closed windows need no memory."""
        honest, client = self.connect(), self.connect(pairs=[(INITIAL_WINDOW, 0)])
        before = rss_bytes(self.router)
        for stream in range(1, 201, 2):
            first = BOMB if stream == 1 else b""
            client.send(headers(stream, REQUEST + first + indexed(62) * 4000))
        for stream in range(1, 201, 2):
            self.assertTrue(client.wait(lambda: client.answers[stream].fields))
            self.assertEqual(client.answers[stream].status, 431)
        self.survived(honest, before)

    def test_ten_thousand_crumbs(self):
        honest, client = self.connect(), self.connect()
        before = rss_bytes(self.router)
        client.send(headers(1, REQUEST + literal("cookie", "a", INSERTED) + indexed(62) * 10_000))
        self.assertEqual(client.answer(1).status, 431)
        self.survived(honest, before)

    def test_a_connection_that_ends_at_each_byte(self):
        whole = headers(1, UPLOAD, False) + data_frame(1, b"four") + headers(1, [("x-t", "1")]) + goaway()
        honest = self.connect()
        before = rss_bytes(self.router)
        for size in range(len(whole)):
            with self.connect() as client:
                client.send(whole[:size])
        self.survived(honest, before)

    def test_random_frames(self):
        """Frames of any kind in any order, on a few streams; most connections live to the end."""
        seed = random.randrange(1 << 32)
        print(f"seed {seed}")
        chance = random.Random(seed)
        honest, lived = self.connect(), 0
        for at in range(RANDOM_CONNECTIONS):
            if at == RANDOM_CONNECTIONS // 2:
                before = rss_bytes(self.router)  # the pools have their size
            with self.connect(chance.random() < 0.2, credits=chance.random() < 0.5) as client:
                streams = []
                for _ in range(chance.randrange(1, 5)):
                    client.send(b"".join(random_frame(chance, streams) for _ in range(chance.randrange(1, 20))))
                    client.wait(lambda: client.closed, chance.choice([0.0001, 0.003]))
                lived += not client.closed
        print(f"{lived} of {RANDOM_CONNECTIONS} connections lived")
        self.survived(honest, before)


RANDOM_CONNECTIONS = 200
PATHS = ["/", "/?ms=5", "/big?n=200000", "/stream?n=5&ms=2", "/die", "/early-hints", "/204", "/length", "/body",
         "/chunked?n=50"]


def random_frame(chance, streams):
    """The next frame of a client that mostly keeps the rules, but ends what it likes; `streams`: those it opened."""
    def opens():
        streams.append(streams[-1] + 2 if streams else 1)
        fields = request_fields(chance.choice(PATHS), chance.choice(["GET", "POST", "POST", "HEAD"]))
        make = headers if chance.random() < 0.7 else split_headers
        return make(streams[-1], block(fields), chance.random() < 0.4)

    if not streams or chance.random() < 0.3:
        return opens()
    stream = chance.choice(streams[-4:])
    return chance.choice([
        lambda: data_frame(stream, b"x" * chance.randrange(1, 3000)),
        lambda: data_frame(streams[-1], b"x" * chance.randrange(1, 3000), chance.random() < 0.3),
        lambda: frame(DATA, PADDED, streams[-1], b"\x05" + b"x" * chance.randrange(5, 50)),
        lambda: headers(streams[-1], [("x-trailer", "t")]) if chance.random() < 0.2 else b"",
        lambda: rst_stream(stream, chance.randrange(14)),
        lambda: window_update(chance.choice([0, stream]), chance.choice([1, 100, 65535])),
        lambda: settings((INITIAL_WINDOW, chance.choice([0, 1, 100, 65535, 1 << 20]))),
        lambda: priority(stream, chance.choice([0, stream])),
        lambda: ping(),
        lambda: frame(chance.randrange(256), chance.randrange(256), stream, chance.randbytes(chance.randrange(20)))
        if chance.random() < 0.05 else b"",
    ])()
