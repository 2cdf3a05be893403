"""A worker that forwards every connection, byte for byte, to the server behind $RELAY_TO (a unix socket). Thus a
server that grayd did not start, such as the scripted one of a .vtc file, can stand behind grayd.

The server is dialled when the first bytes come, so that a health check is no connection to it. An end of one side is an
end of the other; a reset is a reset.
"""
import os
import socket
import struct
import threading

RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close() is a reset


def pump(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        for side in (source, sink):
            try:
                side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                side.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def serve(client):
    with client, socket.socket(socket.AF_UNIX) as server:
        try:
            if not client.recv(1, socket.MSG_PEEK):
                return
            server.connect(os.environ["RELAY_TO"])
        except OSError:
            return
        back = threading.Thread(target=pump, args=(server, client))
        back.start()
        pump(client, server)
        back.join()


with socket.create_server((os.environ["HOST"], int(os.environ["PORT"]))) as listener:
    os.write(int(os.environ["GRAY_READY_FD"]), b"READY=1\n")
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
