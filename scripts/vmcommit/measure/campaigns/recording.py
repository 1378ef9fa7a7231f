"""What a real program's memory takes when it is committed, or given back, in other ways: replays of
a recording, in turns with each other, by the program `replay`."""

import time

from vmcommit.base.cells import PLAIN
from vmcommit.base.columns import TURNS
from vmcommit.base.files import write_rows
from vmcommit.base.problems import Problem, Usage
from vmcommit.measure import plan, progress, replays
from vmcommit.measure.campaigns.topic import MOSTLY, Topic, as_they_are, mostly


def parts_of(program, shown):
    """{name: Part} of each way, as recorded first."""
    recorded = replays.able_part_of(program, PLAIN)
    manners = replays.other_manners(program.strategy, recorded.like)
    return {replays.RECORDED: recorded} | {
        replays.name_of(manner): replays.part_of(program, manner)
        for manner in progress.steps(shown, "counts of replays", manners)}


def measure(measured, most, narrow, shown):
    """Sets until all is known that well, or so many seconds are spent; plan.LEAST at
    least."""
    begun = time.monotonic()
    while True:
        measured.take()
        spent = time.monotonic() - begun
        each = spent / measured.sets
        due = max(plan.LEAST, int(most / each))
        if measured.sets >= plan.LEAST and (spent + each > most or measured.widest() <= narrow):
            break
        shown.step("replays in turns", measured.sets + 1, due, spent,
                   (due - measured.sets) * each)
    measured.update()


def replayed(scene):
    """details/recording.csv. Raises Problem."""
    try:
        program = replays.harness_of(scene.bin, scene.recording)
        parts = parts_of(program, scene.shown)
    except Usage as why:
        raise Problem(str(why)) from None
    able = {name: part for name, part in parts.items() if part.like["status"] == "ok"}
    measured = replays.Replays(able, scene.seed, scene.available / 2)
    measure(measured, MOSTLY * scene.profile.seconds, scene.profile.question, scene.shown)
    unable = [part.like for name, part in parts.items() if name not in able]
    rows = measured.rows()
    (scene.folder / "details").mkdir(exist_ok=True)
    write_rows(scene.folder / "details" / "recording.csv", [*rows[0], *TURNS], rows + unable)
    measured.refuse_lost()


TOPIC = Topic("what replaying a recording takes, committed and given back in other ways",
              as_they_are, steps=(replayed,), after=mostly, cells=lambda strategies: [],
              replayed=("commit", "purge"))
