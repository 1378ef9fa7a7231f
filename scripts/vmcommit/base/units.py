"""Sizes, times and counts, and how they are written."""

KIB, MIB, GIB = 2**10, 2**20, 2**30


def powers(first, last, factor):
    """first, first * factor, ... up to last."""
    while first <= last:
        yield first
        first *= factor


def size_text(size):
    """Bytes as people write them: 64 KiB, 1.5 MiB."""
    for unit, name in ((GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")):
        if size >= unit:
            return f"{size / unit:.4g} {name}"
    return f"{size:.4g} B"


def time_text(ns):
    """Nanoseconds to three digits: 1.85 µs."""
    for unit, name in ((1e9, "s"), (1e6, "ms"), (1e3, "µs")):
        if abs(ns) >= 0.9995 * unit:  # what would be rounded to 1000 of the next one
            return f"{ns / unit:.3g} {name}"
    return f"{ns:.3g} ns"


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
