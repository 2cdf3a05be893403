#!/usr/bin/env python3
"""HTTPS and HTTP/2 of clients: grayd beside nginx and HAProxy, one thread each, answers of 1 KB, HTTP/1.1 to the
worker. The CPU time of a request: that of a long load less that of a short one, so that connections and handshakes
cancel out.
The CPU time of a handshake, the memory of an idle client, and what is left of 1,500 clients after they have gone.

The load comes from h2load, with 64 connections or with 8 of 16 streams each. All have TLS_AES_128_GCM_SHA256 or better,
X25519 and a certificate with ECDSA P-256.
"""
import argparse
import datetime
import pathlib
import re
import socket
import ssl
import statistics
import subprocess
import sys
import time

import harness
import native
import peers

NAMES = ["grayd", "nginx", "haproxy"]
# Name, options of h2load, and whether over TLS.
CELLS = [("h1 TLS 64", ["--h1", "-c64", "-m1"], True), ("h2c 8 x 16", ["-c8", "-m16"], False),
         ("h2c 64 x 1", ["-c64", "-m1"], False), ("h2 TLS 8 x 16", ["-c8", "-m16"], True),
         ("h2 TLS 64 x 1", ["-c64", "-m1"], True)]
SHORT, LONG, ROUNDS = 4_000, 24_000, 3  # requests
HANDSHAKES = 400
IDLE = 1_500
LEAVE = 10  # seconds
# At most so much of the better peer, or of HAProxy, and at most so many kB.
RATIOS = {"h1 TLS 64": (0.85, "better"), "h2c 8 x 16": (0.75, "haproxy"), "h2c 64 x 1": (0.85, "haproxy"),
          "h2 TLS 8 x 16": (0.80, "haproxy"), "h2 TLS 64 x 1": (0.85, "haproxy")}
MEMORY = {"h1 TLS": 14.6, "h2 TLS": 18.0, "TCP": 0.7}


def certificates(folder):
    certificate, key, both = (folder / name for name in ("cert.pem", "key.pem", "both.pem"))
    subprocess.run([harness.path_of("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out", certificate, "-days", "2",
                    "-subj", "/CN=localhost"], check=True, stderr=subprocess.DEVNULL)
    both.write_text(certificate.read_text() + key.read_text())
    return str(certificate), str(key), str(both)


class Edge(native.Runner):
    def __init__(self, bench, name):
        folder = pathlib.Path(bench.folder) / f"tls-{name}"
        folder.mkdir()
        self.edge = peers.Edge(harness.free_port(), harness.free_port(), *certificates(folder))
        super().__init__(bench, name, edge=self.edge)

    def requests(self, options, tls, count):
        """Seconds of CPU of this many requests."""
        url = f"https://127.0.0.1:{self.edge.tls}/" if tls else f"http://127.0.0.1:{self.edge.h2c}/"
        before = native.cpu_seconds(self.ids)
        done = subprocess.run(["taskset", "-c", str(native.LOAD_CPU), harness.path_of("h2load"), f"-n{count}", "-t1",
                               *options, url], capture_output=True, text=True, timeout=120)
        spent = native.cpu_seconds(self.ids) - before
        found = re.search(r"(\d+) succeeded", done.stdout)
        if not found or int(found[1]) != count or f"{count} 2xx" not in done.stdout:
            raise harness.Failure(f"{self.name}: not every request succeeded: {done.stdout}{done.stderr}")
        return spent

    def per_request(self, options, tls):
        return 1e6 * (self.requests(options, tls, LONG) - self.requests(options, tls, SHORT)) / (LONG - SHORT)

    def connect(self, number, protocol=None):
        raw = socket.socket()
        raw.bind((f"127.1.{number // harness.PER_ADDRESS}.1", 0))
        raw.settimeout(20)
        raw.connect(("127.0.0.1", self.edge.tls))
        if protocol is None:
            return raw
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_alpn_protocols([protocol])
        return context.wrap_socket(raw)

    def handshake(self):
        """Microseconds of CPU of a connection with a full handshake."""
        before = native.cpu_seconds(self.ids)
        for number in range(HANDSHAKES):
            self.connect(number, "http/1.1").close()
        return 1e6 * (native.cpu_seconds(self.ids) - before) / HANDSHAKES

    def idle(self, protocol):
        """kB of a client that waits, and MB that are left above the base after all have gone."""
        base = harness.pss(self.ids)
        clients = []
        for number in range(IDLE):
            client = self.connect(number, protocol)
            if protocol == "http/1.1":
                client.sendall(b"GET / HTTP/1.1\r\nHost: bench\r\n\r\n")
            elif protocol == "h2":  # preface, SETTINGS, and a GET: all four fields are in the static table, or empty
                client.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]) +
                               bytes([0, 0, 6, 1, 5, 0, 0, 0, 1]) + b"\x82\x86\x84\x41\x01a")
            if protocol:
                client.recv(65_536)
            clients.append(client)
        time.sleep(2)
        held = harness.pss(self.ids) - base
        for client in clients:
            client.close()
        time.sleep(LEAVE)
        return {"kB": held / IDLE / 1000, "left MB": (harness.pss(self.ids) - base) / 1e6, "base MB": base / 1e6}


