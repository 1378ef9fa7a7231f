"""Damaged run folders: a small run cut from the reference run, in which one file is damaged in one
of many ways by a seed. Run by hand, it tries many seeds: damage.py FIRST COUNT."""

import collections
import contextlib
import copy
import csv
import io
import json
import os
import pathlib
import random
import shutil
import sys
import tempfile
import time
import traceback

from support import ROOT

from vmcommit.analyse import analysis
from vmcommit.analyse.summary import write_summary
from vmcommit.base import runs
from vmcommit.base.files import write_json
from vmcommit.base.problems import Problem
from vmcommit.commands import edge, predict
from vmcommit.gate import baselines
from vmcommit.show import page, terminal

REFERENCE = ROOT / "results" / "reference"
MIB = 2**20
STEPS = {"16384", "65536", "1048576"}
ROUNDS = 4  # of the run that is damaged
CELLS = ("upfront", "fault", "chunked")  # of the baseline
CALL_SIZES = {"1", "2", "4096", "2097152", "4194304"}  # of single calls: parts of pages, and more
DRAWN = 10  # each so many-th run that is damaged is analysed and drawn, the others read alone

TEXTS = ["", " ", "0", "-1", "1e308", "-1e308", "1e999", "nan", "NaN", "inf", "-inf", "1e-300",
         "4096", "4096.5", "0x10", "1_000", "99999999999999999999999", "9" * 400, "ok", "refused",
         "skipped", "wine", "linux", "random", "upfront", "no-such", "<script>alert(1)</script>",
         "'; rm -rf /", '"', '""', "a,b", "\u00e9\u2028", "\x1b[31m", "line\nbreak", "\ufeff",
         "x" * 5000, "{{ 7*7 }}", "\u0663", "True", "None"]
VALUES = [None, True, False, 0, -1, 1, 2**31, 2**63, 10**400, 0.5, 1e308, -1e308, float("nan"),
          float("inf"), "", "text", "<b>", "\x00", "\ud800", "1", [], {}, [None], [[]], {"a": {}},
          [1, "2", None], "x" * 5000]


