"""The table of cases of HTTP/2 that h2_test.py runs: what a client sends, and what must come (RFC 9113, RFC 7541).

Model: a Case has a name, the section that it follows from, steps, and a want. A step is bytes to send, or a function
of the client, which may wait. The want is a function of the client that raises AssertionError. Each case gets its own
connection, on which the preface and SETTINGS are sent unless `greets` is false. Stream 1 is the one that is judged.

What the RFC permits instead of an error of a stream is an error of the connection, and instead of GOAWAY a close.
"""
import collections

from h2_client import (
    CANCEL, COMPRESSION_ERROR, CONTINUATION, DATA, ENABLE_PUSH, END_HEADERS, END_STREAM, FLOW_CONTROL_ERROR,
    FRAME_SIZE_ERROR, GOAWAY, HEADERS, INITIAL_WINDOW, INSERTED, LITERAL, MAX_FRAME, NEVER_INDEXED, NO_ERROR, PADDED,
    PING, PREFACE, PRIORITY, PROTOCOL_ERROR, PUSH_PROMISE, REFUSED_STREAM, RST_STREAM, SETTINGS, STREAM_CLOSED,
    TABLE_SIZE, WINDOW_UPDATE, WITH_PRIORITY, ACK, HUFFMAN_WORDS, block, data_frame, frame, goaway, headers, huffman,
    indexed, integer, literal, packed, ping, priority, request_fields, rst_stream, settings, size_update, window_update)

PATIENCE = 5  # seconds
MOST = 2 ** 31 - 1

Case = collections.namedtuple("Case", "name section steps want options", defaults=({},))


# ---- what must come

def failed(client, text):
    raise AssertionError(f"{text}: closed={client.closed} goaways={client.goaways} answers={dict(client.answers)}")


def _errors(client):
    return [code for _, code in client.goaways if code != NO_ERROR]


def connection_error(*codes):
    def want(client):
        client.wait(lambda: _errors(client) or client.closed, PATIENCE)
        if _errors(client) and _errors(client)[0] not in codes:
            failed(client, f"GOAWAY with another code than {codes}")
        if not client.wait(lambda: client.closed, PATIENCE):
            failed(client, f"the connection is not closed for an error in {codes}")
    return want


def stream_error(*codes, stream=1, status=None):
    """`status`: this answer will do, too."""
    def want(client):
        answer = client.answers[stream]
        client.wait(lambda: answer.reset is not None or _errors(client) or client.closed or
                    (answer.ended and answer.status == status), PATIENCE)
        if _errors(client) or client.closed:
            return connection_error(*codes)(client)
        if answer.ended and answer.status == status:
            return alive(client)
        if answer.reset not in codes:
            failed(client, f"no error of stream {stream} in {codes}")
        return alive(client)
    return want


def answered(status=200, stream=1, body=None):
    def want(client):
        answer = client.answer(stream, PATIENCE)
        if answer.status != status or (body is not None and answer.body != body):
            failed(client, f"stream {stream} is not answered with {status} {body}")
        alive(client)
    return want


def alive(client):
    """The connection still serves."""
    mark = b"alive%03d" % len(client.pongs)
    client.send(ping(mark))
    if not client.wait(lambda: mark in client.pongs, PATIENCE) or _errors(client):
        failed(client, "PING is not answered")


def told_goodbye(client):
    """After its own GOAWAY a client is served as before, or told by GOAWAY which streams are not."""
    if not client.wait(lambda: client.pongs or client.closed, PATIENCE) or _errors(client):
        failed(client, "neither served nor closed in order")
    if client.closed and not client.goaways:
        failed(client, "no GOAWAY")


def answered_or_named(client):
    """Stream 1 is answered, or GOAWAY says that it is not."""
    client.wait(lambda: client.answers[1].over or client.closed, PATIENCE)
    unserved = client.goaways and client.goaways[-1] == (0, NO_ERROR) and client.answers[1].status is None
    if client.answers[1].status != 200 and not unserved:
        failed(client, "neither answered nor named")


def ended_well(client):
    if client.answer(1, PATIENCE).status != 200 or _errors(client):
        failed(client, "not answered")


def acknowledged(count):
    def want(client):
        if not client.wait(lambda: client.acknowledged >= count, PATIENCE):
            failed(client, f"{client.acknowledged} SETTINGS acknowledged, not {count}")
        alive(client)
    return want


def closed(client):
    if not client.wait(lambda: client.closed, PATIENCE):
        failed(client, "the connection is not closed")


def malformed(stream=1):
    return stream_error(PROTOCOL_ERROR, stream=stream, status=400)


# ---- steps that wait

def answer_came(client):
    client.answer(1, PATIENCE)


def fields_came(client):
    if not client.wait(lambda: client.answers[1].fields, PATIENCE):
        failed(client, "no HEADERS came")


