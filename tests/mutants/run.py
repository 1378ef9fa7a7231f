#!/usr/bin/env python3
"""Changes the code at one place at a time, in a scratch copy, and lists the changes that no test
noticed. By hand: it takes from minutes to an hour. README.md beside it says more."""

import argparse
import contextlib
import csv
import dataclasses
import pathlib
import re
import signal
import sys
import tempfile
import threading
import time

import c_code
import processes
import python_code
from changes import in_order, read_equivalent, wanted
from workshop import Broken, Workshop, expected_cost, files_of, limit_of, measured

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
EQUIVALENT = pathlib.Path(__file__).with_name("equivalent.txt")
COLUMNS = ("id", "file", "line", "function", "operator", "before", "after", "result", "test",
           "seconds")
NOTICED, SURVIVED, TIMEOUT = "noticed", "survived", processes.TIMEOUT
UNBUILT, SAME_CODE = "did not build", "same machine code"
COUNTED = (NOTICED, TIMEOUT, SURVIVED)
TITLES = {"c": "C", "python": "Python"}


def is_changeable(language, file):
    path = pathlib.PurePath(file)
    if language == "python":
        return path.suffix == ".py" and path.is_relative_to("scripts/vmcommit")
    return path.suffix in (".c", ".h") and path.parts[0] in ("src", "bench", "include")


