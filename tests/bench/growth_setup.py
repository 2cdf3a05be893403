"""The programs that scripts/bench growth measures, each set up by the lines that a row wants, and what they cost."""
import contextlib
import json
import statistics
import subprocess
import tempfile
import time

import harness
import native

CLIENTS = 9_900
HEALTHY_LIMIT = 120  # seconds until all workers must be healthy


def point(row, what, proxy, figure, unit, **more):
    """One figure of a row of the table."""
    return {"row": row, "what": what, "proxy": proxy, "figure": figure, "unit": unit, **more}


def figure_of(points, proxy, what):
    """The figure of that proxy and point; nothing if it was not measured."""
    return next((one["figure"] for one in points if (one["proxy"], one["what"]) == (proxy, what)), None)


def peer_figures(points, what):
    return [one["figure"] for one in points if one["proxy"] != "grayd" and one["what"] == what]


def light_backend(*options):
    return [harness.program(harness.BUILD / "bench/light_backend"), "--body", "1024", *map(str, options)]


def version(name, command, more=""):
    return f'[service.web.version.{name}]\ncommand = {json.dumps(command)}\nready = "pipe"\n{more}\n'


def service(lines="", limits="", versions=None):
    """The service web with the version v1 unless `versions` are given."""
    return (f'[service.web]\nstable = "v1"\n{lines}\n[service.web.limits]\n{limits}\n'
            f'{versions or version("v1", light_backend())}')


class Proxy:
    """A running proxy: where it listens, and the ids of its processes without backends."""

    def __init__(self, name, port, ids):
        self.name, self.port, self.ids = name, port, ids

    def cpu(self):
        return native.cpu_seconds(self.ids)


class Grayd(Proxy):
    """`master` is its first process; `ctl` is grayctl with its socket."""

    def __init__(self, bench, text, router="threads = 1", cpu=None, workers=1):
        folder = tempfile.mkdtemp(prefix="grayd-", dir=bench.folder)
        super().__init__("grayd", harness.free_port(), [])
        config = f"{folder}/grayd.toml"
        with open(config, "w", encoding="utf-8") as file:
            file.write(f'state_dir = "{folder}/state"\naccess_log = "off"\n[listen]\n'
                       f'http = ["127.0.0.1:{self.port}"]\nadmin = "{folder}/grayd.sock"\n[router]\n{router}\n{text}')
        self.ctl = [harness.program(harness.BUILD / "grayctl"), "--socket", f"{folder}/grayd.sock"]
        begun = time.monotonic()
        process = bench.start([harness.program(harness.BUILD / "grayd"), "--config", config], cpu=cpu)
        self.master = process.pid
        while True:
            asked = time.monotonic()
            if len(found := self.healthy()) >= workers:
                break
            if process.poll() is not None or time.monotonic() > begun + HEALTHY_LIMIT:
                raise harness.Failure(f"{workers} workers did not become healthy; grayd said:\n"
                                      f"{bench.log_of(process.args).read_text()[-2000:]}")
            time.sleep(0.05 + 5 * (time.monotonic() - asked))  # a status of hundreds of workers is work, too
        self.start_seconds = time.monotonic() - begun
        self.start_cpu = native.cpu_seconds([self.master])
        for worker in found[:8]:
            native.take_priority(worker)
        self.ids = harness.tree(self.master, leave_out=found)

    def healthy(self):
        with contextlib.suppress(subprocess.TimeoutExpired):  # a master that starts hundreds may be late
            return harness.worker_pids([*self.ctl, "status", "-o", "json"])
        return []


def haproxy(bench, backends, threads=1, rules="", server="", tune="", clients=CLIENTS, cpu=None):
    """`backends`: ports, one server each. `rules`: lines of the section; `server`: words of each server."""
    folder, port = tempfile.mkdtemp(prefix="haproxy-", dir=bench.folder), harness.free_port()
    servers = "".join(f"    server w{i} 127.0.0.1:{backend} {server}\n" for i, backend in enumerate(backends))
    with open(f"{folder}/haproxy.cfg", "w", encoding="utf-8") as file:
        file.write(f"""
global
    nbthread {threads}
    maxconn {clients}
    {tune}
defaults
    mode http
    option http-keep-alive
    http-reuse always
    timeout connect 2s
    timeout client 75s
    timeout server 60s
    timeout queue 1s
listen bench
    bind 127.0.0.1:{port} backlog 4096
    {rules}
{servers}""")
    command = [harness.path_of("haproxy"), "-db", "-f", f"{folder}/haproxy.cfg"]
    process = bench.start_until(command, lambda: harness.connects(port), cpu=cpu)
    return Proxy("haproxy", port, harness.tree(process.pid))


def nginx(bench, backend, http="", server="server_name _;", location="/", cpu=None):
    """`http`, `server`: lines of these sections; the locations are `location`, a path or several."""
    folder, port = tempfile.mkdtemp(prefix="nginx-", dir=bench.folder), harness.free_port()
    paths = [location] if isinstance(location, str) else location
    places = "".join(f'location {path} {{ proxy_pass http://backend; }}\n' for path in paths)
    temporary = "".join(f"{kind}_temp_path {folder}/{kind};\n"
                        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    with open(f"{folder}/nginx.conf", "w", encoding="utf-8") as file:
        file.write(f"""
daemon off; user root; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log crit;
events {{ worker_connections {CLIENTS}; multi_accept on; }}
http {{
    access_log off; keepalive_timeout 75s; keepalive_requests 1000000000; client_max_body_size 0;
    {temporary}
    large_client_header_buffers 4 64k;
    server_names_hash_max_size 65536; server_names_hash_bucket_size 128;
    proxy_buffering off; proxy_request_buffering off; proxy_http_version 1.1;
    proxy_set_header Connection ""; proxy_set_header Host $http_host;
    {http}
    upstream backend {{ server 127.0.0.1:{backend}; keepalive 256; keepalive_requests 1000000000; }}
    server {{ listen 127.0.0.1:{port} backlog=4096; {server}
{places} }}
}}
""")
    command = [harness.path_of("nginx"), "-e", f"{folder}/error.log", "-c", f"{folder}/nginx.conf"]
    process = bench.start_until(command, lambda: harness.connects(port), cpu=cpu)
    return Proxy("nginx", port, harness.tree(process.pid))


def request_cost(proxy, *options, headers=(), any_status=False):
    """CPU time of one closed-loop load, microseconds for each answer."""
    words = [word for header in headers for word in ("--header", header)]
    before = proxy.cpu()
    load = harness.loadgen(proxy.port, *options, *words)
    spent = proxy.cpu() - before
    answers = sum(load["status"].values())
    if answers == 0 or (not any_status and load["status"].get("200", 0) != load["offered"]):
        raise harness.Failure(f"{proxy.name} gave {load['status']} to {load['offered']} requests")
    return 1e6 * spent / answers, ",".join(load["status"])


def medians(proxies, rounds, measure):
    """The median of measure(proxy), for each of `proxies` ({key: proxy}); the rounds go through all of them in turn."""
    taken = {key: [] for key in proxies}
    for _ in range(rounds):
        for key, proxy in proxies.items():
            taken[key].append(measure(proxy))
    return {key: statistics.median(values) for key, values in taken.items()}
