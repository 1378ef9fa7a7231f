"""All that follows from a run's files, in the order in which it is computed."""

import dataclasses
import os

import pandas

from vmcommit.analyse import (advice, answer, claims, commit_kinds, giving_back, headline, model,
                              replayed, section, sentences, single_calls, summary, surroundings,
                              threads)
from vmcommit.base import runs
from vmcommit.base.files import relative
from vmcommit.base.folder import Unreadable
from vmcommit.base.runs import Run


@dataclasses.dataclass
class Analysis:
    """`every`: the summary of all rows; `summary`: of the strategies as they are without being
    asked for another manner, which is what the answer rests on."""

    run: Run
    every: pandas.DataFrame
    summary: pandas.DataFrame
    answer: answer.Answer
    headline: list[sentences.Sentence]
    sentences: list[sentences.Sentence]
    choices: list[advice.Choice]
    decommit: advice.Decommit | None
    model: dict
    claims: list[claims.Claim]
    commits: list[commit_kinds.Compared]
    returned: giving_back.GivingBack | None
    scaling: threads.Scaling | None
    replayed: replayed.Replayed | None
    sections: list[section.Section]

    @property
    def page(self) -> int:
        """Bytes of one."""
        return int(self.every.page_bytes.iloc[0])

    @property
    def surroundings(self) -> list[str]:
        """Sentences on what surrounds a commit; none where the run did not look."""
        return surroundings.sentences(self.run.surroundings, self.page)

    def as_json(self) -> dict:
        return advice.as_json(self.run.environment, self.every.platform.iloc[0], self.answer,
                              self.headline, self.sentences, self.choices, self.decommit,
                              self.model, self.claims) | {
            "sections": list(map(section.as_json, self.sections)),
            "commit_kinds": commit_kinds.as_json(self.commits),
            "giving_back": self.returned and giving_back.as_json(self.returned),
            "threads": self.scaling and threads.as_json(self.scaling),
            "recording": self.replayed and replayed.as_json(self.replayed)}


def headline_of(in_time: bool, times: answer.Times, built_in: pandas.DataFrame,
                decided: answer.Answer) -> list[sentences.Sentence]:
    if not in_time:
        return [headline.OF_WINE]
    if built_in.empty:
        return [headline.OF_OTHERS]
    return headline.of_run(times, built_in, decided)


def sections_of(run: Run, every: pandas.DataFrame, commits: list[commit_kinds.Compared],
                returned: giving_back.GivingBack | None, scaling: threads.Scaling | None,
                found: replayed.Replayed | None) -> list[section.Section]:
    """A part of the report for each further question that the run has rows for."""
    asked = [found and replayed.section(found),
             commit_kinds.section(commits, kept_alone(every), run.strategies),
             returned and giving_back.section(returned, run.strategies),
             scaling and threads.section(scaling)]
    return [each for each in asked if each]


def kept_alone(rows: pandas.DataFrame) -> pandas.DataFrame:
    """Of one thread that gives nothing back."""
    return rows[rows.purge.isin(["", "none"]) & (rows.threads == 1)]


def coded(calls: pandas.DataFrame | None) -> pandas.DataFrame | None:
    """The same table; its texts compare as fast as numbers, which claims do a thousand times."""
    return None if calls is None else calls.astype(
        {column: "category" for column in ("call", "state", "status") if column in calls})


def analyse(run: Run) -> Analysis:
    samples, strategies = run.samples, run.strategies
    every = summary.summarise(samples, run.environment["calibration"])
    table = every[every.plain]
    timed = samples[samples.plain & (samples.platform != "wine")]  # whose times mean something
    times = answer.Times(timed, strategies)
    decided = answer.decide(times, table)
    built_in = table[~table.brought]  # what there is to choose from
    kept = kept_alone(samples[samples.platform != "wine"])
    commits = commit_kinds.compare(kept, strategies)
    returned = giving_back.examine(samples, every, strategies, run.environment)
    scaling = threads.examine(samples, every, strategies, run.environment)
    calls = coded(run.calls)
    fitted = model.fit(table[table.platform != "wine"],
                       [strategies[name] for name in times.built_in])
    model.add_threads(fitted, scaling.prices if scaling else [])
    in_time = bool((samples.platform != "wine").any())
    found = replayed.examine(run)
    return Analysis(
        run, every, table, decided,
        replayed.headline(found) if found else headline_of(in_time, times, built_in, decided),
        sentences.of_answer(decided),
        advice.recommend(times, built_in, decided, run.traced,
                         run.environment["settings"]["max_map_count"]) if len(timed) else [],
        advice.decommit(calls if in_time else None),
        fitted,
        [*claims.test(built_in, strategies, calls, run.stairs, run.limited, in_time),
         *single_calls.test(calls, in_time)],
        commits, returned, scaling, found,
        sections_of(run, every, commits, returned, scaling, found))


def read(folder: str | os.PathLike) -> Analysis:
    """The analysis of a run's folder. Raises Unreadable."""
    if runs.is_emulated(folder):
        raise Unreadable(f"{relative(folder)} was measured on an emulator, so it has counts "
                         "and no times: name it with other runs, vmcommit report RUN RUN...")
    return analyse(runs.read(folder))