def bytes_came(size):
    """Exactly so many, and not one more until a PING is answered."""
    def step(client):
        client.wait(lambda: client.answers[1].size >= size, PATIENCE)
        alive(client)
        if client.answers[1].size != size:
            failed(client, f"{client.answers[1].size} bytes of DATA, not {size}")
    return step


# ---- what is sent

def get(*fields, path="/", stream=1, **options):
    return headers(stream, request_fields(path, fields=fields), **options)


def post(*fields, path="/length", stream=1, end_stream=False):
    return headers(stream, request_fields(path, "POST", fields), end_stream)


def open_block(stream=1, end_stream=True):
    """HEADERS of a request whose last field is missing, and that field."""
    fields = block(request_fields(fields=[("x-last", "y" * 20)]))
    return frame(HEADERS, END_STREAM if end_stream else 0, stream, fields[:-5]), fields[-5:]


def without(name, *more):
    return [field for field in request_fields() if field[0] != name] + list(more)


def with_field(data):
    """A request whose block ends with these bytes."""
    return headers(1, block(request_fields()) + data)


def padded(kind, flags, stream, payload, padding, claimed=None):
    size = padding if claimed is None else claimed
    return frame(kind, flags | PADDED, stream, bytes([size]) + payload + b"\0" * padding)


SLOW = "/?ms=30"  # is not answered at once
FIRST, REST = open_block()
REQUEST = block(request_fields())
HALF_CLOSED = get(path=SLOW)
TRAILER = [("x-trailer", "t")]
BIG_FIELD = ("x-big", "b" * 2000)
ANY = 0x16  # a type of frame that nobody defined

STARTING = [
    Case("preface and SETTINGS in one piece", "3.4", [], acknowledged(1)),
    Case("preface byte by byte", "3.4", [*(bytes([byte]) for byte in PREFACE), settings(), get()], answered(),
         {"greets": False}),
    Case("a wrong preface", "3.4", [PREFACE.replace(b"SM", b"XX") + settings()], connection_error(PROTOCOL_ERROR),
         {"greets": False}),
    Case("the first frame is not SETTINGS", "3.4", [PREFACE + get()], connection_error(PROTOCOL_ERROR),
         {"greets": False}),
    Case("the first frame is an acknowledgement", "3.4", [PREFACE + frame(SETTINGS, ACK)],
         connection_error(PROTOCOL_ERROR), {"greets": False}),
    Case("preface, SETTINGS and a request in one segment", "3.4", [PREFACE + settings() + get()], answered(),
         {"greets": False}),
    Case("the preface twice", "3.4", [PREFACE], connection_error(PROTOCOL_ERROR, FRAME_SIZE_ERROR)),
    Case("TLS records instead of frames", "3.4", [b"\x16\x03\x01\x02\x00" + b"\x01" * 40],
         connection_error(PROTOCOL_ERROR, FRAME_SIZE_ERROR)),
]

