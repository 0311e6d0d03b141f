"""One process at a time in a run folder; the system frees the lock when its holder ends, however it ends."""

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from triscale.errors import BusyError, OutputError, sentence

LOCK = ".lock"
_held: set[IO[bytes]] = set()
_holders: set[tuple[Path, int]] = set()
"""Folders that are held, each with its thread."""


def _let_go() -> None:
    """A forked child has the file too, and would hold the lock for as long as it outlives a parent that is killed."""
    for file in _held:
        file.close()
    _held.clear()
    _holders.clear()


os.register_at_fork(after_in_child=_let_go)


@contextmanager
def locked(folder: Path, *, instead: str = "use another --out") -> Iterator[None]:
    """Create `folder` where it is missing and hold it; entering shows that it can be written.

    A thread that holds it may enter again: who prepares a training holds its folder already when the training does.

    Args:
        folder: of a run, or of the cache.
        instead: what the user can do where it cannot be had.

    Raises:
        OutputError: the folder cannot be created or written.
        BusyError: another process holds it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / LOCK).open("ab")
    except OSError as error:
        raise OutputError(
            f"the folder {folder} cannot be written: {error.strerror or error}. {sentence(instead)}."
        ) from None
    holder = (folder.resolve(), threading.get_ident())
    if holder in _holders:
        file.close()
        yield
        return
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BusyError(
                f"another process{_holder(folder)} is at work in {folder}; wait for it, or {instead}."
            ) from None
        except OSError as error:
            raise OutputError(f"{folder} cannot be locked: {error.strerror or error}. {sentence(instead)}.") from None
        file.truncate(0)
        file.write(str(os.getpid()).encode())
        file.flush()
        _held.add(file)
        _holders.add(holder)
        try:
            yield
        finally:
            _held.discard(file)
            _holders.discard(holder)


def _holder(folder: Path) -> str:
    """Who holds it, as far as it has said so."""
    try:
        number = (folder / LOCK).read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        return ""
    return f" ({number})" if number.isdecimal() else ""
