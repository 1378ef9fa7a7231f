"""Writes the manual pages and what completes a command line in bash and zsh, all from what commands
and harnesses say of themselves: manual.py BUILD FOLDER. The build runs it.

BUILD is a build folder; FOLDER gets man1/, vmcommit.bash and _vmcommit.
"""

import dataclasses
import importlib
import json
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from vmcommit.commands import arguments, edge  # noqa: E402
from vmcommit.measure.profiles import PROFILES  # noqa: E402

FILE, WORD = "file", "word"  # what an option's value is, where its words can't be listed
OPTION_LINE = re.compile(r"^  (--[\w-]+(?:, --[\w-]+)*) ?(\S*) *(.*)$")
KNOWN_VALUES = {"--profile": tuple(PROFILES), "--allocator": FILE, "--base-allocator": FILE,
                "--head-allocator": FILE}
ENVIRONMENT = (
    ("VMCOMMIT_RESULTS", "folder for results, as --results names it"),
    ("VMCOMMIT_PROFILE", "profile of bench where --profile names none"),
    ("VMCOMMIT_LIBRARY, VMCOMMIT_ALLOCATOR", "what bench measures beside the built-in strategies"),
    ("VMCOMMIT_PYTHON", "the Python to run; it needs scipy, pandas, jinja2 and tqdm"))


@dataclasses.dataclass
class Option:
    """`names` as they are typed; `value` how its value is called, '' for none; `values` the words
    that it may be, or FILE or WORD."""

    names: tuple
    value: str
    text: str
    values: object = WORD


@dataclasses.dataclass
class Page:
    """What there is to say of a command or a harness, whatever form it takes."""

    name: str
    summary: str
    usage: str
    paragraphs: list
    options: list
    ending: str = ""  # of exit statuses
    preformatted: str = ""  # instead of paragraphs and options


class Captured(Exception):
    """The parser of a command, at the moment at which it would print its help."""


def capture(parser):
    raise Captured(parser)


def parser_of(name):
    arguments.Parser.print_help = capture
    try:
        importlib.import_module(f"vmcommit.commands.{name}").main(["--help"])
    except Captured as captured:
        return captured.args[0]
    raise SystemExit(f"manual: {name} has no help")


def option_of(action):
    value = "" if action.nargs == 0 else action.metavar or action.dest.upper()
    is_path = action.type is pathlib.Path or value in ("FILE", "DIR", "FOLDER")
    values = KNOWN_VALUES.get((action.option_strings or [""])[0], FILE if is_path else WORD)
    text = installed(" ".join((action.help or "").split()).replace("%%", "%"))
    return Option(tuple(action.option_strings) or (value,), value if action.option_strings else "",
                  text, values)


def installed(text):
    """A command's text as it holds where there are no Makefile and no build folder."""
    text = re.sub(r"`make (\w+)", r"`vmcommit \1", text)
    return text.replace("(default: build)", "(default: the installed one)")


def command_page(name):
    parser = parser_of(name)
    paragraphs = [" ".join(paragraph.split())
                  for paragraph in installed(parser.description).split("\n\n")]
    usage = " ".join(parser.format_usage().split()).removeprefix(f"usage: vmcommit {name} ")
    ending = [each for each in paragraphs if each.startswith("Exit status: ")]
    return Page(name, edge.COMMANDS[name], usage,
                [each for each in paragraphs if each not in ending],
                [option_of(action) for action in parser._actions],
                ending[0].removeprefix("Exit status: ") if ending else "")


def said(program, option):
    return subprocess.run([program, option], check=True, capture_output=True, text=True,
                          timeout=60).stdout


def sentence(text):
    return text[:1].upper() + text[1:]


def harness_page(program):
    """By what it prints: a line of what it is, its usage, a line or more for each option."""
    described = json.loads(said(program, "--describe"))
    head, *rest = said(program, "--help").split("\n\n")
    listed, _, tail = "\n\n".join(rest[1:]).partition("\n\n")
    options = []
    for line in listed.splitlines():
        if match := OPTION_LINE.match(line):
            names, value, text = match.groups()
            words = described.get(names.removeprefix("--")) or WORD
            options.append(Option(tuple(names.split(", ")), value, text,
                                  FILE if value == "FILE" else words))
        else:
            options[-1].text += " " + line.strip()
    name_line, *about = head.splitlines()
    text, _, ending = " ".join(tail.split()).partition("Exit status: ")
    return Page(described["name"], described["summary"], "[OPTION VALUE]...",
                [sentence(name_line.partition(": ")[2]), *about, text.strip()], options, ending)


