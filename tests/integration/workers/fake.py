"""A worker that misbehaves on request: by flag for its life as a process, by path for one answer.

One thread per connection and raw sockets, because no HTTP library sends what a broken server sends. It counts the
connections that are open at once, so that tests can check the limits of the router from the other side.
"""
import argparse
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from urllib.parse import parse_qs, urlsplit

VERSION = os.environ.get("GRAY_VERSION", "")
LAST_WORK = 0.7  # seconds
IDENTITY = f"X-Worker-Version: {VERSION}\r\nX-Worker-Pid: {os.getpid()}\r\n"


class Counts:
    """The counters shared by all connections."""

    def __init__(self):
        self.lock = threading.Lock()
        self.open = self.most_open = self.accepted = self.requests = 0
        self.seen = []

    def opened(self):
        with self.lock:
            self.open += 1
            self.accepted += 1
            self.most_open = max(self.most_open, self.open)

    def closed(self):
        with self.lock:
            self.open -= 1

    def text(self):
        with self.lock:
            return json.dumps({"open": self.open, "most_open": self.most_open, "accepted": self.accepted,
                               "requests": self.requests, "seen": self.seen})


counts = Counts()
listener = None


class Connection:
    def __init__(self, sock):
        self.sock = sock
        self.pending = b""

    def more(self):
        data = self.sock.recv(65536)
        if not data:
            raise EOFError
        self.pending += data

    def until(self, mark):
        while mark not in self.pending:
            self.more()
        head, self.pending = self.pending.split(mark, 1)
        return head + mark

    def exactly(self, size):
        while len(self.pending) < size:
            self.more()
        data, self.pending = self.pending[:size], self.pending[size:]
        return data

    def body(self, head):
        length = re.search(rb"(?im)^content-length: *(\d+)", head)
        if length:
            return self.exactly(int(length[1]))
        if not re.search(rb"(?im)^transfer-encoding: *chunked", head):
            return b""
        pieces = []
        while True:
            size = int(self.until(b"\r\n").split(b";")[0], 16)
            if size == 0:
                while self.until(b"\r\n") != b"\r\n":
                    pass
                return b"".join(pieces)
            pieces.append(self.exactly(size))
            self.exactly(2)

    def send(self, text):
        self.sock.sendall(text.encode("latin-1") if isinstance(text, str) else text)

    def answer(self, body, status="200 OK", extra="", method="GET"):
        data = body.encode("latin-1") if isinstance(body, str) else body
        head = f"HTTP/1.1 {status}\r\n{IDENTITY}{extra}Content-Length: {len(data)}\r\n\r\n"
        self.send(head.encode("latin-1") + (b"" if method == "HEAD" else data))


def answer_chunked(conn, count):
    conn.send(f"HTTP/1.1 200 OK\r\n{IDENTITY}Transfer-Encoding: chunked\r\n\r\n")
    for i in range(count):
        piece = f"piece {i}\n"
        conn.send(f"{len(piece):x}\r\n{piece}\r\n")
    conn.send("0\r\n\r\n")


def answer_slowly(conn, count, pause):
    """A stream of numbered pieces, so that a reader can check that it is complete."""
    conn.send(f"HTTP/1.1 200 OK\r\n{IDENTITY}Transfer-Encoding: chunked\r\n\r\n")
    for i in range(count):
        piece = f"piece {i}\n"
        conn.send(f"{len(piece):x}\r\n{piece}\r\n")
        time.sleep(pause)
    conn.send("0\r\n\r\n")


def answer_big(conn, size):
    conn.send(f"HTTP/1.1 200 OK\r\n{IDENTITY}Content-Length: {size}\r\n\r\n")
    block = b"x" * 65536
    while size > 0:
        conn.send(block[:size])
        size -= len(block)


def stop_listening(conn):
    """The process lives but refuses connections, like one with a crashed accept loop."""
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    conn.answer("no longer\n", extra="Connection: close\r\n")  # last: who has it may connect at once


def play(conn, query):
    """Sends the bytes given as hexadecimal digits, then continues, or ends the connection in one of several ways."""
    conn.send(bytes.fromhex(query["send"]))
    then = query.get("then", "keep")
    if then == "reset":
        conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    if then == "hold":  # neither ends nor reads: for ever, as far as the router knows
        time.sleep(60)
    if then != "keep":
        raise EOFError


ENDING = {  # answers after which the connection is closed by us
    "/close-delimited": f"HTTP/1.1 200 OK\r\n{IDENTITY}Connection: close\r\n\r\nall there is\n",
    "/http10": f"HTTP/1.0 200 OK\r\n{IDENTITY}\r\nall there is\n",
    "/garbage": "HELLO THERE\r\n\r\n",
    "/bare-lf": "HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
    "/two-lengths": "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok!",
    "/die": f"HTTP/1.1 200 OK\r\n{IDENTITY}Content-Length: 1000\r\n\r\nten bytes.",
    "/die-chunked": f"HTTP/1.1 200 OK\r\n{IDENTITY}Transfer-Encoding: chunked\r\n\r\na\r\nten bytes.\r\n",
    "/silent": "",
}


