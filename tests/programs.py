#!/usr/bin/env python3
"""Real programs of the distribution under record: the tables of docs/record.md. Run by hand,
with the packages sqlite3, gcc, nodejs, openjdk, redis-server, postgresql, python3-numpy and
libmimalloc2, of which it leaves out what is missing:

    scripts/python.sh tests/programs.py agreement|knobs|overhead|stacks [NAME]...

agreement: how often the replay is the kernel's own account. knobs: what `record what-if` says that
a knob would change, against a run with that knob set. overhead: CPU of a program and its recorder
against that of the program alone, run in turns, and the recorder's own. stacks: what a memory call
takes, recorded with its call stack and without, by how many functions it comes through.
"""

import argparse
import math
import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

from vmcommit.analyse import knobs, recording, usage, what_if  # noqa: E402
from vmcommit.base.statistics import paired_interval  # noqa: E402
from vmcommit.base.units import KIB, MIB, count_text, size_text  # noqa: E402

RECORD = ROOT / "build" / "bin" / "record"
PYTHON = "/usr/bin/python3"  # the distribution's, which has its packages
PAIRS = 10  # of runs, recorded and not
MIMALLOC = "libmimalloc.so.2"
PORT = "16379"  # that redis listens on

CPP = """
#include <algorithm>
#include <iostream>
#include <map>
#include <regex>
#include <string>
#include <vector>
int main() {
    std::map<std::string, std::vector<int>> found;
    std::regex wanted("a+(b|c)*d");
    for (std::string line; std::getline(std::cin, line);)
        if (std::regex_match(line, wanted))
            found[line].push_back(int(line.size()));
    for (auto &[line, sizes] : found)
        std::cout << line << *std::max_element(sizes.begin(), sizes.end());
}
"""
SQL = """
create table t(a integer primary key, b text);
with recursive c(x) as (select 1 union all select x + 1 from c where x < 400000)
    insert into t select x, hex(randomblob(30)) from c;
create index i on t(b);
select count(*), sum(length(b)) from t where b > '8';
delete from t where a % 3 = 0;
"""
JAVA = """
import java.util.*;
public class Lists {
    public static void main(String[] words) {
        long bytes = 0;
        for (int round = 1; round <= 8; round++) {
            List<byte[]> list = new ArrayList<>();
            for (int i = 0; i < 30000 * round; i++) {
                list.add(new byte[1000]);
                if (i % 3 == 0)
                    list.set((int) (i * 7L % list.size()), new byte[500]);
            }
            for (byte[] block : list)
                bytes += block.length;
        }
        System.out.println(bytes);
    }
}
"""
NODE = "let a = []; for (let i = 0; i < 2000000; i++) a.push({i, s: 'x' + i}); a.length"
NUMPY = """
import threading, numpy
def work(seed):
    random = numpy.random.default_rng(seed)
    for size in (200, 400, 800):
        a = random.standard_normal((size, size))
        numpy.linalg.inv(a @ a.T + numpy.eye(size)).sum()
        numpy.sort(random.standard_normal(size * size))
threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""
OBJECTS = """
names = {i: str(i) * 3 for i in range(300000)}
some = [names.pop(i) for i in range(0, 300000, 2)]
blocks = [bytes(200 + i % 400) for i in range(200000)]
del some
"""
CHURN = """
import random
random.seed(1)
for _ in range(6):
    blocks = [bytes(2000 + random.randrange(6000)) for _ in range(20000)]
    del blocks
"""
FILES = {"lists.cc": CPP, "fill.sql": SQL, "Lists.java": JAVA, "objects.py": OBJECTS,
         "churn.py": CHURN, "threads.py": NUMPY}


class Missing(Exception):
    """A program that this machine has not."""


def found(*names):
    for name in names:
        if not shutil.which(name):
            raise Missing(name)


def waited_for():
    """CPU seconds of all processes that this one has started and waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def used_itself(pid):
    """CPU seconds of a process of one thread that has ended and was not waited for yet, without
    what it has started."""
    text = pathlib.Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii")
    return int(text.split()[0]) / 1e9


