"""Faults that a training meets in its own process: killed inside a save, a disk that takes no more or that fails."""

import errno
import os
import resource
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from triscale.files import write_atomically
from triscale.train import saved

NTH = 3
"""Which save of the state is met."""
POINTS = ("before opening", "half of the bytes", "before flushing", "before keeping", "before renaming",
          "before flushing the folder", "before the manifest")  # fmt: skip


def arrange(fault: str) -> None:
    """Make the fault happen in this process."""
    if fault.startswith("limit "):
        most = int(fault.split()[1])
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    elif fault == "EIO":
        vars(os)["fsync"] = _failing
    elif fault:
        _kill_in_save(POINTS.index(fault))


def _failing(_: object) -> None:
    raise OSError(errno.EIO, os.strerror(errno.EIO))


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _kill_in_save(point: int) -> None:
    saves = 0

    def fatal(path: Path, payload: bytes, *, keep: Path | None = None) -> None:
        nonlocal saves
        saves += path.name == saved.LAST
        if saves < NTH or (path.name == saved.LAST) == (point == 6):
            write_atomically(path, payload, keep=keep)
            return
        if point in {0, 6}:
            _die()
        if point == 1:
            with path.with_name(f".{path.name}.{os.getpid()}.tmp").open("wb") as file:
                file.write(payload[: len(payload) // 2])
                file.flush()
                _die()
        if point in {2, 5}:
            _at_call(os, "fsync", 1 if point == 2 else 2)
        else:
            _at_call(Path, "replace", point - 2)
        write_atomically(path, payload, keep=keep)

    saved.__dict__["write_atomically"] = fatal


def _at_call(owner: Any, name: str, which: int) -> None:
    """Die instead of the call of that number."""
    real: Callable[..., Any] = getattr(owner, name)
    calls = 0

    def counted(*arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == which:
            _die()
        return real(*arguments)

    setattr(owner, name, counted)