FRAMES = [
    Case("DATA, one frame", "6.1", [post() + data_frame(1, b"test", True)], answered(body=b"4")),
    Case("DATA, several frames", "6.1", [post() + data_frame(1, b"test") + data_frame(1, b"tests", True)],
         answered(body=b"9")),
    Case("DATA with padding", "6.1", [post() + padded(DATA, END_STREAM, 1, b"test", 6)], answered(body=b"4")),
    Case("DATA that is all padding", "6.1", [post() + padded(DATA, 0, 1, b"", 255) + data_frame(1, b"a", True)],
         answered(body=b"1")),
    Case("an empty DATA frame ends the body", "6.1", [post() + data_frame(1, b"ab") + data_frame(1, b"", True)],
         answered(body=b"2")),
    Case("HEADERS", "6.2", [get()], answered()),
    Case("HEADERS with padding", "6.2", [padded(HEADERS, END_STREAM | END_HEADERS, 1, REQUEST, 10)], answered()),
    Case("HEADERS with a priority", "6.2",
         [headers(1, b"\0\0\0\0\xff" + REQUEST, flags=END_HEADERS | WITH_PRIORITY)], answered()),
    Case("HEADERS with padding and a priority", "6.2",
         [padded(HEADERS, END_STREAM | END_HEADERS | WITH_PRIORITY, 1, b"\0\0\0\0\xff" + REQUEST, 3)], answered()),
    Case("PRIORITY with weight 1", "6.3", [priority(1, weight=0) + get()], answered()),
    Case("PRIORITY with weight 256", "6.3", [priority(1, weight=255) + get()], answered()),
    Case("PRIORITY with a dependency", "6.3", [priority(1) + priority(3, 1) + get()], answered()),
    Case("PRIORITY, exclusive", "6.3", [priority(1) + priority(3, 1, exclusive=True) + get()], answered()),
    Case("PRIORITY of an idle stream, then a lower stream", "5.1.1", [priority(5) + get(stream=1)], answered()),
    Case("RST_STREAM", "6.4", [post() + rst_stream(1)], alive),
    Case("SETTINGS", "6.5", [settings((INITIAL_WINDOW, 100_000))], acknowledged(2)),
    Case("SETTINGS without pairs, three times", "6.5", [settings() * 3], acknowledged(4)),
    Case("PING", "6.7", [ping(b"abcdefgh")], alive),
    Case("GOAWAY of the client, then a request of it", "6.8", [goaway() + get()], answered_or_named),
    Case("GOAWAY of the client with streams open", "6.8", [get(path=SLOW) + goaway()], ended_well),
    Case("WINDOW_UPDATE of the connection", "6.9", [window_update(0, 1)], alive),
    Case("WINDOW_UPDATE of a stream", "6.9", [get(path=SLOW) + window_update(1, 1)], answered()),
    Case("CONTINUATION", "6.10", [FIRST + frame(CONTINUATION, END_HEADERS, 1, REST)], answered()),
    Case("several CONTINUATIONs", "6.10",
         [FIRST + frame(CONTINUATION, 0, 1, REST[:1]) + frame(CONTINUATION, END_HEADERS, 1, REST[1:])], answered()),
    Case("CONTINUATION without payload", "6.10",
         [FIRST + frame(CONTINUATION, 0, 1) + frame(CONTINUATION, END_HEADERS, 1, REST)], answered()),
    Case("a type of frame that is unknown", "4.1", [frame(ANY, 0xff, 1, b"x" * 8) + frame(ANY, 0, 0)], alive),
    Case("flags that are not defined", "4.1", [frame(PING, 0x16, 0, b"12345678") + get()], answered()),
    Case("the reserved bit", "4.1", [frame(PING, 0, 1 << 31, b"12345678") + get()], answered()),
    Case("DATA of 16384 bytes", "4.2", [post() + data_frame(1, b"x" * 16384, True)], answered(body=b"16384")),
    Case("DATA larger than SETTINGS_MAX_FRAME_SIZE", "4.2", [post() + data_frame(1, b"x" * 16385, True)],
         stream_error(FRAME_SIZE_ERROR)),
    Case("HEADERS larger than SETTINGS_MAX_FRAME_SIZE", "4.2", [with_field(b"\0" * 16385)],
         connection_error(FRAME_SIZE_ERROR)),
    Case("an unknown frame larger than SETTINGS_MAX_FRAME_SIZE", "4.2", [frame(ANY, 0, 0, b"x" * 16385)],
         connection_error(FRAME_SIZE_ERROR)),
    Case("an unknown frame between requests", "5.5", [get() + frame(ANY, 0, 0, b"x") + get(stream=3)],
         answered(stream=3)),
    Case("an unknown frame inside of a header block", "5.5",
         [FIRST + frame(ANY, 0, 1, b"x") + frame(CONTINUATION, END_HEADERS, 1, REST)],
         connection_error(PROTOCOL_ERROR)),
]

