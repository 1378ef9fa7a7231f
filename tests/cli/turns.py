"""`--turns`: a cycle in slices counts, and is charged, what a cycle in one go is, exactly; and what
the protocol says to commands that make no sense."""

import itertools
import subprocess
import unittest

from support import BIN, PAGE, SANITIZED, SUFFIX, WINDOWS, describe, parse, rows, run

COUNTS = ("commit_calls", "handled_faults", "minor_faults", "major_faults",
          "reserved_commit_bytes", "commit_bytes", "resident_bytes", "released_commit_bytes",
          "region_count", "status", "error", "purge_calls", "purge_step_bytes",
          "retouch_minor_faults", "purged_commit_bytes", "purged_resident_bytes",
          "purged_region_count", "retouched_commit_bytes", "retouched_region_count",
          *(() if SANITIZED else ("purged_table_bytes",)))  # of the process, a sanitizer's too
LIBRARY = ("--library", BIN / f"mine{'.dll' if SUFFIX else '.so'}")
#            harness, its own options; pages in the region, in a step, touched part
CELLS = [(name, options, pages, step, touch, order)
         for name, options, steps in (("upfront", (), (1,)), ("fault", (), (1,)),
                                      ("chunked", (), (1, 3, 16)), ("guard", (), (1, 3, 16)),
                                      ("custom", LIBRARY, (3, 16)))
         for pages, step in itertools.product((1, 2, 80, 1024), steps)
         for touch, order in (("1", "sequential"), ("0.1", "sequential"), ("1", "random"))]
# The same by each other kind of commit, and by steps that double.
CELLS += [(name, (option, value), 80, 3, touch, "sequential")
          for name in ("upfront", "fault", "chunked", "guard") for touch in ("1", "0.1")
          for option, value in (*(("--commit", kind) for kind in describe(name)["commit"][1:]),
                                ("--growth", "double"))
          if option in describe(name)["options"]]
if not WINDOWS:
    CELLS += [("mremap", ("--commit", kind), 80, 3, touch, "sequential")
              for kind in ("in_place", "move") for touch in ("1", "0.1")]
    CELLS += [("stack", (), 80, 1, touch, "downwards") for touch in ("1", "0.1")]
    CELLS += [("uffd", ("--trap", trap, "--commit", kind), 80, 3, touch, order)
              for trap in ("sigbus", "thread") for kind in ("copy", "zeropage")
              for touch, order in (("1", "sequential"), ("0.1", "random"))]
# 80 pages or 8 of them, given back by 2, and touched again.
CELLS += [(name, ("--purge", kind, "--purge-step", 2 * PAGE), 80, 3, touch, order)
          for name in ("upfront", "chunked") for kind in describe(name)["purge"][1:]
          for touch, order in (("1", "sequential"), ("0.1", "sequential"), ("1", "alternate"))]
SLICES = (1, 7, 64, 10000)  # touches; the last is more than any cycle has


def taken(name, *arguments, commands):
    """What a harness answers to these commands, line by line, and how it ended."""
    done = run(name, "--turns", *arguments, given="".join(f"{one}\n" for one in commands))
    return done.stdout.splitlines(), done.returncode, done.stderr


def in_slices(touches, slice_touches, steps=0, releases=0):
    """The commands of one probed cycle."""
    stages = [("touch", touches), ("purge", steps), ("restore", steps),
              ("retouch", touches if steps else 0), ("release", releases)]
    slices = [f"{stage} {min(slice_touches, total - at)}" for stage, total in stages
              for at in range(0, total, slice_touches)]
    return ["header", "probe", *slices, "end", "row 1 2 3"]


