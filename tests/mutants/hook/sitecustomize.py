"""Notes each function of the package that a Python program begins, once: see reach.py. Python
imports a module of this name by itself where it finds one."""

import os
import sys
import threading

FOLDER = os.environ.get("VMCOMMIT_REACH")  # gets a file a process
PACKAGE = f"{os.sep}scripts{os.sep}vmcommit{os.sep}"
seen = {}  # {id: code}, which is kept so that no other gets its id


def note(code):
    """Opened anew for each, for programs under test close what they did not open."""
    try:
        with open(os.path.join(FOLDER, str(os.getpid())), "a", encoding="utf-8") as file:
            file.write(f"{code.co_filename}\t{code.co_qualname}\n")
    except OSError:
        pass


def begun(frame, _event, _argument):
    code = frame.f_code
    if id(code) not in seen:
        seen[id(code)] = code
        if PACKAGE in code.co_filename:
            note(code)


if FOLDER:
    threading.settrace(begun)
    sys.settrace(begun)
