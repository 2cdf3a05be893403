"""Rows of scripts/bench growth about single requests: what one costs while sockets, hosts, networks or fields grow."""
import socket

import chunk_backend
import harness
import native
from growth_setup import (CLIENTS, Grayd, figure_of, haproxy, medians, nginx, peer_figures, point, request_cost,
                          service, version)

PEERS = ["grayd", "nginx", "haproxy"]


def flat(points, first, last, most, unit):
    """The target that grayd's figure at `last` is at most `most` above that at `first`."""
    low, high = figure_of(points, "grayd", first), figure_of(points, "grayd", last)
    if low is None or high is None:
        return []
    return [(f"{points[0]['row']}: {last} against {first}, at most +{most:g} {unit}", f"{high - low:+.1f}",
             high - low <= most)]


def rounds(chosen):
    """How often each is measured, and for how many seconds."""
    return (1, 1) if chosen.quick else (5, 2)


# ---- G1

THREADS = {1: 1.0, 2: 1.2, 8: 1.5, 32: 2.0}  # and the most that a request may cost, of that with one thread


def scarce_sockets(chosen):
    """64 clients at 8 sockets. Not pinned: threads are to meet."""
    times, seconds = rounds(chosen)
    points, met = [], []
    for name in [name for name in ("grayd", "haproxy") if name in chosen.proxy]:
        with harness.Bench() as bench:
            proxies = {}
            for threads in THREADS:
                if name == "grayd":
                    proxies[threads] = Grayd(bench, service(limits="max_sockets = 8"), f"threads = {threads}")
                else:
                    _, port = bench.backend("--body", "1024")
                    proxies[threads] = haproxy(bench, [port], threads, server="maxconn 8")
            found = medians(proxies, times,
                            lambda proxy: request_cost(proxy, "--connections", 64, "--seconds", seconds)[0])
        points += [point("G1", f"{threads} threads", name, figure, "us a request") for threads, figure in found.items()]
    if "grayd" in chosen.proxy:
        single = figure_of(points, "grayd", "1 threads")
        for threads, most in THREADS.items():
            ratio = figure_of(points, "grayd", f"{threads} threads") / single
            if threads > 1:
                met.append((f"G1: {threads} threads, at most {most} of one", f"{ratio:.2f}", ratio <= most))
    return points, met


# ---- G2 and G3

def pinned(bench, name, make):
    """The proxy that `make` gives: {name: function of a backend's port and a processor}."""
    if name == "grayd":
        return make[name](None, native.PROXY_CPU)
    process, port = bench.backend("--body", "1024")
    native.take_priority(process.pid)
    return make[name](port, native.PROXY_CPU)


def table_row(chosen, row, setups, headers, paths=None):
    """Costs of requests at tables that grow. `setups`: {point: function of a bench}, which gives `make` of pinned()."""
    times, seconds = rounds(chosen)
    points = []
    for name in [name for name in PEERS if name in chosen.proxy]:
        with harness.Bench() as bench:
            proxies = {what: pinned(bench, name, make(bench)) for what, make in setups.items()}
            of = {id(proxy): what for what, proxy in proxies.items()}

            def measure(proxy):
                what = of[id(proxy)]
                options = ["--connections", 16, "--seconds", seconds, "--path", (paths or {}).get(what, "/")]
                return request_cost(proxy, *options, *headers(what))[0]

            found = medians(proxies, times, measure)
        points += [point(row, what, name, figure, "us a request") for what, figure in found.items()]
    return points


def written(bench, name, lines):
    path = bench.folder / name
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def hosts_setup(count, paths=()):
    hosts = [f"h{i}.example.com" for i in range(count)]
    lines = f"hosts = {hosts}" + (f"\npaths = {list(paths)}" if paths else "")

    def make(bench):
        known = written(bench, f"hosts-{count}-{len(paths)}", hosts)
        rules = f"acl known hdr(host) -f {known}\n    http-request deny unless known"
        if paths:
            prefixes = written(bench, f"paths-{len(paths)}", paths)
            rules += f"\n    acl there path_beg -f {prefixes}\n    http-request deny unless there"
        return {"grayd": lambda _, cpu: Grayd(bench, service(lines.replace("'", '"')), cpu=cpu),
                "nginx": lambda port, cpu: nginx(bench, port, server=f"server_name {' '.join(hosts)};",
                                                 location=list(paths) or "/", cpu=cpu),
                "haproxy": lambda port, cpu: haproxy(bench, [port], rules=rules, cpu=cpu)}
    return make


