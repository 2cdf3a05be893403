"""Counts instructions in an emulated machine, for hosts that hide the counters of the processor.

QEMU runs a Debian kernel with -icount shift=0: its clock, which the kernel reads as the TSC, goes on by one nanosecond
for each instruction executed. So the CPU time that this kernel accounts to a process is the number of instructions
executed for it, in user mode and in the kernel, interrupts that came meanwhile included. A plugin (machine/split.cpp)
counts the part in user mode, and the kernel's own tracepoint the entries into it.

The machine has one processor, a root file system in memory made of the programs under test, and a loopback interface.
"""
import dataclasses
import os
import pathlib
import re
import shlex
import shutil
import stat
import subprocess
import time

import figures
import harness
import peers

FOLDER = harness.RESULTS / "machine"
INIT = harness.HERE / "machine/init.sh"
KERNEL_PACKAGE = "linux-image-cloud-amd64"
PORT, BACKEND = 8000, 9000
LIMIT = 900  # seconds that one machine may take
# No fast strings: under -icount a `rep movsb` counts once for each byte, which no processor does; this way the kernel
# copies by eight bytes at a time.
CPU = "max,erms=off,fsrm=off"
APPEND = ("console=ttyS0 quiet panic=-1 clocksource=tsc tsc=reliable tsc_early_khz=1000000 random.trust_cpu=on "
          "rdinit=/init")


@dataclasses.dataclass
class Cell:
    """One measurement: connections, requests to warm up with and of the shorter of two loads, headers to send."""
    name: str
    connections: int
    warm: int
    requests: int
    headers: list = dataclasses.field(default_factory=list)


def missing():
    """What is not installed that a machine needs, as text; empty when all is there."""
    wanted = {"qemu-system-x86_64": shutil.which("qemu-system-x86_64"), "busybox": shutil.which("busybox"),
              "split.so": os.access(harness.BUILD / "bench/split.so", os.R_OK)}
    return ", ".join(name for name, there in wanted.items() if not there)


def kernel():
    """The kernel's image, fetched as a package and unpacked, never installed."""
    found = sorted(FOLDER.glob("boot/vmlinuz-*"))
    if found:
        return found[-1]
    FOLDER.mkdir(parents=True, exist_ok=True)
    depends = subprocess.run(["apt-cache", "depends", KERNEL_PACKAGE], capture_output=True, text=True).stdout
    name = re.search(r"Depends: (linux-image-\S+)", depends)
    if not name:
        raise harness.Failure(f"apt-cache knows no {KERNEL_PACKAGE}; run apt-get update")
    fetched = subprocess.run(["apt-get", "download", name[1]], cwd=FOLDER, capture_output=True, text=True)
    packages = sorted(FOLDER.glob("linux-image-*.deb"))
    if fetched.returncode != 0 or not packages:
        raise harness.Failure(f"apt-get could not download {name[1]}: {fetched.stderr.strip()}; run apt-get update")
    unpacked = FOLDER / "unpacked"
    subprocess.run(["dpkg-deb", "-x", packages[-1], unpacked], check=True)
    (FOLDER / "boot").mkdir(exist_ok=True)
    image = next(unpacked.glob("boot/vmlinuz-*"))
    target = FOLDER / "boot" / image.name
    image.rename(target)
    shutil.rmtree(unpacked)
    packages[-1].unlink()
    return target


def libraries(path):
    """The shared libraries a program wants, its loader included; none for a static one."""
    answer = subprocess.run(["ldd", path], capture_output=True, text=True)
    return re.findall(r"(/\S+) \(0x", answer.stdout)


def archive(entries):
    """A cpio archive ("newc") of (path, mode, bytes, device) entries, as the kernel unpacks it."""
    out = bytearray()
    for inode, (path, mode, data, device) in enumerate([*entries, ("TRAILER!!!", 0, b"", (0, 0))], 1):
        name = path.encode() + b"\0"
        fields = (inode, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(name), 0)
        out += b"070701" + b"".join(b"%08x" % field for field in fields) + name
        out += b"\0" * (-len(out) % 4)
        out += data
        out += b"\0" * (-len(out) % 4)
    return bytes(out)


def root_file_system(programs, texts):
    """The machine's files: `programs` as {path: source on this machine} with their libraries, and `texts`."""
    files = {}
    for path, source in programs.items():
        files[path] = (0o755, pathlib.Path(source).read_bytes())
        for library in libraries(source):
            files[library] = (0o755, pathlib.Path(library).read_bytes())
    files |= {path: (0o644, text.encode()) for path, text in texts.items()}
    files["/init"] = (0o755, INIT.read_bytes())
    folders = {"/dev", "/proc", "/sys", "/tmp", "/root"}
    folders |= {str(parent) for path in files for parent in pathlib.PurePosixPath(path).parents}
    entries = [(folder.lstrip("/"), stat.S_IFDIR | 0o755, b"", (0, 0)) for folder in sorted(folders - {"/"})]
    entries.append(("dev/console", stat.S_IFCHR | 0o600, b"", (5, 1)))
    entries += [(path.lstrip("/"), stat.S_IFREG | mode, data, (0, 0)) for path, (mode, data) in files.items()]
    return archive(entries)


