"""Modules of ours are carried out when something of them is first used.

What analyses and draws loads pandas and all of SciPy, which takes most of a second; what measures
loads NumPy. Who asked for help, or mistyped an option, waits for neither, and what is measured does
not wait for what draws it. This is the one place that decides so, and every import stands at the
top of its module: one that names a module (`from vmcommit.show import page`) waits, one that names
what is in it (`from vmcommit.show.page import write`) does not.
"""

import contextlib
import importlib.machinery
import importlib.util
import signal
import sys


@contextlib.contextmanager
def holding(signals):
    """Those wait until the end of a with block."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Loader(importlib.machinery.SourceFileLoader):
    """An exception raised in the middle of an import may go unheard, so signals wait."""

    def __init__(self, name, path, signals):
        super().__init__(name, path)
        self.signals = signals

    def exec_module(self, module):
        with holding(self.signals):
            super().exec_module(module)


class Finder:
    """As the usual one finds them, of this package alone."""

    def __init__(self, package, signals):
        self.package = package
        self.signals = signals

    def find_spec(self, name, path=None, target=None):
        if not name.startswith(f"{self.package}."):
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and isinstance(spec.loader, importlib.machinery.SourceFileLoader):
            spec.loader = importlib.util.LazyLoader(Loader(name, spec.loader.path, self.signals))
        return spec


def load_late(package, signals):
    """From now on. `signals` wait while a module is carried out."""
    sys.meta_path.insert(0, Finder(package, signals))
