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
    found = answer.decide(samples, table)
    traces = details.traces(folder)
    stairs = details.read(folder, "staircase")
    return Analysis(
        described, table, found, sentences.tell(found),
        advice.recommend(answer.Times(samples), table, found, traces), model.fit(table),
        claims.test(table, details.read(folder, "calls"), stairs,
                    details.read(folder, "limited")), traces, stairs)


def read(folder):
    """The analysis of a run's folder. Raises OSError or ValueError where it can't be read."""
    samples = summary.read_samples(folder / "samples.csv")
    described = json.loads((folder / "environment.json").read_text(encoding="utf-8"))
    if samples.empty:
        raise ValueError("it holds no sample yet")
    return analyse(samples, described, folder)
