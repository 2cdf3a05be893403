"""All servers interpret what grayd forwards in the same way: a hostile corpus (tests/differential/payloads.py) goes
through grayd, and six packaged servers get the bytes that it forwarded.

First a recorder is behind grayd: each payload comes from a different address, so that X-Forwarded-For identifies the
sender of a request. A strict parser must find the recorded bytes clean, and as many requests as in the access log. Then
the recorded bytes are replayed to each server. Last, the payloads go through grayd to Node directly.
"""
import base64
import collections
import concurrent.futures
import json
import os
import re
import socket
import sys
import tempfile
import textwrap

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "differential"))
import backends  # noqa: E402
import strict  # noqa: E402
from harness import SLOWER, GrayTest, eventually, free_port  # noqa: E402
from http_client import Client  # noqa: E402
from payloads import all_payloads  # noqa: E402

AT_ONCE = 24
LONGEST_WAIT = 1.5  # seconds
SENTINEL = b"GET /sentinel HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
LIMITS = {"head": "8KiB", "fields": 50, "body": "64KiB"}


def address_of(number):
    return f"127.100.{number // 250}.{number % 250 + 1}"


def say(text):
    print(textwrap.fill(text, 100, initial_indent="  ", subsequent_indent="    "), flush=True)


def send(port, payload):
    """Sends a payload and reads until grayd ends the connection, or the client gives up, because a payload may be less
    than a request. In both cases the forwarded bytes must be clean. Returns whether it gave up."""
    with socket.socket() as sock:
        sock.settimeout(LONGEST_WAIT * SLOWER)
        sock.bind((address_of(payload.number), 0))
        sock.connect(("127.0.0.1", port))
        try:
            sock.sendall(payload.data)
            while sock.recv(65536):
                pass
        except (BrokenPipeError, ConnectionResetError):
            pass
        except TimeoutError:
            return True
    return False


class Forwarded:
    """The bytes that grayd forwarded for one payload: complete requests, and those cut off with their connection."""

    def __init__(self):
        self.requests, self.cut = [], []

    def same_as_others(self):
        """Its bytes without marker, address and id, which are unique. Equal ones need to be replayed only once."""
        own = rb"p[0-9]{4}/|127\.100\.[0-9.]+|(?<=X-Request-Id: )\w+"
        return tuple(re.sub(own, b"", data) for data in [request.raw for request in self.requests] + self.cut)


def read_record(file):
    """The requests that the recorder saw, by address, and those that are not clean."""
    found, unclean = collections.defaultdict(Forwarded), []
    with open(file) as lines:
        for line in map(json.loads, lines):
            data = base64.b64decode(line["data"])
            try:
                request = strict.read(data)
                fields = dict(strict.read_head(data.split(b"\r\n\r\n")[0])[2])
            except strict.Unclean as problem:
                unclean.append(f"{problem}: {data[:400]!r}")
                continue
            entry = found[fields[b"x-forwarded-for"].decode()]
            if line["kind"] == "request":
                entry.requests.append(request)
            elif request is None:
                entry.cut.append(data)
            else:
                unclean.append(f"nobody answered {data[:400]!r}")
    return found, unclean


METHODS = {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "PROPFIND", "PURGE"}
PLAIN_HOST = re.compile(r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)*[a-z]([a-z0-9-]*[a-z0-9])?\.?(:[1-9]\d*)?"
                        r"|[\d.]{7,}|\[.*\](:\d+)?", re.I)


def odd_host(request):
    return not PLAIN_HOST.fullmatch(request.value("host"))


def odd_path(request):
    """Not to be decoded, or to a control byte, to no UTF-8, or beyond the root."""
    return re.search(r"%(?![0-9a-f]{2})|%00|%0d|%c0|%ff|^/(\.|%2e){2}/", request.target, re.I)


def conditional(request):
    return any(name.startswith(b"if-") for name, _ in request.fields)


def twice(name):
    return lambda request: sum(field == name for field, _ in request.fields) > 1