def read_csv(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def csv_bytes(rows):
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode("utf-8", "surrogatepass")


def wanted(row):
    """Which configurations of the reference run are enough to reach each part of an analysis."""
    size, touched = int(row["size_bytes"]), int(row["touched_bytes"])
    if row["touch_order"] != "sequential":
        return size == 64 * MIB and row["touch_order"] == "random"
    plain = row["strategy"] not in ("chunked", "guard") or row["chunk_bytes"] == "65536"
    if size == 64 * MIB and touched == size:
        return plain or row["chunk_bytes"] in STEPS
    return plain and (size == touched == 4096 or size == 64 * MIB and touched < size / 4)


def key_of(row):
    return tuple(row[name] for name in ("strategy", "size_bytes", "chunk_bytes", "touched_bytes",
                                        "touch_order"))


def wanted_call(row):
    return row["size_bytes"] in CALL_SIZES and row["mappings"] != "1000"


def keep(path, wanted_row):
    """Of a table, the rows that are wanted."""
    with open(path, newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        kept = [list(row.values()) for row in reader if wanted_row(row)]
    path.write_bytes(csv_bytes([reader.fieldnames, *kept]))


def thin(folder, rounds):
    """A run in a folder, cut from the reference run: the last rounds of each configuration, which
    sweeps share with what they are compared with, and single calls of few sizes."""
    shutil.copytree(REFERENCE, folder, ignore=shutil.ignore_patterns(
        "charts", "report.html", "REPORT.md", "summary.csv", "hyperfine.json", "rates.csv",
        "peers.csv"))
    with open(REFERENCE / "samples.csv", newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        taken, rows = collections.Counter(), []
        for row in reversed([row for row in reader if wanted(row)]):
            taken[key_of(row)] += 1
            if taken[key_of(row)] <= rounds:
                rows.append(list(row.values()))
    (folder / "samples.csv").write_bytes(csv_bytes([reader.fieldnames, *reversed(rows)]))
    keep(folder / "details" / "calls.csv", wanted_call)
    for strategy in CELLS:
        touches = [["strategy", "round", "position", "touch", "page", "ns", "commit_calls"]]
        touches += [[strategy, 1, 1, at, at, 1000 + 37 * at % 901, at // 16] for at in range(64)]
        (folder / "details" / f"trace-{strategy}-{64 * MIB}.csv").write_bytes(csv_bytes(touches))


def baseline(folder, run):
    """A stored baseline in a folder, of the rows of a thin run."""
    folder.mkdir()
    header, *rows = read_csv(run / "samples.csv")
    of = {strategy: [row for row in rows if row[0] == strategy and row[4] == "4096"][:ROUNDS]
          for strategy in CELLS}
    (folder / "samples.csv").write_bytes(csv_bytes([["side", "cell", *header]] + [
        ["head", strategy, *row] for strategy, each in of.items() for row in each]))
    shutil.copy(run / "environment.json", folder)


def truncated(content, rng):
    return content[:rng.randrange(len(content) + 1)]


def flipped(content, rng):
    content = bytearray(content)
    for _ in range(rng.choice((1, 1, 3, 50))):
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    return bytes(content)


def inserted(content, rng):
    at = rng.randrange(len(content) + 1)
    junk = rng.choice((b"\0", b"\0" * 4096, b"\xff\xfe", b'"', b"\n", b"\r", b"\r\n\r\n", b",",
                       b"\xe2\x82", rng.randbytes(16)))
    return content[:at] + junk + content[at:]


def repeated(content, rng):
    low, high = sorted(rng.randrange(len(content) + 1) for _ in range(2))
    return content[:high] + content[low:high] + content[high:]


def cut_out(content, rng):
    low, high = sorted(rng.randrange(len(content) + 1) for _ in range(2))
    return content[:low] + content[high:]


def recoded(content, rng):
    text = content.decode("utf-8")
    return rng.choice((b"\xef\xbb\xbf" + content, text.encode("utf-16"), text.encode("utf-32"),
                       text.replace("a", "\u00e4").encode("latin-1"),
                       content.replace(b"\r\n", b"\n"),
                       content.replace(b"\n", b"\r"), content.replace(b",", b";")))


def replaced(_content, rng):
    return rng.choice((b"", b"\n", b" ", b"{}", b"[]", b"null", b'"', rng.randbytes(300),
                       b"[" * 100000, b'{"a":' * 5000, b"a,b,c\r\n1,2,3\r\n"))


BYTES = (truncated, truncated, flipped, flipped, inserted, repeated, cut_out, recoded, replaced)


def change_columns(rows, rng):
    at, other = (rng.randrange(len(rows[0])) for _ in range(2))
    kind = rng.choice(("drop", "twice", "swap", "rename", "fill"))
    value = rng.choice(TEXTS)
    for number, row in enumerate(rows):
        if kind == "drop":
            del row[at]
        elif kind == "twice":
            row.insert(other, row[at])
        elif kind == "swap":
            row[at], row[other] = row[other], row[at]
        elif kind == "rename":
            row[at] = value if number == 0 else row[at]
        elif number:
            row[at] = value


def change_rows(rows, rng):
    kind = rng.choice(("subset", "subset", "none", "twice", "shuffle", "short", "long", "blank"))
    body = rows[1:]
    at = rng.randrange(len(body))
    if kind in ("subset", "none"):
        share = rng.random() ** 2 if kind == "subset" else 0
        body = [row for row in body if rng.random() < share]
    elif kind == "shuffle":
        rng.shuffle(body)
    elif kind == "short":
        del body[at][rng.randrange(len(body[at])):]
    else:
        body.insert(rng.randrange(len(body)), {
            "twice": body[at], "long": [*body[at], "more"], "blank": []}[kind])
    rows[1:] = body


def change_cells(rows, rng):
    for _ in range(rng.choice((1, 1, 5, 100))):
        row = rows[rng.randrange(1, len(rows))]
        at = rng.randrange(len(row))
        other = rows[rng.randrange(1, len(rows))]
        row[at] = rng.choice((rng.choice(TEXTS), other[at], rng.choice(other)))


def change_csv(content, rng):
    rows = list(csv.reader(io.StringIO(content.decode("utf-8"), newline="")))
    rng.choice((change_columns, change_rows, change_cells, change_cells))(rows, rng)
    return csv_bytes(rows)


def places(value):
    """(container, key) of every value within a value of JSON."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in list(items):
        yield value, key
        if isinstance(inner, (dict, list)):
            yield from places(inner)


def change_json(content, rng):
    value = json.loads(content)
    for _ in range(rng.choice((1, 1, 1, 3))):
        container, key = rng.choice(list(places(value)))
        if rng.random() < 0.3:
            del container[key]
        else:
            container[key] = copy.deepcopy(rng.choice(VALUES))
    if rng.random() < 0.05:
        value = rng.choice(VALUES)
    return json.dumps(value).encode("utf-8", "surrogatepass")


def change_log(content, rng):
    """A recording's log, of which lines or words are others."""
    lines = [line.split(" ") for line in content.decode("utf-8").splitlines()]
    for _ in range(rng.choice((1, 1, 1, 5))):
        at, other = (rng.randrange(1, len(lines)) for _ in range(2))
        line = lines[at]
        word = rng.randrange(len(line))
        kind = rng.choice(("drop", "twice", "swap", "less", "more", "word", "word", "word"))
        if kind == "drop" and len(lines) > 2:
            del lines[at]
        elif kind == "twice":
            lines.insert(other, line[:])
        elif kind == "swap":
            lines[at], lines[other] = lines[other], line
        elif kind == "less":
            del line[word]
        elif kind == "more":
            line.insert(word, rng.choice(TEXTS))
        else:
            line[word] = rng.choice((rng.choice(TEXTS), rng.choice(lines[other] or [""])))
    return "".join(" ".join(line) + "\n" for line in lines).encode("utf-8", "surrogatepass")


def damage(folder, rng):
    """Damages one file of a folder. Returns which, and how."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    heavy = [path for path in paths if path.name in ("samples.csv", "environment.json")]
    path = rng.choice(paths + 3 * heavy)
    kind = rng.random()
    if kind < 0.02:
        path.unlink()
        how = "missing"
    elif kind < 0.04:
        path.unlink()
        path.mkdir()
        how = "a folder"
    elif kind < 0.06 and os.geteuid() != 0:
        path.chmod(0)
        how = "without permission"
    else:
        change = rng.choice(BYTES) if kind < 0.4 else \
            change_csv if path.suffix == ".csv" else change_json
        path.write_bytes(change(path.read_bytes(), rng))
        how = change.__name__
    return f"{path.relative_to(folder)} {how}"


def draw(folder):
    """What make report does, without its charts."""
    analysed = analysis.read(folder)
    write_summary(analysed.summary, folder / "summary.csv")
    write_json(folder / "advice.json", analysed.as_json())
    page.write(analysed, folder, [])
    terminal.answer(analysed, "report.html")
    return folder / "report.html"


def read(folder):
    """All that a run is read for."""
    run = runs.read(folder)
    return run.stairs, run.calls, run.limited, run.traces, run.traced, run.process_times


def forecast(folder):
    with contextlib.redirect_stdout(io.StringIO()):
        predict.main(["--size", "64M", "--touch", "0.5", "--run", str(folder)])


def load(folder):
    try:
        baselines.read(folder)
    except baselines.Unusable as why:
        raise Problem(str(why)) from None


def outcome(action, folder):
    """"well", or the one line that says why not."""
    try:
        action(folder)
        return "well"
    except Problem as problem:
        line = str(problem)
    except OSError as error:
        line = edge.of_file(error)
    if "\n" in line or not line:
        raise AssertionError(f"not one line: {line!r}")
    return line


class Workshop:
    """Bases that are damaged, in a folder that goes with a with block."""

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory()
        root = pathlib.Path(self.folder.name)
        self.run, self.stored, self.scratch = root / "run", root / "stored", root / "scratch"
        thin(self.run, ROUNDS)
        baseline(self.stored, self.run)
        return self

    def __exit__(self, *_):
        self.folder.cleanup()

    def attempt(self, seed):
        """(what was damaged, [outcomes]). Raises whatever is no Problem."""
        rng = random.Random(seed)
        base, actions = (self.stored, [load]) if rng.random() < 0.15 else \
            (self.run, [forecast, read if seed % DRAWN else draw])
        shutil.rmtree(self.scratch, ignore_errors=True)
        shutil.copytree(base, self.scratch)
        try:
            how = damage(self.scratch, rng)
        except (IndexError, ValueError, UnicodeError) as error:
            return f"no damage: {error}", []
        try:
            return how, [outcome(action, self.scratch) for action in actions]
        except BaseException as error:
            error.add_note(f"seed {seed}: {how}")
            raise


def main(first, count):
    counts, failures = collections.Counter(), collections.Counter()
    begun = time.monotonic()
    with Workshop() as workshop:
        for seed in range(first, first + count):
            try:
                _, outcomes = workshop.attempt(seed)
                counts.update("well" if each == "well" else "one line" for each in outcomes)
            except Exception as error:  # noqa: BLE001  what is looked for
                frame = traceback.extract_tb(error.__traceback__)[-1]
                ours = [each for each in traceback.extract_tb(error.__traceback__)
                        if "vmcommit" in each.filename or "damage" in each.filename][-1]
                key = f"{type(error).__name__} in {ours.name}, {ours.filename}:{ours.lineno}"
                failures[key] += 1
                if failures[key] == 1:
                    notes = getattr(error, "__notes__", ())
                    print(key, f"({frame.name})", str(error)[:200], *notes)
    print(f"{count} seeds from {first} in {time.monotonic() - begun:.0f} s: {dict(counts)}; "
          f"failures: {sum(failures.values())} of {len(failures)} kinds")
    for key, number in failures.most_common():
        print(f"{number:6} {key}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
