"""HTTP/1.1 over raw sockets: a library would hide the details under test."""
import socket


class Response:
    """One answer as it came: `complete` says whether its end was marked by its framing, not cut off."""

    def __init__(self, status, fields, body, complete, interim):
        self.status, self.fields, self.body, self.complete, self.interim = status, fields, body, complete, interim

    def __getitem__(self, name):
        values = [value for field, value in self.fields if field == name.lower()]
        return ", ".join(values) if values else None

    @property
    def text(self):
        return self.body.decode("latin-1")

    def __repr__(self):
        return f"{self.status} {self.fields} {self.body[:200]!r} complete={self.complete}"


class Client:
    """One connection to the router; requests are bytes, answers are read by their framing. `where` is a port of
    127.0.0.1, an (address, port) of IPv6, or the path of a unix socket; `source` an address of our own to come from."""

    told_to_close = False  # by the last answer

    def __init__(self, where, timeout=20.0, receive_buffer=None, source=None):
        self.where, self.timeout, self.receive_buffer, self.source = where, timeout, receive_buffer, source
        self._connect()

    def _connect(self):
        families = {int: socket.AF_INET, tuple: socket.AF_INET6, str: socket.AF_UNIX}
        self.sock = socket.socket(families[type(self.where)])
        if self.receive_buffer:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.receive_buffer)
        if self.source:
            self.sock.bind((self.source, 0))
        self.sock.settimeout(self.timeout)
        self.sock.connect(("127.0.0.1", self.where) if isinstance(self.where, int) else self.where)
        if not isinstance(self.where, str):
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.pending = b""
        self.told_to_close = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.sock.close()

    def send(self, data):
        self.sock.sendall(data.encode("latin-1") if isinstance(data, str) else data)

    def _more(self):
        try:
            data = self.sock.recv(1 << 18)
        except ConnectionResetError:
            data = b""
        self.pending += data
        return bool(data)

    def _until(self, mark):
        while mark not in self.pending:
            if not self._more():
                return None
        head, self.pending = self.pending.split(mark, 1)
        return head

    def _exactly(self, size):
        pieces, have = [self.pending], len(self.pending)
        self.pending = b""
        while have < size:
            if not self._more():
                return b"".join(pieces), False
            pieces.append(self.pending)
            have += len(self.pending)
            self.pending = b""
        data = b"".join(pieces)
        data, self.pending = data[:size], data[size:]
        return data, True

    def _chunked(self):
        body = b""
        while True:
            line = self._until(b"\r\n")
            if line is None:
                return body, False
            size = int(line.split(b";")[0], 16)
            data, complete = self._exactly(size)
            body += data
            if not complete:
                return body, False
            if self._until(b"\r\n") is None:
                return body, False
            if size == 0:
                return body, True

    def _to_end(self):
        while self._more():
            pass
        body, self.pending = self.pending, b""
        return body

    def response(self, method="GET"):
        """The next answer, None if the connection ended first. Interim answers are gathered in `.interim`."""
        interim = []
        while True:
            head = self._until(b"\r\n\r\n")
            if head is None:
                return None
            lines = head.decode("latin-1").split("\r\n")
            status = int(lines[0].split(" ")[1])
            fields = [(name.lower(), value.strip()) for name, value in (line.split(":", 1) for line in lines[1:])]
            if 100 <= status < 200 and status != 101:
                interim.append(Response(status, fields, b"", True, []))
                continue
            self.told_to_close = ("connection", "close") in fields
            body, complete = self._body(method, status, dict(fields))
            return Response(status, fields, body, complete, interim)

    def _body(self, method, status, fields):
        if method == "HEAD" or status in (204, 304):
            return b"", True
        if "chunked" in fields.get("transfer-encoding", ""):
            return self._chunked()
        if "content-length" in fields:
            return self._exactly(int(fields["content-length"]))
        return self._to_end(), True

    def ask(self, path, method="GET", headers=None, body=b"", host="localhost"):
        """One request and its answer; on a new connection if the last answer said that it was the last."""
        if self.told_to_close:
            self.close()
            self._connect()
        self.send(request(path, method, headers, body, host))
        return self.response(method)

    def is_closed(self):
        """Whether the other side ends the connection, waiting for it."""
        return not self.pending and not self._more()


def request(path, method="GET", headers=None, body=b"", host="localhost"):
    fields = {"Host": host, **(headers or {})}
    if body and "Transfer-Encoding" not in fields:
        fields["Content-Length"] = str(len(body))
    head = f"{method} {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return head.encode("latin-1") + b"\r\n" + body
