#!/usr/bin/env python3
"""Writes tests/fuzz/corpus: where libFuzzer begins. One small file for each class of message that HTTP attacks are made
of, named by what it is. Run it after changing it, and commit both; what a fuzz run finds by itself stays in build/.
"""
import os
import shutil

HERE = os.path.dirname(os.path.abspath(__file__))
HOST = b"Host: a\r\n"


def get(fields=b"", line=b"GET /a?b=c HTTP/1.1", host=HOST):
    return line + b"\r\n" + host + fields + b"\r\n"


def post(fields, body=b""):
    return get(fields, b"POST /p HTTP/1.1") + body


def ok(fields=b"", line=b"HTTP/1.1 200 OK"):
    return line + b"\r\n" + fields + b"\r\n"


REQUEST_HEAD = {
    "get": get(),
    "browser": get(b"User-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\nAccept: text/html, */*;q=0.8\r\n"
                   b"Accept-Language: de\r\nAccept-Encoding: gzip, br\r\n"
                   b"Cookie: uid=1; version=v2\r\nConnection: keep-alive\r\n"),
    "http10": b"GET / HTTP/1.0\r\n\r\n",
    "http10-keep-alive": b"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n",
    "empty-line-first": b"\r\n" + get(),
    "two-empty-lines-first": b"\r\n\r\n" + get(),
    "pipelined": get() + get(line=b"GET /second HTTP/1.1"),
    "cl": post(b"Content-Length: 5\r\n", b"hello"),
    "cl-leading-zeros": post(b"Content-Length: 0005\r\n", b"hello"),
    "cl-same-twice": post(b"Content-Length: 5\r\nContent-Length: 5\r\n", b"hello"),
    "cl-different": post(b"Content-Length: 5\r\nContent-Length: 6\r\n", b"hello"),
    "cl-list": post(b"Content-Length: 5, 5\r\n", b"hello"),
    "cl-plus": post(b"Content-Length: +5\r\n"),
    "cl-hex": post(b"Content-Length: 0x5\r\n"),
    "cl-empty": post(b"Content-Length:\r\n"),
    "cl-overflow": post(b"Content-Length: 18446744073709551616\r\n"),
    "cl-largest": post(b"Content-Length: 18446744073709551615\r\n"),
    "cl-space": post(b"Content-Length: 5 5\r\n"),
    "te-chunked": post(b"Transfer-Encoding: chunked\r\n", b"0\r\n\r\n"),
    "te-case": post(b"transfer-encoding: CHUNKED\r\n", b"0\r\n\r\n"),
    "te-and-cl": post(b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"),
    "te-twice": post(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
    "te-xchunked": post(b"Transfer-Encoding: xchunked\r\n"),
    "te-list": post(b"Transfer-Encoding: gzip, chunked\r\n"),
    "te-leading-comma": post(b"Transfer-Encoding: , chunked\r\n"),
    "te-quoted": post(b'Transfer-Encoding: "chunked"\r\n'),
    "te-space-before-colon": post(b"Transfer-Encoding : chunked\r\n"),
    "te-vtab": post(b"Transfer-Encoding:\x0bchunked\r\n"),
    "te-http10": b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
    "te-folded": post(b"Transfer-Encoding:\r\n chunked\r\n"),
    "expect": post(b"Content-Length: 5\r\nExpect: 100-continue\r\n"),
    "expect-other": post(b"Expect: magic\r\n"),
    "host-missing": get(host=b""),
    "host-twice": get(b"Host: a\r\n"),
    "host-comma": get(host=b"Host: a,b\r\n"),
    "host-userinfo": get(host=b"Host: u@a\r\n"),
    "host-path": get(host=b"Host: a/b\r\n"),
    "host-empty": get(host=b"Host:\r\n"),
    "host-ipv6": get(host=b"Host: [::1]:8000\r\n"),
    "host-port": get(host=b"Host: a.example:65535\r\n"),
    "absolute": get(line=b"GET http://b:80/x?y HTTP/1.1"),
    "absolute-no-path": get(line=b"GET http://b HTTP/1.1"),
    "absolute-query": get(line=b"GET http://b?y HTTP/1.1"),
    "absolute-userinfo": get(line=b"GET http://u@b/ HTTP/1.1"),
    "absolute-https": get(line=b"GET HTTPS://b/ HTTP/1.1"),
    "options-star": get(line=b"OPTIONS * HTTP/1.1"),
    "options-absolute": get(line=b"OPTIONS http://b HTTP/1.1"),
    "get-star": get(line=b"GET * HTTP/1.1"),
    "connect": get(line=b"CONNECT a:1 HTTP/1.1"),
    "trace": get(b"Max-Forwards: 3\r\n", b"TRACE / HTTP/1.1"),
    "fragment": get(line=b"GET /a#b HTTP/1.1"),
    "target-nul": get(line=b"GET /\x00 HTTP/1.1"),
    "target-utf8": get(line=b"GET /\xc0\xaf HTTP/1.1"),
    "target-percent": get(line=b"GET /%00%0d%0a HTTP/1.1"),
    "method-unknown": get(line=b"PURGE / HTTP/1.1"),
    "method-long": get(line=b"M" * 33 + b" / HTTP/1.1"),
    "two-spaces": get(line=b"GET  / HTTP/1.1"),
    "tab": get(line=b"GET\t/ HTTP/1.1"),
    "http09": b"GET /\r\n\r\n",
    "version-2": get(line=b"GET / HTTP/2.0"),
    "version-12": get(line=b"GET / HTTP/1.2"),
    "version-case": get(line=b"GET / http/1.1"),
    "h2-preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "bare-lf": b"GET / HTTP/1.1\nHost: a\n\n",
    "bare-cr": get(b"A: b\rc\r\n"),
    "bare-cr-end": get(b"A: b\r\r\n"),
    "obs-fold": get(b"A: b\r\n c\r\n"),
    "space-first": b"GET / HTTP/1.1\r\n Host: a\r\n\r\n",
    "name-empty": get(b": x\r\n"),
    "name-space": get(b"A : x\r\n"),
    "name-none": get(b"nothing\r\n"),
    "name-odd": get(b"!#$%&'*+-.^_`|~: x\r\n"),
    "name-bad": get(b"A(B): x\r\n"),
    "name-obs": get(b"\xc3\xa4: x\r\n"),
    "value-nul": get(b"A: b\x00c\r\n"),
    "value-del": get(b"A: b\x7fc\r\n"),
    "value-obs": get(b"A: \xff\xfe\r\n"),
    "value-empty": get(b"A:\r\nB: \r\nC:d\r\n"),
    "value-blanks": get(b"A: \t b \t \r\n"),
    "underscore": get(b"Content_Length: 5\r\nX_Forwarded_For: 1\r\nAny_Thing: 2\r\n"),
    "connection-nominates": get(b"Connection: x-a, host, content-length, cookie\r\n"
                                b"X-A: 1\r\nX-B: 2\r\nCookie: a=b\r\n"),
    "connection-many": get(b"Connection: " + b"a, " * 33 + b"\r\n"),
    "connection-close": get(b"Connection: close\r\n"),
    "hop-by-hop": get(b"Keep-Alive: 5\r\nProxy-Connection: x\r\nTE: trailers\r\nTrailer: a\r\nUpgrade: h2c\r\n"),
    "upgrade": get(b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"),
    "forwarded": get(b"X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-For: 5\r\nX-Forwarded-Proto: https\r\n"
                     b"Forwarded: for=1\r\nX-Forwarded-Host: z\r\nX-Request-Id: r\r\nVia: 1.0 p\r\n"),
    "x-gray": get(b"X-Gray-Version: v2\r\nx-gray-anything: 1\r\nX_Gray_Version: v2\r\n"),
    "traceparent": get(b"traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\ntracestate: a=b\r\n"),
    "fields-12": get(b"".join((b"F%d: %d\r\n" % (i, i) for i in range(11)))),
    "fields-13": get(b"".join((b"F%d: %d\r\n" % (i, i) for i in range(12)))),
    "head-1024": get(b"A: " + b"x" * (1024 - len(get()) - 5) + b"\r\n"),
    "head-1025": get(b"A: " + b"x" * (1025 - len(get()) - 5) + b"\r\n"),
    "target-long": get(line=b"GET /" + b"x" * 1100 + b" HTTP/1.1"),
    "incomplete": b"GET / HTTP/1.1\r\nHost: a\r\nA",
    "blank": b"",
}

RESPONSE_HEAD = {
    "field-named-close": ok(b"close: c\r\n"),
    "ok": ok(b"Content-Length: 5\r\nContent-Type: text/plain\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
             b"Server: s\r\n") + b"hello",
    "chunked": ok(b"Transfer-Encoding: chunked\r\nTrailer: x\r\n") + b"0\r\n\r\n",
    "until-close": ok(b"Content-Type: a/b\r\n"),
    "http10": ok(b"Content-Length: 1\r\nConnection: keep-alive\r\n", b"HTTP/1.0 404 Not Found"),
    "http10-chunked": ok(b"Transfer-Encoding: chunked\r\n", b"HTTP/1.0 200 OK"),
    "no-reason": ok(line=b"HTTP/1.1 200"),
    "reason-empty": ok(line=b"HTTP/1.1 200 "),
    "reason-obs": ok(line=b"HTTP/1.1 200 \xe4\xf6"),
    "reason-lf": ok(line=b"HTTP/1.1 200 a\nb"),
    "continue": ok(line=b"HTTP/1.1 100 Continue"),
    "early-hints": ok(b"Link: </a>; rel=preload\r\n", b"HTTP/1.1 103 Early Hints") + ok(b"Content-Length: 0\r\n"),
    "switching": ok(b"Connection: Upgrade\r\nUpgrade: websocket\r\n", b"HTTP/1.1 101 Switching Protocols"),
    "no-content": ok(b"Content-Length: 3\r\n", b"HTTP/1.1 204 No Content") + b"abc",
    "not-modified": ok(b'Content-Length: 3\r\nETag: "a"\r\n', b"HTTP/1.1 304 Not Modified"),
    "status-99": ok(line=b"HTTP/1.1 099 x"),
    "status-600": ok(line=b"HTTP/1.1 600 x"),
    "status-4": ok(line=b"HTTP/1.1 2000 x"),
    "version-2": ok(line=b"HTTP/2.0 200 OK"),
    "version-12": ok(line=b"HTTP/1.2 200 OK"),
    "icy": ok(line=b"ICY 200 OK"),
    "empty-line-first": b"\r\n" + ok(),
    "te-and-cl": ok(b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"),
    "cl-different": ok(b"Content-Length: 1\r\nContent-Length: 2\r\n"),
    "cl-list": ok(b"Content-Length: 1, 1\r\n"),
    "cl-bad": ok(b"Content-Length: x\r\n"),
    "te-gzip": ok(b"Transfer-Encoding: gzip\r\n"),
    "te-list": ok(b"Transfer-Encoding: gzip, chunked\r\n"),
    "name-space": ok(b"A : b\r\n"),
    "obs-fold": ok(b"A: b\r\n\tc\r\n"),
    "bare-lf": b"HTTP/1.1 200 OK\nA: b\n\n",
    "bare-cr": ok(b"A: b\rc\r\n"),
    "value-nul": ok(b"A: \x00\r\n"),
    "connection-nominates": ok(b"Connection: x-a, set-cookie\r\nX-A: 1\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\n"),
    "hop-by-hop": ok(b"Keep-Alive: timeout=5\r\nProxy-Connection: x\r\nUpgrade: h2c\r\nX-Gray-Version: v9\r\n"
                     b"X-Request-Id: z\r\n"),
    "proxy-auth": ok(b"Proxy-Authenticate: Basic\r\n", b"HTTP/1.1 407 P"),
    "via": ok(b"Via: 1.0 p\r\nVia: 1.1 q\r\n"),
    "fields-13": ok(b"".join((b"F%d: %d\r\n" % (i, i) for i in range(13)))),
    "head-1025": ok(b"A: " + b"x" * 1001 + b"\r\n"),
    "incomplete": b"HTTP/1.1 200 OK\r\nContent-Le",
    "retry-after": ok(b"Retry-After: 1\r\nContent-Length: 0\r\n", b"HTTP/1.1 503 S"),
}

CHUNKED = {
    "one": b"5\r\nhello\r\n0\r\n\r\n",
    "none": b"0\r\n\r\n",
    "many": b"1\r\na\r\n" * 9 + b"0\r\n\r\nGET / HTTP/1.1\r\n\r\n",
    "upper-hex": b"A\r\n0123456789\r\n0\r\n\r\n",
    "leading-zeros": b"0005\r\nhello\r\n0000\r\n\r\n",
    "digits-16": b"0" * 15 + b"1\r\na\r\n0\r\n\r\n",
    "digits-17": b"0" * 16 + b"1\r\na\r\n0\r\n\r\n",
    "size-largest": b"FFFFFFFFFFFFFFFF\r\nabc",
    "size-empty": b"\r\nabc",
    "size-plus": b"+5\r\nhello\r\n",
    "size-minus": b"-5\r\nhello\r\n",
    "size-0x": b"0x5\r\nhello\r\n",
    "size-underscore": b"1_0\r\n",
    "size-space-before": b" 5\r\nhello\r\n",
    "size-space-behind": b"5 \r\nhello\r\n",
    "size-g": b"5g\r\n",
    "size-lf": b"5\nhello\r\n0\r\n\r\n",
    "size-cr": b"5\rhello",
    "size-crcr": b"5\r\r\nhello",
    "data-lf": b"5\r\nhello\n0\r\n\r\n",
    "data-spill": b"5\r\nhelloX\r\n0\r\n\r\n",
    "data-no-end": b"5\r\nhello0\r\n\r\n",
    "data-short": b"5\r\nhel",
    "extra-crlf": b"5\r\nhello\r\n\r\n0\r\n\r\n",
    "ext": b"5;a\r\nhello\r\n0;b\r\n\r\n",
    "ext-value": b"5;a=b;c=d\r\nhello\r\n0\r\n\r\n",
    "ext-quoted": b'5;a="b\\";c"\r\nhello\r\n0\r\n\r\n',
    "ext-blanks": b"5; a = b ;c\r\nhello\r\n0\r\n\r\n",
    "ext-bare-semicolon": b"5;\r\nhello\r\n",
    "ext-no-value": b"5;a=\r\n",
    "ext-two": b"5;;a\r\n",
    "ext-trailing-blank": b"5;a \r\nhello\r\n",
    "ext-lf": b"5;a\nb\r\nhello\r\n",
    "ext-cr": b"5;a\rb\r\nhello\r\n",
    "ext-quoted-crlf": b'5;a="b\r\nhello"\r\n',
    "ext-nul": b"5;a\x00\r\n",
    "ext-quoted-open": b'5;a="b\r\n',
    "ext-obs": b'5;a="\xff"\r\nhello\r\n0\r\n\r\n',
    "ext-4096": b"1;" + b"a" * 4095 + b"\r\nx\r\n0\r\n\r\n",
    "ext-4097": b"1;" + b"a" * 4096 + b"\r\nx\r\n0\r\n\r\n",
    "trailer": b"0\r\nA: b\r\n\r\n",
    "trailers": b"0\r\nA: b\r\nC:\r\nD: \xff \t\r\n\r\n",
    "trailers-up-to-the-limit": b"0\r\n" + 2048 * b"C:\r\n" + b"\r\n",
    "trailer-cl": b"0\r\nContent-Length: 5\r\n\r\nhello",
    "trailer-te": b"0\r\nTransfer-Encoding: chunked\r\n\r\n",
    "trailer-host": b"0\r\nHost: b\r\n\r\n",
    "trailer-lf": b"0\r\nA: b\n\r\n",
    "trailer-no-colon": b"0\r\nGET / HTTP/1.1\r\n\r\n",
    "trailer-empty-name": b"0\r\n: b\r\n\r\n",
    "trailer-space": b"0\r\nA : b\r\n\r\n",
    "trailer-fold": b"0\r\nA: b\r\n c\r\n\r\n",
    "trailer-nul": b"0\r\nA: \x00\r\n\r\n",
    "trailer-open": b"0\r\nA: b\r\n",
    "end-lf": b"0\r\n\n",
    "end-cr": b"0\r\n\rX",
    "trailers-8192": b"0\r\nA: " + b"x" * (8191 - 5) + b"\r\n\r\n",
    "trailers-8193": b"0\r\nA: " + b"x" * (8192 - 5) + b"\r\n\r\n",
}


def framing(*lines):
    return "\n".join(lines).encode()


FRAMING = {
    "none": framing("1.1"),
    "cl": framing("1.1", "C:5"),
    "te": framing("1.1", "T:chunked"),
    "te-case": framing("1.1", "T:ChunkeD"),
    "cl-te": framing("1.1", "C:5", "T:chunked"),
    "te-cl": framing("1.1", "T:chunked", "C:5"),
    "te-te": framing("1.1", "T:chunked", "T:chunked"),
    "te-10": framing("1.0", "T:chunked"),
    "te-unknown": framing("1.1", "T:gzip"),
    "te-list": framing("1.1", "T:gzip, chunked"),
    "te-double": framing("1.1", "T:chunked, chunked"),
    "te-behind": framing("1.1", "T:chunked, gzip"),
    "te-identity": framing("1.1", "T:identity"),
    "te-empty": framing("1.1", "T:"),
    "te-comma": framing("1.1", "T:chunked,"),
    "te-quoted": framing("1.1", 'T:"chunked"'),
    "te-params": framing("1.1", "T:chunked;a=b"),
    "te-x": framing("1.1", "T:xchunked"),
    "te-space": framing("1.1", "T:chun ked"),
    "cl-cl": framing("1.1", "C:5", "C:5"),
    "cl-list": framing("1.1", "C:5, 5"),
    "cl-zero": framing("1.1", "C:0"),
    "cl-zeros": framing("1.1", "C:0000"),
    "cl-leading": framing("1.1", "C:000000000000000000000000000000005"),
    "cl-largest": framing("1.1", "C:18446744073709551615"),
    "cl-overflow": framing("1.1", "C:18446744073709551616"),
    "cl-long": framing("1.1", "C:" + "9" * 40),
    "cl-minus": framing("1.1", "C:-1"),
    "cl-plus": framing("1.1", "C:+1"),
    "cl-hex": framing("1.1", "C:0x1"),
    "cl-empty": framing("1.1", "C:"),
    "cl-space": framing("1.1", "C:1 1"),
    "head": framing("1.1", "C:5", "M:HEAD"),
    "connect": framing("1.1", "C:5", "M:CONNECT"),
    "connect-404": framing("1.1", "C:5", "M:CONNECT", "S:304"),
    "s-204": framing("1.1", "C:5", "S:104"),
    "s-304": framing("1.1", "T:chunked", "S:204"),
    "s-100": framing("1.1", "S:0"),
    "s-101": framing("1.1", "S:1"),
    "response-10": framing("1.0", "S:100"),
}

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
IPV4 = bytes([192, 0, 2, 1, 198, 51, 100, 1, 0x12, 0x34, 0, 80])
IPV6 = b"\x20\x01" + bytes(13) + b"\1" + b"\x20\x01" + bytes(13) + b"\2" + IPV4[8:]


def proxy2(command, family, rest=b"", length=None):
    return SIGNATURE + bytes([command, family]) + (len(rest) if length is None else length).to_bytes(2, "big") + rest


def extension(kind, value):
    return bytes([kind]) + len(value).to_bytes(2, "big") + value


PROXY_PROTOCOL = {
    "v1-tcp4": b"PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\nGET / HTTP/1.1\r\n",
    "v1-tcp6": b"PROXY TCP6 2001:db8::1 ::1 1 65535\r\n",
    "v1-unknown": b"PROXY UNKNOWN\r\n",
    "v1-unknown-more": b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n",
    "v1-longest": b"PROXY UNKNOWN " + b"x" * 91 + b"\r\n",
    "v1-too-long": b"PROXY UNKNOWN " + b"x" * 92 + b"\r\n",
    "v1-mixed": b"PROXY TCP4 ::1 ::1 1 2\r\n",
    "v1-port-zero": b"PROXY TCP4 1.2.3.4 5.6.7.8 0 0\r\n",
    "v1-port-leading-zero": b"PROXY TCP4 1.2.3.4 5.6.7.8 01 2\r\n",
    "v1-port-65536": b"PROXY TCP4 1.2.3.4 5.6.7.8 65536 2\r\n",
    "v1-two-spaces": b"PROXY TCP4  1.2.3.4 5.6.7.8 1 2\r\n",
    "v1-trailing-space": b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2 \r\n",
    "v1-bare-lf": b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n",
    "v1-bare-cr": b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\rG",
    "v1-lower": b"proxy TCP4 1.2.3.4 5.6.7.8 1 2\r\n",
    "v1-tcp5": b"PROXY TCP5 1.2.3.4 5.6.7.8 1 2\r\n",
    "v1-nul": b"PROXY TCP4 1.2.3.4\0 5.6.7.8 1 2\r\n",
    "v1-short": b"PROXY TCP4 1.2.3",
    "v2-tcp4": proxy2(0x21, 0x11, IPV4) + b"GET / HTTP/1.1\r\n",
    "v2-tcp6": proxy2(0x21, 0x21, IPV6),
    "v2-udp4": proxy2(0x21, 0x12, IPV4),
    "v2-unix": proxy2(0x21, 0x31, bytes(216)),
    "v2-unspecified": proxy2(0x21, 0x00, b"anything"),
    "v2-local": proxy2(0x20, 0x00),
    "v2-local-tcp4": proxy2(0x20, 0x11, IPV4),
    "v2-extensions": proxy2(0x21, 0x11, IPV4 + extension(4, b"") + extension(5, b"unique id") + extension(1, b"h2")),
    "v2-extension-beyond": proxy2(0x21, 0x11, IPV4 + b"\4\0\5abc"),
    "v2-extension-cut": proxy2(0x21, 0x11, IPV4 + b"\4\0"),
    "v2-too-short": proxy2(0x21, 0x11, IPV4[:11]),
    "v2-longest": proxy2(0x21, 0x11, IPV4 + extension(4, bytes(2048 - 16 - 12 - 3))),
    "v2-too-long": proxy2(0x21, 0x11, IPV4 + extension(4, bytes(2049 - 16 - 12 - 3))),
    "v2-length-ffff": proxy2(0x21, 0x11, IPV4, 0xffff),
    "v2-version-1": proxy2(0x11, 0x11, IPV4),
    "v2-command-2": proxy2(0x22, 0x11, IPV4),
    "v2-family-4": proxy2(0x21, 0x41, IPV4),
    "v2-incomplete": proxy2(0x21, 0x11, IPV4)[:20],
    "none": b"GET / HTTP/1.1\r\n",
}



def block(*parts):
    data = b"".join(parts)
    return bytes([len(data)]) + data


def literal(name, value, first=0):
    return bytes([first, len(name)]) + name + bytes([len(value)]) + value


GET = b"\x82\x86\x84\x01\x01a"
POST = b"\x83\x86\x84\x01\x01a"

HPACK = {
    "get": block(GET),
    "indexed": block(bytes(range(0x81, 0xbe))),
    "index-0": block(b"\x80"),
    "index-beyond": block(b"\xbe"),
    "insert-and-refer": block(literal(b"name", b"value", 0x40)) + block(b"\xbe") + block(b"\x7e\x01v"),
    "never-indexed": block(literal(b"cookie", b"a=b", 0x10)),
    "huffman": block(bytes.fromhex("418cf1e3c2e5f23a6ba0ab90f4ff")),
    "huffman-eos": block(b"\x01\x84\xff\xff\xff\xff"),
    "huffman-padding": block(b"\x01\x82\x1f\xff"),
    "size-update": block(b"\x20", GET),
    "size-updates": block(b"\x20\x3f\xe1\x1f", GET),
    "size-updates-three": block(b"\x20\x20\x20"),
    "size-update-large": block(b"\x3f\xe2\x1f"),
    "size-update-behind": block(GET, b"\x20"),
    "integer-long": block(b"\xff\x80\x80\x80\x80\x80\x01"),
    "integer-cut": block(b"\xff"),
    "string-cut": block(b"\x01\x7f"),
    "name-uppercase": block(literal(b"X", b"y")),
    "name-empty": block(literal(b"", b"y")),
    "value-lf": block(literal(b"x", b"a\nb", 0x40)) + block(b"\xbe"),
    "evictions": b"".join(block(literal(b"n%d" % i, b"v" * 200, 0x40)) for i in range(20)) + block(b"\xbe\xc0\xc8"),
}


def frame(kind, flags, stream, payload=b""):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


H2_SERVER = {
    "get": frame(1, 5, 1, GET),
    "post": frame(1, 4, 1, POST) + frame(0, 0, 1, b"some ") + frame(0, 1, 1, b"payload"),
    "trailers": frame(1, 4, 1, POST) + frame(0, 0, 1, b"x") + frame(1, 5, 1, literal(b"x-sum", b"y")),
    "trailers-open": frame(1, 4, 1, POST) + frame(1, 4, 1, literal(b"x-sum", b"y")),
    "continuation": frame(1, 1, 1, GET[:3]) + frame(9, 4, 1, GET[3:]),
    "continuations": frame(1, 1, 1, GET) + 9 * frame(9, 0, 1),
    "interrupted": frame(1, 1, 1, GET) + frame(6, 0, 0, b"12345678"),
    "padded": frame(1, 13, 1, b"\x02" + POST + bytes(2)) + frame(0, 9, 1, b"\x03abc" + bytes(3)),
    "padding-long": frame(1, 4, 1, POST) + frame(0, 8, 1, b"\x09abc"),
    "priority": frame(1, 0x25, 1, b"\0\0\0\0\x10" + GET) + frame(2, 0, 3, b"\0\0\0\1\x10"),
    "self-dependent": frame(1, 0x25, 1, b"\0\0\0\1\x10" + GET),
    "reset": frame(1, 5, 1, GET) + frame(3, 0, 1, b"\0\0\0\x08"),
    "rapid-reset": b"".join(frame(1, 5, i, GET) + frame(3, 0, i, b"\0\0\0\x08") for i in range(11, 231, 11 * 2)),
    "settings": frame(4, 0, 0, b"\0\4\0\0\0\5") + frame(4, 1, 0),
    "settings-window-large": frame(4, 0, 0, b"\0\4\x80\0\0\0"),
    "window-zero": frame(1, 5, 5, GET) + frame(8, 0, 5, bytes(4)),
    "window-overflow": frame(8, 0, 0, b"\x7f\xff\xff\xff"),
    "goaway": frame(7, 0, 0, bytes(8) + b"debug"),
    "pings": 3 * frame(6, 0, 0, b"12345678"),
    "push": frame(5, 4, 1, bytes(4) + GET),
    "even": frame(1, 5, 2, GET),
    "falling": frame(1, 5, 5, GET) + frame(1, 5, 3, GET),
    "closed": frame(1, 5, 1, GET) + frame(0, 0, 1, b"x"),
    "data-idle": frame(0, 0, 1, b"x"),
    "length-short": frame(1, 4, 1, POST + literal(b"content-length", b"5")) + frame(0, 1, 1, b"abc"),
    "length-long": frame(1, 4, 1, POST + literal(b"content-length", b"2")) + frame(0, 1, 1, b"abc"),
    "length-twice": frame(1, 4, 1, POST + 2 * literal(b"content-length", b"5")),
    "host-other": frame(1, 5, 1, GET + literal(b"host", b"b")),
    "path-space": frame(1, 5, 1, b"\x82\x86\x04\x04/a b\x01\x01a"),
    "method-line": frame(1, 5, 1, b"\x02\x10GET / HTTP/1.1\r\n\x86\x84\x01\x01a"),
    "crumbs": frame(1, 5, 1, GET + literal(b"cookie", b"a=1") + literal(b"x", b"y") + literal(b"cookie", b"b=2")),
    "connection": frame(1, 5, 1, GET + literal(b"connection", b"close")),
    "te": frame(1, 5, 1, GET + literal(b"te", b"trailers")),
    "expect": frame(1, 4, 1, POST + literal(b"expect", b"100-continue")),
    "connect": frame(1, 4, 1, b"\x02\x07CONNECT\x01\x03a:1"),
    "options": frame(1, 5, 1, b"\x02\x07OPTIONS\x86\x04\x01*\x01\x01a"),
    "bomb": frame(1, 5, 1, GET + literal(b"x", b"v" * 100, 0x40) + 200 * b"\xbe"),
    "unknown": frame(0x2a, 0xff, 7, b"anything"),
    "size-wrong": frame(6, 0, 0, b"1234567"),
    "incomplete": frame(1, 5, 1, GET)[:12],
}

TARGETS = {"request_head": REQUEST_HEAD, "response_head": RESPONSE_HEAD, "chunked": CHUNKED, "framing": FRAMING,
           "proxy_protocol": PROXY_PROTOCOL, "hpack": HPACK, "h2_server": H2_SERVER}


def main():
    shutil.rmtree(os.path.join(HERE, "corpus"), ignore_errors=True)
    for target, seeds in TARGETS.items():
        folder = os.path.join(HERE, "corpus", target)
        os.makedirs(folder)
        for name, data in seeds.items():
            with open(os.path.join(folder, name), "wb") as file:
                file.write(data)
        print(f"{target}: {len(seeds)} files, {sum(map(len, seeds.values()))} bytes")


if __name__ == "__main__":
    main()