STREAMS = [
    Case("PRIORITY of an idle stream", "5.1", [priority(7)], alive),
    Case("WINDOW_UPDATE of a half-closed stream", "5.1",
         [settings((INITIAL_WINDOW, 0)) + HALF_CLOSED + window_update(1, 10)], answered()),
    Case("PRIORITY of a half-closed stream", "5.1", [HALF_CLOSED + priority(1)], answered()),
    Case("RST_STREAM of a half-closed stream", "5.1", [HALF_CLOSED + rst_stream(1)], alive),
    Case("PRIORITY of a closed stream", "5.1", [get(), answer_came, priority(1)], alive),
    Case("WINDOW_UPDATE of a closed stream", "5.1", [get(), answer_came, window_update(1, 1)], alive),
    Case("RST_STREAM of a closed stream", "5.1", [get(), answer_came, rst_stream(1)], alive),
    Case("idle: DATA", "5.1", [data_frame(1, b"test", True)], connection_error(PROTOCOL_ERROR)),
    Case("idle: RST_STREAM", "5.1", [rst_stream(1)], connection_error(PROTOCOL_ERROR)),
    Case("idle: WINDOW_UPDATE", "5.1", [window_update(1, 100)], connection_error(PROTOCOL_ERROR)),
    Case("idle: CONTINUATION", "5.1", [frame(CONTINUATION, END_HEADERS, 1, REQUEST)],
         connection_error(PROTOCOL_ERROR)),
    Case("idle: DATA of an even stream", "5.1", [data_frame(2, b"test", True)], connection_error(PROTOCOL_ERROR)),
    Case("half-closed: DATA", "5.1", [HALF_CLOSED + data_frame(1, b"test", True)], stream_error(STREAM_CLOSED)),
    Case("half-closed: HEADERS", "5.1", [HALF_CLOSED + get()], stream_error(STREAM_CLOSED)),
    Case("half-closed: CONTINUATION", "5.1", [HALF_CLOSED + frame(CONTINUATION, END_HEADERS, 1, REQUEST)],
         connection_error(STREAM_CLOSED, PROTOCOL_ERROR)),
    Case("reset by the client: DATA", "5.1", [post() + rst_stream(1) + data_frame(1, b"test", True), alive],
         stream_error(STREAM_CLOSED)),
    Case("reset by the client: HEADERS", "5.1", [post() + rst_stream(1) + get()], stream_error(STREAM_CLOSED)),
    Case("reset by the client: CONTINUATION", "5.1",
         [post() + rst_stream(1) + frame(CONTINUATION, END_HEADERS, 1, REQUEST)],
         connection_error(STREAM_CLOSED, PROTOCOL_ERROR)),
    Case("ended: DATA", "5.1", [get(), answer_came, data_frame(1, b"test", True)], connection_error(STREAM_CLOSED)),
    Case("ended: HEADERS", "5.1", [get(), answer_came, get()], connection_error(STREAM_CLOSED, PROTOCOL_ERROR)),
    Case("ended: CONTINUATION", "5.1", [get(), answer_came, frame(CONTINUATION, END_HEADERS, 1, REQUEST)],
         connection_error(STREAM_CLOSED, PROTOCOL_ERROR)),
    Case("DATA that was on its way when the router reset the stream is ignored", "5.1",
         [post(("content-length", "1")) + data_frame(1, b"xx"),
          lambda client: client.answer(1, PATIENCE), data_frame(1, b"x"), get(stream=3)], answered(stream=3)),
    Case("an even stream", "5.1.1", [get(stream=2)], connection_error(PROTOCOL_ERROR)),
    Case("a stream smaller than the one before", "5.1.1", [get(stream=5) + get(stream=3)],
         connection_error(PROTOCOL_ERROR)),
    Case("streams are skipped", "5.1.1", [get(stream=1) + get(stream=MOST)], answered(stream=MOST)),
    Case("more streams than SETTINGS_MAX_CONCURRENT_STREAMS", "5.1.2",
         [b"".join(post(stream=stream) for stream in range(1, 203, 2))],
         stream_error(REFUSED_STREAM, PROTOCOL_ERROR, stream=201)),
    Case("HEADERS of a stream that depends on itself", "5.3.1",
         [headers(1, b"\0\0\0\1\xff" + REQUEST, flags=END_HEADERS | WITH_PRIORITY)], stream_error(PROTOCOL_ERROR)),
    Case("PRIORITY of a stream that depends on itself", "5.3.1", [priority(3, 3)],
         stream_error(PROTOCOL_ERROR, stream=3)),
    Case("after an error GOAWAY comes and the connection is closed", "5.4.1", [frame(PING, 0, 3, b"12345678")],
         connection_error(PROTOCOL_ERROR)),
    Case("GOAWAY names the last stream", "5.4.1", [get(stream=1) + get(stream=3), lambda client: client.answer(3),
                                                   frame(PING, 0, 3, b"12345678"), closed],
         lambda client: client.goaways[-1:] == [(3, PROTOCOL_ERROR)] or failed(client, "not of stream 3")),
]

