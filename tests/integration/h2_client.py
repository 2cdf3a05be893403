"""HTTP/2 from the client's side, frame by frame, with nothing but the standard library (RFC 9113, RFC 7541).

Model: functions make the bytes of frames and of header blocks, right or wrong, as a test wants them. A Client sends
them as they are and gathers what comes, by stream. It acknowledges SETTINGS and PING, and gives windows back, unless
told not to. It never checks what it sends: most tests send what no library would.
"""
import collections
import socket
import time

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS, PADDED, WITH_PRIORITY = 0x1, 0x1, 0x4, 0x8, 0x20
(NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR, SETTINGS_TIMEOUT, STREAM_CLOSED, FRAME_SIZE_ERROR,
 REFUSED_STREAM, CANCEL, COMPRESSION_ERROR, CONNECT_ERROR, ENHANCE_YOUR_CALM) = range(12)
TABLE_SIZE, ENABLE_PUSH, MAX_STREAMS, INITIAL_WINDOW, MAX_FRAME, MAX_HEADER_LIST = range(1, 7)
FIRST_WINDOW = 65535

STATIC_TABLE = [(name, value) for name, values in (
    (":authority", [""]), (":method", ["GET", "POST"]), (":path", ["/", "/index.html"]), (":scheme", ["http", "https"]),
    (":status", ["200", "204", "206", "304", "400", "404", "500"]), ("accept-charset", [""]),
    ("accept-encoding", ["gzip, deflate"])) for value in values] + [(name, "") for name in (
        "accept-language accept-ranges accept access-control-allow-origin age allow authorization cache-control "
        "content-disposition content-encoding content-language content-length content-location content-range "
        "content-type cookie date etag expect expires from host if-match if-modified-since if-none-match if-range "
        "if-unmodified-since last-modified link location max-forwards proxy-authenticate proxy-authorization range "
        "referer refresh retry-after server set-cookie strict-transport-security transfer-encoding user-agent vary via "
        "www-authenticate").split()]

# The bits of the Huffman word of each byte, and of EOS. The code is canonical, so the words follow from them.
HUFFMAN_BITS = [int(bits) for bits in (
    "13 23 28 28 28 28 28 28 28 24 30 28 28 30 28 28 28 28 28 28 28 28 30 28 28 28 28 28 28 28 28 28 "
    "6 10 10 12 13 6 8 11 10 10 8 11 8 6 6 6 5 5 5 6 6 6 6 6 6 6 7 8 15 6 12 10 "
    "13 6 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 8 7 8 13 19 13 14 6 "
    "15 5 6 5 6 5 6 6 6 5 7 7 6 6 6 5 6 7 6 5 5 6 7 7 7 7 7 15 11 14 13 28 "
    "20 22 20 20 22 22 22 23 22 23 23 23 23 23 24 23 24 24 22 23 24 23 23 23 23 21 22 23 22 23 23 24 "
    "22 21 20 22 22 23 23 21 23 22 22 24 21 22 23 23 21 21 22 21 23 22 23 23 20 22 22 22 23 22 22 23 "
    "26 26 20 19 22 23 22 25 26 26 26 27 27 26 24 25 19 21 26 27 27 26 27 24 21 21 26 26 28 27 27 27 "
    "20 24 20 21 22 21 21 23 22 22 25 25 24 24 26 23 26 27 26 26 27 27 27 27 27 28 27 27 27 27 27 26 "
    "30").split()]


def _huffman_words():
    words, following = {}, 0
    for bits in range(1, 31):
        following <<= 1
        for symbol in range(257):
            if HUFFMAN_BITS[symbol] == bits:
                words[symbol] = f"{following:0{bits}b}"
                following += 1
    return words


HUFFMAN_WORDS = _huffman_words()
HUFFMAN_SYMBOLS = {word: symbol for symbol, word in HUFFMAN_WORDS.items()}


def packed(bits):
    """A string of 0 and 1, of whole bytes, as bytes."""
    return bytes(int(bits[at:at + 8], 2) for at in range(0, len(bits), 8))


def huffman(text):
    bits = "".join(HUFFMAN_WORDS[byte] for byte in raw(text))
    return packed(bits + "1" * (-len(bits) % 8))