# What a server refuses or answers by itself (200 without having asked anybody) although it is right: who, which
# requests, with what, why.
EXCUSES = (
    ("node", lambda request: request.method not in METHODS, {400}, "methods it does not know"),
    ("lighttpd", lambda request: request.method not in METHODS - {"PURGE"}, {501}, "methods it does not know"),
    ("haproxy", lambda request: request.method == "PRI", {400}, "the method of HTTP/2's preface"),
    ("nginx", lambda request: re.search("[^A-Z_-]", request.method), {400}, "methods of other than capital letters"),
    ("nginx", lambda request: request.method == "TRACE", {405}, "TRACE"),
    ("apache", lambda request: request.method == "TRACE", {200, 413}, "TRACE"),
    ("nginx", lambda request: request.target == "*", {400}, "OPTIONS *"),
    ("apache", lambda request: request.target == "*", {200}, "OPTIONS *"),
    ("lighttpd", lambda request: request.target == "*", {200}, "OPTIONS *"),
    ("nginx", conditional, {304, 412}, "conditions it judges by itself"),
    ("apache", conditional, {304, 412}, "conditions it judges by itself"),
    ("nginx", odd_path, {400}, "paths it cannot decode, or that leave the root"),
    ("apache", odd_path, {400, 404}, "paths it cannot decode, or that leave the root"),
    ("lighttpd", odd_path, {400}, "paths it cannot decode, or that leave the root"),
    ("nginx", odd_host, {400}, "hosts that no name server would know"),
    ("apache", odd_host, {400}, "hosts that no name server would know"),
    ("lighttpd", odd_host, {400}, "hosts that no name server would know"),
    ("nginx", twice(b"authorization"), {400}, "Authorization twice"),
    ("lighttpd", twice(b"content-type"), {400}, "Content-Type twice"),
    ("lighttpd", lambda request: request.method == "POST" and not request.body, {411}, "POST that says no length"),
    ("lighttpd", lambda request: len(request.target) > 4000, {404}, "paths longer than a file's name"),
    ("haproxy", lambda request: any(len(name) > 255 for name, _ in request.fields), {400}, "names beyond 255 bytes"),
)


class Replay:
    """How one server interprets the forwarded bytes, compared with the intended requests."""

    def __init__(self, backend, sequences):
        self.name, self.mismatches, self.excused = backend.name, [], collections.Counter()
        with concurrent.futures.ThreadPoolExecutor(backends.AT_ONCE) as pool:
            for forwarded, problem in zip(sequences, pool.map(lambda some: self.problem(backend, some), sequences)):
                if problem:
                    self.mismatches.append(f"{self.name}: {problem}, of {forwarded.same_as_others()}"[:1000])

    def problem(self, backend, forwarded):
        return self.requests(backend, forwarded.requests) or self.cut(backend, forwarded.cut)

    def requests(self, backend, requests):
        """One after the other on one connection, as grayd sends them; a server that closes it gets a new one."""
        client, refused = Client(backend.port, timeout=10 * SLOWER), False
        try:
            for request in [*requests, strict.Request("GET", "/sentinel", [], b"", SENTINEL)]:
                client.send(request.raw)
                response = client.response(request.method)
                if response is None and refused:  # and closed, if without a word
                    client.close()
                    client, refused = Client(backend.port, timeout=10 * SLOWER), False
                    client.send(request.raw)
                    response = client.response(request.method)
                if response is None:
                    return f"no answer to {request.method} {request.target}"
                problem = self.differs(request, response)
                if problem and not self.is_excused(request, response):
                    return problem
                refused = refused or problem is not None
            return None if client.is_closed() else "something came behind the last answer"
        finally:
            client.close()

    def differs(self, request, response):
        if response.status != 200:
            return f"{request.method} {request.target[:200]} is refused with {response.status}"
        if response["x-view"] != f"{request.method} {request.target}":
            return f"{request.method} {request.target[:200]} is seen as {response['x-view']}"
        body = response["x-body"] or backends.body_of(response.body)
        if request.method == "HEAD" and not response["x-body"]:  # a server that shows a body by sending it back
            return None
        return None if body == backends.body_of(request.body) else f"body {body}, not of {len(request.body)} bytes"

    def is_excused(self, request, response):
        """A request that a server saw differently than intended is never excused."""
        if response.status == 200 and response["x-view"]:
            return False
        for name, applies, statuses, why in EXCUSES:
            if name == self.name and response.status in statuses and applies(request):
                self.excused[why] += 1
                return True
        return False

    def cut(self, backend, pieces):
        """A request that was cut off must never be answered as if it were complete."""
        for data in pieces:
            with Client(backend.port, timeout=10 * SLOWER) as client:
                client.send(data)
                client.sock.shutdown(socket.SHUT_WR)
                response = client.response()
                if response and response.status == 200:
                    return "a request that was cut off was answered"
        return None


