"""What a run measures beside its rounds, by harnesses that are made up: traces, staircases, a limit
on commit, whole processes."""

import csv
import io
import json
import pathlib
import random
import subprocess
import tempfile
import types
import unittest
from unittest import mock

import made

from vmcommit.base.cells import Configuration
from vmcommit.base.problems import Problem
from vmcommit.base.units import GIB, KIB, MIB
from vmcommit.measure import details, process_times
from vmcommit.measure.harness import HarnessFailed

PROFILE = types.SimpleNamespace(trace_sizes=(MIB, GIB), trace_repeat=3, sweep_size=MIB)
STAIRCASE = made.strategy("chunked", "chunk", options=(*made.OPTIONS, "--staircase"))
PLAIN = made.strategy("upfront", "size", options=(*made.OPTIONS, "--staircase"))


class Harness:
    """Writes what it is asked for, unless it is said to die of it."""

    def __init__(self, strategy, dying=()):
        self.strategy, self.dying, self.command = strategy, dying, ("bin/" + strategy.name,)
        self.asked = []

    def take(self, configuration, *more):
        self.asked.append((configuration, *more))
        if more:
            pathlib.Path(more[1]).write_text("round,step\r\n1,2\r\n", encoding="utf-8")
        if more and more[0] in self.dying:
            raise HarnessFailed("was ended by SIGKILL")
        return {"strategy": self.strategy.name, "size_bytes": str(configuration.size)}


class Folder(unittest.TestCase):
    def setUp(self):
        kept = tempfile.TemporaryDirectory()
        self.addCleanup(kept.cleanup)
        self.folder = pathlib.Path(kept.name)
        self.shown = mock.Mock()

    def read(self, name):
        return (self.folder / name).read_bytes().decode()


