"""What surrounds a commit: the kernel's own accesses, fork, stacks, locked memory; by the program
`surroundings`, with the four strategies in turns beside it."""

from vmcommit.base.files import write_text
from vmcommit.base.units import MIB, powers
from vmcommit.measure import progress
from vmcommit.measure.campaigns.topic import Topic, as_they_are, mostly
from vmcommit.measure.workloads import said_by


def options(profile, seed, emulated):
    """An emulator's times mean nothing, and it forks nothing."""
    return ["--size", ",".join(map(str, powers(MIB, profile.sweep_size, 8))),
            "--repeat", 1 if emulated else profile.surroundings_repeat, "--seed", seed]


def surroundings(scene):
    """details/surroundings.csv. Raises Problem."""
    command = scene.program("surroundings")
    for _ in progress.steps(scene.shown, "surroundings", [command]):
        printed = said_by(command, *options(scene.profile, scene.seed, scene.emulated))
    (scene.folder / "details").mkdir(exist_ok=True)
    write_text(scene.folder / "details" / "surroundings.csv", printed)


TOPIC = Topic("what the kernel's own accesses, fork, stacks and locks make of it", as_they_are,
              steps=(surroundings,), after=mostly)