CONTROL = [
    Case("DATA of stream 0", "6.1", [data_frame(0, b"test")], connection_error(PROTOCOL_ERROR)),
    Case("DATA of a stream that is not open", "6.1", [get(), answer_came, data_frame(1, b"test", True)],
         stream_error(STREAM_CLOSED)),
    Case("DATA with more padding than payload", "6.1", [post() + padded(DATA, END_STREAM, 1, b"test", 0, 200)],
         connection_error(PROTOCOL_ERROR)),
    Case("DATA without room for its padding", "6.1", [post() + frame(DATA, PADDED | END_STREAM, 1)],
         connection_error(FRAME_SIZE_ERROR, PROTOCOL_ERROR)),
    Case("PRIORITY inside of a header block", "6.2", [FIRST + priority(1)], connection_error(PROTOCOL_ERROR)),
    Case("HEADERS of another stream inside of a header block", "6.2", [FIRST + get(stream=3)],
         connection_error(PROTOCOL_ERROR)),
    Case("HEADERS of stream 0", "6.2", [get(stream=0)], connection_error(PROTOCOL_ERROR)),
    Case("HEADERS with more padding than payload", "6.2",
         [padded(HEADERS, END_STREAM | END_HEADERS, 1, indexed(2), 0, 200)], connection_error(PROTOCOL_ERROR)),
    Case("HEADERS without room for a priority", "6.2", [headers(1, b"\0\0", flags=END_HEADERS | WITH_PRIORITY)],
         connection_error(FRAME_SIZE_ERROR, PROTOCOL_ERROR)),
    Case("PRIORITY of stream 0", "6.3", [priority(0)], connection_error(PROTOCOL_ERROR)),
    Case("PRIORITY of 4 bytes", "6.3", [post() + frame(PRIORITY, 0, 1, b"\0" * 4)], stream_error(FRAME_SIZE_ERROR)),
    Case("RST_STREAM of stream 0", "6.4", [rst_stream(0)], connection_error(PROTOCOL_ERROR)),
    Case("RST_STREAM of an idle stream", "6.4", [rst_stream(9)], connection_error(PROTOCOL_ERROR)),
    Case("RST_STREAM of 3 bytes", "6.4", [post() + frame(RST_STREAM, 0, 1, b"\0" * 3)],
         connection_error(FRAME_SIZE_ERROR)),
    Case("acknowledgement of SETTINGS with payload", "6.5", [frame(SETTINGS, ACK, 0, b"\0")],
         connection_error(FRAME_SIZE_ERROR)),
    Case("SETTINGS of a stream", "6.5", [frame(SETTINGS, 0, 1, b"\0\3\0\0\0\1")], connection_error(PROTOCOL_ERROR)),
    Case("SETTINGS of 3 bytes", "6.5", [frame(SETTINGS, 0, 0, b"\0\3\0")], connection_error(FRAME_SIZE_ERROR)),
    Case("SETTINGS_ENABLE_PUSH 2", "6.5.2", [settings((ENABLE_PUSH, 2))], connection_error(PROTOCOL_ERROR)),
    Case("SETTINGS_INITIAL_WINDOW_SIZE 2^31", "6.5.2", [settings((INITIAL_WINDOW, MOST + 1))],
         connection_error(FLOW_CONTROL_ERROR)),
    Case("SETTINGS_MAX_FRAME_SIZE 16383", "6.5.2", [settings((MAX_FRAME, 16383))], connection_error(PROTOCOL_ERROR)),
    Case("SETTINGS_MAX_FRAME_SIZE 2^24", "6.5.2", [settings((MAX_FRAME, 1 << 24))], connection_error(PROTOCOL_ERROR)),
    Case("an unknown setting", "6.5.2", [settings((0xff, 1))], acknowledged(2)),
    Case("one setting twice: the last value counts", "6.5.3",
         [settings((INITIAL_WINDOW, 100), (INITIAL_WINDOW, 1)) + get(path="/big?n=5"), bytes_came(1)], alive,
         {"credits": False}),
    Case("SETTINGS are acknowledged", "6.5.3", [settings((TABLE_SIZE, 0))], acknowledged(2)),
    Case("PING is answered with its payload", "6.7", [ping(b"\0\1\2\3\4\5\6\7")],
         lambda client: client.wait(lambda: b"\0\1\2\3\4\5\6\7" in client.pongs, PATIENCE) or failed(client, "none")),
    Case("PING with ACK is not answered", "6.7", [frame(PING, ACK, 0, b"not this"), alive],
         lambda client: b"not this" not in client.pongs or failed(client, "it was")),
    Case("PING of a stream", "6.7", [frame(PING, 0, 1, b"12345678")], connection_error(PROTOCOL_ERROR)),
    Case("PING of 6 bytes", "6.7", [frame(PING, 0, 0, b"123456")], connection_error(FRAME_SIZE_ERROR)),
    Case("GOAWAY of a stream", "6.8", [frame(GOAWAY, 0, 1, b"\0" * 8)], connection_error(PROTOCOL_ERROR)),
    Case("GOAWAY of 4 bytes", "6.8", [frame(GOAWAY, 0, 0, b"\0" * 4)], connection_error(FRAME_SIZE_ERROR)),
    Case("GOAWAY with an unknown code", "7", [goaway(0, 0xff) + ping()], told_goodbye),
    Case("RST_STREAM with an unknown code", "7", [post() + rst_stream(1, 0xff)], alive),
    Case("PUSH_PROMISE of a client", "8.4", [frame(PUSH_PROMISE, END_HEADERS, 1, b"\0\0\0\2" + REQUEST)],
         connection_error(PROTOCOL_ERROR)),
]