class Details(Folder):
    def measure(self, *harnesses, available=4 * GIB):
        """What failed."""
        failed = {}
        with mock.patch.object(details, "limiter", return_value=["limit"]), \
                mock.patch.object(details, "under", lambda _start, harness: harness):
            details.measure({one.strategy.name: one for one in harnesses}, PROFILE, available,
                            self.folder, 1, failed, self.shown)
        return failed

    def names(self):
        return sorted(path.name for path in (self.folder / "details").iterdir())

    def test_what_there_is_to_look_into(self):
        traced, climbed = details.configurations(PROFILE, 2 * GIB, [PLAIN, STAIRCASE, made.MALLOC])
        self.assertEqual([(one.strategy.name, one.size) for one in traced],
                         [(name, size) for size in (MIB, GIB)
                          for name in ("upfront", "chunked", "malloc")])
        self.assertEqual([(one.strategy.name, one.size, one.chunk) for one in climbed
                          if one.strategy.stepped],
                         [("chunked", MIB, MIB // part) for part in (64, 16, 4)])
        self.assertEqual([one.strategy.name for one in climbed if not one.strategy.stepped],
                         ["upfront"])
        traced, _ = details.configurations(PROFILE, 2 * GIB - 1, [PLAIN])
        self.assertEqual([one.size for one in traced], [MIB])

    def test_each_table_is_rows_as_harnesses_write_them(self):
        self.assertEqual(self.measure(Harness(PLAIN), Harness(STAIRCASE)), {})
        self.assertEqual(self.names(), [
            "limited.csv", "samples.csv", "staircase.csv",
            f"trace-chunked-{MIB}.csv", f"trace-chunked-{GIB}.csv",
            f"trace-upfront-{MIB}.csv", f"trace-upfront-{GIB}.csv"])
        first, again = ([f"{name},{size},{number}" for size in sizes
                         for name in ("upfront", "chunked")]
                        for sizes, number in (((MIB, GIB), ""), ((MIB,), 2)))
        header, *traced, end = self.read("details/samples.csv").split("\r\n")
        self.assertEqual((header, traced[:4], end), ("strategy,size_bytes,round", first, ""))
        self.assertCountEqual(traced[4:6], again)
        self.assertCountEqual(traced[6:], [row[:-1] + "3" for row in again])
        self.assertEqual(self.read("details/staircase.csv"), "round,step\r\n" + 4 * "1,2\r\n")
        self.assertEqual(self.read("details/limited.csv"),
                         "strategy,size_bytes,limit_bytes\r\n"
                         f"upfront,{4 * MIB},{2 * MIB}\r\nchunked,{4 * MIB},{2 * MIB}\r\n")

    def test_a_harness_that_dies_leaves_no_half_of_a_file(self):
        dying = Harness(PLAIN, ("--trace", "--staircase"))
        failed = self.measure(dying, Harness(STAIRCASE))
        self.assertEqual({str(one.strategy) for one in failed}, {"upfront"})
        self.assertEqual(set(failed.values()), {"was ended by SIGKILL"})
        self.assertEqual([name for name in self.names() if "upfront" in name or "part" in name], [])
        self.assertEqual(self.read("details/staircase.csv").count("\r\n"), 1 + 3)

    def test_every_process_of_a_round_has_a_turn_in_an_order_of_its_own(self):
        profile = types.SimpleNamespace(trace_repeat=30, sweep_size=MIB)
        traced = [Configuration(made.by_name(made.FOUR)[name], size) for size in (MIB, GIB)
                  for name in ("upfront", "fault", "chunked")]
        turns = details.repeats(profile, traced, random.Random(1))
        rounds = [turns[at:at + 3] for at in range(0, len(turns), 3)]
        self.assertEqual([{number for _, number in each} for each in rounds],
                         [{number} for number in range(2, 31)])
        orders = {tuple(each.strategy.name for each, _ in row) for row in rounds}
        self.assertEqual(len(orders), 6)
        self.assertEqual({each.size for each, _ in turns}, {MIB})

    def test_what_died_before_is_not_tried_again(self):
        harness = Harness(PLAIN)
        traced, climbed = details.configurations(PROFILE, 4 * GIB, [PLAIN])
        failed = dict.fromkeys((*traced, *climbed), "died")
        self.assertIsNone(details.trace({"upfront": harness}, traced[0], self.folder, failed))
        self.assertEqual(details.climb({"upfront": harness}, climbed[0], self.folder, failed), [])
        self.assertEqual(harness.asked, [])

    def test_a_limit_is_for_half_of_a_region_that_fits_twice(self):
        harness = Harness(PLAIN)
        for available, count in ((4 * MIB, 1), (4 * MIB - 1, 0)):
            with mock.patch.object(details, "limiter", return_value=["limit"]) as limiter, \
                    mock.patch.object(details, "under", lambda _start, one: one):
                rows = details.limited({"upfront": harness}, PROFILE, available, {}, self.shown)
            self.assertEqual(len(rows), count)
            limiter.assert_called_once_with(pathlib.Path("bin"), 2 * MIB)
        self.assertEqual(harness.asked[0][0].touch, "0.1")

    def test_how_a_limit_is_set(self):
        with mock.patch.object(details.shutil, "which", return_value="/usr/bin/prlimit"):
            self.assertEqual(details.limiter(self.folder, 5), ["prlimit", "--data=5"])
        with mock.patch.object(details.shutil, "which", return_value=None):
            self.assertIsNone(details.limiter(self.folder, 5))
        job = self.folder / "job.exe"
        job.touch()
        self.assertEqual(details.limiter(self.folder, 5), [str(job), "5"])
        for command, limited in ((("a",), ("l", "a")), (("wine", "a.exe"), ("wine", "l", "a.exe")),
                                 (("qemu", "a"), ("l", "qemu", "a"))):
            known = details.Harness(PLAIN, command)
            self.assertEqual(details.under(["l"], known), details.Harness(PLAIN, limited))


class Processes(Folder):
    """hyperfine is played: each process lasts longer than the one before it."""

    def hyperfine(self, command, _seconds, cwd, env):
        lines = command[command.index("--export-json") + 2:]
        self.lines += lines
        self.path = env["PATH"]
        results = [{"command": line, "times": [0.001 * (at + 1)]} for at, line in enumerate(lines)]
        pathlib.Path(cwd, "hyperfine.json").write_text(json.dumps({"results": results}))
        for line in lines:
            words = line.split()
            if "--output" in words:
                row = f"status,total_ns,batch\r\nok,{words[2]}.5,2\r\n"
                pathlib.Path(cwd, words[-1]).write_text(row)
        return subprocess.CompletedProcess(command, self.status, "", "one\nthe last\n")

    def measure(self, runs=3, **changed):
        self.lines, self.status = [], 0
        harnesses = [details.Harness(one, ("/build/bin/" + one.name,))
                     for one in (made.UPFRONT, made.FAULT)]
        with mock.patch.object(process_times.processes, "run", self.hyperfine):
            process_times.measure(harnesses, self.folder, 64 * KIB, runs, 1, self.shown)
        return list(csv.DictReader(io.StringIO(self.read("process_times.csv"))))

    def test_each_process_has_its_row(self):
        rows = self.measure()
        self.assertEqual(len(rows), 3 * 3)
        self.assertEqual([row["run"] for row in rows], list("111222333"))
        self.assertEqual([row["whole_ns"] for row in rows], ["1000000", "2000000", "3000000"] * 3)
        for row, line in zip(rows, self.lines, strict=True):
            program = line.split()[0]
            started = row["strategy"] == process_times.START
            self.assertEqual(row["total_ns"], "" if started else f"{2 * 65536.5:.1f}")
            self.assertEqual((program, "--version" in line),
                             ("upfront", True) if started else (row["strategy"], False))
        self.assertEqual(len(json.loads(self.read("hyperfine.json"))["results"]), 9)
        self.assertTrue(self.path.startswith("/build/bin:"))
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()),
                         ["hyperfine.json", "process_times.csv"])

    def test_the_order_is_another_in_each_run(self):
        rows = self.measure(20)
        orders = {tuple(row["strategy"] for row in rows[at:at + 3]) for at in range(0, 60, 3)}
        self.assertGreater(len(orders), 2)

    def problem(self, **changed):
        with self.assertRaises(Problem) as raised, mock.patch.object(
                process_times.processes, "run", **changed):
            process_times.hyperfine(["a", "b"], self.folder, {}, 90)
        return str(raised.exception)

    def test_a_hyperfine_that_fails(self):
        self.assertEqual(self.problem(side_effect=subprocess.TimeoutExpired("x", 90)),
                         "hyperfine did not end within 90 s")
        for status, said in ((1, "hyperfine ended with status 1: b"),
                             (0, "hyperfine wrote no times for each process")):
            done = subprocess.CompletedProcess([], status, "", "a\nb\n")
            self.assertIn(said, self.problem(return_value=done))
        for times in ([[1.0]], [[1.0], [0]], [[1.0], []]):
            results = [{"times": each} for each in times]
            (self.folder / "hyperfine.json").write_text(json.dumps({"results": results}))
            done = subprocess.CompletedProcess([], 0, "", "")
            self.assertIn("wrote no times", self.problem(return_value=done))

    def test_what_is_read_back(self):
        path = self.folder / "process_times.csv"
        for own, known, notes in (("42.0", (7.0, 7.0, 7.0, 42.0), 0), ("0", (7.0, 7.0, 7.0, 0), 0),
                                  ("-0.5", None, 1)):
            path.write_text(f"run,strategy,whole_ns,total_ns\r\n1,upfront,7,{own}\r\n")
            run = made.run([], [made.UPFRONT])
            run.folder = self.folder
            self.assertEqual(run.process_times.get("upfront"), known, own)
            self.assertEqual(len(run.notes), notes)

    def test_own_times(self):
        path = self.folder / "own.csv"
        self.assertIsNone(process_times.own_total_ns(path))
        for text, total in (("ok,10.5,4", 42.0), ("refused,,1", None), ("ok,x,1", None),
                            ("ok", None)):
            path.write_text(f"status,total_ns,batch\n{text}\n")
            self.assertEqual(process_times.own_total_ns(path), total, text)


if __name__ == "__main__":
    unittest.main()
