"""What every picture and page of a run says of where its figures come from."""

from vmcommit.base.conventions import CONFIDENCE
from vmcommit.base.text import counted


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


def samples(summary) -> str:
    """How many samples the medians are of, and what their bands mean."""
    counts = summary.samples[summary.samples > 0]
    if counts.empty:
        return "no samples"
    number = f"{counts.min()} to {counts.max()}" if counts.nunique() > 1 else f"{counts.max()}"
    noun = "sample" if counts.max() == 1 else "samples"
    lowest = summary.confidence[summary.samples > 1].min()
    fewest = [f"{100 * lowest:.0f} % where fewest"] if lowest < CONFIDENCE else []
    fewest += ["none for one"] if counts.min() == 1 else []
    bands = f"{percent(CONFIDENCE)} confidence intervals"
    return f"medians of {number} {noun}, {bands}" + (f" ({', '.join(fewest)})" if fewest else "")


def caption(summary, environment) -> str:
    """The machine, the number of samples, and what the bands mean."""
    return f"{machine(environment)}; {samples(summary)}"
