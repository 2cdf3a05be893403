"""A worker that writes everything except "ready" to its channels, and then only stays alive."""
import array
import os
import signal
import socket

NOT_READY = [b"READY=10", b"READY=0", b"XREADY=1", b"READY=1x\n", b"\xff\xfe\xc3\x28READY=1", b"ready", b"=", b"\n\n",
             b"\0", b"MAINPID=1", b"MAINPID=-1\nMAINPID=99999999999999999999", b"EXTEND_TIMEOUT_USEC=x", b"WATCHDOG=1",
             b"A" * 4096, b"B" * 8192, os.urandom(2000).replace(b"\n", b"?")]


def with_files(sock, data, count, address=None):
    """Sends `data` with a number of descriptors."""
    null = os.open("/dev/null", os.O_RDONLY)
    files = array.array("i", [null] * count)
    control = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, files)]
    sock.sendmsg([data], control, 0, *([address] if address else []))
    os.close(null)


def notify_noise(path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        for data in NOT_READY:
            sock.sendto(data, path)
        with_files(sock, b"FDSTORE=1\nFDNAME=a", 200, path)
        mine, theirs = os.pipe()
        sock.sendmsg([b"BARRIER=1"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [theirs]))], 0, path)
        os.close(theirs)
        if os.read(mine, 1) == b"":
            print("the barrier has passed", flush=True)


def pipe_noise(fd):
    for data in NOT_READY:
        if data not in (b"ready",):
            os.write(fd, data + b"\n")
    os.write(fd, b"READY=")  # and never the rest


def ipc_noise(fd):
    sock = socket.socket(fileno=fd)
    os.set_blocking(fd, True)
    cluster = '{"cmd":"NODE_CLUSTER","act":"queryServer"}'
    for text in ('{"half": ', '"notready"', '["ready"]', cluster, "null", "", '"read'):
        sock.sendall(text.encode() + b"\n")
    for _ in range(4):
        with_files(sock, b'{"cmd":"NODE_HANDLE","type":"net.Socket"}\n', 50)
    sock.sendall(os.urandom(5000).replace(b"\n", b"?") + b"\n")
    block = b"x" * 65536
    for _ in range(160):  # a line of 10 MB
        sock.sendall(block)
    sock.detach()


notify_noise(os.environ["NOTIFY_SOCKET"])
pipe_noise(int(os.environ["GRAY_READY_FD"]))
ipc_noise(int(os.environ["NODE_CHANNEL_FD"]))
print("all is said", flush=True)
while True:
    signal.pause()
