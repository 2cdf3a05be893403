#!/usr/bin/env python3
"""Clients that keep a server waiting: slow_clients.py PORT --clients N --seconds S. Prints JSON when it ends.

A third each: `head` sends a request head of which a byte comes each second, and begins anew when it is cut; `body`
sends its body likewise; `read` asks for a large answer, has a tiny receive window, and takes a byte each second. Each
comes from an address of its own (127.1.x.y). For each kind it says how many were cut, after how long, and how.
"""
import argparse
import collections
import errno
import heapq
import json
import select
import socket
import time

KINDS = ("head", "body", "read")
RAMP = 2  # seconds over which the clients come
BEGINNING = {
    "head": b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ",
    "body": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n",
    "read": b"GET /?version=v2 HTTP/1.1\r\nHost: a\r\n\r\n",
}
TINY = 2304  # bytes of SO_RCVBUF
SEGMENT = 1400  # bytes: the server's kernel keeps as much for such a client as for one behind a real network


class Client:
    def __init__(self, number):
        self.number, self.kind = number, KINDS[number % len(KINDS)]
        self.sock, self.began = None, 0.0

    def begin(self, port, now):
        self.sock = socket.socket()
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, SEGMENT)
        if self.kind == "read":
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, TINY)
        self.sock.bind((f"127.1.{self.number // 250}.{self.number % 250 + 1}", 0))
        self.sock.connect(("127.0.0.1", port))
        self.sock.setblocking(False)
        self.sock.send(BEGINNING[self.kind])
        self.began = now

    def trickle(self):
        """A byte more. False: the connection has ended."""
        try:
            if self.kind == "read":
                return self.sock.recv(1) != b""
            return self.sock.send(b"x") == 1
        except BlockingIOError:
            return True
        except OSError:
            return False

    def last_words(self):
        """How it was cut: a status, "closed" or "reset"."""
        if self.kind == "read":
            return "reset" if self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == errno.ECONNRESET else "closed"
        try:
            answer = self.sock.recv(4096)
        except OSError:
            return "reset"
        return answer[9:12].decode("latin-1") if answer else "closed"


class Attack:
    def __init__(self, port, clients, seconds, head_until):
        self.port, self.seconds, self.head_until = port, seconds, head_until
        self.began = time.monotonic()
        self.poller = select.epoll()
        self.by_fd, self.due = {}, []
        self.cuts = {kind: [] for kind in KINDS}
        self.said = {kind: collections.Counter() for kind in KINDS}
        for number in range(clients):
            heapq.heappush(self.due, (self.began + RAMP * number / clients, number, Client(number)))

    def begin(self, client, now):
        client.begin(self.port, now)
        events = select.EPOLLRDHUP | (0 if client.kind == "read" else select.EPOLLIN)
        self.poller.register(client.sock, events)
        self.by_fd[client.sock.fileno()] = client
        heapq.heappush(self.due, (now + 1, client.number, client))

    def cut(self, client, now):
        self.cuts[client.kind].append(now - client.began)
        self.said[client.kind][client.last_words()] += 1
        del self.by_fd[client.sock.fileno()]
        self.poller.unregister(client.sock)
        client.sock.close()
        client.sock = None
        if client.kind == "head" and now < self.began + self.head_until:
            self.begin(client, now)

    def work(self, now):
        """What is due: a client begins or sends a byte more."""
        while self.due and self.due[0][0] <= now:
            at, _, client = heapq.heappop(self.due)
            if client.sock is None and client.began == 0.0:
                self.begin(client, now)
            elif client.sock is not None and at >= client.began + 0.5:  # else: of its connection before
                if client.trickle():
                    heapq.heappush(self.due, (max(at + 1, now), client.number, client))
                else:
                    self.cut(client, now)

    def run(self):
        end = self.began + self.seconds
        while (now := time.monotonic()) < end and (self.by_fd or now < self.began + RAMP + 1):
            self.work(now)
            patience = min(self.due[0][0] if self.due else end, end) - time.monotonic()
            for fd, _ in self.poller.poll(max(patience, 0)):
                if fd in self.by_fd:
                    self.cut(self.by_fd[fd], time.monotonic())
        left = collections.Counter(client.kind for client in self.by_fd.values())
        return {kind: {"cut": len(times), "left": left[kind], "said": dict(self.said[kind]),
                       "least_s": round(min(times, default=0), 2), "most_s": round(max(times, default=0), 2)}
                for kind, times in self.cuts.items()}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--clients", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=60, help="when it ends at the latest")
    parser.add_argument("--head-until", type=float, default=40, help="no new slow head begins after so many seconds")
    chosen = parser.parse_args()
    print(json.dumps(Attack(chosen.port, chosen.clients, chosen.seconds, chosen.head_until).run()))


main()
