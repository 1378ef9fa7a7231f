"""How far a run is: a bar on a terminal, a line now and then in a log."""

import sys
import time

import tqdm

from vmcommit.base.units import duration_text


class Bar:
    """tqdm draws; the figures are ours, since the seconds that are left follow from the plan and
    not from the number of samples."""

    FORMAT = "{percentage:3.0f} % |{bar:24}| {desc}"
    REDRAW_SECONDS = 0.2

    def __init__(self, stream):
        tqdm.tqdm.monitor_interval = 0  # no second thread beside what is measured
        self.bar = tqdm.tqdm(total=1, bar_format=self.FORMAT, file=stream, leave=False,
                             dynamic_ncols=True)
        self.drawn = 0.0

    def __call__(self, done, left, round_number, configuration):
        if time.monotonic() - self.drawn < self.REDRAW_SECONDS:
            return
        self.drawn = time.monotonic()
        self.bar.total = done + max(left, 0.1)
        self.bar.n = done
        self.bar.set_description_str(f"{duration_text(left)} left, round {round_number}, "
                                     f"{configuration}")

    def close(self):
        self.bar.close()


class Lines:
    """A line for each tenth of the way."""

    def __init__(self, stream):
        self.stream = stream
        self.tenth = 0

    def __call__(self, done, left, round_number, configuration):
        tenth = int(10 * done / (done + max(left, 0.1)))
        if tenth > self.tenth:
            self.tenth = tenth
            print(f"{10 * tenth:3} %, {duration_text(left)} left, round {round_number}",
                  file=self.stream, flush=True)

    def close(self):
        pass


def on(stream=sys.stderr):
    return Bar(stream) if stream.isatty() else Lines(stream)
