"""The hostile corpus: what one client may send on one connection, generated from the classes of HTTP desync attacks.

Every payload is deterministic. Its requests carry its number in their path ("/p0017/..."), and most are followed by 
ne
more good request ("/p0017/end", Connection: close), so that the connection ends by itself and whoever mistakes where 

message ends is seen to lose it, or to find "/p0017/smuggled" instead.
"""
import itertools
from dataclasses import dataclass

MARK = b"p0000"  # becomes the number, of the same length, so that lengths stay true
SMUGGLED = b"GET /p0000/smuggled HTTP/1.1\r\nHost: evil\r\n\r\n"
END = b"GET /p0000/end HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
ODD_BYTES = [*range(0x00, 0x21), *b"\"(),/:;<=>?@[\\]{}", 0x7f, 0x80, 0x85, 0xa0, 0xc3, 0xff]
TE, CL = b"Transfer-Encoding: ", b"Content-Length: "


@dataclass(frozen=True)
class Payload:
    number: int
    group: str
    data: bytes


def head(fields=b"", line=b"GET /p0000/a?b=c HTTP/1.1", host=b"Host: a\r\n"):
    return line + b"\r\n" + host + fields + b"\r\n"


def post(fields, body=b"", method=b"POST"):
    return head(fields, method + b" /p0000/a HTTP/1.1") + body


def chunked(body, fields=b""):
    return post(TE + b"chunked\r\n" + fields, body)


def methods():
    for method in (b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"OPTIONS", b"PATCH", b"TRACE", b"PROPFIND",
                   b"PURGE", b"get", b"Get", b"GE", b"GETS", b"G-T", b"M_N", b"A!#$%&'*+.^`|~", b"M" * 32):
        yield head(line=method + b" /p0000/a HTTP/1.1")
        yield post(CL + b"5\r\n", b"hello", method)
        yield post(TE + b"chunked\r\n", b"5\r\nhello\r\n0\r\n\r\n", method)
        yield post(CL + b"%d\r\n" % len(SMUGGLED), SMUGGLED, method)
    for method in (b"", b"M" * 33, b"G ET", b"GET,POST", b"(GET)", b"G\0T", b"G\xc3\xa4", b"CONNECT", b"PRI",
                   b"\"GET\""):
        yield head(line=method + b" /p0000/a HTTP/1.1")
    yield head(line=b"CONNECT a:80 HTTP/1.1")
    yield b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def request_lines():
    for version in (b"HTTP/1.1", b"HTTP/1.0", b"HTTP/1.2", b"HTTP/1.9", b"HTTP/2.0", b"HTTP/0.9", b"HTTP/3",
                    b"HTTP/11", b"HTTP/1.10", b"HTTP/01.1", b"HTTP/1", b"HTTP/1.", b"HTTP/.1", b"HTTP 1.1",
                    b"http/1.1", b"HTTP/1,1", b"HTTP/+1.1", b"HTTP/1.1x", b"HTTP/1.1 x", b"ICAP/1.0", b"HTTPS/1.1",
                    b"", b"HTTP/1.\xb1", b"x"):
        yield head(line=b"GET /p0000/a " + version)
    for line in (b"GET /p0000/a", b"GET", b"", b"GET  /p0000/a HTTP/1.1", b"GET /p0000/a  HTTP/1.1",
                 b"GET\t/p0000/a\tHTTP/1.1", b" GET /p0000/a HTTP/1.1", b"\tGET /p0000/a HTTP/1.1",
                 b"GET /p0000/a HTTP/1.1 ", b"GET /p0000/a HTTP/1.1\t", b"GET\x0b/p0000/a HTTP/1.1",
                 b"GET /p0000/a\x0cHTTP/1.1", b"GET /p0000/a b HTTP/1.1", b"GET /p0000/a HTTP/1.1 HTTP/1.1",
                 b"GET/p0000/a HTTP/1.1", b"\0GET /p0000/a HTTP/1.1", b"GET /p0000/a\rHTTP/1.1",
                 b"\xef\xbb\xbfGET /p0000/a HTTP/1.1", b"HTTP/1.1 200 OK", b"GET /p0000/a HTTP/1.1\r",
                 b"\rGET /p0000/a HTTP/1.1"):
        yield head(line=line)
    for empty in (b"\r\n", b"\r\n\r\n", b"\n", b"\r", b" \r\n", b"\r\n\n", b"\r\n \r\n", b"\0\r\n"):
        yield empty + head()
        yield post(CL + b"5\r\n", b"hello" + empty)


