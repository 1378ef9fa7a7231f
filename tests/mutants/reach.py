"""Which functions of the package a test begins, in all the Python programs that it starts. Others
can be changed as one likes: the test would not notice."""

import pathlib

HOOK = pathlib.Path(__file__).with_name("hook")


def environment(folder, pairs):
    """That of a test whose programs are to note what they begin there."""
    pairs = dict(pairs)
    path = pairs.get("PYTHONPATH")
    return pairs | {"VMCOMMIT_REACH": str(folder),
                    "PYTHONPATH": f"{HOOK}:{path}" if path else str(HOOK)}


def scope(qualified):
    """The name of a function, or "" outside of any, as a Change has it; of what is defined in a
    function without a name, that function's."""
    names = [name for name in qualified.split(".") if name != "<locals>"]
    while names and names[-1].startswith("<"):
        names.pop()
    return ".".join(names)


def read(folder, tree):
    """{(file from the root, function)} of what was noted."""
    reached = set()
    for path in pathlib.Path(folder).iterdir():
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            file, _, qualified = line.partition("\t")
            try:
                name = pathlib.Path(file).resolve().relative_to(tree.resolve())
            except ValueError:
                continue
            reached.add((str(name), scope(qualified)))
    return frozenset(reached)
