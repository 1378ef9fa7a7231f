"""What a campaign is: a module of this package that ends with TOPIC."""

import dataclasses
import pathlib
from collections.abc import Callable, Sequence
from typing import Any

from vmcommit.base.cells import Configuration
from vmcommit.base.strategies import Strategy
from vmcommit.measure.profiles import Profile


@dataclasses.dataclass(frozen=True)
class Scene:
    """What a step that follows the rounds is given. `harnesses`: {name: Harness}; what it finds
    goes into `folder`; `failed`: {configuration: how its harness died}, to which it may add;
    `shown`: a display of progress; `recording`: the folder of one to replay, if any."""

    harnesses: dict
    profile: Profile
    folder: pathlib.Path
    seed: int
    available: int
    failed: dict
    shown: Any
    recording: pathlib.Path | None = None

    @property
    def emulated(self) -> bool:
        return len(next(iter(self.harnesses.values())).command) > 1

    @property
    def bin(self) -> pathlib.Path:
        """Where the harnesses are."""
        return pathlib.Path(next(iter(self.harnesses.values())).command[-1]).parent

    def program(self, name: str) -> list[str]:
        """How a program starts that lies beside the harnesses."""
        *emulator, path = next(iter(self.harnesses.values())).command
        return [*emulator, str(pathlib.Path(path).with_stem(name))]


Step = Callable[[Scene], None]  # raises Problem where it can't be had; the others go on


def whole_profile(profile: Profile) -> Profile:
    return profile


def alone(profile: Profile) -> Profile:
    """Of a campaign that asks one question: its own time, and what it compares as well known as the
    steps of a sweep."""
    return dataclasses.replace(profile, seconds=profile.campaign_seconds, question=profile.large)


MOSTLY = 0.9


def mostly(profile: Profile, _page_ns: float) -> float:
    """What steps take that a campaign is for; its rounds, of the strategies as they are, stand
    beside."""
    return MOSTLY * profile.seconds


def as_they_are(profile: Profile, _available: float, strategies: Sequence[Strategy]
                ) -> list[Configuration]:
    return [Configuration(strategy, profile.sweep_size) for strategy in strategies
            if not strategy.brought]


@dataclasses.dataclass(frozen=True)
class Topic:
    """`summary`: the question, for --help. `configurations(profile, available bytes, strategies)`:
    what is measured in turns; upfront as it is must be among them. `steps` follow on the same
    processor, `unpinned` after them on all; `after(profile, ns of a page)`: the part of the
    profile's seconds that they take. `profile`: what becomes of the profile asked for.
    `cells`: what `make compare CELLS=NAME` compares of it, each some 100 ms at most; `replayed`:
    the options by which a recording that is compared too is varied then."""

    summary: str
    configurations: Callable[[Profile, float, Sequence[Strategy]], list[Configuration]]
    steps: tuple[Step, ...] = ()
    after: Callable[[Profile, float], float] = lambda profile, page_ns: 0.0
    unpinned: tuple[Step, ...] = ()
    profile: Callable[[Profile], Profile] = alone
    cells: Callable[[Sequence[Strategy]], list[Configuration]] | None = None
    replayed: tuple[str, ...] = ()

    def of_rounds(self, profile: Profile, page_ns: float) -> Profile:
        """The profile with the seconds that the rounds have."""
        return dataclasses.replace(profile, seconds=profile.seconds - self.after(profile, page_ns))
