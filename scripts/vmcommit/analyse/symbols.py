"""Names of code: which function an offset into a file is in. As binutils or elfutils have it, else
by the file and the offset alone. What a recording names is read, and never run."""

import collections
import os
import pathlib
import re
import shutil
import stat
import struct
from bisect import bisect_right
from typing import NamedTuple

from vmcommit.analyse.stacks import NONE
from vmcommit.base import processes

TOOLS = ("addr2line", "eu-addr2line")
SECONDS = 60  # that a tool may take for a file
UNKNOWN = "??"
LINE = re.compile(r"(.+?):(\d+)(?::\d+)?(?: \(discriminator \d+\))?")
ALONE = {"DEBUGINFOD_URLS": "", "LC_ALL": "C"}  # asks no server
LOADED, NOTE, BUILD_ID = 1, 4, 3  # PT_LOAD, PT_NOTE, NT_GNU_BUILD_ID (elf(5))
MOST_NOTES = 1 << 16  # bytes


class Part(NamedTuple):
    """A program header."""

    kind: int
    offset: int
    address: int
    size: int  # in the file


def parts_of(file):
    """The program headers of an open ELF file of 64 bits, little end first; none of another."""
    head = file.read(64)
    if len(head) < 64 or head[:6] != b"\x7fELF\x02\x01":
        return []
    at, = struct.unpack_from("<Q", head, 32)
    size, count = struct.unpack_from("<HH", head, 54)
    if size != 56 or at >= 1 << 40:
        return []
    file.seek(at)
    table = file.read(size * count)
    fields = struct.iter_unpack("<IIQQQQQQ", table[:len(table) // size * size])
    return [Part(kind, offset, address, length)
            for kind, _, offset, address, _, length, _, _ in fields]


def build_id_in(notes):
    """That of a segment of notes, in hexadecimal; NONE where it has none."""
    at = 0
    while at + 12 <= len(notes):
        name_size, size, kind = struct.unpack_from("<III", notes, at)
        name = at + 12
        content = name + -(-name_size // 4) * 4
        if kind == BUILD_ID and notes[name:name + name_size] == b"GNU\0":
            return notes[content:content + size].hex()
        at = content + -(-size // 4) * 4
    return NONE


class Module(NamedTuple):
    parts: list
    build: str


def read(path):
    """The Module in a file; None where it is none, or can't be read. A device or a pipe isn't
    opened."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return None
        with open(path, "rb") as file:
            parts, build = parts_of(file), NONE
            for part in parts:
                if part.kind == NOTE and build == NONE and part.offset < 1 << 40:
                    file.seek(part.offset)
                    build = build_id_in(file.read(min(part.size, MOST_NOTES)))
            return Module(parts, build) if parts else None
    except (OSError, ValueError):
        return None


def address_of(module, offset):
    """The address by which symbols know what is at an offset; None if it isn't loaded."""
    return next((part.address + offset - part.offset for part in module.parts
                 if part.kind == LOADED and part.offset <= offset < part.offset + part.size), None)


def tool():
    """The path of the first of TOOLS that is there; None if none is."""
    return next((found for found in map(shutil.which, TOOLS) if found), None)


def said(words):
    """The lines that a tool prints; none where it fails."""
    try:
        return processes.run(words, SECONDS, env=os.environ | ALONE).stdout.splitlines()
    except (OSError, processes.TimeoutExpired):
        return []


def sized(path):
    """Functions that a file has symbols of, as binutils' nm lists them: ([start], {start: (end,
    name)})."""
    found = {}
    for more in ([], ["-D"]) if shutil.which("nm") else ():
        for line in said(["nm", *more, "-S", "-C", "--defined-only", "--", path]):
            words = line.split(" ", 3)
            if len(words) == 4 and words[2] in "tTwWiu":
                start, size = int(words[0], 16), int(words[1], 16)
                found.setdefault(start, (start + size, words[3].partition("@")[0]))
    return sorted(found), found


def function_at(symbols, address):
    starts, found = symbols
    at = bisect_right(starts, address) - 1
    end, name = found[starts[at]] if at >= 0 else (0, UNKNOWN)
    return name if address < end else UNKNOWN


def asked(path, addresses):
    """{address: (function, place in a source)} as a tool has it; both may be UNKNOWN."""
    if not tool() or not addresses:
        return {}
    lines = said([tool(), "-a", "-f", "-C", "-e", path, *map(hex, addresses)])
    found = {int(lines[at], 16): (lines[at + 1], lines[at + 2])
             for at in range(0, len(lines) - 2, 3) if lines[at].startswith("0x")}
    # Without a source, binutils name the last function that begins before, however short it is.
    doubted = [at for at, (function, source) in found.items()
               if function != UNKNOWN and source.startswith(UNKNOWN)]
    if doubted and pathlib.PurePath(tool()).name == TOOLS[0]:
        symbols = sized(path)
        found |= {at: (function_at(symbols, at), UNKNOWN) for at in doubted}
    return found


def file_of(path):
    return pathlib.PurePosixPath(path).name


def text_of(path, offset, function, source):
    if function == UNKNOWN:
        return f"{file_of(path)}+0x{offset:x}"
    line = LINE.fullmatch(source)
    where = f"{file_of(line[1])}:{line[2]}" if line and line[1] != UNKNOWN else file_of(path)
    return f"{function} ({where})"


class Names:
    """`texts`: {Place: its name}; `changed`: files that are others now than those recorded, so that
    nothing in them has a name."""

    def __init__(self, places):
        self.texts, self.changed = {}, []
        by_file = collections.defaultdict(list)
        for place in dict.fromkeys(places):
            by_file[place.path, place.build].append(place)
        for (path, build), found in by_file.items():
            self.name(path, build, found)

    def name(self, path, build, places):
        module = read(path) if path.startswith("/") else None
        if module and NONE not in (build, module.build) and build != module.build:
            self.changed.append(path)
            module = None
        addresses = {place: address_of(module, place.offset) if module else None
                     for place in places}
        known = asked(path, [one for one in addresses.values() if one is not None])
        for place in places:
            at = addresses[place]
            function, source = known.get(at, (UNKNOWN, UNKNOWN))
            self.texts[place] = f"0x{place.offset:x}" if path == NONE else text_of(
                path, place.offset if at is None else at, function, source)