def roff(text):
    """Words between backquotes in bold; nothing taken for a request."""
    text = text.replace("\\", r"\e").replace("-", r"\-")
    text = re.sub(r"`([^`]+)`", r"\\fB\1\\fR", text)
    return re.sub(r"(?m)^([.'])", r"\\&\1", text)


def bold(text):
    return rf"\fB{roff(text)}\fR"


def head(name, version, summary):
    return [f'.TH "{name.upper()}" 1 "" "vmcommit {version}" "vmcommit"', ".SH NAME",
            f"{roff(name)} {roff('-')} {roff(summary)}", ".SH SYNOPSIS"]


def list_of(entries):
    """Tagged paragraphs of (what stands in front, text)."""
    return [line for tag, text in entries for line in (".TP", tag, roff(text))]


def option_tag(option):
    names = ", ".join(map(bold, option.names))
    return rf"{names} \fI{roff(option.value)}\fR" if option.value else names


def man_page(page, version):
    """The page of a command or a harness, in man(7)."""
    lines = head(f"vmcommit-{page.name}", version, page.summary)
    lines += [f"{bold(f'vmcommit {page.name}')} {roff(page.usage)}", ".SH DESCRIPTION"]
    for number, paragraph in enumerate(filter(None, page.paragraphs)):
        lines += [".PP"] * (number > 0) + [roff(paragraph)]
    if page.preformatted:
        return "\n".join([*lines, ".nf", roff(page.preformatted.rstrip()), ".fi", ".SH SEE ALSO",
                          r"\fBvmcommit\fR(1)", ""])
    lines += [".SH OPTIONS", *list_of((option_tag(option), option.text) for option in page.options)]
    if page.ending:
        lines += [".SH EXIT STATUS", roff(page.ending)]
    return "\n".join([*lines, ".SH SEE ALSO", r"\fBvmcommit\fR(1)", ""])


def front_page(commands, harnesses, version):
    """vmcommit(1): what there is."""
    lines = head("vmcommit", version, "says what it costs to commit memory, and what to choose")
    return "\n".join([
        *lines, r"\fBvmcommit\fR \fICOMMAND\fR [\fIOPTION\fR]...", ".SH DESCRIPTION",
        roff("Measures what it costs to make reserved memory usable: all up front, a page at a "
             "time when a fault asks for it, in explicit steps, or in steps that a guard page "
             "triggers. Times have confidence intervals; faults, calls and commit charge are exact "
             "counts."),
        ".PP",
        roff("`vmcommit bench` measures this machine and leaves `results/latest/report.html` below "
             "the current folder; `vmcommit doctor` says beforehand what would disturb it."),
        ".SH COMMANDS",
        *list_of((rf"\fBvmcommit\-{roff(page.name)}\fR(1)", page.summary) for page in commands),
        ".SH STRATEGIES", roff("Each is a program that writes one CSV row a sample."),
        *list_of((rf"\fBvmcommit\-{roff(page.name)}\fR(1)", page.summary) for page in harnesses),
        ".SH OPTIONS", *list_of(((bold("--help"), "list the commands"),
                                 (bold("--version"), "show version, revision and build"))),
        ".SH EXIT STATUS",
        roff("0 it was done; 1 something broke; 2 bad usage, in one line that names option, value "
             "and what would be right; what else a command may end with is on its own page."),
        ".SH ENVIRONMENT", *list_of((bold(name), text) for name, text in ENVIRONMENT),
        ".SH SEE ALSO",
        ", ".join(rf"\fBvmcommit\-{roff(page.name)}\fR(1)" for page in commands), ""])


BASH = """# bash completion for vmcommit, by scripts/manual.py

_vmcommit_files() {{
    compopt -o filenames
    mapfile -t COMPREPLY < <(compgen -f -- "$1")
}}

_vmcommit() {{
    local current="${{COMP_WORDS[COMP_CWORD]}}" previous="${{COMP_WORDS[COMP_CWORD - 1]}}" words
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        mapfile -t COMPREPLY < <(compgen -W "{names} --help --version" -- "$current")
        return
    fi
    case "${{COMP_WORDS[1]}} $previous" in
{values}
    esac
    if [ "${{current#-}}" = "$current" ]; then
        _vmcommit_files "$current"
        return
    fi
    case "${{COMP_WORDS[1]}}" in
{options}
    *) return ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}}

complete -F _vmcommit vmcommit
"""


