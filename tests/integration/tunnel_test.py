"""Upgrades from outside (rule P24): when a connection becomes a tunnel, when it stays HTTP, how tunnels end."""
import json
import os
import signal
import socket
import struct
import sys
import threading
import time

from harness import HERE, SLOWER, GrayTest, eventually, two_versions
from http_client import request

AWAY = b"\x88\x02\x03\xe9"  # a Close frame, 1001, as a server sends it


def ask(path, protocol="chat/1", **options):
    return request(path, headers={"Connection": "Upgrade", "Upgrade": protocol}, **options)


def unmasked(frame):
    """The two payload bytes of a masked Close frame."""
    return bytes(frame[6 + i] ^ frame[2 + i] for i in range(2))


class TunnelTest(GrayTest):
    @staticmethod
    def service(drain_timeout="30s", instances=1, **limits):
        worker = [sys.executable, os.path.join(HERE, "workers", "tunnel.py"), "--ignore-term"]
        version = {"command": worker, "ready": ["pipe"], "drain_timeout": drain_timeout, "instances": instances,
                   "stop": {"signal": "TERM", "timeout": "200ms"}}
        return two_versions(limits=limits, version={"v1": version, "v2": version})

    def tunnel(self, daemon, path="/echo", protocol="chat/1"):
        """A client that has got its 101."""
        client = daemon.client()
        self.addCleanup(client.close)
        client.send(ask(path, protocol))
        head = client._until(b"\r\n\r\n")
        self.assertIn(b"HTTP/1.1 101 ", head or b"nothing")
        return client

    def lines(self, daemon, count, status=101, path=None):
        """The lines of the access log that have this status, and path, once there are so many."""
        found = []

        def there():
            found[:] = [line for line in daemon.access_log()
                        if line["status"] == status and path in (None, line["path"])]
            return len(found) >= count
        eventually(there, 10, f"{count} lines with status {status}")
        return found

    def heard(self, daemon, version="v1"):
        return json.loads(daemon.get(f"/heard?version={version}").text)

    @staticmethod
    def tunnels(daemon):
        """The tunnels of the only worker of v1."""
        return daemon.version("v1")["workers"][0]["tunnels"]

    def echo(self, client, data):
        client.send(data)
        back, complete = client._exactly(len(data))
        self.assertTrue(complete)
        self.assertEqual(back, data)