class Workplace:
    """A folder with what the programs work on, and their recordings."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        for name, text in FILES.items():
            (self.folder / name).write_text(text)
        self.number = 0
        self.before = []  # words that come before all others, such as taskset's
        self.alone = False  # whether programs run without being recorded
        self.cpu_seconds = 0.0  # of the last one, with its recorder and all that it started
        self.recorder_seconds = 0.0  # of these, the recorder's own

    def record(self, words, *, stdin=None, environment=None, options=(), user=None,
               meanwhile=lambda: None):
        """The folder of a recording of a command. `meanwhile`: is called while it runs, and makes
        it end."""
        self.number += 1
        output = self.folder / f"recording-{self.number}"
        recorder = [] if self.alone else [RECORD, "--output", output, *options, "--"]
        with open(stdin or os.devnull, encoding="utf-8") as given, \
                subprocess.Popen([*self.before, *recorder, *words], cwd=self.folder, stdin=given,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                 env=os.environ | (environment or {}), user=user) as process:
            try:
                meanwhile()
                before = waited_for()
                os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
                self.recorder_seconds = 0.0 if self.alone else used_itself(process.pid)
                if process.wait() != 0:
                    raise subprocess.CalledProcessError(process.returncode, words)
                self.cpu_seconds = waited_for() - before
            finally:
                if process.poll() is None:
                    process.terminate()
        return output

    def sqlite(self, **more):
        found("sqlite3")
        return self.record(["sqlite3", ":memory:"], stdin=self.folder / "fill.sql", **more)

    def gcc(self, **more):
        found("gcc")
        return self.record(["gcc", "-O1", "-std=c++17", "-c", "-o", os.devnull, "lists.cc"], **more)

    def node(self, **more):
        found("node")
        return self.record(["node", "-e", NODE], **more)

    def java(self, *choices, heap="512m", **more):
        found("java", "javac")
        if not (self.folder / "Lists.class").exists():
            subprocess.run(["javac", "Lists.java"], cwd=self.folder, check=True)
        return self.record(["java", "-XX:+UseG1GC", f"-Xmx{heap}", *choices, "Lists"], **more)

    def numpy(self, **more):
        if subprocess.run([PYTHON, "-c", "import numpy"], capture_output=True,
                          check=False).returncode != 0:
            raise Missing("python3-numpy")
        return self.record([PYTHON, "threads.py"], **more)

    def python(self, script, **more):
        return self.record([PYTHON, script], **more)

    def initdb(self):
        found("initdb")
        nobody = 65534 if os.getuid() == 0 else None
        self.folder.chmod(0o777)
        return self.record(["initdb", "--no-sync", "-D", self.folder / "database"], user=nobody)

    def redis(self, **more):
        """The server, filled and read by redis-benchmark until that ends."""
        found("redis-server", "redis-benchmark", "redis-cli")

        def fill():
            time.sleep(1)
            for words in (["redis-benchmark", "-p", PORT, "-q", "-n", "400000", "-r", "400000",
                           "-d", "100", "-t", "set,get,lpush", "-P", "16"],
                          ["redis-cli", "-p", PORT, "shutdown", "nosave"]):
                subprocess.run(words, stdout=subprocess.DEVNULL, timeout=200, check=True)
        return self.record(["redis-server", "--port", PORT, "--save", "", "--dir", self.folder],
                           meanwhile=fill, **more)


PROGRAMS = {
    "redis": ("redis 7 with redis-benchmark, 400 000 keys", Workplace.redis),
    "gcc": ("`gcc -O1` of a C++ file", Workplace.gcc),
    "sqlite": ("sqlite3, 400 000 rows and an index", Workplace.sqlite),
    "node": ("node, 2 million objects", Workplace.node),
    "java": ("java 17 with G1, 512 MiB", Workplace.java),
    "numpy": ("python with numpy and 4 threads", Workplace.numpy),
    "initdb": ("PostgreSQL's `initdb`", Workplace.initdb),
}


def agreement(work, names):
    print("| program | calls | checkpoints | equal | log |\n|---|---|---|---|---|")
    for name in names or PROGRAMS:
        text, record = PROGRAMS[name]
        try:
            output = record(work)
        except Missing as missing:
            print(f"programs: {missing} is not installed: left out", file=sys.stderr)
            continue
        read = recording.read(output)
        unequal = sum(not checkpoint.equal for checkpoint in read.checkpoints)
        processes = len({life.pid for life in read.lives.values()})
        print(f"| {text}{f', {processes} processes' if processes > 1 else ''} | "
              f"{count_text(len(read.calls))} | {len(read.checkpoints)} | "
              f"{f'all but {unequal}' if unequal else 'all'} | "
              f"{(output / recording.LOG).stat().st_size // KIB} KB |", flush=True)


# What a knob was said to change, and what it did.

def row(program, knob, *pairs):
    """`pairs`: (what, predicted, measured, as text)."""
    for what, predicted, measured, text in pairs:
        print(f"| {program} | {knob} | {what} | {text(predicted)} | {text(measured)} | "
              f"{100 * (predicted / measured - 1):+.1f} % |", flush=True)


def heap_of(folder):
    moves = knobs.moves_of(recording.read(folder))
    return max(moves.values(), key=len)


def padded(work, name, record):
    """By a recording with malloc's own pad."""
    def run(pad):
        return heap_of(record(environment={"GLIBC_TUNABLES": f"glibc.malloc.top_pad={pad}"},
                              options=("--no-touch",)))
    moves = run(knobs.TOP_PAD)
    for pad in knobs.PADS:
        predicted, measured = knobs.with_pad(moves, pad, 4096), knobs.recorded(run(pad))
        row(name, f"top_pad {size_text(pad)}",
            ("growths", predicted.growths, measured.growths, count_text),
            ("most in the heap", predicted.most, measured.most, size_text))