def huffman_decoded(data):
    out, word = bytearray(), ""
    for bit in "".join(f"{byte:08b}" for byte in data):
        word += bit
        if word in HUFFMAN_SYMBOLS:
            out.append(HUFFMAN_SYMBOLS[word])
            word = ""
    if len(word) > 7 or "0" in word:
        raise AssertionError("a Huffman string ends in something else than padding")
    return bytes(out)


def raw(text):
    return text.encode("latin-1") if isinstance(text, str) else text


# ---- header blocks

def integer(value, prefix, first=0):
    """An HPACK integer; `first`: the bits in front of its prefix."""
    most = (1 << prefix) - 1
    if value < most:
        return bytes([first | value])
    out, value = [first | most], value - most
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def string(text, compressed=False):
    data = huffman(text) if compressed else raw(text)
    return integer(len(data), 7, 128 if compressed else 0) + data


LITERAL, NEVER_INDEXED, INSERTED = (4, 0x00), (4, 0x10), (6, 0x40)  # prefix and first bits


def literal(name, value, kind=LITERAL, compressed=False):
    """A field in full. `name`: text, or an index into the tables."""
    if isinstance(name, int):
        return integer(name, *kind) + string(value, compressed)
    return integer(0, *kind) + string(name, compressed) + string(value, compressed)


def indexed(index):
    return integer(index, 7, 0x80)


def size_update(size):
    return integer(size, 5, 0x20)


def block(fields):
    return b"".join(literal(name, value) for name, value in fields)


def request_fields(path="/", method="GET", fields=(), scheme="http", authority="localhost"):
    return [(":method", method), (":scheme", scheme), (":path", path), (":authority", authority), *fields]


