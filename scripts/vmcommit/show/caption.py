"""What every picture and page of a run says of where its figures come from."""

from vmcommit.base.conventions import CONFIDENCE
from vmcommit.base.statistics import median_rank
from vmcommit.base.text import counted

ONE_CYCLE = "one cycle of each"  # in a chart of no medians


def percent(share: float) -> str:
    """99.9 %"""
    return f"{100 * share:.6g} %"


def doubt(summary) -> str:
    """What a title must say of times that stand for no real system."""
    return ": Wine's times, not Windows'" if (summary.platform == "wine").any() else ""


def machine(environment) -> str:
    """AMD EPYC, 2 cores under KVM; Linux 6.18. What is unknown is left out."""
    processor, system = environment["processor"], environment["system"]
    parts = [processor["model"], processor["cores"] and counted(processor["cores"], "core")]
    text = ", ".join(filter(None, parts)) or "an unknown processor"
    if processor["hypervisor"]:
        text += f" under {processor['hypervisor']}"
    kernel = " ".join(filter(None, (system["name"], system["kernel"])))
    return "; ".join(filter(None, (text, kernel)))


def medians(counts, lowest: float) -> str:
    """How many samples medians are of, and what their bands mean; `lowest`: the confidence of the
    least sure."""
    number = f"{counts.min()} to {counts.max()}" if counts.nunique() > 1 else f"{counts.max()}"
    noun = "sample" if counts.max() == 1 else "samples"
    fewest = [f"{100 * lowest:.0f} % where fewest"] if lowest < CONFIDENCE else []
    fewest += ["none for one"] if counts.min() == 1 else []
    bands = f"{percent(CONFIDENCE)} confidence intervals"
    return f"medians of {number} {noun}, {bands}" + (f" ({', '.join(fewest)})" if fewest else "")


def samples(summary) -> str:
    """Of the rows of a summary."""
    counts = summary.samples[summary.samples > 0]
    return "no samples" if counts.empty else \
        medians(counts, summary.confidence[summary.samples > 1].min())


def repeats(cells) -> str:
    """Of medians that a chart takes itself; `cells`: rows, grouped by what each median is of."""
    counts = cells.size()
    return medians(counts, min((median_rank(int(count), CONFIDENCE)[1] for count in counts
                                if count > 1), default=CONFIDENCE))


def caption(summary, environment) -> str:
    """The machine, the number of samples, and what the bands mean."""
    return f"{machine(environment)}; {samples(summary)}"