WINDOWS = [
    Case("WINDOW_UPDATE of the connection by 0", "6.9", [window_update(0, 0)], connection_error(PROTOCOL_ERROR)),
    Case("WINDOW_UPDATE of a stream by 0", "6.9", [post() + window_update(1, 0)], stream_error(PROTOCOL_ERROR)),
    Case("WINDOW_UPDATE of 3 bytes", "6.9", [frame(WINDOW_UPDATE, 0, 0, b"\0\0\1")],
         connection_error(FRAME_SIZE_ERROR)),
    Case("a window of 1 byte", "6.9.1", [settings((INITIAL_WINDOW, 1)) + get(path="/big?n=5"), bytes_came(1)], alive,
         {"credits": False}),
    Case("the window of the connection exceeds 2^31-1", "6.9.1", [window_update(0, MOST) * 2],
         connection_error(FLOW_CONTROL_ERROR)),
    Case("the window of a stream exceeds 2^31-1", "6.9.1", [post() + window_update(1, MOST) * 2],
         stream_error(FLOW_CONTROL_ERROR)),
    Case("SETTINGS open a window that is 0", "6.9.2",
         [settings((INITIAL_WINDOW, 0)) + get(path="/big?n=5"), fields_came, bytes_came(0),
          settings((INITIAL_WINDOW, 1)), bytes_came(1)], alive, {"credits": False}),
    Case("SETTINGS make a window negative", "6.9.2",
         [settings((INITIAL_WINDOW, 3)) + get(path="/big?n=9"), bytes_came(3), settings((INITIAL_WINDOW, 2)),
          window_update(1, 1), bytes_came(3), window_update(1, 1), bytes_came(4)], alive, {"credits": False}),
    Case("SETTINGS make the window of a stream exceed 2^31-1", "6.9.2",
         [post() + window_update(1, MOST - 65535) + settings((INITIAL_WINDOW, 65536))],
         connection_error(FLOW_CONTROL_ERROR)),
    Case("SETTINGS_INITIAL_WINDOW_SIZE above 2^31-1 with a stream open", "6.9.2",
         [post() + settings((INITIAL_WINDOW, MOST + 1))], connection_error(FLOW_CONTROL_ERROR)),
    Case("the window of the connection bounds all streams", "6.9.1",
         [settings((INITIAL_WINDOW, MOST)) + get(path="/big?n=100000"), bytes_came(65535), window_update(0, 7),
          bytes_came(65542)], alive, {"credits": False}),
    Case("an answer without DATA needs no window", "6.9", [settings((INITIAL_WINDOW, 0)) + get(path="/204")],
         answered(204)),
    Case("more DATA than the window of the stream", "6.9.1",
         [post(path="/?ms=200&unread") + data_frame(1, b"x" * 16384) * 5 + data_frame(1, b"", True)],
         stream_error(FLOW_CONTROL_ERROR, NO_ERROR, status=200)),
]