class Differential(GrayTest):
    """One test, because each step uses the result of the step before."""

    def test_what_is_forwarded_is_clean_and_understood_alike(self):
        self.payloads = all_payloads()
        self.assertGreaterEqual(len(self.payloads), 1000)
        with tempfile.TemporaryDirectory(prefix="grayd-differential-") as folder:
            os.chmod(folder, 0o755)  # Apache's children are nobody
            forwarded = self.record(folder)
            self.replay(folder, list({entry.same_as_others(): entry for entry in forwarded.values()}.values()))
            self.straight_to_node(folder, forwarded)

    def through_grayd(self, record, version):
        """Sends all payloads; returns the access log's lines by address, and the addresses of clients that gave up."""
        version = {**version, "env": {"RECORD": record}}
        daemon = self.start({"stable": "v1", "limits": LIMITS, "version": {"v1": version}}, up=())
        daemon.wait_up(1, "v1")
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            gave_up = list(pool.map(lambda payload: send(daemon.port, payload), self.payloads))
        self.assertEqual(daemon.stop(), 0)
        rows = collections.defaultdict(list)
        for row in daemon.access_log():
            rows[row["client"]].append(row)
        return rows, {address_of(payload.number) for payload, gave in zip(self.payloads, gave_up) if gave}

    def record(self, folder):
        record = os.path.join(folder, "record")
        recorder = [sys.executable, os.path.join(backends.HERE, "recorder.py")]
        rows, self.gave_up = self.through_grayd(record, {"command": recorder, "ready": ["pipe"]})
        forwarded, unclean = read_record(record)
        self.assertFalse(unclean, "\n".join(unclean[:20]))
        faults = collections.Counter()
        for payload in self.payloads:
            address = address_of(payload.number)
            self.check_count(rows[address], forwarded.get(address, Forwarded()), payload)
            faults.update(row.get("fault", row["reason"]) for row in rows[address] if row["reason"])
        requests = sum(len(entry.requests) for entry in forwarded.values())
        cut = sum(len(entry.cut) for entry in forwarded.values())
        print(f"\n{len(self.payloads)} payloads: {len(forwarded)} forwarded in part or whole, {requests} requests; "
              f"{cut} cut off, {len(unclean)} unclean", flush=True)
        told = ", ".join(f"{fault} {faults[fault]}" for fault in sorted(faults, key=lambda name: (len(name), name)))
        say("ended by us, rule and times: " + told)
        self.assertGreater(requests, 1000)
        return forwarded

    def check_count(self, rows, entry, payload):
        """As many requests were forwarded as the access log has. Those that grayd ended may have been sent."""
        answered = sum(not row["reason"] for row in rows)
        ended = sum(1 for row in rows if row["reason"] and row["worker"])
        self.assertFalse([row for row in rows if row["retries"]], payload)
        self.assertLessEqual(answered, len(entry.requests), f"{payload} {rows}")
        self.assertLessEqual(len(entry.requests) + len(entry.cut), answered + ended, f"{payload} {rows}")

    def replay(self, folder, sequences):
        servers = [backends.Backend(name, folder, free_port()) for name in backends.NAMES]
        try:
            for server in servers:
                eventually(server.accepts, 10, f"{server.name} listening")
            with concurrent.futures.ThreadPoolExecutor(len(servers)) as pool:
                replays = list(pool.map(lambda server: Replay(server, sequences), servers))
        finally:
            for server in servers:
                server.stop()
        print(f"  {'replayed to':<12}{'sequences':>10}{'mismatched':>12}{'excused':>9}")
        for replay in replays:
            print(f"  {replay.name:<12}{len(sequences):>10}{len(replay.mismatches):>12}"
                  f"{sum(replay.excused.values()):>9}", flush=True)
        for replay in replays:
            excused = "; ".join(f"{why} ({count})" for why, count in replay.excused.items())
            say(f"excused of {replay.name}: {excused or 'nothing'}")
        mismatches = [mismatch for replay in replays for mismatch in replay.mismatches]
        self.assertFalse(mismatches, "\n".join(mismatches[:20]))

    def straight_to_node(self, folder, forwarded):
        record = os.path.join(folder, "node-record")
        worker = {"command": ["node", os.path.join(backends.HERE, "view.js")], "ready": ["tcp"]}
        _, gave_up = self.through_grayd(record, worker)
        seen = collections.defaultdict(list)
        with open(record) as lines:
            for address, *request in map(json.loads, lines):
                seen[address].append(tuple(request))
        otherwise = []
        for payload in self.payloads:
            address = address_of(payload.number)
            meant = [(request.method, request.target, backends.body_of(request.body))
                     for request in forwarded.get(address, Forwarded()).requests if request.method in METHODS]
            got = seen[address]
            if address in self.gave_up | gave_up:  # at another moment
                got, meant = got[:len(meant)], meant[:len(got)]
            if got != meant:
                otherwise.append(f"{got}, not {meant}, of {payload}"[:1000])
        print(f"  straight to node: {sum(map(len, seen.values()))} requests, {len(otherwise)} payloads counted or seen "
              "otherwise", flush=True)
        self.assertFalse(otherwise, "\n".join(otherwise[:20]))
