"""A change to the code at one place, what identifies it, and which changes a run tries."""

import dataclasses
import fnmatch
import hashlib
import pathlib
import random


@dataclasses.dataclass(frozen=True)
class Change:
    """`new` instead of the bytes [start, end) of a file. `before` and `after` are the lines around
    it as a reader sees them; `nth` counts those of a function that read alike."""

    file: str  # from the root
    line: int
    function: str  # "" outside of any
    operator: str
    start: int
    end: int
    new: bytes
    before: str
    after: str
    nth: int = 1

    @property
    def identity(self):
        """The same as long as the function and the lines around the change are."""
        parts = (self.file, self.function, self.operator, self.before, self.after, str(self.nth))
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:8]

    def applied(self, code):
        return code[:self.start] + self.new + code[self.end:]


def shown(code, start, end):
    """The lines that hold [start, end), on one line."""
    first = code.rfind(b"\n", 0, start) + 1
    last = code.find(b"\n", end)
    lines = code[first:last if last >= 0 else len(code)]
    return " ".join(lines.decode("utf-8", "replace").split())


def change(file, code, function, operator, start, end, new):
    """A Change of the bytes of a file; `new` is text."""
    new = new.encode()
    after = code[:start] + new + code[end:]
    return Change(file, code.count(b"\n", 0, start) + 1, function, operator, start, end, new,
                  shown(code, start, end), shown(after, start, start + len(new)))


def numbered(changes):
    """Changes of one file, in their order, with `nth` told."""
    counts = {}
    for item in sorted(changes, key=lambda item: (item.start, item.end, item.operator, item.new)):
        key = item.function, item.operator, item.before, item.after
        counts[key] = counts.get(key, 0) + 1
        yield dataclasses.replace(item, nth=counts[key])


def drawn(changes, draws):
    """The changes of one file in a random order in which operators take turns, and in which a
    second change of the same place comes after the first of every other."""
    queues = {}
    for item in draws.sample(changes, len(changes)):
        queues.setdefault(item.operator, []).append(item)
    operators = draws.sample(sorted(queues), len(queues))
    turns = [queues[operator][turn] for turn in range(len(changes)) for operator in operators
             if turn < len(queues[operator])]
    seen, again = set(), []
    for item in turns:
        if item.start in seen:
            again.append(item)
        else:
            seen.add(item.start)
            yield item
    yield from again


def in_order(changes_by_file, seed):
    """All changes in the order in which a run tries them: first one of each file, then each file
    according to how many places it has. A file's draw depends on its own code alone."""
    keyed = []
    for file, changes in changes_by_file.items():
        draws = random.Random(f"{seed} {file}")
        for index, item in enumerate(drawn(changes, draws)):
            part = (index + draws.random()) / len(changes) if index else 0
            keyed.append(((part, draws.random()), item))
    return [item for _, item in sorted(keyed, key=lambda pair: pair[0])]


def wanted(file, patterns):
    return not patterns or any(fnmatch.fnmatch(file, pattern) or
                               pathlib.PurePath(file).is_relative_to(pattern)
                               for pattern in patterns)


@dataclasses.dataclass
class Equivalent:
    """An entry of the list of changes that no test can notice."""

    file: str
    reason: str = ""


def read_equivalent(path):
    """{identity: Equivalent}. An entry is a line that starts with the identity, the file and the
    function, if it is in one, and a colon; and indented lines with the reason."""
    entries, identity = {}, ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if line[0].isspace():
            entry = entries[identity]
            entry.reason = f"{entry.reason} {line.strip()}".strip()
        else:
            identity, file = line.split()[:2]
            entries[identity] = Equivalent(file.removesuffix(":"))
    missing = [identity for identity, entry in entries.items() if not entry.reason]
    if missing:
        raise ValueError(f"{path.name}: {missing[0]} has no reason; give it one below, indented")
    return entries
