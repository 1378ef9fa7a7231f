"""The machine and the run, as pairs of a name and a value; what is unknown is left out."""

from vmcommit.base.units import size_text, time_text

CALIBRATED = {
    "clock_ns": "Reading the clock", "empty_window_ns": "A window with nothing in it",
    "clock_tick_ns": "The clock's tick", "page_fault_ns": "A page fault, by touching",
    "commit_call_ns": "A commit call of one page", "trap_ns": "A trap, there and back",
    "zeroing_page_ns": "Zeroing a resident page"}


def known(pairs):
    return [(name, value) for name, value in pairs if value not in (None, "")]


def joined(*texts):
    return " ".join(filter(None, texts))


def of_processor(processor):
    cores = processor["cores"] and f"{processor['cores']}, {processor['cores_usable']} usable"
    return [("Processor", processor["model"]), ("Cores", cores),
            ("Hypervisor", processor["hypervisor"]),
            ("Frequency governor", processor["governor"])]


def of_memory(memory):
    swap = memory["swap_bytes"]
    return [("Memory", memory["total_bytes"] and size_text(memory["total_bytes"])),
            ("Swap", None if swap is None else size_text(swap) if swap else "none")]


def of_system(environment):
    system, settings = environment["system"], environment["settings"]
    return [("System", joined(system["name"], system["kernel"])),
            ("Run through", environment["emulator"]),
            ("Page", system["page_bytes"] and size_text(system["page_bytes"])),
            ("Transparent huge pages", settings["thp_enabled"]),
            ("Overcommit mode", settings["overcommit_memory"]),
            ("Mappings allowed", settings["max_map_count"])]


def revision_text(revision):
    commit = revision["commit"]
    return commit and commit[:12] + ("" if revision["clean"] else ", with local changes")


def of_build(environment):
    build = environment["build"]
    return [("Compiler", joined(build["compiler"], build["version"], build["flags"])),
            ("Revision", revision_text(environment["revision"]))]


def of_brought(brought):
    """The files that a user brought to be measured."""
    return [(kind.capitalize(), file.get("file")) for kind, file in (brought or {}).items()
            if isinstance(file, dict)]


def of_run(environment):
    seconds = environment["seconds_measuring"]
    return [("Profile", environment["profile"]), *of_brought(environment["own"]),
            ("Recording", environment["recording"]["folder"]),
            ("Seed", environment["seed"]), ("Started", environment["started"]),
            ("Measured for", "cut off" if seconds is None else f"{seconds:.0f} s")]


def of(environment: dict) -> list[tuple[str, str]]:
    return known([*of_processor(environment["processor"]), *of_memory(environment["memory"]),
                  *of_system(environment), *of_build(environment), *of_run(environment)])


def of_calibration(calibration: dict) -> list[tuple[str, str]]:
    return [(text, time_text(calibration[name])) for name, text in CALIBRATED.items()
            if calibration[name] is not None]