def hosts(chosen):
    counts = [1, 100, 1_000, 10_000]
    paths = [f"/p{i}" for i in range(100)]
    both = "100 paths x 100 hosts"
    setups = {f"{count:,} hosts": hosts_setup(count) for count in counts} | {both: hosts_setup(100, paths)}
    last = {f"{count:,} hosts": count - 1 for count in counts} | {both: 99}
    points = table_row(chosen, "G2", setups, lambda what: ["--host", f"h{last[what]}.example.com"], {both: "/p99/a"})
    first = f"{counts[0]} hosts"
    return points, flat(points, first, f"{counts[-1]:,} hosts", 1, "us") + flat(points, first, both, 1, "us")


def networks_setup(count):
    networks = [f"10.{i // 250}.{i % 250}.0/24" for i in range(count - 1)] + ["127.0.0.0/8"]

    def make(bench):
        listed = written(bench, f"networks-{count}", networks)
        lines = f'header = "x-version"\noverride_from = {networks}'.replace("'", '"')
        geo = "".join(f"{network} 1;" for network in networks)
        near = "http-request set-header X-Near 1 if near"
        return {"grayd": lambda _, cpu: Grayd(bench, service(lines), cpu=cpu),
                "nginx": lambda port, cpu: nginx(bench, port, http=f"geo $near {{ default 0; {geo} }}",
                                                 server="proxy_set_header Connection \"\"; "
                                                        "proxy_set_header X-Near $near;", cpu=cpu),
                "haproxy": lambda port, cpu: haproxy(bench, [port], rules=f"acl near src -f {listed}\n    {near}",
                                                     cpu=cpu)}
    return make


def networks(chosen):
    counts = [1, 1_000, 4_000, 10_000]
    names = {count: f"{count:,} networks" for count in counts}
    points = table_row(chosen, "G3", {names[count]: networks_setup(count) for count in counts},
                       lambda _: ["--header", "X-Version: v1"])
    return points, flat(points, names[1], names[10_000], 1, "us")


# ---- G9

CHUNKS = [1, 16, 256]  # bytes of payload
PAYLOAD = 1 << 20


def exchange(port, request, end):
    """Sends a request and reads its answer until it ends in that way."""
    first, tail = b"", b""
    with socket.create_connection(("127.0.0.1", port), 60) as client:
        client.sendall(request)
        while not tail.endswith(end):
            piece = client.recv(1 << 20)
            first = first or piece
            if not piece or not first.startswith(b"HTTP/1.1 200"):
                raise harness.Failure(f"an answer to chunks is {first[:100]!r}, its end {tail!r}")
            tail = (tail + piece)[-64:]


def chunk_requests(chunk):
    head = b"Host: bench\r\n"
    up = b"POST / HTTP/1.1\r\n%sTransfer-Encoding: chunked\r\n\r\n" % head + chunk_backend.chunked(PAYLOAD, chunk)
    down = b"GET /%d/%d HTTP/1.1\r\n%s\r\n" % (PAYLOAD, chunk, head)
    return {"up": (up, b"\r\n\r\n%d" % PAYLOAD), "down": (down, chunk_backend.END)}