def compiles(code):
    try:
        compile(code, "", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    return True


def is_relevant(language, test):
    """C is looked at by the C tests, Python by its own, and both by those of the programs."""
    folders = {pathlib.PurePath(part).parent.name for part in test.command if part.endswith(".py")}
    own = {"python"} if language == "python" else set()
    return "verify" in test.command or folders in (own, {"cli"})


def changes_by_file(language, root, files, patterns):
    """{file: changes}; `files` are those that are built or run."""
    changes_of = {"c": c_code, "python": python_code}[language].changes_of
    all_changes = {file: changes_of(file, (root / file).read_bytes()) for file in files
                   if is_changeable(language, file) and wanted(file, patterns)}
    return {file: changes for file, changes in all_changes.items() if changes}


class Turnstile:
    """Tests beside each other, or one alone."""

    def __init__(self):
        self.condition = threading.Condition()
        self.running, self.is_alone = 0, False

    @contextlib.contextmanager
    def passed(self, alone):
        with self.condition:
            self.condition.wait_for(lambda: not self.is_alone)
            self.is_alone = alone
            self.condition.wait_for(lambda: not (alone and self.running))
            self.running += 1
        try:
            yield
        finally:
            with self.condition:
                self.running -= 1
                self.is_alone = self.is_alone and not alone
                self.condition.notify_all()


class Queue:
    """Hands out changes until so many of them count: those that build and are not equivalent."""

    def __init__(self, changes, count):
        self.changes, self.left, self.pending = iter(changes), count, 0
        self.condition = threading.Condition()
        self.stopped = False

    def next(self):
        """None if there is nothing left to do."""
        with self.condition:
            self.condition.wait_for(lambda: self.stopped or self.left <= 0 or
                                    self.pending < self.left)
            item = None if self.stopped or self.left <= 0 else next(self.changes, None)
            self.pending += item is not None
            return item

    def done(self, counts):
        with self.condition:
            self.pending -= 1
            self.left -= counts
            self.condition.notify_all()

    def stop(self):
        with self.condition:
            self.stopped = True
            self.condition.notify_all()


class Trial:
    """The changes of one language, tried in one workshop a job."""

    def __init__(self, language, tests, output, rows):
        self.language, self.tests, self.output = language, tests, output
        self.turnstile, self.lock = Turnstile(), threading.Lock()
        self.rows, self.unsteady, self.errors = rows, [], []

    def noticed_by(self, workshop, change):
        """(result, test) of a change that is in place."""
        tests = [test for test in self.tests if test.may_notice(change)]
        for test in sorted(tests, key=lambda test: expected_cost(test, change.file)):
            passes = self.tested(workshop, test, test.alone)
            if passes is False and test.depends_on_others:
                passes = self.tested(workshop, test, True)
                if passes is True:
                    self.unsteady.append(test.name)
            if passes is not True:
                return (TIMEOUT if passes == TIMEOUT else NOTICED), test.name
        return SURVIVED, ""

    def tested(self, workshop, test, alone):
        with self.turnstile.passed(alone):
            return workshop.passes(test.name, limit_of(test))

    def builds(self, workshop, change):
        if self.language == "c":
            return workshop.rebuild()
        return compiles((workshop.tree / change.file).read_bytes())

    def judged(self, workshop, change):
        """(result, test)"""
        if not self.builds(workshop, change):
            return UNBUILT, ""
        if self.language == "c" and workshop.same_code(change.file):
            return SAME_CODE, ""
        return self.noticed_by(workshop, change)

    def tried(self, workshop, change):
        """The row of one change; the file is as it was afterwards."""
        start = time.monotonic()
        code = (workshop.tree / change.file).read_bytes()
        try:
            workshop.write(change.file, change.applied(code))
            result, test = self.judged(workshop, change)
        finally:
            workshop.write(change.file, code)
        return dict(zip(COLUMNS, (
            change.identity, change.file, change.line, change.function, change.operator,
            change.before, change.after, result, test, f"{time.monotonic() - start:.1f}")))

    def add(self, row):
        with self.lock:
            self.rows.append(row)
            csv.DictWriter(self.output, COLUMNS).writerow(row)
            self.output.flush()
            print(f"{len(self.rows):4} {row['seconds']:>6} s  {row['result']}"
                  f"{' by ' + row['test'] if row['test'] else ''}: {line_of(row)}",
                  file=sys.stderr)

    def work(self, workshop, queue):
        """One job, until the queue is empty."""
        try:
            while (change := queue.next()) is not None:
                row = self.tried(workshop, change)
                self.add(row)
                queue.done(row["result"] in COUNTED)
        except Exception as error:  # handed to the main thread
            self.errors.append(error)
            queue.stop()


def line_of(row):
    return (f"{row['file']}:{row['line']}: {row['id']} {row['operator']}: "
            f"{row['before'][:100]}  =>  {row['after'][:100]}")


def summary(language, trial):
    """The closing lines: the survivors, and how many of how many were noticed."""
    counts = {result: sum(row["result"] == result for row in trial.rows)
              for result in (*COUNTED, UNBUILT, SAME_CODE)}
    noticed, tried = counts[NOTICED] + counts[TIMEOUT], sum(counts[name] for name in COUNTED)
    lines = [line_of(row) for row in sorted(trial.rows, key=lambda row: (row["file"], row["line"]))
             if row["result"] == SURVIVED]
    apart = ", ".join(f"{counts[name]} {text}" for name, text in (
        (TIMEOUT, "of them by the time limit"), (UNBUILT, "more did not build"),
        (SAME_CODE, "more gave the same machine code")) if counts[name])
    if trial.unsteady:
        lines.append("failed once and passed when run again, alone: "
                     + ", ".join(sorted(trial.unsteady)))
    apart = f" ({apart})" if apart else ""
    lines.append(f"{TITLES[language]}: {noticed} of {tried} noticed{apart}")
    return lines, noticed, tried


def rows_in(path):
    """Of an earlier run."""
    with open(path, newline="", encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if row["seconds"]]


def identities_in(path):
    """Of the changes that survived in an earlier run."""
    return {row["id"] for row in rows_in(path) if row["result"] == SURVIVED}


def chosen_changes(arguments, changes, equivalent):
    """The changes to try, in order."""
    ordered = in_order(changes, arguments.seed)
    if arguments.again:
        identities = identities_in(arguments.again)
    elif arguments.id:
        identities = set(arguments.id)
    else:
        return [change for change in ordered if change.identity not in equivalent]
    return [change for change in ordered if change.identity in identities]


def stale(changes, equivalent, root):
    """Entries of the list whose code has changed meanwhile, or is gone. Those of files that are of
    another language, or that are not built here, may well be right."""
    present = {change.identity for items in changes.values() for change in items}
    return sorted(identity for identity, entry in equivalent.items() if identity not in present
                  and (entry.file in changes or not (root / entry.file).exists()))


def read_arguments(words):
    parser = argparse.ArgumentParser(prog="tests/mutants/run.py", description=__doc__)
    parser.add_argument("--language", choices=sorted(TITLES), required=True)
    parser.add_argument("--count", type=int, default=100, metavar="N",
                        help="changes that build and are not equivalent   [100]")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of the draw   [1]")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="side by side   [2]")
    parser.add_argument("--only", action="append", metavar="FILE",
                        help="a file, folder or pattern from the root; may be given again")
    parser.add_argument("--tests", default="", metavar="REGEX", help="of the tests to run   [all]")
    parser.add_argument("--longest", type=float, default=600, metavar="SECONDS",
                        help="tests that take longer are left out   [600]")
    parser.add_argument("--again", metavar="CSV", help="the survivors of an earlier run")
    parser.add_argument("--resume", action="store_true",
                        help="what the CSV file has is kept, and not tried again")
    parser.add_argument("--id", action="append", metavar="ID", help="one change")
    parser.add_argument("--list", action="store_true", help="print the changes, try none")
    parser.add_argument("--least", type=float, default=0, metavar="PERCENT",
                        help="exit status 1 if fewer are noticed   [0]")
    parser.add_argument("--output", metavar="CSV", help="[results/mutants-LANGUAGE.csv]")
    return parser.parse_args(words)


def listed(arguments, changes, equivalent):
    for change in chosen_changes(arguments, changes, equivalent)[:arguments.count]:
        print(line_of({"file": change.file, "line": change.line, "id": change.identity,
                       "operator": change.operator, "before": change.before,
                       "after": change.after}))
    total = sum(map(len, changes.values()))
    print(f"{TITLES[arguments.language]}: {total} changes in {len(changes)} files")


def prepared(folder, jobs):
    workshops = [Workshop(ROOT, folder / str(job)) for job in range(jobs)]
    for workshop in workshops:
        workshop.scratch.mkdir(parents=True)
        workshop.prepare()
    return workshops


def relevant_tests(arguments, workshop):
    tests = [test for test in workshop.tests.values() if is_relevant(arguments.language, test) and
             re.search(arguments.tests, test.name)]
    passing = [test for test in measured(workshop, tests) if test.seconds <= arguments.longest]
    if arguments.language == "c":
        return passing
    return [dataclasses.replace(test, reached=workshop.reached_by(test.name)) for test in passing]


def carried_out(arguments, folder, equivalent, output, rows):
    """The finished Trial. `rows`: what was tried before."""
    workshops = prepared(folder, arguments.jobs)
    files = workshops[0].compiled_files() if arguments.language == "c" else files_of(ROOT)
    changes = changes_by_file(arguments.language, workshops[0].tree, files, arguments.only)
    for identity in [] if arguments.only else stale(changes, equivalent, ROOT):
        print(f"mutants: equivalent.txt: {identity} is no change of this code", file=sys.stderr)
    tried_before = {row["id"] for row in rows}
    ordered = [change for change in chosen_changes(arguments, changes, equivalent)
               if change.identity not in tried_before]
    trial = Trial(arguments.language, relevant_tests(arguments, workshops[0]), output, rows)
    print(f"mutants: {len(trial.tests)} tests, "
          f"{sum(test.seconds for test in trial.tests):.0f} s unchanged", file=sys.stderr)
    queue = Queue(ordered, arguments.count - sum(row["result"] in COUNTED for row in rows))
    threads = [threading.Thread(target=trial.work, args=(workshop, queue), daemon=True)
               for workshop in workshops]
    for thread in threads:
        thread.start()
    try:
        for thread in threads:
            thread.join()
    finally:
        queue.stop()
        processes.stop(threads)
    if trial.errors:
        raise trial.errors[0]
    return trial


def tried(arguments, equivalent):
    path = pathlib.Path(arguments.output or ROOT / "results" / f"mutants-{arguments.language}.csv")
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [row for row in rows_in(path) if row["id"] not in equivalent] \
        if arguments.resume and path.exists() else []
    folder = pathlib.Path(tempfile.mkdtemp(prefix="mutants-"))
    folder.chmod(0o755)  # tests run programs of the build as other users
    try:
        with open(path, "w", newline="", encoding="utf-8") as output:
            writer = csv.DictWriter(output, COLUMNS)
            writer.writeheader()
            writer.writerows(rows)
            output.flush()
            trial = carried_out(arguments, folder, equivalent, output, rows)
    finally:
        processes.remove(folder)
    lines, noticed, count = summary(arguments.language, trial)
    print("\n".join(lines))
    return 1 if 100 * noticed < arguments.least * count else 0


def interrupt(*_):
    """Once: what follows would leave behind what is being removed."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def main(words=None):
    arguments = read_arguments(words)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupt)
    try:
        equivalent = read_equivalent(EQUIVALENT)
        if arguments.list:
            changes = changes_by_file(arguments.language, ROOT, files_of(ROOT), arguments.only)
            listed(arguments, changes, equivalent)
            return 0
        return tried(arguments, equivalent)
    except (Broken, OSError, ValueError) as error:
        print(f"mutants: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("mutants: interrupted; the CSV file holds what was tried", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
