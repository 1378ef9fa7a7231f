"""Headless Chromium: what a page looks like to who opens it."""

import html
import json
import re
import shutil
import subprocess
import tempfile

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
OPTIONS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
           "--disable-background-networking", "--disable-component-update", "--disable-sync",
           "--enable-logging=stderr", "--window-size=1600,2100", "--virtual-time-budget=10000",
           "--dump-dom")


def opened(page):
    """(what the page's first <pre> holds as JSON once its scripts have run, console messages)"""
    with tempfile.TemporaryDirectory() as profile:
        done = subprocess.run([CHROMIUM, *OPTIONS, f"--user-data-dir={profile}", page.as_uri()],
                              capture_output=True, text=True, timeout=120)
    said = re.search("<pre>(.*?)</pre>", done.stdout, re.S)
    if not said or not said[1]:
        raise AssertionError(f"the page said nothing: {done.stderr[-2000:]}")
    return (json.loads(html.unescape(said[1])),
            [line for line in done.stderr.splitlines() if "CONSOLE" in line])
