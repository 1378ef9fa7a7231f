"""Headless Chromium, driven over a pipe by its own protocol: what a page looks like to its readers.

https://chromedevtools.github.io/devtools-protocol/ names the methods.
"""

import base64
import contextlib
import json
import os
import shutil
import subprocess
import tempfile

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
OPTIONS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
           "--disable-background-networking", "--disable-component-update", "--disable-sync",
           "--disable-dev-shm-usage", "--hide-scrollbars", "--remote-debugging-pipe")
READS, WRITES = 3, 4  # descriptors that Chromium reads from, and writes to
SECONDS = 120  # that it may take to start and end


class Tab:
    """One page. `console`: what it said there, and exceptions of its scripts."""

    def __init__(self, pipe, session):
        self.pipe, self.session, self.console = pipe, session, []

    def call(self, method, **parameters):
        return self.pipe.call(method, parameters, self.session, self.heed)

    def heed(self, event):
        name, told = event.get("method"), event.get("params", {})
        if name == "Runtime.consoleAPICalled":
            self.console.append(" ".join(str(each.get("value")) for each in told["args"]))
        elif name == "Runtime.exceptionThrown":
            self.console.append(told["exceptionDetails"].get("exception", {}).get(
                "description", "exception"))
        elif name == "Log.entryAdded":
            self.console.append(told["entry"]["text"])
        return name

    def before(self, script):
        """Runs it on each page that is opened from now on, before the page's own."""
        self.call("Page.addScriptToEvaluateOnNewDocument", source=script)

    def open(self, address, width=1400, height=900, dark=False, media="screen"):
        """Loads a page at that width, in pixels, and in that theme."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia", media=media, features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        self.call("Page.navigate", url=address)
        self.pipe.wait("Page.loadEventFired", self.session, self.heed)

    def tell(self, script):
        """The value of a script's expression; waits for a promise."""
        told = self.call("Runtime.evaluate", expression=script, awaitPromise=True,
                         returnByValue=True)
        if "exceptionDetails" in told:
            raise AssertionError(told["exceptionDetails"]["exception"].get("description"))
        return told["result"].get("value")

    def picture(self, **clip):
        """A PNG of what is to be seen, or of `clip`: x, y, width and height of the page."""
        more = {"clip": {**clip, "scale": 1}, "captureBeyondViewport": True} if clip else {}
        return base64.b64decode(self.call("Page.captureScreenshot", format="png", **more)["data"])

    def printed(self):
        """A PDF of the page on A4."""
        return base64.b64decode(self.call("Page.printToPDF", paperWidth=8.27, paperHeight=11.69,
                                          printBackground=True)["data"])


class Pipe:
    """Messages are JSON, each ended by a zero byte."""

    def __init__(self, reading, writing):
        self.reading, self.writing, self.number, self.left = reading, writing, 0, b""

    def message(self):
        while b"\0" not in self.left:
            more = os.read(self.reading, 1 << 20)
            if not more:
                raise AssertionError("Chromium ended")
            self.left += more
        text, _, self.left = self.left.partition(b"\0")
        return json.loads(text)

    def call(self, method, parameters, session=None, heed=lambda event: None):
        self.number += 1
        asked = {"id": self.number, "method": method, "params": parameters}
        text = json.dumps(asked | ({"sessionId": session} if session else {})).encode() + b"\0"
        while text:
            text = text[os.write(self.writing, text):]
        while True:
            told = self.message()
            if told.get("id") == self.number:
                if "error" in told:
                    raise AssertionError(f"{method}: {told['error']['message']}")
                return told["result"]
            heed(told)

    def wait(self, name, session, heed):
        while True:
            told = self.message()
            heed(told)
            if told.get("method") == name and told.get("sessionId") == session:
                return


def start(profile):
    """(process, Pipe)"""
    its_in, our_out = os.pipe()
    our_in, its_out = os.pipe()

    def pass_on():
        first, second = os.dup(its_in), os.dup(its_out)  # lest one end overwrite the other
        os.dup2(first, READS)
        os.dup2(second, WRITES)

    process = subprocess.Popen([CHROMIUM, *OPTIONS, f"--user-data-dir={profile}"],
                               preexec_fn=pass_on, close_fds=False, stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(its_in)
    os.close(its_out)
    return process, Pipe(our_in, our_out)


@contextlib.contextmanager
def tab():
    """A Tab for the time of a with block."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process, pipe = start(profile)
        try:
            target = pipe.call("Target.createTarget", {"url": "about:blank"})["targetId"]
            session = pipe.call("Target.attachToTarget",
                                {"targetId": target, "flatten": True})["sessionId"]
            opened = Tab(pipe, session)
            for domain in ("Page", "Runtime", "Log"):
                opened.call(f"{domain}.enable")
            yield opened
            pipe.call("Browser.close", {})
        finally:
            os.close(pipe.writing)
            os.close(pipe.reading)
            try:
                process.wait(SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
