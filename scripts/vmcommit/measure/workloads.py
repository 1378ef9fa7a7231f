"""What a run measures of whole workloads, after its rounds: a linked list, by the program `list`,
and a data buffer, by the program `buffer`. base/runs.py reads what is written here.
"""

import random

from vmcommit.base.files import write_text
from vmcommit.base.problems import Problem
from vmcommit.base.units import KIB, powers
from vmcommit.measure import progress
from vmcommit.measure.harness import HarnessFailed, succeeded

SECONDS = 600
NODE = 64  # bytes of a node, where it is their number that varies
NUMBERS = tuple(powers(1000, 10_000_000, 10))
NODES = tuple(powers(16, 4 * KIB, 4))  # bytes of a node, in lists that are all as long in bytes
PACKETS = (64, 512, 4 * KIB)
# (source of the nodes, step, growth)
SOURCES = (("check", "64K", "fixed"), ("check", "4K", "double"), ("fault", "64K", "fixed"),
           ("fault", "4K", "fixed"), ("malloc", "64K", "fixed"))


def lists(profile):
    """(bytes of a node, how many nodes) of each list."""
    by_size = [(node, profile.workload_bytes // node) for node in NODES]
    by_number = [(NODE, number) for number in NUMBERS
                 if number * NODE <= 8 * profile.workload_bytes]
    return by_size + by_number


def said_by(command, *options):
    """What a program printed. Raises Problem."""
    try:
        return succeeded([*command, *map(str, options)], SECONDS)[0]
    except HarnessFailed as failure:
        raise Problem(f"the program {command[-1].rpartition('/')[2]} {failure}") from None


def row_of(command, source, node, number):
    """(header, row) of one list in a process of its own, as malloc needs it."""
    name, step, growth = source
    header, row = said_by(command, "--source", name, "--chunk", step, "--growth", growth, "--node",
                          node, "--nodes", number).splitlines()
    return header, row


def numbered(header, row, repeat):
    """With the repeat that it was taken in."""
    at = header.split(",").index("repeat")
    cells = row.split(",")  # texts of ours that come before have no comma
    return ",".join([*cells[:at], str(repeat), *cells[at + 1:]])


def measure_list(command, profile, folder, seed, shown):
    """details/list.csv; `command` is how the program starts. Raises Problem."""
    drawn = random.Random(seed)
    header, rows = "", []
    for repeat in progress.steps(shown, "linked lists", range(1, profile.workload_repeat + 1)):
        turns = [(source, *each) for source in SOURCES for each in lists(profile)]
        for turn in drawn.sample(turns, len(turns)):
            header, row = row_of(command, *turn)
            rows.append(numbered(header, row, repeat))
    write_text(folder / "details" / "list.csv", "\r\n".join([header, *rows, ""]))


def measure_buffer(command, profile, folder, seed, shown):
    """details/buffer.csv; the same. Its two threads need more than one processor."""
    for _ in progress.steps(shown, "data buffers", [command]):
        printed = said_by(command, "--size", "256K", "--packet", ",".join(map(str, PACKETS)),
                          "--bytes", 4 * profile.workload_bytes, "--repeat",
                          profile.workload_repeat, "--seed", seed)
    write_text(folder / "details" / "buffer.csv", printed)
