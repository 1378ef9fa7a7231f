"""Sizes, times and counts, and how they are written."""

KIB, MIB, GIB = 2**10, 2**20, 2**30
SIZES = ((GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB"), (1, "B"))
TIMES = ((1e9, "s"), (1e6, "ms"), (1e3, "µs"), (1, "ns"))  # in nanoseconds


def powers(first, last, factor):
    """first, first * factor, ... up to last."""
    while first <= last:
        yield first
        first *= factor


def size_text(size):
    """Bytes as people write them: 64 KiB, 1.5 MiB."""
    unit, name = next((each for each in SIZES if size >= each[0]), SIZES[-1])
    return f"{size / unit:.4g} {name}"


def time_text(ns):
    """Nanoseconds to three digits: 1.85 µs."""
    # What would be rounded to 1000 of one unit is 1 of the next.
    unit, name = next((each for each in TIMES if abs(ns) >= 0.9995 * each[0]), TIMES[-1])
    return f"{ns / unit:.3g} {name}"


def time_interval_text(ns, low, high):
    """1.41 µs (1.38 µs to 1.44 µs)"""
    return f"{time_text(ns)} ({time_text(low)} to {time_text(high)})"


def count_text(count):
    """16 384"""
    return f"{count:,.0f}".replace(",", " ")


def duration_text(seconds):
    """Seconds that a person waits: 45 s, 2 min 30 s."""
    seconds = max(0, round(seconds))
    return f"{seconds} s" if seconds < 60 else f"{seconds // 60} min {seconds % 60:02d} s"