def targets():
    for target in (b"/p0000", b"/p0000/", b"//p0000/a", b"/p0000//a", b"/p0000/../a", b"/p0000/./a",
                   b"/p0000/%2e%2e/a", b"/p0000/%2f", b"/p0000/%5c", b"/p0000/\\a", b"/p0000/%0d%0aHost:%20b",
                   b"/p0000/%00", b"/p0000/%", b"/p0000/%zz", b"/p0000/%u0041", b"/p0000/;a=b", b"/p0000/a?",
                   b"/p0000/a??b?c", b"/p0000?a", b"/p0000/a?b=http://c/d", b"/p0000/a?%23", b"/p0000/~",
                   b"/p0000/:80", b"/p0000/*", b"/p0000/a|b", b"/p0000/a^b", b"/p0000/`a`", b"/p0000/{a}",
                   b"/p0000/<a>", b"/p0000/\"a\"", b"/p0000/[a]", b"/p0000/a&b&&c", b"/p0000/a+b", b"/p0000/a=b",
                   b"/p0000/!$'(),", b"/p0000/a@b", b"/../p0000/a", b"/%2e%2e/p0000/a", b"/p0000/http://evil/",
                   b"/p0000/\\..\\", b"/p0000/%c0%af", b"/p0000/%ff", b"/p0000/" + b"x/" * 300, b"/p0000/%252e"):
        yield head(line=b"GET " + target + b" HTTP/1.1")
    for target in (b"*", b"a", b"p0000/a", b"?a", b"#a", b"a:80", b"http:/p0000/a", b"http:", b"ftp://a/p0000/a",
                   b"file:///p0000/a", b"javascript:1", b"ws://a/p0000/a", b"//", b"%2fp0000/a", b"\\p0000\\a", b".",
                   b"..", b"./p0000/a", b"&", b"mailto:a@b", b"urn:a", b"/p0000/a#b", b"/p0000/a#"):
        yield head(line=b"GET " + target + b" HTTP/1.1")
        yield head(line=b"OPTIONS " + target + b" HTTP/1.1")
    for byte in ODD_BYTES:
        yield head(line=b"GET /p0000/a%cb HTTP/1.1" % byte)


def absolute_forms():
    authorities = (b"a", b"b", b"b:80", b"b:", b"b:x", b"b:99999", b"", b"u@b", b"u:p@b", b"[::1]", b"[::1]:80",
                   b"[::1", b"::1", b"b,c", b"b%41", b"B.Example", b"b\\c", b"b..c", b"127.0.0.1:1")
    for authority in authorities:
        yield head(line=b"GET http://" + authority + b"/p0000/a HTTP/1.1")
    for line in (b"GET http://b HTTP/1.1", b"GET http://b?p0000 HTTP/1.1", b"GET http://b/p0000?c HTTP/1.1",
                 b"GET HTTP://b/p0000/a HTTP/1.1", b"GET https://b/p0000/a HTTP/1.1", b"OPTIONS http://b HTTP/1.1",
                 b"OPTIONS http://b/ HTTP/1.1", b"GET http://b/p0000/http://c/ HTTP/1.1",
                 b"GET http:///p0000/a HTTP/1.1", b"GET http:b/p0000/a HTTP/1.1", b"GET http://b#/p0000 HTTP/1.1"):
        yield head(line=line)
        yield head(line=line, host=b"Host: b\r\n")
    yield head(line=b"GET http://b/p0000/a HTTP/1.1", host=b"")
    yield head(line=b"GET http://b/p0000/a HTTP/1.0", host=b"")
    yield head(line=b"GET http://b/p0000/a HTTP/1.1", host=b"Host: a\r\nHost: b\r\n")
    yield head(line=b"GET http://b/p0000/a HTTP/1.1", host=b"Host: a b\r\n")