def answer(conn, method, target, head, body):
    url = urlsplit(target)
    query = {name: values[0] for name, values in parse_qs(url.query).items()}
    path = url.path
    if path == "/counts":
        conn.answer(counts.text())
    elif path in ENDING:
        conn.send(ENDING[path])
        raise EOFError
    elif path == "/play":
        play(conn, query)
    elif path == "/echo":
        conn.answer(head, method=method)
    elif path == "/length":
        conn.answer(str(len(body)))
    elif path == "/body":
        conn.answer(body)
    elif path == "/chunked":
        answer_chunked(conn, int(query.get("n", "3")))
    elif path == "/stream":
        answer_slowly(conn, int(query["n"]), float(query["ms"]) / 1000)
    elif path == "/big":
        answer_big(conn, int(query["n"]))
    elif path == "/204":
        conn.send(f"HTTP/1.1 204 No Content\r\n{IDENTITY}\r\n")
    elif path == "/304":
        conn.send(f"HTTP/1.1 304 Not Modified\r\n{IDENTITY}ETag: \"a\"\r\nContent-Length: 5\r\n\r\n")
    elif path == "/early-hints":
        conn.send("HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n")
        conn.answer(VERSION)
    elif path == "/status":
        conn.answer(f"{VERSION}\n", status=f"{query['code']} Asked For")
    elif path == "/hop":
        conn.answer("hop\n", extra="Connection: x-private\r\nX-Private: 1\r\nKeep-Alive: timeout=5\r\nX-Public: 1\r\n")
    elif path == "/say":  # lines of output, as bytes in hexadecimal digits
        os.write(2 if query.get("to") == "err" else 1, bytes.fromhex(query["hex"]))
        conn.answer("said\n")
    elif path == "/blob":  # output without a line end
        for _ in range(int(query["mb"]) * 16):
            os.write(1, b"z" * 65536)
        os.write(1, b"\nthe end\n")
        conn.answer("said\n")
    elif path == "/stop-listening":
        stop_listening(conn)
        raise EOFError
    elif path == "/exit":
        os._exit(int(query.get("code", "9")))
    else:
        time.sleep(float(query.get("ms", "0")) / 1000)
        conn.answer(f"{VERSION}\n", method=method)


def serve(sock):
    counts.opened()
    conn = Connection(sock)
    try:
        if sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while True:
            head = conn.until(b"\r\n\r\n")
            method, target, _ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
            with counts.lock:
                counts.seen.append(target)
                del counts.seen[:-200]
            if target.endswith("&unread"):  # answers as if there were no body
                answer(conn, method, target, head, b"")
                continue
            if re.search(rb"(?im)^expect: *100-continue", head):
                conn.send("HTTP/1.1 100 Continue\r\n\r\n")
            body = conn.body(head)
            with counts.lock:
                counts.requests += 1
            answer(conn, method, target, head, body)
    except (EOFError, OSError):
        pass
    finally:
        counts.closed()
        sock.close()


def accept_forever():
    while True:
        try:
            sock, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=serve, args=(sock,), daemon=True).start()


def notify(text):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.sendto(text.encode(), os.environ["NOTIFY_SOCKET"])


def say_ready(how):
    if how == "pipe":
        os.write(int(os.environ["GRAY_READY_FD"]), b"READY=1\n")
    elif how == "notify":
        notify("READY=1\nSTATUS=all is well")
    elif how.startswith("fd:"):
        os.write(int(how[3:]), b"up\n")
    elif how == "ipc":
        os.write(int(os.environ["NODE_CHANNEL_FD"]), b'"ready"\n')
    elif how == "garbage":
        os.write(int(os.environ["GRAY_READY_FD"]), os.urandom(3000).replace(b"\n", b"?") + b"\nREADY=0\nREADY\n\n")


def start_grandchild(setsid):
    subprocess.Popen(["sleep", "300"], start_new_session=setsid)


def flood(megabytes):
    line = b"z" * 127 + b"\n"
    for _ in range(megabytes * 8192):
        os.write(1, line)


def do_last_work(path):
    time.sleep(LAST_WORK)
    with open(path, "a") as file:
        file.write(f"{os.environ['GRAY_WORKER_ID']} finished\n")
    os._exit(0)


def open_listener():
    if "LISTEN_FDS" in os.environ:
        assert int(os.environ["LISTEN_PID"]) == os.getpid(), os.environ["LISTEN_PID"]
        return socket.socket(fileno=3)
    if "GRAY_SOCKET" in os.environ:
        sock = socket.socket(socket.AF_UNIX)
        sock.bind(os.environ["GRAY_SOCKET"])
        sock.listen(1024)
        return sock
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((os.environ["HOST"], int(os.environ["PORT"])))
    sock.listen(1024)
    return sock


def main():
    global listener
    parser = argparse.ArgumentParser()
    parser.add_argument("--ready", default="pipe", help="pipe, ipc, notify, fd:N, garbage or none")
    parser.add_argument("--no-listener", action="store_true", help="listen nowhere")
    parser.add_argument("--daemonise", action="store_true", help="continue in a child, in a separate session")
    parser.add_argument("--exit", type=int, help="end with this code before being ready")
    parser.add_argument("--ignore-term", action="store_true")
    parser.add_argument("--last-work", metavar="FILE", help="on SIGTERM take some time, then write a line to FILE")
    parser.add_argument("--grandchild", choices=["group", "setsid"])
    parser.add_argument("--flood", type=int, default=0, help="MiB to write to stdout")
    options = parser.parse_args()
    if options.exit is not None:
        print(f"giving up with {options.exit}", file=sys.stderr)
        sys.exit(options.exit)
    signal.signal(signal.SIGTERM, signal.SIG_IGN if options.ignore_term else signal.SIG_DFL)
    if options.last_work:
        signal.signal(signal.SIGTERM, lambda *_: do_last_work(options.last_work))
    if options.grandchild:
        start_grandchild(options.grandchild == "setsid")
    if options.daemonise:
        if os.fork():
            os._exit(0)
        os.setsid()
    if options.no_listener:
        say_ready(options.ready)
        signal.pause()
    listener = open_listener()
    say_ready(options.ready)
    if options.flood:
        threading.Thread(target=flood, args=(options.flood,), daemon=True).start()
    accept_forever()
    while True:  # a listener that was closed on purpose does not end the process
        signal.pause()


main()
