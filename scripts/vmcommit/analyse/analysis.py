"""All that follows from a run's files, in the order in which it is computed."""

import dataclasses

import pandas

from vmcommit.analyse import advice, answer, claims, model, sentences, summary
from vmcommit.base import runs
from vmcommit.base.runs import Run


@dataclasses.dataclass
class Analysis:
    run: Run
    summary: pandas.DataFrame
    answer: answer.Answer
    sentences: list
    choices: list
    model: dict
    claims: list

    def as_json(self):
        return advice.as_json(self.run.environment, self.summary.platform.iloc[0], self.answer,
                              self.sentences, self.choices, self.model, self.claims)


def analyse(run):
    samples, strategies = run.samples, run.strategies
    table = summary.summarise(samples, run.environment["calibration"])
    timed = samples[samples.platform != "wine"]  # whose times mean something
    times = answer.Times(timed, strategies)
    decided = answer.decide(times, table)
    built_in = table[~table.brought]  # what there is to choose from
    return Analysis(
        run, table, decided,
        sentences.of_answer(decided, len(times.built_in)) if len(timed) else [sentences.OF_WINE],
        advice.recommend(times, built_in, decided, run.traces) if len(timed) else [],
        model.fit(table[table.platform != "wine"],
                  [strategies[name] for name in times.built_in]),
        claims.test(built_in, run.calls if len(timed) else None, run.stairs, run.limited))


def read(folder):
    """The analysis of a run's folder. Raises Unreadable."""
    return analyse(runs.read(folder))
