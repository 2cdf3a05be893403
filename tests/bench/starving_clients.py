#!/usr/bin/env python3
"""Slow clients that return: starving_clients.py PORT --kinds K,K --clients N --addresses A --seconds S. Prints JSON.

Each kind moves RATE bytes a second, which is above `min_rate`. A client that is cut or refused comes back after PAUSE
seconds. With one address all come from it, else each address has its share of them (127.1.0.1 and so on).
"""
import argparse
import collections
import errno
import heapq
import json
import select
import socket
import time

RATE, PAUSE, RAMP = 1200, 0.5, 1.0  # bytes per second; seconds
LENGTH = 1 << 20
TINY = 2304  # bytes of SO_RCVBUF of a reader
SEGMENT = 1400
POST = "POST /slow HTTP/1.1\r\nHost: a\r\n"
BEGINNING = {
    "sender": f"{POST}Content-Length: {LENGTH}\r\n\r\n",
    "small": f"{POST}Content-Length: 16000\r\n\r\n",
    "chunked": f"{POST}Transfer-Encoding: chunked\r\n\r\n",
    "continue": f"{POST}Expect: 100-continue\r\nContent-Length: {LENGTH}\r\n\r\n",
    "burst": f"{POST}Content-Length: {LENGTH}\r\n\r\n" + "x" * 20000,  # at once, then slowly
    "reader": "GET /large HTTP/1.1\r\nHost: a\r\n\r\n",
    "http10": "GET /large HTTP/1.0\r\nHost: a\r\n\r\n",
    "tunnel": "GET /upgrade HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: silence\r\n\r\n",
    "head": "GET / HTTP/1.1\r\nHost: a\r\n",
}
PIECE = {"chunked": b"%x\r\n%s\r\n" % (RATE, b"x" * RATE), "head": b"A: b\r\n"}
READERS = ("reader", "http10", "tunnel")


class Client:
    def __init__(self, number, kind, address):
        self.number, self.kind, self.address, self.sock, self.not_before = number, kind, address, None, 0.0

    def begin(self, port):
        self.sock = socket.socket()
        if self.kind in READERS:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, TINY)
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, SEGMENT)
        self.sock.setblocking(False)
        self.sock.bind((self.address, 0))
        self.begun = False
        if self.sock.connect_ex(("127.0.0.1", port)) not in (0, errno.EINPROGRESS):
            raise OSError("cannot connect")

    def step(self):
        """A second's worth of bytes. How the connection ended, or None."""
        try:
            if not self.begun:
                self.sock.send(BEGINNING[self.kind].encode())
                self.begun = True
            elif self.kind == "tunnel":
                pass
            elif self.kind in READERS:
                if not self.sock.recv(RATE):
                    return "closed"
            else:
                self.sock.send(PIECE.get(self.kind, b"x" * RATE))
        except BlockingIOError:
            pass
        except OSError:
            return "reset"
        return None

    def answer(self):
        """A sender got something: its status, or None for 100 and for nothing."""
        try:
            text = self.sock.recv(4096)
        except BlockingIOError:
            return None
        except OSError:
            return "reset"
        if not text:
            return "closed"
        status = text[9:12].decode("latin-1")
        return None if status in ("100", "101") else status


class Attack:
    def __init__(self, chosen):
        self.chosen, self.kinds = chosen, chosen.kinds.split(",")
        self.poller, self.by_fd, self.due = select.epoll(), {}, []
        self.ends = {kind: collections.Counter() for kind in self.kinds}
        self.start = time.monotonic()
        for number in range(chosen.clients):
            address = f"127.1.{number % chosen.addresses // 250}.{number % chosen.addresses % 250 + 1}"
            client = Client(number, self.kinds[number % len(self.kinds)], address)
            self.push(self.start + RAMP * number / chosen.clients, client)

    def push(self, when, client):
        heapq.heappush(self.due, (when, client.number, client))

    def end(self, client, how):
        self.ends[client.kind][how] += 1
        client.not_before = time.monotonic() + PAUSE
        if client.sock is not None:
            self.by_fd.pop(client.sock.fileno(), None)
            client.sock.close()
            client.sock = None

    def work(self, now):
        while self.due and self.due[0][0] <= now:
            _, _, client = heapq.heappop(self.due)
            if client.sock is None and now < client.not_before:
                self.push(client.not_before, client)
                continue
            if client.sock is None:
                try:
                    client.begin(self.chosen.port)
                    if client.kind not in READERS:
                        self.poller.register(client.sock, select.EPOLLIN | select.EPOLLRDHUP)
                        self.by_fd[client.sock.fileno()] = client
                    self.push(now + 0.05, client)
                except OSError:
                    self.end(client, "refused")
                    self.push(now + PAUSE, client)
                continue
            how = client.step()
            if how is not None:
                self.end(client, how)
            self.push(now + (1 if how is None else PAUSE), client)

    def run(self):
        end = self.start + self.chosen.seconds
        while (now := time.monotonic()) < end:
            self.work(now)
            wait = max(0.0, min(self.due[0][0], end) - time.monotonic())
            for fd, _ in self.poller.poll(wait):
                client = self.by_fd.get(fd)
                how = client.answer() if client is not None else None
                if how is not None:
                    self.end(client, how)  # it returns when its next step is due
        return {kind: dict(counts) for kind, counts in self.ends.items()}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--kinds", default="sender,reader")
    parser.add_argument("--clients", type=int, default=2000)
    parser.add_argument("--addresses", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=60)
    print(json.dumps(Attack(parser.parse_args()).run()))


main()
