"""Clients that send a steady load while processes are replaced, and count the failures that a client would see.

Four kinds: on kept connections, on a new one each time, readers of long streams, and senders of bodies that come in
pieces and must come back whole. Every answer must be 200 and complete; no client repeats anything. One event loop in a
separate thread, so that it costs little compared with the programs under test.
"""
import asyncio
import random
import threading


class Truncated(Exception):
    pass


class Figures:
    def __init__(self):
        self.answered = {}
        self.failed = self.truncated = 0
        self.samples = []

    def lost(self, kind, error):
        if isinstance(error, Truncated):
            self.truncated += 1
        else:
            self.failed += 1
        if len(self.samples) < 5:
            self.samples.append(f"{kind}: {error!r}")

    @property
    def total(self):
        return sum(self.answered.values())

    def __str__(self):
        kinds = ", ".join(f"{count} {kind}" for kind, count in self.answered.items())
        return f"{kinds}; {self.failed} failed, {self.truncated} truncated {self.samples or ''}".rstrip()


class Connection:
    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    @classmethod
    async def open(cls, port):
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    def close(self):
        self.writer.close()

    async def answer(self):
        """(body, whether the connection stays); raises on everything but a whole 200."""
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError as cut:
            raise (Truncated(cut.partial[:80]) if cut.partial else ConnectionError("closed without an answer"))
        status, *lines = head.decode("latin-1").lower().split("\r\n")
        fields = dict(line.split(": ", 1) for line in lines if line)
        try:
            body = await self._body(fields)
        except asyncio.IncompleteReadError as cut:
            raise Truncated(f"{status}: {len(cut.partial)} bytes")
        if " 200 " not in status:
            raise ConnectionError(f"{status} {fields.get('x-gray-reason', '')}")
        return body, fields.get("connection") != "close"

    async def _body(self, fields):
        if "content-length" in fields:
            return await self.reader.readexactly(int(fields["content-length"]))
        pieces = []
        while True:
            size = int(await self.reader.readuntil(b"\r\n"), 16)
            piece = await self.reader.readexactly(size + 2)
            if size == 0:
                return b"".join(pieces)
            pieces.append(piece[:-2])


class SteadyLoad:
    """with SteadyLoad(port, ...) as load: replace things; then load.figures."""

    PIECES, PAUSE_MS = 30, 40  # of a stream: 1.2 s

    def __init__(self, port, kept=32, short=32, streams=8, uploads=4, seed=None, pace=0.04):
        self.port, self.pace = port, pace
        self.seed = seed if seed is not None else random.randrange(1 << 32)
        self.pick = random.Random(self.seed)
        self.figures = Figures()
        self.wanted = {"kept": kept, "short": short, "streamed": streams, "uploaded": uploads}
        self.figures.answered = dict.fromkeys(self.wanted, 0)
        self.stopping = False
        self.thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        """Finishes every started exchange first."""
        self.stopping = True
        self.thread.join(60)
        assert not self.thread.is_alive(), "a client waits for ever"

    async def _run(self):
        work = {"kept": self._kept, "short": self._short, "streamed": self._streamed, "uploaded": self._uploaded}
        await asyncio.gather(*(work[kind](kind) for kind, count in self.wanted.items() for _ in range(count)))

    async def _repeat(self, kind, exchange):
        """`exchange(connection)` until the end; a connection that fails or ends is replaced by a new one."""
        connection = None
        while not self.stopping:
            try:
                connection = connection or await Connection.open(self.port)
                stays = await asyncio.wait_for(exchange(connection), 30)
                self.figures.answered[kind] += 1
            except (OSError, Truncated, asyncio.TimeoutError) as error:
                self.figures.lost(kind, error)
                stays = False
            if not stays:
                if connection:
                    connection.close()
                connection = None
            await asyncio.sleep(self.pick.uniform(0, 2 * self.pace))
        if connection:
            connection.close()

    async def _get(self, connection, path, expected=None, close=False):
        fields = "Host: a\r\n" + ("Connection: close\r\n" if close else "")
        connection.writer.write(f"GET {path} HTTP/1.1\r\n{fields}\r\n".encode())
        body, stays = await connection.answer()
        if expected is not None and body != expected:
            raise Truncated(f"{len(body)} bytes instead of {len(expected)}")
        return stays and not close

    async def _kept(self, kind):
        await self._repeat(kind, lambda connection: self._get(connection, "/"))

    async def _short(self, kind):
        await self._repeat(kind, lambda connection: self._get(connection, "/", close=True))

    async def _streamed(self, kind):
        path = f"/stream?version=v2&n={self.PIECES}&ms={self.PAUSE_MS}"
        whole = "".join(f"piece {i}\n" for i in range(self.PIECES)).encode()
        await self._repeat(kind, lambda connection: self._get(connection, path, whole))

    async def _uploaded(self, kind):
        async def exchange(connection):
            body = self.pick.randbytes(100_000)
            head = f"POST /body?version=v2 HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n\r\n"
            connection.writer.write(head.encode())
            for at in range(0, len(body), 10_000):
                connection.writer.write(body[at:at + 10_000])
                await connection.writer.drain()
                await asyncio.sleep(0.05)
            back, stays = await connection.answer()
            if back != body:
                raise Truncated(f"{len(back)} bytes came back of {len(body)}")
            return stays

        await self._repeat(kind, exchange)