def hosts():
    for value in (b"a", b"A", b"a:80", b"a:0", b"a:65535", b"a:65536", b"a:", b"a:-1", b"a:+1", b"a:8 0", b"a:80:80",
                  b"a b", b"a,b", b"a, a", b"a/b", b"a?b", b"a#b", b"u@a", b"a\\b", b"[::1]", b"[::1]:80",
                  b"[::ffff:1.2.3.4]", b"[fe80::1%25eth0]", b"[::1", b"::1", b"[]", b"[a]", b"a.", b".", b"..", b"-",
                  b"_", b"a_b", b"%41", b"*", b"a;b", b"'a'", b"\"a\"", b"<a>", b"127.1", b"0x7f.1", b"localhost",
                  b"a\tb", b"a\x00b", b"a\xffb", b"x" * 255, b"", b" ", b"\t", b"http://a", b"a|b", b"{a}", b"a^b",
                  b"a`b", b"(a)", b"a=b", b"!$&", b"~"):
        yield head(host=b"Host: " + value + b"\r\n")
    for host in (b"", b"Host: a\r\nHost: a\r\n", b"Host: a\r\nHost: b\r\n", b"Host: a\r\nhost: b\r\n",
                 b"Host : a\r\n", b"Host\t: a\r\n", b" Host: a\r\n", b"Host:a\r\n", b"Host:  a  \r\n",
                 b"Host: a\r\n b\r\n", b"Host:\r\n a\r\n", b"Hos\0t: a\r\n", b"Host;: a\r\n",
                 b"X-Host: b\r\nHost: a\r\n", b"Host: a\r\nX_Forwarded_Host: b\r\n",
                 b"Host: a\r\nX-Forwarded-Host: b\r\n", b"Host: a\r\nForwarded: host=b\r\n", b"Host: a\nHost: b\r\n",
                 b"Host: a\rHost: b\r\n"):
        yield head(host=host)
        yield head(host=host, line=b"GET /p0000/a HTTP/1.0")


LENGTHS = (b"5", b"05", b"0000000000000000000000005", b"+5", b"-5", b"-0", b"0x5", b"5_0", b"5 5", b"5,5", b"5, 5",
           b"5,6", b"5;a", b"5.0", b"5e0", b"\"5\"", b"", b" ", b"\t5", b"5\t", b"5\x0b", b"\x0c5", b"5\0", b"five",
           b"\xb2", b"18446744073709551616", b"18446744073709551621", b"9223372036854775808",
           b"99999999999999999999999999", b"0", b"00", b"5\r\n ", b"5\r\n\t6", b"4294967301", b"(5)", b"5#", b"5 ,",
           b",5")
CODINGS = (b"chunked", b"Chunked", b"CHUNKED", b" chunked ", b"\tchunked", b"chunked\t", b"xchunked", b"chunkedx",
           b"chunk", b"chunked,", b",chunked", b"chunked,chunked", b"chunked, identity", b"identity",
           b"identity, chunked", b"gzip", b"gzip, chunked", b"chunked, gzip", b"deflate", b"\"chunked\"",
           b"'chunked'", b"chunked;q=1", b"chunked;a", b"", b"\x0bchunked", b"\x0cchunked", b"chunked\0",
           b"\0chunked", b"chu\0nked", b"chun ked", b"c\rhunked", b"\r\n chunked", b"chunked\r\n ", b"\xa0chunked",
           b"chunked\xff", b"trailers", b"compress, chunked", b"none", b"null", b"0", b"chunked\x7f")


def content_lengths():
    for value in LENGTHS:
        yield post(CL + value + b"\r\n", b"hello")
        yield post(CL + value + b"\r\n", SMUGGLED)
        yield head(CL + value + b"\r\n") + b"hello"
    for name in (b"Content-Length ", b"Content-Length\t", b" Content-Length", b"Content_Length", b"Content-Length\0",
                 b"Content-Length\x0b", b"content-length", b"CONTENT-LENGTH", b"Content-length",
                 b"Content-Lengt\xe8", b"Content Length", b"X-Content-Length", b"\x01Content-Length"):
        yield post(name + b": 5\r\n", b"hello")
        yield post(name + b": %d\r\n" % len(SMUGGLED), SMUGGLED)
    for a, b in itertools.product((b"5", b"0", b"6", b"+5", b"x", b""), repeat=2):
        yield post(CL + a + b"\r\n" + CL + b + b"\r\n", b"hello")
    for length in (0, 1, 4, 6, 40, 1000):
        yield post(CL + b"%d\r\n" % length, b"hello")
        yield post(CL + b"%d\r\nConnection: close\r\n" % length, b"hello")
        yield head(CL + b"%d\r\n" % length, b"GET /p0000/a HTTP/1.0") + b"hello"


