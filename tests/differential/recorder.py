"""A worker that answers every request and writes down, byte for byte, what it got: one JSON line for each request and
for what was left when its connection ended, into the file $RECORD.
"""
import base64
import json
import os
import socket
import threading

import strict

record = os.open(os.environ["RECORD"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)


def note(connection, kind, data):
    line = {"connection": connection, "kind": kind, "data": base64.b64encode(data).decode()}
    os.write(record, json.dumps(line).encode() + b"\n")


def answer(request):
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n"
    return head if request.method == "HEAD" else head + b"ok\n"


def serve(sock, number):
    pending, asked = b"", False
    with sock:
        while data := sock.recv(1 << 18):
            pending += data
            try:
                while pending and (request := strict.read(pending)):
                    note(number, "request", request.raw)
                    pending, asked = pending[len(request.raw):], False
                    sock.sendall(answer(request))
                if pending and strict.head_is_there(pending) and not asked:
                    asked = b"\r\nExpect: 100-continue\r\n" in pending
                    if asked:
                        sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            except strict.Unclean:
                break
            except OSError:
                break
        if pending:
            note(number, "left", pending)


def main():
    listener = socket.create_server((os.environ["HOST"], int(os.environ["PORT"])), backlog=512)
    os.write(int(os.environ["GRAY_READY_FD"]), b"READY=1\n")
    number = 0
    while True:
        sock, _ = listener.accept()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        number += 1
        threading.Thread(target=serve, args=(sock, number), daemon=True).start()


main()
