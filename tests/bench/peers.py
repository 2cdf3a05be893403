"""The proxies of the comparison and how each is set up: one thread, connections kept on both sides, the access log off.

A setup is values only, so that the same one is run here and in the emulated machine. Every proxy listens on `port` and
sends to a backend on `backend`; grayd starts its backend itself, as the worker of its only version.
"""
import dataclasses
import json

BODY = 1024  # bytes of an answer's body
SOCKETS = 256  # connections to the backend that each may keep; more than there are clients
CLIENTS = 9_900  # connections of clients that each may have; HAProxy takes two descriptors for each

# What a browser sends beside Host: 9 fields, 600 bytes.
BROWSER_HEADERS = [
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8",
    "Accept-Language: en-GB,en;q=0.7,de;q=0.3",
    "Accept-Encoding: gzip, deflate, br, zstd",
    "Referer: https://shop.example.com/catalogue/garden/tools?sort=price&order=ascending&page=2",
    "Cookie: session=4f3c2b1a09f8e7d6c5b4a39281706f5e; theme=dark; consent=all; locale=en_GB; uid=183467",
    "Sec-Fetch-Dest: document",
    "Sec-Fetch-Mode: navigate",
    "Cache-Control: max-age=0",
]

NAMES = ["grayd", "nginx", "haproxy", "node", "relay"]

ABOUT = {
    "grayd": "threads 1, max_sockets 256; access log off, and on in the row that says so",
    "nginx": "worker_processes 1; upstream keepalive 256, HTTP/1.1 to it; no limit on requests per connection; "
             "proxy_buffering off; access_log off",
    "haproxy": "nbthread 1; http-reuse always, idle pool 256; no log",
    "node": "node:http, agent with keepAlive and 256 sockets, newest first; one process",
    "relay": "no HTTP: bytes from each client to a connection of its own and back, epoll, edge-triggered; the floor",
}


@dataclasses.dataclass
class Setup:
    """How to run one proxy: its command, the files it wants by their path, and the name of its executable."""
    command: list
    files: dict
    exe: str


@dataclasses.dataclass
class Edge:
    """TLS, and HTTP/2 with and without it: the ports, and PEM files. `both`: certificate and key in one file."""
    tls: int
    h2c: int
    certificate: str
    key: str
    both: str


@dataclasses.dataclass
class Place:
    """Where the programs lie, here or in the emulated machine. `worker` is what goes before a backend's command."""
    folder: str
    programs: dict
    worker: list = dataclasses.field(default_factory=list)


def setup(name, place, port, backend, log=False, targeting=None, **own):
    """`own`: what is set differently, see the function of the proxy."""
    if name == "grayd":
        own |= {"log": log, "targeting": targeting}
    return {"grayd": grayd, "nginx": nginx, "haproxy": haproxy, "node": node, "relay": relay}[name](
        place, port, backend, **own)


def backend_command(place, port):
    return [*place.worker, place.programs["light_backend"], "--body", str(BODY), "--port", str(port)]