def of_java(work, heap, size):
    predicted = knobs.JavaHeap(work.java(heap=heap), size)
    plain = knobs.JavaHeap(work.java(f"-Xms{heap}", heap=heap), size, whole=False)
    touched = knobs.JavaHeap(work.java(f"-Xms{heap}", "-XX:+AlwaysPreTouch", heap=heap), size,
                             whole=False)
    row(f"java -Xmx{heap}", f"-Xms{heap}",
        ("most charged", predicted.most_charged, plain.most_charged, size_text),
        ("charged in the mean", predicted.mean, plain.mean, size_text))
    row(f"java -Xmx{heap}", f"-Xms{heap}, AlwaysPreTouch",
        ("most touched", predicted.most_touched, touched.most_touched, size_text))


def of_mimalloc(work):
    def run(**more):
        return work.python("churn.py", environment={"PYTHONMALLOC": "malloc",
                                                    "LD_PRELOAD": MIMALLOC, **more})
    never = what_if.Steps(4096, what_if.NEVER)
    predicted = what_if.Growth(run(), {"never": never})
    kept = run(MIMALLOC_ALLOW_DECOMMIT="0", MIMALLOC_PURGE_DELAY="-1")
    if not knobs.uses(usage.Usage(kept).recording, "libmimalloc"):
        raise Missing(MIMALLOC)
    measured = what_if.Growth(kept, {})
    row("python on mimalloc", "gives nothing back",
        ("most touched", never.most, measured.touched.most, size_text),
        ("pages touched anew", predicted.pages - predicted.again, measured.pages, count_text))


KNOBS = {
    "sqlite": lambda work: padded(work, "sqlite3", work.sqlite),
    "python": lambda work: padded(work, "python", lambda **more: work.python("objects.py", **more)),
    "java": lambda work: (of_java(work, "512m", 512 * MIB), of_java(work, "1g", 1024 * MIB)),
    "mimalloc": of_mimalloc,
}