class Equal(unittest.TestCase):
    maxDiff = None

    def test_counts_and_charge_are_those_of_a_cycle_in_one_go(self):
        for name, options, pages, step, touch, order in CELLS:
            chunk = ("--chunk", step * PAGE) if name in (
                "chunked", "guard", "custom", "mremap", "uffd") else ()
            arguments = (*options, "--size", pages * PAGE, "--touch", touch, "--order", order,
                         *chunk)
            whole = rows(name, *arguments, "--repeat", 1)[0]
            if whole["status"] == "unsupported":
                continue
            touches = int(whole["touched_bytes"]) // PAGE
            steps = int(whole["purge_calls"] or 0)
            for slice_touches in {min(one, touches) for one in SLICES}:
                with self.subTest(name=name, pages=pages, step=step, touch=touch, order=order,
                                  slice=slice_touches):
                    releases = 0 if name in ("custom", "mremap", "stack") else touches
                    lines, status, said = taken(name, *arguments,
                                                commands=in_slices(touches, slice_touches,
                                                                   steps, releases))
                    self.assertEqual((status, said), (0, ""))
                    self.assertEqual(lines[0], f"turns 3 {touches} {steps} {releases} ok")
                    row = parse("\n".join([lines[1], lines[-1]]))[0]
                    self.assertEqual({column: row[column] for column in COUNTS},
                                     {column: whole[column] for column in COUNTS})
                    self.assertEqual((row["round"], row["position"], row["set"], row["batch"]),
                                     ("1", "2", "3", "1"))
                    self.assertEqual(int(row["slice_bytes"]), slice_touches * PAGE)

    def test_a_batch_counts_as_each_of_its_cycles(self):
        for name in ("upfront", "fault", "chunked", "guard"):
            whole = rows(name, "--size", "64K", "--repeat", 1)[0]
            lines, *_ = taken(name, "--size", "64K",
                              commands=["header", "cycles 5", "cycles 7", "row 1 1 1"])
            row = parse("\n".join([lines[1], lines[-1]]))[0]
            self.assertEqual(row["batch"], "12")
            for column in ("commit_calls", "handled_faults", "minor_faults"):
                self.assertEqual(row[column], whole[column], (name, column))
            self.assertEqual((row["commit_bytes"], row["slice_bytes"]), ("", ""))

    def test_what_turns_add_up_to_is_in_the_row(self):
        lines, *_ = taken("fault", "--size", "64K", commands=in_slices(16, 5))
        done = [line.split() for line in lines if line.startswith("done ")]
        row = parse("\n".join([lines[1], lines[-1]]))[0]
        self.assertEqual(len(done), 1 + 4 + 1)
        self.assertEqual(sum(int(words[1]) for words in done), float(row["total_ns"]))
        self.assertEqual([words[2:4] for words in done],
                         [["0", "0"], ["5", "5"], ["5", "5"], ["5", "5"], ["1", "1"], ["0", "0"]])

    def test_giving_back_takes_turns_of_its_own(self):
        kind = describe("upfront")["purge"][1]
        lines, *_ = taken("upfront", "--size", "64K", "--purge", kind, "--purge-step", "8K",
                          commands=in_slices(16, 5, 8))
        row = parse("\n".join([lines[1], lines[-1]]))[0]
        done = [int(line.split()[1]) for line in lines if line.startswith("done ")]
        self.assertEqual(len(done), 1 + 4 + 2 + 2 + 4 + 1)
        self.assertEqual([sum(done[:1]), sum(done[1:5]), sum(done[5:7]), sum(done[7:13]), done[13]],
                         [float(row[f"{phase}_ns"]) for phase in ("commit", "touch", "purge",
                                                                  "retouch", "release")])
        self.assertEqual(sum(done), float(row["total_ns"]))

    def test_releasing_in_parts_leaves_the_rest_to_the_end(self):
        """All of it, a part, or nothing: what is charged at the peak and afterwards is the same."""
        for parts in ([16], [3, 4, 9], [1, 2], []):
            commands = ["header", "probe", "touch 16", *(f"release {part}" for part in parts),
                        "end", "row 1 1 1", "cycles 1", "row 2 1 1"]
            lines, status, said = taken("guard", "--size", "64K", commands=commands)
            first, second = parse("\n".join([lines[1], *lines[-3::2]]))
            done = [int(line.split()[1]) for line in lines if line.startswith("done ")]
            with self.subTest(parts=parts):
                self.assertEqual((status, said), (0, ""))
                self.assertEqual(sum(done[2:-1]), float(first["release_ns"]))
                self.assertEqual((first["commit_bytes"], first["released_commit_bytes"]),
                                 (str(16 * PAGE), "0"))
                self.assertEqual(second["minor_faults"], first["minor_faults"])

    def test_what_would_be_split_or_is_others_is_released_in_one_go(self):
        for name, options in (("upfront", ("--pages", "thp")), ("fault", ("--threads", "2")),
                              ("custom", LIBRARY)):
            lines, status, said = taken(name, "--size", "4M", *options,
                                        commands=["begin", "touch 1024", "release 1"])
            if lines[0].endswith("unable"):  # this system has no such pages
                continue
            with self.subTest(name=name):
                self.assertEqual((lines[0], status), ("turns 3 1024 0 0 ok", 2))
                self.assertIn("'release' asks for more pages than can be released part by part",
                              said)

    def test_after_slices_whole_cycles_give_back_all(self):
        kind = describe("upfront")["purge"][1]
        lines, status, said = taken(
            "upfront", "--size", "64K", "--purge", kind, "--purge-step", "8K",
            commands=[*in_slices(16, 7, 8), "cycles 3", "row 2 1 1"])
        self.assertEqual((status, said), (0, ""))
        slices, batch = parse("\n".join([lines[1], *lines[-3::2]]))
        self.assertEqual((batch["batch"], slices["purge_calls"], batch["purge_calls"]),
                         ("3", "8", "8"))
        self.assertEqual(batch["minor_faults"], slices["minor_faults"])

    def test_a_row_of_no_cycle_has_no_times(self):
        lines, *_ = taken("chunked", "--size", "64K", commands=["header", "row 1 1 1"])
        row, = parse("\n".join(lines[1:]))
        self.assertEqual((row["batch"], row["status"], row["total_ns"], row["touch_ns"]),
                         ("", "ok", "", ""))

    def test_a_row_begins_anew(self):
        lines, *_ = taken("chunked", "--size", "64K", "--chunk", "16K", commands=[
            "header", "cycles 3", "row 1 1 1", "begin", "touch 16", "end", "row 2 1 1"])
        first, second = parse("\n".join([lines[1], lines[3], lines[-1]]))
        self.assertEqual((first["batch"], second["batch"]), ("3", "1"))
        self.assertEqual((first["commit_calls"], second["commit_calls"]), ("4", "4"))