BLOCKS = [
    Case("a header block that is no HPACK", "4.3", [with_field(b"\xff" * 4 + b"\x7f")],
         connection_error(COMPRESSION_ERROR)),
    Case("a header block that ends inside of a field", "4.3", [headers(1, REQUEST[:-3])],
         connection_error(COMPRESSION_ERROR)),
    Case("PRIORITY while a header block is sent", "4.3", [FIRST + priority(1) + frame(CONTINUATION, 4, 1, REST)],
         connection_error(PROTOCOL_ERROR)),
    Case("HEADERS of another stream while a header block is sent", "4.3", [FIRST + get(stream=3)],
         connection_error(PROTOCOL_ERROR)),
    Case("DATA after CONTINUATION that does not end the block", "6.10",
         [FIRST + frame(CONTINUATION, 0, 1, REST[:1]) + data_frame(1, b"x")], connection_error(PROTOCOL_ERROR)),
    Case("CONTINUATION of stream 0", "6.10", [FIRST + frame(CONTINUATION, END_HEADERS, 0, REST)],
         connection_error(PROTOCOL_ERROR)),
    Case("CONTINUATION of another stream", "6.10", [FIRST + frame(CONTINUATION, END_HEADERS, 3, REST)],
         connection_error(PROTOCOL_ERROR)),
    Case("CONTINUATION after HEADERS with END_HEADERS", "6.10",
         [post() + frame(CONTINUATION, END_HEADERS, 1, REST)], connection_error(PROTOCOL_ERROR)),
    Case("CONTINUATION after CONTINUATION with END_HEADERS", "6.10",
         [FIRST + frame(CONTINUATION, END_HEADERS, 1, REST) + frame(CONTINUATION, END_HEADERS, 1, REST)],
         connection_error(PROTOCOL_ERROR)),
    Case("CONTINUATION after DATA", "6.10", [post() + data_frame(1, b"x") + frame(CONTINUATION, END_HEADERS, 1, REST)],
         connection_error(PROTOCOL_ERROR)),
    *(Case(f"{name}, {how}{', Huffman' if compressed else ''}", f"HPACK {section}",
           [with_field(literal(58 if how == "a name of the table" else "x-one", "curl", kind, compressed))], answered())
      for name, section, kind in (("inserted", "6.2.1", INSERTED), ("not indexed", "6.2.2", LITERAL),
                                  ("never indexed", "6.2.3", NEVER_INDEXED))
      for how in ("a name of the table", "a new name") for compressed in (False, True)),
    Case("indexed fields", "HPACK 6.1", [headers(1, indexed(2) + indexed(4) + indexed(6) + literal(1, "localhost"))],
         answered()),
    Case("a field of the dynamic table", "HPACK 2.3.3",
         [headers(1, REQUEST + literal("x-a", "b", INSERTED)) + headers(3, REQUEST + indexed(62))],
         answered(stream=3)),
    Case("a table size update", "HPACK 6.3", [headers(1, size_update(128) + REQUEST)], answered()),
    Case("two table size updates", "HPACK 6.3", [headers(1, size_update(128) + size_update(4096) + REQUEST)],
         answered()),
    Case("a field larger than the table empties it", "HPACK 4.4",
         [headers(1, REQUEST + literal("x-a", "b" * 4096, INSERTED)) + headers(3, REQUEST + indexed(62))],
         connection_error(COMPRESSION_ERROR)),
    Case("an index beyond the tables", "HPACK 2.3.3", [with_field(indexed(70))], connection_error(COMPRESSION_ERROR)),
    Case("a name whose index is beyond the tables", "HPACK 2.3.3", [with_field(literal(70, "x"))],
         connection_error(COMPRESSION_ERROR)),
    Case("a table size update behind a field", "HPACK 4.2", [with_field(size_update(0))],
         connection_error(COMPRESSION_ERROR)),
    Case("three table size updates", "HPACK 4.2", [headers(1, size_update(0) * 3 + REQUEST)],
         connection_error(COMPRESSION_ERROR)),
    Case("a Huffman string with more than 7 bits of padding", "HPACK 5.2",
         [with_field(b"\0\1x" + integer(len(huffman("abc")) + 1, 7, 128) + huffman("abc") + b"\xff")],
         connection_error(COMPRESSION_ERROR)),
    Case("a Huffman string padded with zeros", "HPACK 5.2",
         [with_field(b"\0\1x" + integer(1, 7, 128) + packed(HUFFMAN_WORDS[ord("a")] + "000"))],
         connection_error(COMPRESSION_ERROR)),
    Case("a Huffman string with EOS", "HPACK 5.2", [with_field(b"\0\1x" + integer(4, 7, 128) + b"\xff\xff\xff\xff")],
         connection_error(COMPRESSION_ERROR)),
    Case("index 0", "HPACK 6.1", [with_field(indexed(0))], connection_error(COMPRESSION_ERROR)),
    Case("a table size update above SETTINGS_HEADER_TABLE_SIZE", "HPACK 6.3",
         [headers(1, size_update(4097) + REQUEST)], connection_error(COMPRESSION_ERROR)),
    Case("an integer that overflows", "HPACK 5.1", [with_field(b"\xff" + b"\xff" * 9 + b"\x01")],
         connection_error(COMPRESSION_ERROR)),
    Case("an integer of many zeros", "HPACK 5.1", [with_field(b"\xff" + b"\x80" * 40 + b"\x00")],
         connection_error(COMPRESSION_ERROR)),
    Case("a string longer than its block", "HPACK 5.2", [with_field(b"\0\x7f\x80\x80\x01abc")],
         connection_error(COMPRESSION_ERROR)),
    Case("the table follows blocks of refused streams", "HPACK 2.2",
         [headers(1, without(":path", ("te", "no"))) +
          headers(3, block(without(":path")) + literal("x-a", "b", INSERTED)) + headers(5, REQUEST + indexed(62))],
         answered(stream=5)),
    Case("an empty block", "8.3.1", [headers(1, b"")], malformed()),
]