def transfer_encodings():
    body = b"5\r\nhello\r\n0\r\n\r\n"
    for value in CODINGS:
        yield post(TE + value + b"\r\n", body)
        yield post(TE + value + b"\r\n", b"0\r\n\r\n" + SMUGGLED)
    for name in (b"Transfer-Encoding ", b"Transfer-Encoding\t", b" Transfer-Encoding", b"Transfer_Encoding",
                 b"Transfer-Encoding\0", b"transfer-encoding", b"TRANSFER-ENCODING", b"Transfer Encoding",
                 b"X-Transfer-Encoding", b"Transfer-Encodin\xe7", b"\x01Transfer-Encoding", b"Transfer-Encoding\r\n",
                 b"X: x\nTransfer-Encoding", b"X: x\rTransfer-Encoding", b"Content-Encoding", b"TE"):
        yield post(name + b": chunked\r\n", body)
        yield post(CL + b"%d\r\n" % len(body) + name + b": chunked\r\n", body)
    for a, b in itertools.product((b"chunked", b"identity", b"gzip", b"x", b""), repeat=2):
        yield post(TE + a + b"\r\n" + TE + b + b"\r\n", body)
    for value in (b"chunked", b"identity", b"gzip"):
        yield head(TE + value + b"\r\n", b"POST /p0000/a HTTP/1.0") + body
        yield head(TE + value + b"\r\nConnection: keep-alive\r\n", b"POST /p0000/a HTTP/1.0") + body


def both_framings():
    """CL.TE, TE.CL, CL.0, 0.CL, TE.0: each length with each coding,
    both orders, a request hidden where one would look."""
    lengths = (b"0", b"5", b"6", b"44", b"+5", b"5,5", b"", b"0x5")
    codings = (b"chunked", b"xchunked", b"identity", b"gzip, chunked", b"chunked, identity", b"\x0bchunked", b"")
    for length, coding in itertools.product(lengths, codings):
        for fields in (CL + length + b"\r\n" + TE + coding + b"\r\n", TE + coding + b"\r\n" + CL + length + b"\r\n"):
            yield post(fields, b"0\r\n\r\n" + SMUGGLED)
    for method in (b"GET", b"HEAD", b"OPTIONS", b"DELETE", b"POST"):
        yield post(CL + b"0\r\n", SMUGGLED, method)
        yield post(b"", SMUGGLED, method)
        yield post(CL + b"%d\r\n" % len(SMUGGLED), SMUGGLED, method)
        yield post(TE + b"chunked\r\n", b"%x\r\n" % len(SMUGGLED) + SMUGGLED + b"\r\n0\r\n\r\n", method)
        yield post(TE + b"chunked\r\n", b"0\r\n\r\n" + SMUGGLED, method)
        yield post(CL + b"4\r\n" + TE + b"chunked\r\nConnection: close\r\n", b"0\r\n\r\n" + SMUGGLED, method)


SIZES = (b"5", b"05", b"00000005", b"0000000000000005", b"00000000000000005", b"+5", b"-5", b"0x5", b"5_", b"5 ",
         b" 5", b"\t5", b"5\t", b"5\0", b"\0005", b"5h", b"h", b"", b"5,", b"5.", b"\"5\"", b"FFFFFFFFFFFFFFFF",
         b"10000000000000005", b"100000005", b"5\r", b"5\n", b"5\r\r", b"5\x0b", b"\xb5", b"5#", b"5:", b"5=")
EXTENSIONS = (b";a", b";a=b", b";a=\"b\"", b";a=\"b;c\"", b";a=\"\\\"\"", b"; a", b";a ;b", b";a = b", b";a;b;c=d",
              b";", b";;", b";=", b";a=", b";a=\"", b";a=\"b", b" ;a", b"\t;a", b";a ", b";a\t", b";a=b ", b";a\n",
              b";a\r", b";\n", b";\r", b";a=\"\n\"", b";a=\"\r\n\"", b";a=\"\r\n0\r\n\r\n\"", b";\0", b";a\0b",
              b";\x7f", b";\xff", b";a=\"\xff\"", b";a=\"\0\"", b";a\r\n;b", b";a b", b";a,b", b";(a)",
              b";" + b"a" * 4095, b";" + b"a" * 4096, b";a=\"" + b"b" * 8000 + b"\"", b";a" * 2048)
