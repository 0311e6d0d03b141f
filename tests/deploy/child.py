"""A real service in a process of its own, and raw connections to it."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.paths import ROOT

IMPATIENT = """
import os, sys
from triscale.deploy import Limits, listen, load_exported, serve, url
from triscale.weights import load_classifier

FORBIDDEN = {"socket.connect", "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "pickle.find_class"}
started = False

def watch(event, given):
    if started and (event in FORBIDDEN or event == "open" and isinstance(given[1], str) and "w" in given[1]):
        os.write(2, f"FORBIDDEN {event} {given}\\n".encode())

def ready():
    global started
    print('{"url": "' + url(listening) + '"}', flush=True)
    started = True

sys.addaudithook(watch)
listening = listen("127.0.0.1", 0)
limits = Limits(patience=1.0, grace=9.0, jobs=3, workers=1)
serve(load_classifier(sys.argv[1]), listening, limits=limits, ready=ready)
"""
"""Waits a second and not twelve, takes three images at once and not 64, and tells what it must not do."""


@dataclass
class Child:
    """A running service."""

    process: subprocess.Popen[str]
    url: str

    @property
    def address(self) -> tuple[str, int]:
        """For a raw connection."""
        host, _, port = self.url.removeprefix("http://").removesuffix("/").rpartition(":")
        return host, int(port)

    def raw(self, content: bytes, timeout: float = 20.0) -> bytes:
        """All that comes back for these bytes until the service closes."""
        with socket.create_connection(self.address, timeout=timeout) as connection:
            connection.sendall(content)
            found = b""
            while part := connection.recv(1 << 16):
                found += part
            return found

    def memory(self) -> int:
        """Resident bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS"))

    def files(self) -> int:
        """Open files and connections."""
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))

    def stop(self) -> tuple[int, str]:
        """Its exit code after SIGTERM, and what it wrote on stderr."""
        self.process.send_signal(signal.SIGTERM)
        _, told = self.process.communicate(timeout=30)
        return self.process.returncode, told


@contextmanager
def child(*command: str | Path) -> Iterator[Child]:
    """`python` with these arguments, once it has printed a document with its `url`."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        [sys.executable, *map(str, command)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
    )  # fmt: skip
    assert process.stdout is not None
    text = ""
    while line := process.stdout.readline():
        text += line
        if line.rstrip().endswith("}"):
            break
    if not text:
        raise AssertionError(process.communicate(timeout=30)[1])
    try:
        yield Child(process, json.loads(text)["url"])
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