MESSAGES = [
    Case("GET", "8.1", [get()], answered()),
    Case("HEAD", "8.1", [headers(1, request_fields(method="HEAD"))], answered(body=b"")),
    Case("POST", "8.1", [post() + data_frame(1, b"test", True)], answered(body=b"4")),
    Case("POST with trailers", "8.1", [post() + data_frame(1, b"test") + headers(1, TRAILER)], answered(body=b"4")),
    Case("a second HEADERS without END_STREAM", "8.1", [post() + data_frame(1, b"test") + headers(1, TRAILER, False)],
         malformed()),
    Case("DATA behind trailers", "8.1", [post(path=SLOW) + headers(1, TRAILER) + data_frame(1, b"x", True)],
         stream_error(STREAM_CLOSED)),
    Case("trailers with a pseudo-field", "8.3", [post() + headers(1, [(":method", "GET")])], malformed()),
    Case("an uppercase letter in a name", "8.2.1", [get(("X-Test", "a"))], malformed()),
    *(Case(f"{byte!r} in a name", "8.2.1", [get((f"x{byte}a", "a"))], malformed()) for byte in " \0\r\n:\x7f\xe4"),
    *(Case(f"{byte!r} in a value", "8.2.1", [get(("x-a", f"b{byte}c"))], malformed()) for byte in "\0\r\n"),
    *(Case(f"{byte!r} {where} of a value", "8.2.1", [get(("x-a", f"{byte}b" if where == "in front" else f"b{byte}"))],
           malformed()) for byte in " \t" for where in ("in front", "at the end")),
    Case("an empty name", "8.2.1", [get(("", "a"))], malformed()),
    Case("an empty value", "8.2.1", [get(("x-a", ""))], answered()),
    Case("bytes above 127 in a value", "8.2.1", [get(("x-a", "\xe4\xf6"))], answered()),
    Case("an unknown pseudo-field", "8.3", [headers(1, request_fields(fields=[(":test", "a")]))], malformed()),
    Case("a pseudo-field of answers", "8.3", [headers(1, request_fields() + [(":status", "200")])], malformed()),
    Case("a pseudo-field behind a field", "8.3", [headers(1, without(":path", ("x-a", "b"), (":path", "/")))],
         malformed()),
    *(Case(f"the field {name}", "8.2.2", [get((name, value))], malformed())
      for name, value in (("connection", "keep-alive"), ("keep-alive", "timeout=5"), ("proxy-connection", "close"),
                          ("transfer-encoding", "chunked"), ("upgrade", "websocket"))),
    Case("te: trailers, deflate", "8.2.2", [get(("te", "trailers, deflate"))], malformed()),
    Case("te: trailers", "8.2.2", [get(("te", "trailers"))], answered()),
    Case("an empty :path", "8.3.1", [headers(1, without(":path", (":path", "")))], malformed()),
    *(Case(f":path {path!r}", "8.3.1", [headers(1, without(":path", (":path", path)))], malformed())
      for path in ("*", "a", "/a b", "http://a/", "/a\r\nx: y", "/a\0", "/\x7f")),
    *(Case(f"no {name}", "8.3.1", [headers(1, without(name))], malformed())
      for name in (":method", ":scheme", ":path")),
    *(Case(f"{name} twice", "8.3.1", [headers(1, [field for field in request_fields() if field[0] == name] +
                                              request_fields())], malformed())
      for name in (":method", ":scheme", ":path", ":authority")),
    *(Case(f":method {method!r}", "8.3.1", [headers(1, request_fields(method=method))], malformed())
      for method in ("", "G ET", "GET\r\n", "G\0")),
    Case(":scheme ftp", "8.3.1", [headers(1, request_fields(scheme="ftp"))], malformed()),
    Case("Host is not :authority", "8.3.1", [get(("host", "other"))], malformed()),
    Case("Host is :authority", "8.3.1", [get(("host", "localhost"))], answered()),
    Case("Host without :authority", "8.3.1", [headers(1, without(":authority", ("host", "localhost")))], answered()),
    Case("Host twice", "8.3.1", [headers(1, without(":authority", ("host", "localhost"), ("host", "localhost")))],
         malformed()),
    Case("neither Host nor :authority", "8.3.1", [headers(1, without(":authority"))], malformed()),
    Case(":authority with user information", "8.3.1", [headers(1, request_fields(authority="a@localhost"))],
         malformed()),
    Case("CONNECT", "8.5", [headers(1, [(":method", "CONNECT"), (":authority", "localhost:1")])],
         stream_error(PROTOCOL_ERROR, REFUSED_STREAM, status=501)),
    Case("less DATA than Content-Length", "8.1.1", [post(("content-length", "5")) + data_frame(1, b"test", True)],
         malformed()),
    Case("more DATA than Content-Length", "8.1.1", [post(("content-length", "3")) + data_frame(1, b"test", True)],
         malformed()),
    Case("several DATA frames against Content-Length", "8.1.1",
         [post(("content-length", "9")) + data_frame(1, b"te") + data_frame(1, b"st", True)], malformed()),
    Case("Content-Length without DATA", "8.1.1", [post(("content-length", "5"), end_stream=True)], malformed()),
    Case("trailers before Content-Length is reached", "8.1.1",
         [post(("content-length", "5")) + data_frame(1, b"test") + headers(1, TRAILER)], malformed()),
    Case("Content-Length twice, not the same", "8.1.1",
         [post(("content-length", "4"), ("content-length", "5")) + data_frame(1, b"test", True)], malformed()),
    Case("Content-Length that is no number", "8.1.1", [post(("content-length", "4x")) + data_frame(1, b"test", True)],
         malformed()),
    Case("Content-Length as promised", "8.1.1", [post(("content-length", "4")) + data_frame(1, b"test", True)],
         answered(body=b"4")),
    Case("a reset in the segment of its request", "5.4.2", [post() + data_frame(1, b"x") + rst_stream(1, CANCEL) +
                                                         get(stream=3)], answered(stream=3)),
]

CASES = {"starting": STARTING, "frames": FRAMES, "streams": STREAMS, "control frames": CONTROL, "windows": WINDOWS,
         "header blocks": BLOCKS, "messages": MESSAGES}