TRAILERS = (b"A: b", b"A: b\r\nC: d", b"A:", b"Content-Length: 5", b"Transfer-Encoding: chunked", b"Host: evil",
            b"Authorization: Basic eA==", b"Cookie: a=b", b"Content-Type: x", b"X-Forwarded-For: 1.2.3.4",
            b"Connection: close", b"Trailer: x", b"A", b": b", b"A : b", b" A: b", b"A: b\r\n c", b"A: b\n",
            b"A: \0", b"A: b\rC: d", b"A: b\nC: d", b"GET /p0000/smuggled HTTP/1.1",
            b"GET /p0000/smuggled HTTP/1.1\r\nHost: evil", b"A: " + b"x" * 8000, b"A: " + b"x" * 8200,
            b"A: b\r\n" * 1000 + b"C: d", b"A\0: b", b"\xffA: b", b"A: \xff", b"{: b")


def chunked_bodies():
    for size in SIZES:
        yield chunked(size + b"\r\nhello\r\n0\r\n\r\n")
        yield chunked(b"5\r\nhello\r\n" + size.replace(b"5", b"0") + b"\r\n\r\n")
    for extension in EXTENSIONS:
        yield chunked(b"5" + extension + b"\r\nhello\r\n0\r\n\r\n")
        yield chunked(b"5\r\nhello\r\n0" + extension + b"\r\n\r\n")
    for trailer in TRAILERS:
        yield chunked(b"5\r\nhello\r\n0\r\n" + trailer + b"\r\n\r\n")
        yield chunked(b"0\r\n" + trailer + b"\r\n\r\n", b"Trailer: a\r\nTE: trailers\r\nConnection: TE\r\n")
    for body in (b"5\nhello\n0\n\n", b"5\r\nhello\n0\r\n\r\n", b"5\r\nhello\r0\r\n\r\n", b"5\r\nhello0\r\n\r\n",
                 b"5\r\nhelloX\r\n0\r\n\r\n", b"5\r\nhello\r\n\r\n0\r\n\r\n", b"5\r\nhello\r\n0\n\n",
                 b"5\r\nhello\r\n0\r\n\n", b"5\r\nhello\r\n0\r\n\r", b"5\r\nhello\r\n0\r\n", b"5\r\nhello\r\n0",
                 b"5\r\nhello\r\n", b"5\r\nhel", b"5\r\n", b"5", b"\r\n5\r\nhello\r\n0\r\n\r\n",
                 b"\n5\r\nhello\r\n0\r\n\r\n", b"0\r\n\r\n\r\n", b"0\r\n\r\n0\r\n\r\n",
                 b"1\r\nh\r\n1\r\ni\r\n" * 50 + b"0\r\n\r\n", b"2\r\n\r\n\r\n0\r\n\r\n",
                 b"5\r\n0\r\n\r\n\r\n0\r\n\r\n", b"A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n",
                 b"7d0\r\n" + b"x" * 2000 + b"\r\n0\r\n\r\n", b"0\r\n\r\n" + SMUGGLED, b"2\r\nhello\r\n0\r\n\r\n",
                 b"6\r\nhello\r\n0\r\n\r\n", b"5\r\nhello\r\n00\r\n\r\n", b"5\r\nhello\r\n0\r\n\r\nX",
                 b"5\r\r\nhello\r\n0\r\n\r\n", b"5\n\r\nhello\r\n0\r\n\r\n"):
        yield chunked(body)


def field_bytes():
    for byte in ODD_BYTES:
        yield head(b"A%cB: x\r\n" % byte)
        yield head(b"%cAB: x\r\n" % byte)
        yield head(b"A: x%cy\r\n" % byte)
        yield head(b"A:%cx\r\nB: y\r\n" % byte)
        yield head(b"A: x%c\r\n" % byte)