def bash(pages):
    values, options = [], []
    for page in pages:
        for option in page.options:
            if not option.value:
                continue
            pattern = " | ".join(f"'{page.name} {name}'" for name in option.names)
            if option.values == FILE:
                values.append(f"    {pattern}) _vmcommit_files \"$current\"; return ;;")
            elif option.values == WORD:
                values.append(f"    {pattern}) return ;;")
            else:
                values.append(f"    {pattern}) mapfile -t COMPREPLY < <(compgen -W "
                              f"'{' '.join(option.values)}' -- \"$current\"); return ;;")
        names = " ".join(name for option in page.options for name in option.names
                         if name.startswith("-"))
        options.append(f"    {page.name}) words='{names}' ;;")
    return BASH.format(names=" ".join(page.name for page in pages), values="\n".join(values),
                       options="\n".join(options))


def zsh_text(text):
    """Within single quotes, brackets and colons."""
    return re.sub(r"([\[\]:\\])", r"\\\1", text).replace("'", "'\\''")


def zsh_option(option):
    value = "" if not option.value else f":{zsh_text(option.value)}:" + (
        "_files" if option.values == FILE else
        "" if option.values == WORD else f"({' '.join(option.values)})")
    return [f"'{name}[{zsh_text(option.text)}]{value}'" for name in option.names
            if name.startswith("-")]


def zsh(pages):
    listed = "\n".join(f"    '{page.name}:{zsh_text(page.summary)}'" for page in pages)
    cases = "\n".join(
        f"    {page.name})\n        _arguments " + " \\\n            ".join(
            [*(each for option in page.options for each in zsh_option(option)), "'*:file:_files'"])
        + " ;;" for page in pages)
    return (f"#compdef vmcommit\n# zsh completion for vmcommit, by scripts/manual.py\n\n"
            f"local -a commands\ncommands=(\n{listed}\n)\n"
            "if (( CURRENT == 2 )); then\n    _describe command commands\n"
            "    _arguments '--help[list the commands]' '--version[show the version]'\n"
            "    return\nfi\nshift words\n(( CURRENT-- ))\n"
            f"case $words[1] in\n{cases}\nesac\n")


def program_page(program, summary=""):
    """Of a program that is no strategy: its help as it prints it."""
    text = said(program, "--help")
    names = dict.fromkeys(re.findall(r"(?<![\w-])--[a-z][\w-]*", text))
    about = [line for line in text.splitlines() if line and not line.startswith("usage: ")]
    summary = summary or about[0].rstrip(".")
    options = [Option((name,), "", "") for name in names]
    return Page(program.name, summary, "[OPTION]...", [], options, preformatted=text)


def page_of(program):
    """Of a program that is a command too."""
    try:
        return harness_page(program)
    except subprocess.CalledProcessError:
        return program_page(program)


def main():
    build, folder = map(pathlib.Path, sys.argv[1:])
    programs = build / "bin"
    harnesses = [page_of(programs / name)
                 for name in (*(programs / "harnesses.txt").read_text().split(), *edge.TOOLS)
                 if (programs / name).is_file()]
    commands = [program_page(programs / name, summary) if (programs / name).is_file() else
                command_page(name) for name, summary in edge.COMMANDS.items()
                if name != "record" or (programs / name).is_file()]
    version = json.loads((build / "build.json").read_text())["version_of_vmcommit"]
    pages = {"vmcommit": front_page(commands, harnesses, version)} | {
        f"vmcommit-{page.name}": man_page(page, version) for page in (*commands, *harnesses)}
    (folder / "man1").mkdir(parents=True, exist_ok=True)
    for name, text in pages.items():
        (folder / "man1" / f"{name}.1").write_text(text, encoding="utf-8")
    (folder / "vmcommit.bash").write_text(bash([*commands, *harnesses]), encoding="utf-8")
    (folder / "_vmcommit").write_text(zsh([*commands, *harnesses]), encoding="utf-8")


if __name__ == "__main__":
    main()