def rules(_):
    """500 rules of all kinds; the last one chooses the browser, the others nobody."""
    conditions = ['header = {{ x-tenant = "t{0}" }}', 'header = {{ x-tenant-{0} = true }}',
                  'cookie = {{ theme = "t{0}" }}', 'path = "/shop/{0}"', 'client = ["10.{0}.0.0/16"]']
    lines = [conditions[i % len(conditions)].format(i // len(conditions)) for i in range(499)]
    lines.append('cookie = { uid = "183467" }')
    return "".join(f'[[service.web.rule]]\nversion = "stable"\n{line}\n' for line in lines), {}


def allowlist(place):
    """1,000,000 users; the browser is one of them."""
    path = f"{place.folder}/users.txt"
    return (f'[service.web.allowlist]\nversion = "stable"\nfile = "{path}"\n',
            {path: "".join(f"{183_467 + 7 * i}\n" for i in range(1_000_000))})


TARGETING = {"rules 500": rules, "allowlist 1,000,000": allowlist}


def grayd(place, port, _, log, targeting, sockets=SOCKETS, router="", service="", more="", edge=None):
    """`sockets`: to the worker, at most. `router`, `service`: lines of these tables. `more`: further tables."""
    lines, files = TARGETING[targeting](place) if targeting else ("", {})
    listen = ""
    if edge:
        listen = f'https = ["127.0.0.1:{edge.tls}"]\nh2c = true'
        more += f'[tls.main]\ncertificate = "{edge.certificate}"\nkey = "{edge.key}"\n'
        router += "\nmax_requests_per_connection = 1000000000"
        edge.h2c = port
    # The worker's port is grayd's choice; light_backend takes it from the environment.
    worker = [*place.worker, place.programs["light_backend"], "--body", str(BODY)]
    config = f"""
state_dir = "{place.folder}/state"
access_log = "{f'{place.folder}/access.log' if log else 'off'}"

[listen]
http = ["127.0.0.1:{port}"]
{listen}
admin = "{place.folder}/grayd.sock"

[router]
threads = 1
{router}

[service.web]
stable = "v1"
{service}

[service.web.limits]
max_sockets = {sockets}
upstream_idle = "75s"

[service.web.version.v1]
command = {json.dumps(worker)}
ready = "pipe"

{lines}{more}"""
    path = f"{place.folder}/grayd.toml"
    return Setup([place.programs["grayd"], "--config", path], {path: config, **files}, "grayd")


NGINX_DEFAULT = ""  # buffers: 8 of 4 KiB, and a file
NGINX_LARGE = "proxy_buffer_size 64k; proxy_buffers 8 64k; proxy_busy_buffers_size 128k;"


def nginx(place, port, backend, buffering="proxy_buffering off;", clients=CLIENTS, edge=None):
    """`buffering`: directives. `clients`: connections of clients, at most."""
    listen = f"""
        listen 127.0.0.1:{edge.tls} ssl http2 backlog=4096;
        listen 127.0.0.1:{edge.h2c} http2 backlog=4096;
        http2_max_concurrent_streams 128;
        ssl_certificate {edge.certificate};
        ssl_certificate_key {edge.key};
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_ecdh_curve X25519:prime256v1;""" if edge else ""
    config = f"""
daemon off;
user root;
worker_processes 1;
pid {place.folder}/nginx.pid;
error_log {place.folder}/nginx-error.log crit;
events {{
    worker_connections {clients};
    multi_accept on;
}}
http {{
    access_log off;
    keepalive_timeout 75s;
    keepalive_requests 1000000000;
    client_max_body_size 0;
    client_body_temp_path {place.folder}/nginx-client;
    proxy_temp_path {place.folder}/nginx-proxy;
    fastcgi_temp_path {place.folder}/nginx-fastcgi;
    uwsgi_temp_path {place.folder}/nginx-uwsgi;
    scgi_temp_path {place.folder}/nginx-scgi;
    upstream backend {{
        server 127.0.0.1:{backend};
        keepalive {SOCKETS};
        keepalive_requests 1000000000;
        keepalive_timeout 75s;
    }}
    server {{
        listen 127.0.0.1:{port} backlog=4096;{listen}
        location / {{
            proxy_pass http://backend;
            proxy_http_version 1.1;
            {buffering}
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
        }}
    }}
}}
"""
    path = f"{place.folder}/nginx.conf"
    command = [place.programs["nginx"], "-e", f"{place.folder}/nginx-error.log", "-c", path]
    return Setup(command, {path: config}, "nginx")


def haproxy(place, port, backend, edge=None):
    binds = f"""
    bind 127.0.0.1:{edge.tls} backlog 4096 ssl crt {edge.both} alpn h2,http/1.1
    bind 127.0.0.1:{edge.h2c} backlog 4096 proto h2""" if edge else ""
    config = f"""
global
    nbthread 1
    maxconn {CLIENTS}
defaults
    mode http
    no log
    option http-keep-alive
    http-reuse always
    timeout connect 2s
    timeout client 75s
    timeout server 60s
    timeout http-keep-alive 75s
listen bench
    bind 127.0.0.1:{port} backlog 4096{binds}
    server worker 127.0.0.1:{backend} pool-max-conn {SOCKETS} pool-purge-delay 75s
"""
    path = f"{place.folder}/haproxy.cfg"
    return Setup([place.programs["haproxy"], "-db", "-f", path], {path: config}, "haproxy")


def node(place, port, backend):
    return Setup([place.programs["node"], place.programs["node_proxy.js"], str(backend), str(port)], {}, "node")


def relay(place, port, backend, buffer=65_536):
    """`buffer`: bytes that it reads at once."""
    return Setup([place.programs["relay"], "--buffer", str(buffer), "--port", str(port), str(backend)], {}, "relay")