def field_lines():
    for fields in (b"A:b\r\n", b"A:\r\n", b"A: \r\n", b"A:  b  \r\n", b"A:\tb\t\r\n", b"A : b\r\n", b"A\t: b\r\n",
                   b": b\r\n", b"A\r\n", b"A b\r\n", b"A: b\r\n c\r\n", b"A: b\r\n\tc\r\n", b"A: b\r\n  \r\n",
                   b"A:\r\n b\r\n", b"A: b\n c\r\n", b" A: b\r\n", b"\tA: b\r\n", b"A: b\nB: c\r\n",
                   b"A: b\rB: c\r\n", b"A: b\r\r\n", b"A: b\r\n\r", b"A: b\n\r\n",
                   b"A: b\n\nGET /p0000/smuggled HTTP/1.1\r\nHost: evil\r\n", b"A: b\r\n\n", b"A: b\r\nB\r\n: c\r\n",
                   b"A: b\\\r\n c\r\n", b"A: :b\r\n", b"A:: b\r\n", b"A: b, c\r\nA: d\r\n",
                   b"!#$%&'*+-.^_`|~: x\r\n", b"GET /p0000/smuggled HTTP/1.1: x\r\n",
                   b"A: GET /p0000/smuggled HTTP/1.1\r\n", b"A: b\x85c\r\n", b"A: \xe2\x80\xa8\r\n",
                   b"From x: y\r\n", b"A=b: c\r\n", b"Set-Cookie: a=b\r\n", b"Cookie: a=b\r\nCookie: c=d\r\n",
                   b"Authorization: x\r\nAuthorization: y\r\n", b"Content-Type: a\r\nContent-Type: b\r\n",
                   b"Range: bytes=0-0\r\n", b"If-None-Match: *\r\n", b"If-Match: \"x\"\r\n",
                   b"If-Unmodified-Since: Thu, 01 Jan 1970 00:00:00 GMT\r\n", b"Date: x\r\n",
                   b"Accept-Encoding: gzip\r\n", b"Via: 1.1 grayd\r\n", b"Max-Forwards: 0\r\n",
                   b"X-Http-Method-Override: DELETE\r\n", b"X-Original-Url: /evil\r\n",
                   b"Content-Encoding: gzip\r\n", b"Status: 500\r\n"):
        yield head(fields)
        yield post(fields + CL + b"5\r\n", b"hello")


def line_ends():
    for end in (b"\n", b"\r", b"\n\r", b"\r\r\n", b"\r\n\n", b"\0\r\n", b"\x0b\r\n", b"\r\0\n", b" \r\n", b"\r \n",
                b"\x85", b"\xe2\x80\xa8"):
        for at in range(4):
            lines = [b"POST /p0000/a HTTP/1.1", b"Host: a", b"Content-Length: 5", b""]
            yield b"".join(line + (end if at == i else b"\r\n") for i, line in enumerate(lines)) + b"hello"


def connection_options():
    for option in (b"close", b"keep-alive", b"close, keep-alive", b"Close", b"x-a", b"X-A, x-b", b"host",
                   b"content-length", b"transfer-encoding", b"cookie", b"authorization", b"via", b"x-forwarded-for",
                   b"x-request-id", b"x-gray-version", b"connection", b"upgrade", b"te", b"", b",", b", close",
                   b"close,", b"\"close\"", b"close;a", b"x a", b"*", b"a\0b", b"x-forwarded-host", b"expect",
                   b"date", b"a, " * 31 + b"b", b"a, " * 32 + b"b", b"content_length", b"CONTENT-LENGTH, HOST"):
        yield post(b"Connection: " + option + b"\r\nX-A: 1\r\nX-B: 2\r\nCookie: c=d\r\n" + CL + b"5\r\n", b"hello")
    for fields in (b"Keep-Alive: timeout=5\r\n", b"Proxy-Connection: keep-alive\r\n", b"Proxy-Authorization: x\r\n",
                   b"TE: trailers\r\nConnection: TE\r\n", b"TE: trailers, deflate\r\n",
                   b"Trailer: content-length\r\n",
                   b"Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n",
                   b"Upgrade: websocket\r\n", b"Connection: Upgrade\r\n",
                   b"Connection: close\r\nConnection: keep-alive\r\n", b"X-Gray-Version: v9\r\n",
                   b"X_Gray_Version: v9\r\n", b"X_Forwarded_For: 9.9.9.9\r\n", b"X-Forwarded-Proto: https\r\n",
                   b"X-Request-Id: mine\r\n", b"Forwarded: for=9.9.9.9\r\n"):
        yield head(fields)
        yield post(fields + CL + b"5\r\n", b"hello")


