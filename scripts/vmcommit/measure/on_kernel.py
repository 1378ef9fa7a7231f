"""A campaign of counts for a guest's kernel, and the folder of a run that comes of it."""

import datetime
import random
import re

from vmcommit.base import strategies
from vmcommit.base.cells import Configuration
from vmcommit.base.files import write_json, write_rows
from vmcommit.base.folder import ENVIRONMENT, SAMPLES, VERSION
from vmcommit.base.problems import Problem
from vmcommit.base.units import MIB
from vmcommit.measure import environment, guest, profiles

ROUNDS = 10  # where times mean something
SUPPORTED = "details/supported.csv"
KINDS = ("commit", "purge", "pages", "guard")  # lists of Strategy, options of a harness
SUPPORTED_COLUMNS = ("strategy", "option", "kind", "status", "error", "commit_calls",
                     "minor_faults", "commit_bytes", "purged_commit_bytes", "region_count")
THP_SIZE = 16 * MIB  # touched at once by transparent huge pages too


def configurations(machine, measured):
    return profiles.configurations(profiles.PROFILES["quick"], machine.memory * MIB,
                                   [each.strategy for each in measured])


def words_of(strategy, configuration, rounds):
    return [strategy.name, *configuration.turns(), "--repeat", str(rounds)]


def samples_campaign(machine, measured) -> dict:
    """The commands whose rows are samples."""
    rounds = ROUNDS if machine.kvm else 1
    commands = {f"sample {at}": words_of(each.strategy, each, rounds)
                for at, each in enumerate(configurations(machine, measured))}
    for harness in measured:
        if "thp" in harness.strategy.pages:
            words = words_of(harness.strategy, Configuration(harness.strategy, THP_SIZE), rounds)
            commands[f"sample thp {harness.strategy}"] = [*words, "--pages", "thp"]
    return commands


def supported_campaign(measured) -> dict:
    """The commands that show which kinds a kernel has: {(strategy, option, kind): words}."""
    return {(harness.strategy.name, option, kind):
            [harness.strategy.name, "--size", str(MIB), "--repeat", "1", f"--{option}", kind]
            for harness in measured for option in KINDS
            for kind in getattr(harness.strategy, option)}


def campaign(machine, measured) -> dict:
    return samples_campaign(machine, measured) | {
        " ".join(key): words for key, words in supported_campaign(measured).items()}


def without_times(row) -> dict:
    return {column: "" if column.endswith("_ns") else cell for column, cell in row.items()}


def samples(machine, measured, parts) -> list[dict]:
    """Rows of samples.csv. Raises Problem where a harness gave none."""
    rows = []
    for name, words in samples_campaign(machine, measured).items():
        printed, status = parts[name]
        found = guest.rows_in(printed)
        if not found:
            raise Problem(f"{' '.join(words)} ended with status {status}: "
                          f"{guest.refusal_in(printed)}")
        rows += found
    return rows if machine.kvm else [without_times(row) for row in rows]


def supported(measured, parts) -> list[dict]:
    rows = []
    for (name, option, kind) in supported_campaign(measured):
        printed, status = parts[f"{name} {option} {kind}"]
        found = guest.rows_in(printed)
        row = found[0] if found else {"status": f"ended with status {status}",
                                      "error": guest.refusal_in(printed)}
        rows.append(row | {"strategy": name, "option": option, "kind": kind})
    return rows


def memory(text) -> dict:
    """Of /proc/meminfo."""
    bytes_of = {name: 1024 * int(number) for name, number in
                re.findall(r"^(\w+): +(\d+) kB$", text, re.M)}
    return {"total_bytes": bytes_of.get("MemTotal"),
            "available_bytes": bytes_of.get("MemAvailable"),
            "swap_bytes": bytes_of.get("SwapTotal"),
            "commit_limit_bytes": bytes_of.get("CommitLimit"),
            "committed_bytes": bytes_of.get("Committed_AS")}


def number(text):
    return int(text) if text.strip().isdecimal() else None


def described(machine, measured, parts, host, build, begun) -> dict:
    """environment.json of a guest."""
    facts = {name: parts[name][0] if parts[name][1] == 0 else "" for name in guest.FACTS}
    model = re.search(r"^model name\s*: (.*)$", facts["cpuinfo"], re.M)
    built = environment.json_of(environment.read(build / "build.json"))
    emulator = None if machine.kvm else f"{guest.version()}, TCG"
    return {
        "version": VERSION, "host": host, "emulated": emulator,
        "processor": {"model": model[1] if model else None, "architecture": "x86_64",
                      "cores": machine.cpus, "hypervisor": guest.version()},
        "memory": memory(facts["meminfo"]),
        "system": {"name": "Linux", "kernel": facts["release"].strip(), "page_bytes": 4096},
        "settings": {
            **{name: environment.bracketed(facts[name]) for name in ("thp_enabled", "thp_defrag")},
            **{name: number(facts[name]) for name in ("overcommit_memory", "overcommit_ratio",
                                                      "max_map_count")},
            "clocksource": facts["clocksource"].strip() or None},
        "build": built, "revision": {"commit": built.get("revision")},
        "strategies": [strategies.to_json(each.strategy) for each in measured],
        "profile": "quick", "boot": machine.boot, "seed": random.SystemRandom().getrandbits(32),
        "started": begun.isoformat(timespec="seconds"), "rounds": ROUNDS if machine.kvm else 1,
        "seconds_measuring": (datetime.datetime.now().astimezone() - begun).total_seconds()}


def measure(machine, kernel, measured, build, host, folder):
    """Writes a run's folder, which must be there, of what that kernel counts, and returns its
    environment. `measured`: Harnesses. Raises Problem."""
    begun = datetime.datetime.now().astimezone()
    parts = guest.run(machine, kernel, [each.command[-1] for each in measured],
                      campaign(machine, measured))
    rows = samples(machine, measured, parts)
    known = described(machine, measured, parts, host, build, begun)
    known["guard"] = next(filter(None, (row["guard"] for row in rows)), None)
    (folder / "details").mkdir()
    write_rows(folder / SAMPLES, list(rows[0]), rows)
    write_rows(folder / SUPPORTED, SUPPORTED_COLUMNS, supported(measured, parts))
    write_json(folder / ENVIRONMENT, known)
    return known