def chunks(chosen):
    """CPU time of a byte of payload, both ways."""
    command = ["python3", str(harness.HERE / "chunk_backend.py")]
    points = []
    with harness.Bench() as bench:

        def peer(make, wrapped):
            _, port = bench.start_printing_port(command)
            return make(bench, [port] if wrapped else port, cpu=native.PROXY_CPU)

        start = {"grayd": lambda: Grayd(bench, service(versions=version("v1", command)), cpu=native.PROXY_CPU),
                 "nginx": lambda: peer(nginx, False), "haproxy": lambda: peer(haproxy, True)}
        proxies = {name: start[name]() for name in PEERS if name in chosen.proxy}
        for chunk in CHUNKS:
            for way, (request, end) in chunk_requests(chunk).items():

                def measure(one):
                    before = one.cpu()
                    exchange(one.port, request, end)
                    return 1e9 * (one.cpu() - before) / PAYLOAD

                found = medians(proxies, 1 if chosen.quick else 25, measure)
                points += [point("G9", f"chunks of {chunk} B, {way}", name, figure, "ns a byte")
                           for name, figure in found.items()]
    return points, no_worse(points, [f"chunks of 1 B, {way}" for way in ("up", "down")])


def no_worse(points, whats):
    """The targets that grayd costs no more than the better peer."""
    met = []
    for what in whats:
        mine, theirs = figure_of(points, "grayd", what), peer_figures(points, what)
        if mine is not None and theirs:
            best = min(theirs)
            met.append((f"{points[0]['row']}: {what}, no worse than the better peer", f"{mine:.1f} of {best:.1f}",
                        mine <= best))
    return met


# ---- G10

SHARES = [0.1, 0.5, 1.0]
# The letter is the first one of a name that is looked for: "version".
FIELDS = {"cookie of 30 KB": lambda share: ["Cookie: " + "v" * int(30_000 * share)],
          "TE of 15,000 members": lambda share: ["TE: " + ",".join(["a"] * int(15_000 * share))],
          "Upgrade of 7,000 protocols": lambda share: ["Connection: upgrade",
                                                       "Upgrade: " + ", ".join(["ab"] * int(7_000 * share))]}


def fields(chosen):
    """Requests with one long field. A proxy may refuse it: what the refusal costs counts."""
    times, seconds = rounds(chosen)
    points = []
    for name in [name for name in PEERS if name in chosen.proxy]:
        with harness.Bench() as bench:
            proxy = pinned(bench, name, {
                "grayd": lambda _, cpu: Grayd(bench, service(), cpu=cpu),
                "nginx": lambda port, cpu: nginx(bench, port, cpu=cpu),
                "haproxy": lambda port, cpu: haproxy(bench, [port], tune="tune.bufsize 65536", cpu=cpu)})
            for kind, make in FIELDS.items():
                for share in SHARES:
                    statuses = set()

                    def measure(one):
                        cost, status = request_cost(one, "--connections", 4, "--seconds", seconds,
                                                    headers=make(share), any_status=True)
                        statuses.add(status)
                        return cost

                    found = medians({name: proxy}, times, measure)
                    points.append(point("G10", f"{kind}, {100 * share:.0f} %", name, found[name], "us a request",
                                        answer=" ".join(sorted(statuses))))
    return points, no_worse(points, [f"{kind}, 100 %" for kind in FIELDS])


# ---- G12

def defaults(chosen):
    """Each of many connections sends one request, at once, to a worker that answers at once; default limits."""
    harness.allow_descriptors()
    points = []
    for name in [name for name in ("grayd", "haproxy") if name in chosen.proxy]:
        for count in (500, 2_000, 5_000):
            with harness.Bench() as bench:
                if name == "grayd":
                    proxy = Grayd(bench, service(), f"threads = 0\nmax_connections_per_client = {CLIENTS}")
                else:
                    _, port = bench.backend("--body", "1024")
                    proxy = haproxy(bench, [port], threads=2, server="maxconn 64")
                load = harness.loadgen(proxy.port, "--connections", count, "--requests", count)
            share = 100 * load["status"].get("200", 0) / load["offered"]
            points.append(point("G12", f"{count:,} connections", name, share, "% answered"))
    mine = figure_of(points, "grayd", "5,000 connections")
    return points, [] if mine is None else [("G12: 5,000 connections, at least 99 % answered", f"{mine:.1f}",
                                             mine >= 99)]


ROWS = {"G1": scarce_sockets, "G2": hosts, "G3": networks, "G9": chunks, "G10": fields, "G12": defaults}
