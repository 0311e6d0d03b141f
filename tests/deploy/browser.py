"""A headless Chromium, driven through its own pipe: nothing to install beside the browser itself."""

import base64
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest


class Page:
    """One page of the browser."""

    def __init__(self, reading: int, writing: int) -> None:
        self.reading, self.writing = reading, writing
        self.number, self.session, self.rest = 0, None, b""
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.complaints: list[str] = []
        for domain in ("Page", "Runtime", "Log", "DOM"):
            self.ask(f"{domain}.enable")

    def ask(self, method: str, **parameters: Any) -> Any:
        """Call a method of the DevTools protocol; what the page complains of meanwhile is kept."""
        self.number += 1
        message: dict[str, Any] = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.writing, json.dumps(message).encode() + b"\0")
        while True:
            found = self._next()
            if found.get("method") in {"Log.entryAdded", "Runtime.exceptionThrown"}:
                self.complaints.append(json.dumps(found["params"]))
            if found.get("id") == self.number:
                assert "error" not in found, found
                return found["result"]

    def _next(self) -> Any:
        while b"\0" not in self.rest:
            part = os.read(self.reading, 1 << 20)
            assert part, "the browser is gone"
            self.rest += part
        first, _, self.rest = self.rest.partition(b"\0")
        return json.loads(first)

    def value(self, expression: str) -> Any:
        """What an expression of JavaScript is worth, after its promise if it is one."""
        found = self.ask("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        return found["result"].get("value")

    def wait(self, expression: str) -> None:
        """Until an expression holds, ten seconds at most."""
        polling = (
            "new Promise((done) => { const end = Date.now() + 10000; const look = () => "
            f"({expression}) || Date.now() > end ? done(Boolean({expression})) : setTimeout(look, 50); look(); }})"
        )
        assert self.value(polling), f"{expression} never came true: {self.value('document.body.innerText')}"

    def choose(self, selector: str, file: Path) -> None:
        """Give a file to an input."""
        root = self.ask("DOM.getDocument")["root"]["nodeId"]
        node = self.ask("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.ask("DOM.setFileInputFiles", nodeId=node, files=[str(file)])

    def picture(self, path: Path, width: int = 900, height: int = 900, *, dark: bool = False) -> None:
        """A PNG of the page."""
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.ask("Emulation.setEmulatedMedia", features=scheme)
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        path.write_bytes(base64.b64decode(self.ask("Page.captureScreenshot", format="png")["data"]))


@contextmanager
def page(profile: Path) -> Iterator[Page]:
    """A page of a fresh browser; a loud skip where there is none."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("no Chromium is installed")
    (theirs_in, ours_out), (ours_in, theirs_out) = os.pipe(), os.pipe()
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", f"--user-data-dir={profile}"]
    # The browser takes commands at 3 and answers at 4.
    move = "import os, sys; i, o = (os.dup(int(n)) for n in sys.argv[1:3]); os.dup2(i, 3); os.dup2(o, 4); "
    start = f"{move}[os.set_inheritable(n, True) for n in (3, 4)]; os.execv(sys.argv[3], sys.argv[3:])"
    command = [sys.executable, "-c", start, str(theirs_in), str(theirs_out), found, *flags, "about:blank"]
    browser = subprocess.Popen(command, pass_fds=(theirs_in, theirs_out), stderr=subprocess.DEVNULL)
    os.close(theirs_in)
    os.close(theirs_out)
    try:
        yield Page(ours_in, ours_out)
    finally:
        browser.terminate()
        browser.wait(20)
        os.close(ours_in)
        os.close(ours_out)
