"""A strict reader of HTTP/1.1 requests, by the book and by what grayd promises of the requests that it writes. It
shares nothing with the router: regular expressions over whole lines.
"""
import re
from dataclasses import dataclass

TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
REQUEST_LINE = re.compile(rb"(" + TOKEN + rb") (/[!-\"$-~]*|\*) HTTP/1\.1")
FIELD_LINE = re.compile(rb"(" + TOKEN + rb"): ?([\t -~\x80-\xff]*)")
HOST = re.compile(rb"([A-Za-z0-9._~%!$&'()*+;=-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")
CHUNK_LINE = re.compile(rb"[0-9A-Fa-f]{1,16}")
ONE_HOP = {b"keep-alive", b"proxy-connection", b"trailer", b"x-gray-version", b"x-gray-decision"}


class Unclean(Exception):
    """These bytes are no request that grayd may write."""


@dataclass
class Request:
    method: str
    target: str
    fields: list  # of (lower-case name, value), as bytes
    body: bytes
    raw: bytes

    def value(self, name):
        return next((value.decode("latin-1") for found, value in self.fields if found == name.encode()), None)


def must(holds, problem):
    if not holds:
        raise Unclean(problem)


def read(data):
    """The first request of `data`; None if it is not all there yet, but right so far."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        must(not re.search(rb"\r[^\n]|(?<!\r)\n|[\0-\x08\x0b\x0c\x0e-\x1f\x7f]", data), "a control byte in a head")
        return None
    method, target, fields = read_head(data[:end])
    body = read_body(fields, data[end + 4:])
    if body is None:
        return None
    payload, size = body
    return Request(method, target, fields, payload, data[:end + 4 + size])


def head_is_there(data):
    return b"\r\n\r\n" in data


def read_head(text):
    lines = text.split(b"\r\n")
    first = REQUEST_LINE.fullmatch(lines[0])
    must(first, f"request line {lines[0]!r}")
    must(first[2] != b"*" or first[1] == b"OPTIONS", "* without OPTIONS")
    fields = []
    for line in lines[1:]:
        field = FIELD_LINE.fullmatch(line)
        must(field, f"field line {line!r}")
        fields.append((field[1].lower(), field[2].strip(b" \t")))
    check_fields(fields)
    return first[1].decode(), first[2].decode(), fields


def check_fields(fields):
    def values(name):
        return [value for found, value in fields if found == name]
    must(len(values(b"host")) == 1 and HOST.fullmatch(values(b"host")[0]), f"Host {values(b'host')}")
    lengths, codings = values(b"content-length"), values(b"transfer-encoding")
    must(len(lengths) + len(codings) <= 1, "more than one framing field")
    must(all(re.fullmatch(rb"[0-9]{1,20}", value) for value in lengths), f"Content-Length {lengths}")
    must(all(value == b"chunked" for value in codings), f"Transfer-Encoding {codings}")
    must(len(values(b"x-forwarded-for")) == 1 and len(values(b"x-request-id")) == 1, "what grayd vouches for, twice")
    must(not any(name in ONE_HOP for name, _ in fields), "a field of the other hop")
    must(values(b"te") in ([], [b"trailers"]) and len(values(b"upgrade")) <= 1, "TE or Upgrade of the other hop")
    nominated = sorted(value.lower() for value in values(b"connection"))
    must(nominated == [name for name in (b"te", b"upgrade") if values(name)], f"Connection: {nominated}")
    must(not any(name.replace(b"_", b"-") in (b"content-length", b"transfer-encoding", b"x-forwarded-for", b"host")
                 for name, _ in fields if b"_" in name), "a name that passes for another one behind CGI")


def read_body(fields, rest):
    """Payload and its size on the wire."""
    fields = dict(fields)
    if b"content-length" in fields:
        size = int(fields[b"content-length"])
        return (rest[:size], size) if len(rest) >= size else None
    return read_chunks(rest) if b"transfer-encoding" in fields else (b"", 0)


def read_chunks(rest):
    payload, at = b"", 0
    while True:
        end = rest.find(b"\r\n", at)
        if end < 0:
            must(re.fullmatch(rb"[0-9A-Fa-f]{0,16}\r?", rest[at:]), f"chunk line {rest[at:at + 40]!r}")
            return None
        must(CHUNK_LINE.fullmatch(rest[at:end]), f"chunk line {rest[at:end][:40]!r}")
        size = int(rest[at:end], 16)
        data = rest[end + 2:end + 2 + size]
        payload += data
        at = end + 2 + size
        must(b"\r\n".startswith(rest[at:at + 2]), "a chunk that goes on, or trailers")
        if len(rest) < at + 2:
            return None
        at += 2
        if size == 0:
            return payload, at
