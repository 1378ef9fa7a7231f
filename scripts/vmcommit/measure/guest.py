"""A kernel of its own in QEMU: an initramfs that holds busybox, the harnesses and a list of what to
run; results come home over a second serial line, so that the kernel needs no module for them.

Without KVM the processor is an emulator: counts are exact, and times mean nothing.
"""

import contextlib
import csv
import dataclasses
import gzip
import io
import lzma
import os
import pathlib
import re
import shlex
import shutil
import stat
import subprocess
import tempfile

from vmcommit.base import processes
from vmcommit.base.problems import Problem
from vmcommit.base.text import last_line, listed, printable

QEMU, BUSYBOX = "qemu-system-x86_64", "busybox"
PACKAGES = {QEMU: "qemu-system-x86", BUSYBOX: "busybox"}
# For a disk to swap to, in the order in which they need each other; what is no module is built in.
DISK_MODULES = ("virtio", "virtio_ring", "virtio_pci_legacy_dev", "virtio_pci_modern_dev",
                "virtio_pci", "virtio_blk")
PROBE_SECONDS = 20  # for a kernel to come up where KVM works; it takes 2
END_SECONDS = 60  # for a tool of this machine
COMMAND_SHARE = 5  # one command in the guest has this part of the guest's time
DONE = "all was run"
FACTS = {"release": "/proc/sys/kernel/osrelease", "cpuinfo": "/proc/cpuinfo",
         "meminfo": "/proc/meminfo", "thp_enabled": "/sys/kernel/mm/transparent_hugepage/enabled",
         "thp_defrag": "/sys/kernel/mm/transparent_hugepage/defrag",
         "overcommit_memory": "/proc/sys/vm/overcommit_memory",
         "overcommit_ratio": "/proc/sys/vm/overcommit_ratio",
         "max_map_count": "/proc/sys/vm/max_map_count",
         "clocksource": "/sys/devices/system/clocksource/clocksource0/current_clocksource"}
INIT = r"""#!/bin/busybox sh
export PATH=/bin
busybox mkdir -p /proc /sys /dev /tmp
busybox mount -t proc proc /proc
busybox mount -t sysfs sysfs /sys
busybox mount -t devtmpfs devtmpfs /dev
busybox mount -t tmpfs tmpfs /tmp
busybox stty -F /dev/ttyS1 raw
if ! busybox grep -qw vmcommit.probe /proc/cmdline; then
    for module in $(busybox cat /modules.txt); do
        busybox insmod /modules/$module
    done
    if busybox grep -qw vmcommit.swap /proc/cmdline; then
        busybox mkswap /dev/vda >/dev/null && busybox swapon /dev/vda || echo "no disk to swap to"
    fi
    part() {
        echo "@ $1"
        shift
        busybox timeout %(seconds)d "$@" </dev/null 2>&1
        echo "@= $?"
    }
    . /campaign >/dev/ttyS1
fi
echo "@ %(done)s" >/dev/ttyS1
busybox sync
busybox poweroff -f
"""


class NoEnd(Problem):
    """A guest did not power off in time, or before it had run everything."""