def against_runs(work, names):
    print("| program | knob | | predicted | measured | |\n|---|---|---|---|---|---|")
    for name in names or KNOBS:
        try:
            KNOBS[name](work)
        except Missing as missing:
            print(f"programs: {missing} is not installed: left out", file=sys.stderr)


# What recording takes.

def ratios(work, run):
    """Natural logs of CPU recorded against CPU alone; CPU alone; and the recorder's own as a share
    of the program's."""
    logs, alone, own = [], [], []
    for number in range(PAIRS):
        taken = {}
        for work.alone in ((True, False), (False, True))[number % 2]:
            run(work)
            taken[work.alone] = work.cpu_seconds
            if not work.alone:
                own.append(work.recorder_seconds / (work.cpu_seconds - work.recorder_seconds))
        logs.append(math.log(taken[False] / taken[True]))
        alone.append(taken[True])
    work.alone = False
    return logs, statistics.median(alone), statistics.median(own)


def overhead(work, names):
    print("| program | calls in it | together on one processor | the recorder itself "
          "| free to move | the recorder itself |\n|---|---|---|---|---|---|")
    for name in names or ("redis", "gcc", "sqlite", "node", "java"):
        text, run = PROGRAMS[name]
        try:
            calls = len(recording.read(run(work)).calls)
        except Missing as missing:
            print(f"programs: {missing} is not installed: left out", file=sys.stderr)
            continue
        cells = []
        for work.before in (["taskset", "-c", "0"], []):
            logs, alone, own = ratios(work, run)
            middle, low, high = (100 * (math.exp(log) - 1)
                                 for log in paired_interval(logs, 0.95)[:3])
            cells += [f"{middle:+.1f} % ({low:+.1f} to {high:+.1f} %)", f"{100 * own:.1f} %"]
        print(f"| {text}, {alone:.1f} s | {count_text(calls)} | {' | '.join(cells)} |", flush=True)


# What call stacks take.

DEPTHS = {"near": 2, "far": 30, "farther": 100}
RECORDERS = {"alone": None, "recorded": (), "with stacks": ("--stacks",)}


def call_us(work, depth, options):
    """µs that a call takes; `options` of record, None where it runs alone."""
    work.number += 1
    output = work.folder / f"recording-{work.number}"
    recorder = [] if options is None else [
        RECORD, "--output", output, "--interval", "3600000", *options, "--"]
    done = subprocess.run([*work.before, *recorder, RECORD.with_name("waste"), "often", str(depth),
                           "4000"], capture_output=True, text=True, timeout=300, check=True)
    return float(done.stdout)


def stack_costs(work, names):
    print(f"| called through | processors | {' | '.join(RECORDERS)} |\n|---|---|---|---|---|")
    for name in names or DEPTHS:
        for work.before, where in ((["taskset", "-c", "0"], "one"), ([], "free to move")):
            taken = {kind: [] for kind in RECORDERS}
            for number in range(PAIRS):
                for kind in list(RECORDERS)[::1 if number % 2 else -1]:
                    taken[kind].append(call_us(work, DEPTHS[name], RECORDERS[kind]))
            cells = [f"{statistics.median(each):.2f} µs ({min(each):.2f} to {max(each):.2f})"
                     for each in taken.values()]
            print(f"| {DEPTHS[name]} functions | {where} | {' | '.join(cells)} |", flush=True)


TABLES = {"agreement": (agreement, PROGRAMS), "knobs": (against_runs, KNOBS),
          "overhead": (overhead, PROGRAMS), "stacks": (stack_costs, DEPTHS)}


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", choices=TABLES)
    parser.add_argument("names", nargs="*", help=f"of {', '.join({**PROGRAMS, **KNOBS, **DEPTHS})}")
    asked = parser.parse_args()
    write, known = TABLES[asked.table]
    unknown = [name for name in asked.names if name not in known]
    if unknown:
        parser.error(f"'{unknown[0]}' is not in that table; use {', '.join(known)}")
    with tempfile.TemporaryDirectory() as folder:
        write(Workplace(folder), asked.names)


if __name__ == "__main__":
    main()