class Opening(TunnelTest):
    @classmethod
    def setUpClass(cls):
        cls.start_shared(cls.service(), up=("v1",))

    def test_p24_after_the_101_bytes_pass_both_ways(self):
        client = self.tunnel(self.shared, "/echo-and-log")
        self.echo(client, b"\x00\xff GET / HTTP/1.1\r\n\r\n")
        self.echo(client, os.urandom(300_000))
        eventually(lambda: self.tunnels(self.shared) == 1, 5, "only this tunnel being open")  # tests before had others
        client.sock.shutdown(socket.SHUT_WR)
        self.assertTrue(client.is_closed())
        line = next(line for line in self.lines(self.shared, 1, path="/echo-and-log"))
        self.assertEqual((line["reason"], line["bytes_in"], line["bytes_out"]), ("", 300_021, 300_021))
        self.assertEqual((line["service"], line["version"]), ("web", "v1"))
        self.assertGreater(line["duration_us"], line["upstream_us"])

    def test_p24_after_any_answer_but_101_pipelined_requests_are_answered_in_order(self):
        for status in (404, 200, 426):
            with self.subTest(status=status), self.shared.client() as client:
                client.send(ask(f"/status/{status}") + request(f"/after/{status}"))
                self.assertEqual(client.response().status, status)
                after = client.response()
                self.assertEqual((after.status, after.text), (200, "v1 0\n"))
        self.assertEqual(self.heard(self.shared), [one for one in self.heard(self.shared) if b"after" not in
                                                   bytes.fromhex(one["hex"])])
        seen = json.loads(self.shared.get("/requests").text)
        self.assertTrue({"/after/404", "/after/200", "/after/426"} <= set(seen))

    def test_p24_an_unrequested_or_different_101_is_a_502(self):
        post = request("/early", "POST", {"Connection": "Upgrade", "Upgrade": "chat/1", "Content-Length": "9"})
        for asked in (request("/unasked"), ask("/other"), post, ask("/other", "nonsense, h2c")):
            with self.subTest(asked=asked), self.shared.client() as client:
                client.send(asked)
                response = client.response()
                self.assertEqual((response.status, response["x-gray-reason"]), (502, "upstream-invalid"))
        self.assertEqual({line["fault"] for line in self.lines(self.shared, 4, 502)}, {"P24"})

    def test_p24_no_other_http_protocol_is_offered_to_a_worker(self):
        for protocol in ("h2c", "H2C, websocket", "TLS/1.2", "HTTP/2.0"):
            fields = {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": protocol, "HTTP2-Settings": "AAMAAABkAAQ"}
            response = self.shared.get("/fields", headers=fields)
            self.assertEqual(response.status, 200)
            for field in ("upgrade", "connection", "http2-settings"):
                self.assertNotIn(field + ":", response.text.lower())

    def test_p24_only_the_offer_of_the_hop_by_hop_fields_reaches_the_worker(self):
        text = self.shared.get("/fields", headers={"Connection": "x-hop, Upgrade", "X-Hop": "1", "Upgrade": "chat/1",
                                                   "Sec-WebSocket-Key": "k"}).text
        self.assertIn("\r\nConnection: Upgrade\r\nUpgrade: chat/1\r\n", text)
        self.assertIn("\r\nSec-WebSocket-Key: k\r\n", text)
        self.assertNotIn("X-Hop", text)

    def test_p24_each_side_may_end_first(self):
        client = self.tunnel(self.shared, "/first")
        self.assertEqual(client._to_end(), b"my last word")
        client.send("and mine")
        client.sock.shutdown(socket.SHUT_WR)
        mine = b"and mine".hex()
        eventually(lambda: {"hex": mine, "end": "fin"} in self.heard(self.shared), 5, "the worker hearing FIN")

        client = self.tunnel(self.shared)
        client.send("a" * 500_000)
        client.sock.shutdown(socket.SHUT_WR)
        self.assertEqual(len(client._to_end()), 500_000)

    def test_p24_a_reset_of_one_side_is_passed_to_the_other(self):
        client = self.tunnel(self.shared, "/listen")
        client.send("leaving")
        mine = b"leaving".hex()
        eventually(lambda: {"hex": mine, "end": None} in self.heard(self.shared), 5, "the worker hearing it")
        client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
        eventually(lambda: {"hex": mine, "end": "reset"} in self.heard(self.shared), 5, "the worker being reset")

        client = self.tunnel(self.shared, "/reset")
        client.send("x")
        with self.assertRaises(ConnectionResetError):
            while client.sock.recv(100):
                pass
        reasons = [line["reason"] for line in self.lines(self.shared, 2)]
        self.assertIn("client-gone", reasons)
        self.assertIn("upstream-closed", reasons)


class Bounds(TunnelTest):
    def test_a_silent_tunnel_ends(self):
        daemon = self.start(self.service(tunnel_idle="300ms"), up=("v1",))
        client = self.tunnel(daemon)
        for _ in range(4):
            time.sleep(0.15)
            self.echo(client, b"still here")
        started = time.monotonic()
        self.assertTrue(client.is_closed())
        self.assertGreaterEqual(time.monotonic() - started, 0.25)
        self.assertEqual(self.lines(daemon, 1)[0]["reason"], "tunnel-idle")

    def test_the_limit_is_exact_across_threads(self):
        daemon = self.start(self.service(instances=2, tunnels=5),
                            up=("v1",), router={"threads": 4})
        eventually(lambda: [worker["state"] for worker in daemon.version("v1")["workers"]] == ["healthy"] * 2, 20,
                   "both workers being routed to")
        kept, statuses, lock = [], [], threading.Lock()

        def press():
            for _ in range(4):
                client = daemon.client()
                client.send(ask("/echo"))
                head = client._until(b"\r\n\r\n")
                with lock:
                    kept.append(client)
                    statuses.append(head.split(b" ")[1].decode())

        threads = [threading.Thread(target=press) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual((statuses.count("101"), statuses.count("503")), (10, 22))
        self.assertEqual([worker["tunnels"] for worker in daemon.version("v1")["workers"]], [5, 5])
        self.assertIn('grayd_tunnels{service="web",version="v1"} 10\n', daemon.ctl("metrics").out)
        with daemon.client() as client:
            client.send(ask("/echo"))
            response = client.response()
            self.assertEqual((response.status, response["x-gray-reason"]), (503, "overloaded"))
            self.assertIn("all tunnels", response.text)
        self.assertEqual(daemon.get("/").status, 200)
        for client in kept:
            client.close()
        eventually(lambda: [w["tunnels"] for w in daemon.version("v1")["workers"]] == [0, 0], 10, "no tunnel left")


class Ending(TunnelTest):
    def test_a_drained_version_keeps_its_tunnels_until_its_time_is_up(self):
        daemon = self.start(self.service(drain_timeout="3s"))
        websocket = self.tunnel(daemon, "/listen?version=v2", "websocket")
        other = self.tunnel(daemon, "/echo?version=v2")
        started = time.monotonic()
        ordered = threading.Thread(target=daemon.ctl, args=("drain", "web", "v2"))
        ordered.start()
        eventually(lambda: daemon.version("v2")["state"] == "draining", 5, "the drain")
        self.echo(other, b"goes on")
        websocket.send(b"\x81\x01x")
        self.assertEqual(websocket._to_end(), AWAY)
        self.assertTrue(other.is_closed())
        self.assertGreaterEqual(time.monotonic() - started, 2)
        self.assertEqual([line["reason"] for line in self.lines(daemon, 2)], ["draining", "draining"])
        ordered.join()
        self.assertEqual(daemon.version("v2")["state"], "stopped")

    def test_the_worker_gets_1001_too(self):
        daemon = self.start(self.service(drain_timeout="2s"), up=("v1",))
        client = self.tunnel(daemon, "/listen", "websocket")
        keeper = self.tunnel(daemon, "/first")  # reads what the worker has received, in a separate tunnel
        self.assertEqual(keeper._to_end(), b"my last word")
        with daemon.client() as asker:
            asker.send(request("/heard"))  # a socket that is open before the drain begins
            asker.response()
            self.assertEqual(daemon.ctl("restart", "web", "v1", "--no-wait").code, 0)
            address = daemon.version("v1")["workers"][0]["address"]
            host, port = address.rsplit(":", 1)
            self.assertEqual(client._to_end(), AWAY)

            def closes():
                with socket.create_connection((host, int(port))) as direct:
                    direct.sendall(request("/heard"))
                    text = b""
                    while b"]" not in text:
                        piece = direct.recv(65536)
                        self.assertTrue(piece, "the worker closed before its answer was complete")
                        text += piece
                frames = [bytes.fromhex(one["hex"]) for one in json.loads(text.split(b"\r\n\r\n")[1])]
                return [unmasked(frame) for frame in frames if frame[:2] == b"\x88\x82" and len(frame) == 8]

            heard = eventually(closes, 5, "the worker reading the Close frame")  # it may read later than the client
        self.assertEqual(heard, [b"\x03\xe9"])

    def test_a_draining_grayd_ends_its_tunnels_and_then_itself(self):
        daemon = self.start(self.service(drain_timeout="2s"), up=("v1",))
        client = self.tunnel(daemon, "/echo", "websocket")
        daemon.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        self.echo(client, b"\x81\x01x")
        self.assertEqual(client._to_end(), AWAY)
        self.assertEqual(daemon.process.wait(20), 0)
        self.assertEqual([line["reason"] for line in self.lines(daemon, 1)], ["draining"])
        self.assertEqual(daemon.leftovers(), [])

    def test_an_upgraded_routers_tunnels_stay_with_the_old_one_until_its_time_is_up(self):
        """The limit is exact over both: what the old router still holds, the new one may not give away."""
        daemon = self.start(self.service(drain_timeout="4s", tunnels=2), up=("v1",))
        websocket = self.tunnel(daemon, "/listen", "websocket")
        old = daemon.router()
        result = daemon.ctl("upgrade", "router")
        self.assertEqual(result.code, 0, result)
        eventually(lambda: daemon.router() not in (None, old), 10, "the new router")
        drained = time.monotonic()
        self.assertEqual(daemon.version("v1")["workers"][0]["tunnels"], 1)
        kept = self.tunnel(daemon, "/echo")
        with daemon.client() as client:
            client.send(ask("/echo"))
            response = client.response()
            self.assertEqual((response.status, response["x-gray-reason"]), (503, "overloaded"))
        self.echo(kept, b"by the new router")
        self.assertEqual(websocket._to_end(), AWAY)
        self.assertLess(time.monotonic() - drained, 4 * SLOWER)
        eventually(lambda: len(daemon.status()["routers"]) == 1, 10, "the end of the old router")
        eventually(lambda: self.tunnels(daemon) == 1, 5, "the old router's tunnel being given back")
        self.echo(self.tunnel(daemon, "/echo"), b"in its place")
        self.echo(kept, b"untouched")
        self.assertEqual(self.lines(daemon, 1)[0]["reason"], "draining")

    def test_a_killed_worker_is_distinguished_from_a_clean_close(self):
        daemon = self.start(self.service(), up=("v1",))
        client = self.tunnel(daemon, "/listen", "websocket")
        os.kill(daemon.pids("v1")[0], signal.SIGKILL)
        self.assertEqual(client._to_end(), b"")
        client.close()
        self.assertEqual(self.lines(daemon, 1)[0]["reason"], "upstream-closed")
        eventually(lambda: daemon.version("v1")["in_flight"] == 0, 5, "no request in flight")
