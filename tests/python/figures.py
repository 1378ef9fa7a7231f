"""make verify: what differs in our own counts fails; what other processes moved is said and fails
nothing."""

import contextlib
import io
import shutil
import unittest
from unittest import mock

from support import BIN, EMULATOR

from vmcommit.commands import verify
from vmcommit.commands.verify import Case, Compared, Held, system_charge

MIB = 2**20


def held(peak, after, ours=64 * MIB):
    return Held({"commit_bytes": str(ours)}, ours, ours, peak, after)


class Figures(unittest.TestCase):
    def test_exact_figures(self):
        self.assertFalse(Compared("commit_calls", 5, 5, "strace").differs)
        self.assertTrue(Compared("commit_calls", 5, 6, "strace").differs)
        self.assertTrue(Compared("commit_calls", 5, None, "strace").differs)

    def test_what_the_system_says_while_nobody_else_moves_it(self):
        compared = system_charge([held(164 * MIB, 100 * MIB)])
        self.assertEqual((compared.theirs, compared.differs), (64 * MIB, False))
        self.assertFalse(system_charge([held(164 * MIB, 100 * MIB + 4096)]).differs)

    def test_a_difference_that_is_ours(self):
        compared = system_charge([held(164 * MIB, 132 * MIB)] * 5)
        self.assertEqual((compared.theirs, compared.differs, compared.void), (32 * MIB, True, ""))

    def test_what_others_moved(self):
        for attempts in ([held(164 * MIB, 100 * MIB + step * 1024 * MIB) for step in range(1, 6)],
                         [held((164 + step * 1024) * MIB, 100 * MIB) for step in range(1, 6)]):
            compared = system_charge(attempts)
            self.assertEqual((compared.differs, compared.void), (False, "moved by other processes"))

    def test_what_was_not_read_in_time(self):
        compared = system_charge([held(164 * MIB, None), held(None, None)])
        self.assertEqual((compared.differs, compared.void), (False, "not read in time"))

    def test_page_faults_are_those_of_a_larger_region_less_those_of_a_smaller_one(self):
        """In random order a list of 4 bytes a touch is read, in pages of its own."""
        row = {"page_bytes": "4096", "touch_order": "sequential"}
        whole, half = ({**row, "minor_faults": faults} for faults in ("4096", "2048"))
        shuffled = {"touch_order": "random"}
        for readings, told in (
                ([(whole, 4200), (half, 2150)], [(2048, 2050)]),
                ([(whole | shuffled, 4200), (half | shuffled, 2150)], [(2048, 2048)]),
                ([(whole, 4200), None], []), ([None, (half, 2150)], [])):
            with mock.patch.object(verify, "perf_faults", side_effect=readings):
                self.assertEqual([(each.ours, each.theirs)
                                  for each in verify.minor_faults(Case("", ""))], told)


@unittest.skipIf(EMULATOR or not shutil.which("strace"), "strace is not installed")
class Counts(unittest.TestCase):
    def verified(self):
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            return verify.main(["--build", str(BIN.parent)]), said.getvalue()

    def verified_with(self, change, *cases):
        """The same of these cases, (name, option, value...), with rows as they are changed."""
        true_row = verify.parse_row
        chosen = [Case(name, str(BIN / name), options) for name, *options in cases
                  if (BIN / name).is_file()]
        with mock.patch.object(verify, "parse_row", lambda text: change(true_row(text))), \
                mock.patch.object(verify, "all_cases", return_value=chosen), \
                mock.patch.object(verify, "system_charge",
                                  return_value=Compared("commit_bytes", 0, 0, "")), \
                mock.patch.object(verify, "perf_faults", return_value=None), \
                mock.patch.object(verify, "READINGS", 1):
            return self.verified()

    def test_a_count_that_is_off_by_one_fails(self):
        status, said = self.verified_with(
            lambda row: row | {"handled_faults": int(row["handled_faults"]) + 1},
            ("upfront",), ("guard",), ("chunked", "--commit", "remap"),
            ("uffd", "--trap", "thread"))
        self.assertEqual(status, 1)
        self.assertEqual(said.count("DIFFERS"), said.count("handled_faults"))
        self.assertRegex(said, r"\n\d+ differ\n\Z")

    def test_so_does_any_other(self):
        """Rows come from a run that is traced, and from those that are held up."""
        purge = ("upfront", "--purge", "remap_noreserve", "--purge-step", "1M")
        move = ("mremap", "--commit", "move", "--chunk", "1M")
        for case, column in ((purge, "purge_calls"), (purge, "purged_commit_bytes"),
                             (purge, "purged_resident_bytes"), (purge, "retouched_commit_bytes"),
                             (purge, "resident_bytes"), (move, "commit_calls"),
                             (("chunked", "--commit", "noreserve"), "commit_bytes")):
            status, said = self.verified_with(
                lambda row, column=column: row | {column: int(row[column]) + 1}, case)
            with self.subTest(case=case, column=column):
                self.assertEqual(status, 1)
                self.assertRegex(said, rf"(?m)^.* {column} .*DIFFERS$")
                self.assertRegex(said, r"\n1 differ\n\Z")

    def test_a_tool_that_can_not_trace(self):
        with mock.patch.object(verify, "strace",
                               return_value=["sh", "-c", "echo no ptrace >&2; exit 1"]):
            self.assertRaisesRegex(verify.Problem, "sh ended with status 1: no ptrace",
                                   self.verified)
        with mock.patch.object(verify, "SECONDS", 0.2), \
                mock.patch.object(verify, "strace", return_value=["sleep", "1000"]):
            self.assertRaisesRegex(verify.Problem, "sleep did not end", self.verified)


if __name__ == "__main__":
    unittest.main()
