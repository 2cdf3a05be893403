"""Users of a service: each is a cookie, and asks now and then over a few kept connections.

One event loop in a separate thread. Every answer is noted with the version that gave it.
"""
import asyncio
import collections
import random
import threading
import time

from steady_load import Connection


class Users:
    """with Users(port, rate=200) as users: do things; then users.failed, users.served."""

    def __init__(self, port, rate=200, count=2_000, seed=None, path="/", connections=16):
        self.port, self.rate, self.count, self.path, self.connections = port, rate, count, path, connections
        self.seed = seed if seed is not None else random.randrange(1 << 32)
        self.pick = random.Random(self.seed)
        self.served = collections.Counter()  # by version
        self.failed = []                     # (seconds since the begin, user, status or error, version)
        self.began = time.monotonic()
        self.stopping = False
        self.thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping = True
        self.thread.join(90)
        assert not self.thread.is_alive(), "a user waits for ever"

    def failed_users(self, version):
        return {user for _, user, _, by in self.failed if by == version}

    def not_of(self, version):
        """Failures that were not answers of this version."""
        return [failure for failure in self.failed if failure[3] != version]

    async def _run(self):
        await asyncio.gather(*(self._ask() for _ in range(self.connections)))

    async def _ask(self):
        connection = None
        while not self.stopping:
            user, version = self.pick.randrange(self.count), None
            try:
                connection = connection or await Connection.open(self.port)
                status, version, stays = await asyncio.wait_for(self._exchange(connection, user), 70)
                self.served[version] += 1
                if status != 200:
                    self._fail(user, status, version)
                if not stays:
                    connection.close()
                    connection = None
            except (OSError, EOFError, asyncio.TimeoutError) as error:
                self._fail(user, repr(error), version)
                if connection:
                    connection.close()
                connection = None
            await asyncio.sleep(self.pick.expovariate(self.rate / self.connections))
        if connection:
            connection.close()

    def _fail(self, user, what, version):
        self.failed.append((round(time.monotonic() - self.began, 3), user, what, version))

    async def _exchange(self, connection, user):
        connection.writer.write(f"GET {self.path} HTTP/1.1\r\nHost: a\r\nCookie: uid={user}\r\n\r\n".encode())
        head = (await connection.reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        status, *lines = head.split("\r\n")
        fields = dict(line.split(": ", 1) for line in lines if line)
        await connection._body(fields)
        return int(status.split()[1]), fields.get("x-gray-version"), fields.get("connection") != "close"