@dataclasses.dataclass
class Job:
    """What one machine is for: a proxy, with its access log or without, and its cells."""
    label: str
    name: str
    log: bool
    cells: list
    targeting: str = None


def script(name, setup, place, cells):
    """The shell script that starts the proxy and measures the cells. The proxy alone runs unrandomised."""
    lines = []
    if name != "grayd":
        lines.append(f"{shlex.join(peers.backend_command(place, BACKEND))} >/tmp/backend.log 2>&1 &")
    lines.append(f"linux64 -R {shlex.join(setup.command)} >/tmp/proxy.log 2>&1 &")
    lines.append(f"until_ready {PORT}")
    for cell in cells:
        headers = [word for header in cell.headers for word in ("--header", header)]
        numbers = map(str, (PORT, cell.connections, cell.warm, cell.requests))
        lines.append(shlex.join(["cell", cell.name, setup.exe, *numbers, *headers]))
    return "\n".join(lines) + "\n"


def programs_of(name):
    """Where the programs of a machine come from, by the path they get there."""
    built = harness.BUILD / "bench"
    sources = {"/bin/busybox": shutil.which("busybox")}
    sources |= {f"/bin/{tool}": harness.program(built / tool) for tool in ("meter", "loadgen", "light_backend")}
    if name == "grayd":
        sources["/bin/grayd"] = harness.program(harness.BUILD / "grayd")
    elif name == "relay":
        sources["/bin/relay"] = harness.program(built / "relay")
    else:
        sources[f"/bin/{name}"] = harness.path_of(name)
    if name == "node":
        sources["/bin/node_proxy.js"] = harness.HERE / "node_proxy.js"
    return sources


def initrd(job):
    """The root file system of the machine for one job."""
    sources = programs_of(job.name)
    # A backend started by grayd would inherit its address space; linux64 alone puts it back to a random one.
    place = peers.Place("/tmp", {pathlib.PurePosixPath(path).name: path for path in sources}, worker=["/bin/linux64"])
    setup = peers.setup(job.name, place, PORT, BACKEND, job.log, job.targeting)
    texts = {"/job": script(job.name, setup, place, job.cells), "/etc/group": "root:x:0:\n",
             "/etc/passwd": "root:x:0:0:root:/root:/bin/sh\n"}
    return root_file_system(sources, texts | setup.files)


class Machine:
    """One emulated machine, on its way from the start until it has switched itself off."""

    def __init__(self, bench, job):
        self.name = job.name
        folder = bench.folder / re.sub(r"\W+", "-", job.label)  # QEMU takes a comma in a path for its own
        folder.mkdir()
        self.console, self.marks = folder / "console", folder / "marks"
        (folder / "initrd").write_bytes(initrd(job))
        command = ["qemu-system-x86_64", "-accel", "tcg", "-icount", "shift=0,sleep=off", "-cpu", CPU, "-M", "pc",
                   "-m", "1024", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-monitor", "none",
                   "-serial", f"file:{self.console}", "-plugin", f"{harness.BUILD / 'bench/split.so'},out={self.marks}",
                   "-kernel", str(kernel()), "-initrd", str(folder / "initrd"), "-append", APPEND]
        self.log = bench.log_of(command)
        self.process = bench.start(command)
        self.end = time.monotonic() + LIMIT

    def running(self):
        if self.process.poll() is None and time.monotonic() > self.end:
            raise harness.Failure(f"the emulated machine of {self.name} took more than {LIMIT} s")
        return self.process.poll() is None

    def result(self):
        text = self.console.read_text(errors="replace").replace("\r", "")
        if self.process.returncode != 0 or "FAILED" in text or "LOOP" not in text:
            raise harness.Failure(f"the emulated machine of {self.name} failed; its console and QEMU said:\n{text}\n"
                                  f"{self.log.read_text()}")
        return figures.parse_machine(text, self.marks.read_text())


def run_all(jobs):
    """Runs a machine for each job, as many at once as there are processors; gives {label: parse_machine()'s answer}."""
    kernel()
    waiting, running, results = list(jobs), {}, {}
    with harness.Bench() as bench:
        while waiting or running:
            if waiting and len(running) < (os.cpu_count() or 1):
                job = waiting.pop(0)
                running[job.label] = Machine(bench, job)
            for label in [label for label, machine in running.items() if not machine.running()]:
                results[label] = running.pop(label).result()
            time.sleep(0.1)
    return {job.label: results[job.label] for job in jobs}
