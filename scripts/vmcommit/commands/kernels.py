"""`vmcommit kernels 6.1 6.12 newest --into DIR`: what other kernels count, charge and support. Each
is fetched as a package of Debian, without being installed, and booted in QEMU with an initramfs of
the harnesses; nothing of this machine is changed. DIR gets a folder of a run for each, which
`vmcommit report DIR` tells together.

Exit status: 0 all kernels are in; 1 one is not, or something is missing; 2 bad usage.
"""

import pathlib
import shutil

from vmcommit.base.files import locked, relative
from vmcommit.base.problems import Problem, Usage
from vmcommit.base.text import counted
from vmcommit.base.units import duration_text
from vmcommit.commands.arguments import Parser, add_build, say
from vmcommit.commands.edge import keeping
from vmcommit.measure import guest, harness, on_kernel, packages

MOST_MEMORY = 1 << 20  # MiB


def options(arguments):
    parser = Parser("kernels", __doc__)
    parser.add_argument("kernels", nargs="+", metavar="KERNEL",
                        help=f"a version, as 6.1 or 6.12.48; {packages.OLDEST} or "
                             f"{packages.NEWEST}; or the path of an image, as ./vmlinuz")
    parser.add_argument("--into", type=pathlib.Path, required=True,
                        help="folder that gets a folder for each kernel")
    parser.add_argument("--boot", default="", metavar="WORDS",
                        help="added to the kernel's command line: transparent_hugepage=never")
    parser.add_argument("--memory", default=1024, type=int, metavar="MIB",
                        help="of the guest (default: 1024; with less than 512 a kernel has no "
                             "transparent huge pages)")
    parser.add_argument("--cpus", default=1, type=int, metavar="N",
                        help="of the guest (default: 1)")
    parser.add_argument("--swap", default=0, type=int, metavar="MIB",
                        help="of the guest (default: 0)")
    parser.add_argument("--deadline", default=300, type=int, metavar="SECONDS",
                        help="for each kernel from power-on to power-off (default: 300)")
    parser.add_argument("--accelerator", choices=("auto", "kvm", "tcg"), default="auto",
                        help="auto: KVM where a kernel comes up with it, else TCG, whose times "
                             "mean nothing and are left empty (default: auto)")
    add_build(parser)
    asked = parser.parse_args(arguments)
    refuse_beyond("--memory", asked.memory, 64, MOST_MEMORY)
    refuse_beyond("--cpus", asked.cpus, 1, 255)
    refuse_beyond("--swap", asked.swap, 0, MOST_MEMORY)
    refuse_beyond("--deadline", asked.deadline, 1, 86400)
    refuse_kernels(asked.kernels)
    return asked


def refuse_kernels(kernels):
    """What is no file, and two whose runs would have one folder."""
    for kernel in kernels:
        if not kernel or "/" in kernel and not pathlib.Path(kernel).is_file():
            raise Usage(f"KERNEL: '{kernel}' is no file; name an image, a version, newest or "
                        "oldest")
    kernels = list(dict.fromkeys(kernels))
    names = [name_of(kernel) for kernel in kernels]
    for at, name in enumerate(names):
        if name in names[:at]:
            raise Usage(f"KERNEL: '{kernels[at]}' and '{kernels[names.index(name)]}' have one "
                        "name, and so one folder; name the images otherwise")


def refuse_beyond(option, value, least, most):
    if not least <= value <= most:
        raise Usage(f"{option}: {value} is out of range; use {least} to {most}")


def name_of(kernel) -> str:
    """Of a kernel's folder."""
    return pathlib.Path(kernel).name.lstrip(".") if "/" in kernel else kernel


def machine_of(asked, kernel) -> guest.Machine:
    """The guest, under KVM where that is asked for or works."""
    kvm = asked.accelerator == "kvm" or (asked.accelerator == "auto" and guest.kvm_works(kernel))
    return guest.Machine(asked.memory, asked.cpus, asked.swap, asked.boot, asked.deadline, kvm)


def measured_by(build):
    """The harnesses that take part in campaigns and need nothing brought to them."""
    return [each for each in harness.described(build).values() if not each.strategy.brought]


class Bench:
    """What all kernels share. The first one shows whether KVM works."""

    def __init__(self, asked):
        self.asked, self.machine = asked, None
        self.measured = measured_by(asked.build)

    def measure(self, name):
        """A line that says what became of it. Raises Problem."""
        folder = self.asked.into / name_of(name)
        if folder.exists():
            return f"{name}: is in already, {relative(folder)}"
        kernel = packages.kernel(name, guest.DISK_MODULES if self.asked.swap else ())
        self.machine = self.machine or machine_of(self.asked, kernel)
        scratch = folder.with_name(f".{folder.name}.part")
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        try:
            known = on_kernel.measure(self.machine, kernel, self.measured, self.asked.build,
                                      folder.name, scratch)
            scratch.rename(folder)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        return (f"{name}: {known['system']['kernel']}, guard {known['guard']}, "
                f"{duration_text(known['seconds_measuring'])}"
                + ("" if self.machine.kvm else ", counts alone: without KVM times mean nothing"))


def kernels(asked):
    bench, failed = Bench(asked), []
    for name in dict.fromkeys(asked.kernels):
        try:
            say(bench.measure(name))
        except Usage:
            raise
        except Problem as problem:
            failed.append(name)
            say(f"{name}: LOST: {problem}")
    if failed:
        raise Problem(f"{counted(len(failed), 'kernel')} not in: {', '.join(failed)}; the others "
                      f"are in {relative(asked.into)}, and the same command measures what is not")


def main(arguments):
    asked = options(arguments)
    guest.refuse_missing()
    with keeping(remedy="make it writable, or name another folder by --into"):
        asked.into.mkdir(parents=True, exist_ok=True)
        with locked(asked.into / ".lock", "measuring kernels"):
            kernels(asked)
    say(f"vmcommit report {relative(asked.into)} tells them together")
    return 0
