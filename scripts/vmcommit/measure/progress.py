"""How far a run is: a bar on a terminal, a line now and then in a log. Where neither can be
written, measuring goes on."""

import contextlib
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
        if time.monotonic() - self.drawn >= self.REDRAW_SECONDS:
            self.draw(done, left, f"round {round_number}, {configuration}")

    def step(self, what, number, of, spent, left):
        """Step `number` of `of` of what follows the rounds; `left` is None at the first."""
        self.draw(spent, left or 0.0, f"{what}, {number} of {of}" if of > 1 else what)

    def draw(self, done, left, text):
        self.drawn = time.monotonic()
        with contextlib.suppress(OSError):
            self.bar.total = done + max(left, 0.1)
            self.bar.n = done
            self.bar.set_description_str(f"{duration_text(left)} left, {text}" if left else text)

    def close(self):
        with contextlib.suppress(OSError):
            self.bar.close()


class Lines:
    """A line for each tenth of the way, and for each kind of what follows the rounds; there another
    one after some seconds."""

    QUIET_SECONDS = 10

    def __init__(self, stream):
        self.stream = stream
        self.tenth = 0
        self.what, self.written = "", 0.0

    def __call__(self, done, left, round_number, configuration):
        tenth = int(10 * done / (done + max(left, 0.1)))
        if tenth > self.tenth:
            self.tenth = tenth
            self.write(f"{10 * tenth:3} %, {duration_text(left)} left, round {round_number}")

    def step(self, what, number, of, spent, left):
        if what != self.what:
            self.write(f"then {what}" + (f": {of} steps" if of > 1 else ""))
        elif time.monotonic() - self.written > self.QUIET_SECONDS and left is not None:
            self.write(f"{what}: {number} of {of}, {duration_text(left)} left")
        self.what = what

    def write(self, line):
        self.written = time.monotonic()
        with contextlib.suppress(OSError):
            print(line, file=self.stream, flush=True)

    def close(self):
        pass


def steps(shown, what, items):
    """The items one by one; how far they are is shown before each."""
    items = list(items)
    begun = time.monotonic()
    for at, item in enumerate(items):
        spent = time.monotonic() - begun
        shown.step(what, at + 1, len(items), spent, spent / at * (len(items) - at) if at else None)
        yield item


def on(stream=None):
    stream = sys.stderr if stream is None else stream
    return Bar(stream) if stream.isatty() else Lines(stream)
