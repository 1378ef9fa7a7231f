"""All that follows from a run's files, in the order in which it is computed."""

import dataclasses
import json

import pandas

import advice
import answer
import claims
import details
import model
import sentences
import summary
from campaign import STRATEGIES


@dataclasses.dataclass
class Analysis:
    described: dict
    summary: pandas.DataFrame
    answer: answer.Answer
    told: list
    choices: list
    model: dict
    claims: list
    traces: dict
    stairs: pandas.DataFrame

    def as_json(self):
        platform = self.summary.platform.iloc[0]
        return advice.as_json(self.described, platform, self.answer, self.told, self.choices,
                              self.model, self.claims)


def analyse(samples, described, folder):
    """`samples` and `described` are the run's samples.csv and environment.json."""
    table = summary.summarise(samples, described.get("calibration"))
    timed = samples[samples.platform != "wine"]  # whose times mean something
    found = answer.decide(timed, table)
    told = sentences.tell(found) if len(timed) else [sentences.OF_WINE]
    four = table[table.strategy.isin(STRATEGIES)]  # what there is to choose from
    traces = details.traces(folder)
    stairs = details.read(folder, "staircase")
    return Analysis(
        described, table, found, told,
        advice.recommend(answer.Times(timed), four, found, traces) if len(timed) else [],
        model.fit(table[table.platform != "wine"]),
        claims.test(four, details.read(folder, "calls") if len(timed) else None, stairs,
                    details.read(folder, "limited")), traces, stairs)


def read(folder):
    """The analysis of a run's folder. Raises OSError or ValueError where it can't be read."""
    samples = summary.read_samples(folder / "samples.csv")
    described = json.loads((folder / "environment.json").read_text(encoding="utf-8"))
    if samples.empty:
        raise ValueError("it holds no sample yet")
    return analyse(samples, described, folder)