class Decoder:
    """Reads header blocks (RFC 7541)."""

    def __init__(self, limit=4096):
        self.entries, self.limit, self.most = collections.deque(), limit, limit

    def _integer(self, prefix):
        most = (1 << prefix) - 1
        value, shift = self.data[self.at] & most, 0
        self.at += 1
        if value < most:
            return value
        while True:
            byte = self.data[self.at]
            self.at += 1
            value += (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def _string(self):
        compressed = self.data[self.at] & 0x80
        length = self._integer(7)
        data = self.data[self.at:self.at + length]
        if len(data) < length:
            raise AssertionError("a header block ends inside of a string")
        self.at += length
        return (huffman_decoded(data) if compressed else data).decode("latin-1")

    def _entry(self, index):
        if index <= len(STATIC_TABLE):
            return STATIC_TABLE[index - 1]
        return self.entries[index - len(STATIC_TABLE) - 1]

    def _evict(self):
        while sum(len(name) + len(value) + 32 for name, value in self.entries) > self.limit:
            self.entries.pop()

    def decode(self, data):
        self.data, self.at, fields = data, 0, []
        while self.at < len(data):
            first = data[self.at]
            if first & 0x80:
                fields.append(self._entry(self._integer(7)))
            elif first & 0xe0 == 0x20:
                self.limit = self._integer(5)
                if self.limit > self.most or fields:
                    raise AssertionError("a size update that is too large, or behind a field")
                self._evict()
            else:
                inserts = first & 0x40
                index = self._integer(6 if inserts else 4)
                name = self._entry(index)[0] if index else self._string()
                fields.append((name, self._string()))
                if inserts:
                    self.entries.appendleft(fields[-1])
                    self._evict()
        return fields


# ---- frames

def frame(kind, flags=0, stream=0, payload=b"", length=None):
    length = len(payload) if length is None else length
    return length.to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def settings(*pairs):
    return frame(SETTINGS, payload=b"".join(key.to_bytes(2, "big") + value.to_bytes(4, "big") for key, value in pairs))


def headers(stream, fields, end_stream=True, flags=END_HEADERS):
    """`fields`: pairs, or a header block."""
    data = fields if isinstance(fields, bytes) else block(fields)
    return frame(HEADERS, flags | (END_STREAM if end_stream else 0), stream, data)


def split_headers(stream, data, end_stream=True, size=16384):
    """A header block of any size, in HEADERS and CONTINUATIONs."""
    pieces = [data[at:at + size] for at in range(0, len(data), size)]
    first = headers(stream, pieces[0], end_stream, END_HEADERS if len(pieces) == 1 else 0)
    return first + b"".join(frame(CONTINUATION, END_HEADERS if at == len(pieces) - 1 else 0, stream, piece)
                            for at, piece in enumerate(pieces) if at > 0)


def data_frame(stream, payload=b"", end_stream=False):
    return frame(DATA, END_STREAM if end_stream else 0, stream, payload)


def window_update(stream, increment):
    return frame(WINDOW_UPDATE, 0, stream, increment.to_bytes(4, "big"))


def rst_stream(stream, code=CANCEL):
    return frame(RST_STREAM, 0, stream, code.to_bytes(4, "big"))


def priority(stream, depends_on=0, weight=15, exclusive=False):
    return frame(PRIORITY, 0, stream, (depends_on | exclusive << 31).to_bytes(4, "big") + bytes([weight]))


def ping(payload=b"12345678"):
    return frame(PING, payload=payload)


def goaway(last=0, code=NO_ERROR):
    return frame(GOAWAY, payload=last.to_bytes(4, "big") + code.to_bytes(4, "big"))


Frame = collections.namedtuple("Frame", "kind flags stream payload")


class Answer:
    """What came on one stream. `reset` is the code of RST_STREAM."""

    def __init__(self):
        self.interim, self.fields, self.trailers, self.pieces = [], None, None, []
        self.size, self.ended, self.reset = 0, False, None

    @property
    def status(self):
        return int(dict(self.fields)[":status"]) if self.fields else None

    @property
    def body(self):
        return b"".join(self.pieces)

    @property
    def over(self):
        return self.ended or self.reset is not None

    def __getitem__(self, name):
        return dict(self.fields).get(name)

    def __repr__(self):
        return (f"status {self.status} {self.fields} {self.body[:200]!r} {self.size} bytes trailers={self.trailers} "
                f"ended={self.ended} reset={self.reset}")


class Client:
    """One connection to `port`. `tls`: an ssl.SSLContext. `greets`: the preface and SETTINGS (`pairs`) are sent.
    `credits`: windows are given back for DATA that came. `scheme` is that of its requests."""

    def __init__(self, port, tls=None, pairs=(), greets=True, credits=True, timeout=10.0, receive_buffer=None):
        self.sock = socket.socket()
        if receive_buffer:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.sock.settimeout(timeout)
        self.sock.connect(("127.0.0.1", port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.scheme = "https" if tls else "http"
        if tls:
            self.sock = tls.wrap_socket(self.sock, server_hostname="localhost")
        self.timeout, self.credits = timeout, credits
        self.pending, self.closed, self.decoder, self.continued = bytearray(), False, Decoder(), None
        self.answers, self.goaways, self.pongs, self.settings = collections.defaultdict(Answer), [], [], {}
        self.window, self.windows = FIRST_WINDOW, collections.defaultdict(int)  # the second: relative to the first one
        self.acknowledged, self.next_stream = 0, 1
        if greets:
            self.send(PREFACE + settings(*pairs))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.sock.close()

    def send(self, data):
        """False if the connection has ended, or takes nothing. What the router sent before can still be read."""
        try:
            self.sock.sendall(data)
            return True
        except OSError:
            return False

    # ---- requests

    def request(self, path="/", method="GET", fields=(), body=None, end_stream=True, authority="localhost"):
        """Sends a request, with the part of `body` that needs no more window; returns its stream."""
        stream = self.next_stream
        self.next_stream += 2
        ends = end_stream and body is None
        self.send(headers(stream, request_fields(path, method, fields, self.scheme, authority), ends))
        if body is not None:
            self.upload(stream, body, end_stream)
        return stream

    def upload(self, stream, body, end_stream=True):
        """Within the windows, until the body is sent or the stream is over."""
        for at in range(0, max(len(body), 1), 16384):
            piece = body[at:at + 16384]
            self.wait(lambda: self.answers[stream].over or self.room(stream) >= len(piece))
            if self.answers[stream].over or self.closed:
                return
            self.send(data_frame(stream, piece, end_stream and at + 16384 >= len(body)))
            self.window -= len(piece)
            self.windows[stream] -= len(piece)

    def room(self, stream):
        return min(self.window, self.settings.get(INITIAL_WINDOW, FIRST_WINDOW) + self.windows[stream])

    def answer(self, stream, timeout=None):
        """Its answer, complete or reset; an AssertionError if it does not come."""
        if not self.wait(lambda: self.answers[stream].over, timeout):
            raise AssertionError(f"no answer of stream {stream}: closed={self.closed} goaways={self.goaways} "
                                 f"{self.answers[stream]}")
        return self.answers[stream]

    def ask(self, path="/", method="GET", **options):
        return self.answer(self.request(path, method, **options))

    # ---- what comes

    def wait(self, check, timeout=None):
        """Reads until `check` is true, the connection ends or the time is up; returns what `check` says."""
        deadline = time.monotonic() + (self.timeout if timeout is None else timeout)
        while not check():
            left = deadline - time.monotonic()
            if self.closed or left <= 0 or not self.read(left):
                return check()
        return True

    def read(self, timeout):
        """Handles the frames of one recv(). False: none came in time."""
        self.sock.settimeout(timeout)
        try:
            data = self.sock.recv(1 << 18)
        except TimeoutError:
            return False
        except OSError:
            data = b""
        finally:
            self.sock.settimeout(self.timeout)
        self.closed = not data
        self.pending += data
        at = 0
        while len(self.pending) >= at + 9:
            length = int.from_bytes(self.pending[at:at + 3], "big")
            if len(self.pending) < at + 9 + length:
                break
            kind, flags = self.pending[at + 3], self.pending[at + 4]
            stream = int.from_bytes(self.pending[at + 5:at + 9], "big")
            self.handle(Frame(kind, flags, stream, bytes(self.pending[at + 9:at + 9 + length])))
            at += 9 + length
        del self.pending[:at]
        return True

    def handle(self, got):
        if self.continued and got.kind != CONTINUATION:
            raise AssertionError(f"{got} inside of a header block")
        if got.kind == DATA:
            self._data(got)
        elif got.kind in (HEADERS, CONTINUATION):
            self._headers(got)
        elif got.kind == RST_STREAM:
            self.answers[got.stream].reset = int.from_bytes(got.payload, "big")
        elif got.kind == SETTINGS and got.flags & ACK:
            self.acknowledged += 1
        elif got.kind == SETTINGS:
            for at in range(0, len(got.payload), 6):
                self.settings[int.from_bytes(got.payload[at:at + 2], "big")] = int.from_bytes(
                    got.payload[at + 2:at + 6], "big")
            self.send(frame(SETTINGS, ACK))
        elif got.kind == PING and got.flags & ACK:
            self.pongs.append(got.payload)
        elif got.kind == PING:
            self.send(frame(PING, ACK, payload=got.payload))
        elif got.kind == GOAWAY:
            self.goaways.append((int.from_bytes(got.payload[:4], "big"), int.from_bytes(got.payload[4:8], "big")))
        elif got.kind == WINDOW_UPDATE and got.stream == 0:
            self.window += int.from_bytes(got.payload, "big")
        elif got.kind == WINDOW_UPDATE:
            self.windows[got.stream] += int.from_bytes(got.payload, "big")

    def _data(self, got):
        answer = self.answers[got.stream]
        if answer.over:
            raise AssertionError(f"DATA behind the end of stream {got.stream}")
        answer.pieces.append(got.payload)
        answer.size += len(got.payload)
        answer.ended = bool(got.flags & END_STREAM)
        if self.credits and got.payload:
            self.send(window_update(0, len(got.payload)) +
                      (b"" if answer.ended else window_update(got.stream, len(got.payload))))

    def _headers(self, got):
        before = self.continued.payload if self.continued else b""
        flags = self.continued.flags if self.continued else got.flags
        self.continued = Frame(got.kind, flags, got.stream, before + got.payload)
        if not got.flags & END_HEADERS:
            return
        fields, self.continued = self.decoder.decode(self.continued.payload), None
        answer = self.answers[got.stream]
        if answer.fields is not None:
            answer.trailers = fields
        elif dict(fields)[":status"].startswith("1"):
            answer.interim.append(fields)
        else:
            answer.fields = fields
        answer.ended = answer.ended or bool(flags & END_STREAM)
