"""`vmcommit doctor`: what of this machine disturbs or limits measuring, and the command that mends
each. It only looks, and changes nothing.

Exit status: 0 nothing disturbs, and nothing that bench needs is missing; 1 something does or is;
2 bad usage; 74 it could not look.
"""

import os
import pathlib
import textwrap

from vmcommit.base.problems import Problem, Usage
from vmcommit.commands.arguments import Parser, say
from vmcommit.measure import checkup
from vmcommit.measure.machine import Machine

WIDTH = 80
INDENT = 10  # of what stands beside the kind of a finding
KINDS = {checkup.LACKS: "lacking", checkup.DISTURBS: "disturbing", checkup.LIMITS: "limiting"}


def options(arguments):
    parser = Parser("doctor", __doc__)
    parser.add_argument("--root", type=pathlib.Path, metavar="FOLDER",
                        help="judge another machine by its proc/ and sys/ below this folder; what "
                             "is installed there stays unknown")
    asked = parser.parse_args(arguments)
    if asked.root and not (asked.root / "proc").is_dir():
        raise Usage(f"--root: '{asked.root}' has no folder proc; name one that holds a machine's "
                    "proc/ and sys/")
    return asked


def look(root):
    """{what was looked at: Findings} of this machine, or of another one."""
    superuser = hasattr(os, "geteuid") and os.geteuid() == 0
    machine = Machine(root or "/", superuser)
    if root is None and machine.kernel() is None:
        raise Problem("this system has no /proc of Linux, which is all that doctor knows")
    return checkup.settings(machine) | ({} if root else checkup.tools(superuser))


def finding_lines(subject, finding):
    indent = " " * INDENT
    wrapped = textwrap.wrap(f"{subject}: {finding.what}", WIDTH - INDENT, break_long_words=False,
                            break_on_hyphens=False)
    lines = [*wrapped, *finding.remedy]
    return [f"{finding.kind:<{INDENT}}{lines[0]}", *(indent + line for line in lines[1:])]


def closing(looked_at, findings):
    """How many there are of each kind, and what is in order."""
    kinds = [finding.kind for _, finding in findings]
    numbers = [f"{KINDS[kind]} {kinds.count(kind)}" for kind in KINDS if kind in kinds]
    sound = [subject for subject, of in looked_at.items() if not of]
    return textwrap.wrap("; ".join(filter(None, (
        ", ".join(numbers) or "nothing disturbs or limits measuring",
        f"in order: {', '.join(sound)}" if sound else ""))), WIDTH)


def main(arguments):
    asked = options(arguments)
    looked_at = look(asked.root)
    findings = [(subject, finding) for kind in KINDS for subject, of in looked_at.items()
                for finding in of if finding.kind == kind]
    for subject, finding in findings:
        say("\n".join(finding_lines(subject, finding)))
    say("\n".join(closing(looked_at, findings)))
    return int(any(finding.kind != checkup.LIMITS for _, finding in findings))