@dataclasses.dataclass(frozen=True)
class Machine:
    """What a guest has: `memory` and `swap` in MiB; `boot` is added to the kernel's command
    line."""

    memory: int = 1024
    cpus: int = 1
    swap: int = 0
    boot: str = ""
    seconds: int = 300
    kvm: bool = False

    @property
    def command_seconds(self):
        """For one command in the guest."""
        return max(1, self.seconds // COMMAND_SHARE)

    def command(self, kernel, initramfs, folder, more=""):
        """Two serial lines: the console, and what the guest has to say."""
        line = " ".join(filter(None, ("console=ttyS0 panic=-1", self.boot,
                                      "vmcommit.swap" if self.swap else "", more)))
        disk = ["-drive", f"file={folder / 'swap'},if=virtio,format=raw"] if self.swap else []
        return [QEMU, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
                "-accel", "kvm" if self.kvm else "tcg", "-cpu", "host" if self.kvm else "max",
                "-m", str(self.memory), "-smp", str(self.cpus),
                "-kernel", str(kernel), "-initrd", str(initramfs), "-append", line, *disk,
                *(word for name in ("console", "said") for word in
                  ("-chardev", f"file,id={name},path={folder / name}",
                   "-serial", f"chardev:{name}"))]


def refuse_missing():
    """Raises Problem that names every tool that is not here, and the packages that hold them."""
    missing = [name for name in PACKAGES if not shutil.which(name)]
    if missing:
        raise Problem(f"{listed(missing)} not found: on Debian, apt-get install "
                      f"{' '.join(PACKAGES[name] for name in missing)}")


def libraries(program) -> set[str]:
    """Files that a program loads when it starts."""
    done = processes.run(["ldd", program], END_SECONDS)
    return set(re.findall(r"(/[^\s()]+) \(0x", done.stdout)) if done.returncode == 0 else set()


def entry(name, mode, content=b"", device=(0, 0)) -> bytes:
    """A file of a cpio archive in the format newc."""
    path = name.encode() + b"\0"
    fields = (0, mode, 0, 0, 1, 0, len(content), 0, 0, *device, len(path), 0)
    head = b"070701" + b"".join(f"{field:08x}".encode() for field in fields) + path
    return head + b"\0" * (-len(head) % 4) + content + b"\0" * (-len(content) % 4)


def archive(files) -> bytes:
    """A cpio archive, compressed, of {path without its first slash: (content, mode)}, with the
    folders that they lie in."""
    folders = {str(parent) for name in files for parent in pathlib.PurePosixPath(name).parents
               if parent.name}
    parts = [entry(name, stat.S_IFDIR | 0o755) for name in sorted(folders)]
    parts += [entry("dev", stat.S_IFDIR | 0o755),
              entry("dev/console", stat.S_IFCHR | 0o600, device=(5, 1))]
    parts += [entry(name, stat.S_IFREG | mode, content) for name, (content, mode) in files.items()]
    return gzip.compress(b"".join([*parts, entry("TRAILER!!!", 0)]), 1)


def plain_module(path) -> bytes:
    """A module without its compression."""
    content = path.read_bytes()
    return lzma.decompress(content) if path.name.endswith(".xz") else content


def modules_beside(kernel) -> dict:
    """{name: content} of DISK_MODULES that lie beside a kernel, in their order."""
    found = {}
    for name in DISK_MODULES:
        path = next(iter(sorted(kernel.parent.glob(f"{name}.ko*"))), None)
        if path:
            found[f"{name}.ko"] = plain_module(path)
    return found


def initramfs(programs, campaign, kernel, seconds) -> bytes:
    """`programs`: paths; `campaign`: {what a part is called: words of the command}, each of which
    may take so many seconds."""
    paths = [*map(pathlib.Path, programs), pathlib.Path(str(shutil.which(BUSYBOX)))]
    files = {f"bin/{path.name}": (path.read_bytes(), 0o755) for path in paths}
    for library in sorted(set().union(*map(libraries, paths))):
        files[library.lstrip("/")] = (pathlib.Path(library).read_bytes(), 0o755)
    modules = modules_beside(kernel)
    for name, content in modules.items():
        files[f"modules/{name}"] = (content, 0o644)
    script = "".join(f"part {shlex.quote(name)} {shlex.join(words)}\n"
                     for name, words in campaign.items())
    files["init"] = ((INIT % {"seconds": seconds, "done": DONE}).encode(), 0o755)
    files["campaign"] = (script.encode(), 0o644)
    files["modules.txt"] = ("\n".join(modules).encode(), 0o644)
    return archive(files)


def parts_of(said) -> dict:
    """{name of a part: (what it printed, exit status)}."""
    parts = {}
    for match in re.finditer(r"^@ (.*)\n((?:(?!@).*\n)*)@= (\d+)$", said, re.M):
        parts[match[1]] = (match[2], int(match[3]))
    return parts


def read_text(path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").replace("\r", "")
    except OSError:
        return ""


def power_on(machine, kernel, image, folder, more="") -> str:
    """What a guest said until it powered off. Raises NoEnd."""
    if machine.swap:
        with open(folder / "swap", "wb") as file:
            file.truncate(machine.swap << 20)
    try:
        done = processes.run(machine.command(kernel, image, folder, more), machine.seconds)
    except processes.TimeoutExpired:
        raise NoEnd(f"no end within {machine.seconds} s; last on its console: "
                    f"{last_line(read_text(folder / 'console'))}") from None
    said = read_text(folder / "said")
    if done.returncode:
        raise NoEnd(f"{QEMU} ended with status {done.returncode}: "
                    f"{last_line(done.stderr, done.stdout)}")
    if f"@ {DONE}\n" not in said:
        raise NoEnd("it ended before everything was run; last on its console: "
                    f"{last_line(read_text(folder / 'console'))}")
    return said


def kvm_works(kernel) -> bool:
    """Whether a kernel comes up under KVM here: /dev/kvm may be there and still not work, as in a
    guest without nesting."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return False
    with tempfile.TemporaryDirectory() as scratch, contextlib.suppress(NoEnd):
        folder = pathlib.Path(scratch)
        probe = Machine(kvm=True, seconds=PROBE_SECONDS)
        (folder / "initramfs").write_bytes(initramfs([], {}, kernel, probe.command_seconds))
        power_on(probe, kernel, folder / "initramfs", folder, "vmcommit.probe")
        return True
    return False


def run(machine, kernel, programs, campaign) -> dict:
    """{name: (what it printed, exit status)} of FACTS and of the campaign's commands, run by that
    kernel. Raises NoEnd."""
    facts = {name: ["busybox", "cat", path] for name, path in FACTS.items()}
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        (folder / "initramfs").write_bytes(initramfs(programs, facts | campaign, kernel,
                                                     machine.command_seconds))
        parts = parts_of(power_on(machine, kernel, folder / "initramfs", folder))
    return {name: parts.get(name, ("", 1)) for name in (*facts, *campaign)}


def version() -> str:
    """QEMU 7.2.22"""
    said = subprocess.run([QEMU, "--version"], capture_output=True, text=True, timeout=END_SECONDS)
    found = re.search(r"version ([\d.]+)", said.stdout)
    return f"QEMU {found[1]}" if found else "QEMU"


def rows_in(printed) -> list[dict]:
    """Rows that a harness printed."""
    return [row for row in csv.DictReader(io.StringIO(printed)) if None not in row.values()]


def refusal_in(printed) -> str:
    """What a harness said that printed no row."""
    return printable(last_line(printed))