def expectations():
    for value in (b"100-continue", b"100-Continue", b"100-CONTINUE", b"100-continue, x", b"100-continue;a=b", b"x",
                  b"", b"100", b"100 continue", b"\"100-continue\"", b"100-continue\0"):
        yield post(b"Expect: " + value + b"\r\n" + CL + b"5\r\n", b"hello")
        yield chunked(b"5\r\nhello\r\n0\r\n\r\n", b"Expect: " + value + b"\r\n")
        yield head(b"Expect: " + value + b"\r\n")
    yield post(b"Expect: 100-continue\r\nExpect: 100-continue\r\n" + CL + b"5\r\n", b"hello")
    yield post(b"Expect: 100-continue\r\n" + CL + b"0\r\n", SMUGGLED)
    yield post(b"Expect: 100-continue\r\n" + CL + b"%d\r\n" % len(SMUGGLED), SMUGGLED)
    yield head(b"Expect: 100-continue\r\n" + CL + b"5\r\n", b"POST /p0000/a HTTP/1.0") + b"hello"


def sequences():
    good = head()
    for count in (2, 5, 20):
        yield good * count
        yield post(CL + b"5\r\n", b"hello") * count
        yield chunked(b"5\r\nhello\r\n0\r\n\r\n") * count
    yield good + head(b": x\r\n") + good
    yield post(CL + b"5\r\n", b"hello") + b"X" + good
    yield post(CL + b"5\r\n", b"hello\r\n") + good
    yield good + b"\r\n" + good
    yield good + b"\r\n\r\n" + good
    yield good + b"\0"
    yield good + b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    yield head(b"Connection: close\r\n") + SMUGGLED
    yield head(line=b"GET /p0000/a HTTP/1.0") + SMUGGLED
    yield head(b"Connection: keep-alive\r\n", b"GET /p0000/a HTTP/1.0") + SMUGGLED
    yield head(line=b"HEAD /p0000/a HTTP/1.1") + post(CL + b"5\r\n", b"hello", b"HEAD") + good


def limits():
    """At the edges of what grayd is told to allow: 8 KiB of head, 50 fields, 64 KiB of body."""
    room = 8192 - len(head(b"A: \r\n"))
    for size in (room - 1000, room - 20, room, room + 1, room + 20, 20000):
        yield head(b"A: " + b"x" * size + b"\r\n")
        yield head(b"x" * size + b": y\r\n")
        yield head(line=b"GET /p0000/" + b"x" * size + b" HTTP/1.1")
    for count in (30, 48, 49, 50, 51, 200):
        yield head(b"".join(b"F%d: %d\r\n" % (i, i) for i in range(count)))
        yield head(b"A: b\r\n" * count)
    for size in (1000, 65535, 65536, 65537, 100000):
        yield post(CL + b"%d\r\n" % size, b"x" * size)
        yield chunked(b"%x\r\n" % size + b"x" * size + b"\r\n0\r\n\r\n")
        yield chunked((b"3e8\r\n" + b"x" * 1000 + b"\r\n") * (size // 1000) + b"0\r\n\r\n")
    yield post(CL + b"18446744073709551615\r\n", b"hello")
    yield chunked(b"1\r\nx\r\n" * 3000 + b"0\r\n\r\n")


def unfinished():
    """Nothing follows: the connection stays open and the rest never comes."""
    whole = post(b"A: b\r\n" + CL + b"5\r\n", b"hello")
    for size in (1, 4, 12, 20, 30, 40, len(whole) - 7, len(whole) - 5, len(whole) - 1):
        yield whole[:size]
    body = chunked(b"5;a=b\r\nhello\r\n0\r\nA: b\r\n\r\n")
    for missing in (1, 2, 3, 8, 10, 11, 14, 18, 26):
        yield body[:-missing]
    yield post(CL + b"1000\r\n", SMUGGLED)
    yield chunked(b"ff\r\n" + SMUGGLED)


GROUPS = (methods, request_lines, targets, absolute_forms, hosts, content_lengths, transfer_encodings, both_framings,
          chunked_bodies, field_bytes, field_lines, line_ends, connection_options, expectations, sequences, limits,
          unfinished)


def all_payloads():
    found = {}
    for group in GROUPS:
        for data in group():
            found.setdefault(data if group is unfinished else data + END, group.__name__)
    return [Payload(i, group, data.replace(MARK, b"p%04d" % i)) for i, (data, group) in enumerate(found.items())]