def measure(bench, names):
    proxies = {name: Edge(bench, name) for name in names}
    found = {name: {} for name in names}
    for cell, options, tls in CELLS:
        samples = {name: [] for name in names}
        for _ in range(ROUNDS):
            for name, proxy in proxies.items():
                samples[name].append(proxy.per_request(options, tls))
        for name in names:
            found[name][cell] = statistics.median(samples[name])
    for name, proxy in proxies.items():
        found[name]["handshake"] = min(proxy.handshake() for _ in range(ROUNDS))
        found[name]["idle"] = {kind: proxy.idle(protocol)
                               for kind, protocol in (("TCP", None), ("h1 TLS", "http/1.1"), ("h2 TLS", "h2"))}
    return found


def checks(found):
    peers_of = [name for name in found if name != "grayd"]
    if "grayd" not in found or not peers_of:
        return []
    own, rows = found["grayd"], []
    for cell, (most, against) in RATIOS.items():
        peer = min(found[name][cell] for name in peers_of) if against == "better" else found[against][cell]
        rows.append((f"{cell}: CPU of a request, at most {most} of {against}", f"{own[cell] / peer:.2f}",
                     own[cell] <= most * peer))
    for kind, most in MEMORY.items():
        rows.append((f"idle {kind}: at most {most} kB", f"{own['idle'][kind]['kB']:.1f}",
                     own["idle"][kind]["kB"] <= most))
    left = own["idle"]["h1 TLS"]
    rows.append((f"{LEAVE} s after {IDLE} clients: at most 10 % above the base",
                 f"{100 * left['left MB'] / left['base MB']:.0f} %", left["left MB"] <= 0.1 * left["base MB"]))
    return rows


def run():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--proxy", action="append", choices=NAMES, help="only this one; repeatable")
    chosen = parser.parse_args()
    harness.allow_descriptors()
    print(f"{datetime.date.today()}, {native.machine_name()}", flush=True)
    with harness.Bench() as bench:
        native.take_priority()
        found = measure(bench, chosen.proxy or NAMES)
    harness.table([{"proxy": name, **{f"{cell} us": f"{one[cell]:.1f}" for cell, _, _ in CELLS},
                    "handshake us": f"{one['handshake']:.0f}"} for name, one in found.items()])
    harness.table([{"proxy": name, **{f"{kind} {unit}": f"{figures[unit]:.1f}"
                                      for kind, figures in one["idle"].items() for unit in ("kB", "left MB")}}
                   for name, one in found.items()])
    harness.save("edge", {"date": str(datetime.date.today()), "machine": native.machine_name(), **found})
    return harness.check(checks(found))


if __name__ == "__main__":
    sys.exit(harness.main(run))