class Refusals(unittest.TestCase):
    @unittest.skipIf(WINDOWS or SANITIZED, "limited by RLIMIT_DATA, as a sanitizer would be too")
    def test_a_refused_cycle_says_so_in_its_row_and_the_next_one_goes_on(self):
        import resource
        mib = 2**20

        def limit():
            resource.setrlimit(resource.RLIMIT_DATA, (64 * mib, 64 * mib))
        done = run("chunked", "--turns", "--size", "256M", "--chunk", "1M", preexec_fn=limit,
                   given="header\nprobe\ntouch 256\ntouch 65280\nrow 1 1 1\nbegin\ntouch 256\n")
        lines = done.stdout.splitlines()
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertTrue(lines[4].startswith("refused commit of 1048576 bytes at offset "), lines[4])
        row = parse("\n".join([lines[1], lines[5]]))[0]
        self.assertEqual((row["status"], row["total_ns"]), ("refused", ""))
        self.assertEqual(int(row["commit_calls"]), int(row["commit_bytes"]) // mib + 1)
        self.assertEqual(row["released_commit_bytes"], "0")
        self.assertEqual([line.split()[0] for line in lines[6:]], ["done", "done"])

    def test_what_can_not_be_done_here_is_a_row(self):
        if WINDOWS:
            self.skipTest("an order that a guard can't follow stands for it")
        lines, status, said = taken("guard", "--size", "64K", "--chunk", "16K", "--order",
                                    "reverse", commands=["header", "row 1 1 1"])
        self.assertEqual((lines[0], status, said), ("turns 3 0 0 0 unable", 0, ""))
        self.assertEqual(parse("\n".join(lines[1:]))[0]["status"], "unsupported")


class Protocol(unittest.TestCase):
    def test_commands_without_sense_get_one_line(self):
        for commands, said in (
                (["jump"], "'jump' is no command; docs/turns.md lists them"),
                ([""], "'' is no command; docs/turns.md lists them"),
                (["cycles"], "'cycles' has not the whole numbers from 1 that the command takes"),
                (["cycles 0"], "'cycles 0' has not the whole numbers"),
                (["cycles -1"], "'cycles -1' has not the whole numbers"),
                (["cycles 1 2"], "'cycles 1 2' has not the whole numbers"),
                (["cycles  1"], "'cycles  1' has not the whole numbers"),
                (["cycles 99999999999999999999"], "'cycles 99999999999999999999' has not the"),
                (["row 1 1"], "'row 1 1' has not the whole numbers"),
                (["begin now"], "'begin now' has not the whole numbers"),
                (["warm"], "'warm' is no command; docs/turns.md lists them"),
                (["touch 1"], "'touch 1' comes outside of a cycle in slices"),
                (["end"], "'end' comes outside of a cycle in slices"),
                (["begin", "begin"], "'begin' comes within a cycle in slices"),
                (["begin", "cycles 1"], "'cycles 1' comes within a cycle in slices"),
                (["begin", "row 1 1 1"], "'row 1 1 1' comes within a cycle in slices"),
                (["begin", "touch 17"], "'touch' asks for more touches than the cycle has left"),
                (["begin", "touch 16", "touch 1"], "'touch' asks for more touches than the cycle"),
                (["begin", "touch 15", "end"], "'end' comes before the last touch"),
                (["begin", "touch 16", "purge 1"], "'purge' asks for more steps than the cycle"),
                (["begin", "touch 16", "retouch 1"], "'retouch' asks for more touches than the"),
                (["release 1"], "'release 1' comes outside of a cycle in slices"),
                (["begin", "touch 15", "release 1"], "'release' comes before the last touch"),
                (["begin", "touch 16", "release 17"], "'release' asks for more pages than can be"),
                (["begin", "touch 16", "release 9", "release 8"], "'release' asks for more pages"),
                (["begin", "touch 16", "release 1", "touch 1"], "'touch' asks for more touches"),
                (["x" * 500], "'' is the end of no line: commands are shorter")):
            with self.subTest(commands=commands):
                lines, status, error = taken("fault", "--size", "64K", commands=commands)
                self.assertEqual((lines[0], status), ("turns 3 16 0 16 ok", 2))
                self.assertEqual(error.count("\n"), 1)
                self.assertTrue(error.startswith(f"fault: --turns: {said}"), error)

    def test_what_is_given_back_has_its_order_too(self):
        kind = describe("upfront")["purge"][1]
        for commands, said in (
                (["purge 1"], "'purge 1' comes outside of a cycle in slices"),
                (["begin", "touch 15", "purge 1"], "'purge' comes before the last touch"),
                (["begin", "touch 16", "end"], "'end' comes before all is given back"),
                (["begin", "touch 16", "purge 9"], "'purge' asks for more steps than the cycle "
                                                   "has left to give back"),
                (["begin", "touch 16", "purge 7", "restore 1"],
                 "'restore' comes before all is given back"),
                (["begin", "touch 16", "purge 8", "purge 1"],
                 "'purge' asks for more steps than the cycle has left to give back"),
                (["begin", "touch 16", "purge 8", "restore 9"],
                 "'restore' asks for more steps than the cycle has left to make usable again"),
                (["begin", "touch 16", "purge 8", "retouch 1"],
                 "'retouch' comes before all is usable again"),
                (["begin", "touch 16", "purge 8", "restore 8", "retouch 15", "end"],
                 "'end' comes before all is touched again"),
                (["begin", "touch 16", "purge 8", "restore 8", "retouch 17"],
                 "'retouch' asks for more touches than the cycle has left to make again"),
                (["begin", "touch 16", "touch 1"],
                 "'touch' asks for more touches than the cycle has left")):
            with self.subTest(commands=commands):
                lines, status, error = taken("upfront", "--size", "64K", "--purge", kind,
                                             "--purge-step", "8K", commands=commands)
                self.assertEqual((lines[0], status, error),
                                 ("turns 3 16 8 16 ok", 2, f"upfront: --turns: {said}\n"))

    def test_options_that_mean_nothing_beside_turns_are_refused(self):
        for options, said in ((["--repeat", 1], "--repeat"), (["--trace", "t.csv"], "--trace"),
                              (["--staircase", "s.csv"], "--staircase"),
                              (["--output", "o.csv"], "--output")):
            done = run("fault", "--turns", "--size", "64K", *options, given="")
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertEqual(done.stderr, f"fault: --turns: {said} has no meaning beside it; leave "
                                          f"{said} out\n")

    def test_turns_are_of_one_configuration(self):
        done = run("fault", "--turns", given="")
        self.assertEqual((done.returncode, done.stderr),
                         (2, "fault: --turns: 10 configurations asked for; name one --size, one "
                             "--chunk, one --touch and one number of --threads\n"))

    def test_the_longest_command_is_quoted_whole(self):
        longest = "x" * 126
        lines, status, error = taken("fault", "--size", "64K", commands=[longest])
        self.assertEqual((len(lines), status), (1, 2))
        self.assertEqual(error, f"fault: --turns: '{longest}' is no command; docs/turns.md lists "
                                "them\n")
        *_, error = taken("fault", "--size", "64K", commands=[longest + "x"])
        self.assertIn("is the end of no line", error)

    def test_the_end_of_the_input_in_the_middle_of_a_cycle_ends_it(self):
        lines, status, said = taken("guard", "--size", "64K", commands=["begin", "touch 3"])
        self.assertEqual((len(lines), status, said), (3, 0, ""))

    @unittest.skipIf(WINDOWS, "closes a descriptor as a shell does")
    def test_no_standard_output_to_answer_on(self):
        done = subprocess.run(["sh", "-c", '"$0" --turns --size 64K >&-', BIN / "fault"],
                              input="", capture_output=True, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stderr),
                         (1, "fault: cannot write standard output: Bad file descriptor\n"))

    def test_malloc_says_why_it_takes_none(self):
        done = run("malloc", "--turns", "--size", "64K", given="")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("timed in its process's first cycle alone", done.stderr)


if __name__ == "__main__":
    unittest.main()
