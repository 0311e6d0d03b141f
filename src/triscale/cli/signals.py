"""Signals that ask to stop: as an exception, or noted until what is under way is in order."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Stopped(BaseException):
    """SIGTERM came; not an `Exception`, so that nothing on the way takes it for a failure."""


@contextmanager
def terminable() -> Iterator[None]:
    """Raise `Stopped` on SIGTERM inside the block. Only the main thread can be asked, so elsewhere nothing changes."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _stop(number: int, frame: FrameType | None) -> None:
    del number, frame
    raise Stopped


class Wish:
    """Whether a signal asked to stop, and which one; the next signal ends the process at once.

    Attributes:
        number: of the signal; 0: none came.
        parent: the process without which there is nobody to go on for, such as a launcher; its end counts as SIGTERM.
    """

    def __init__(self, parent: int | None = None) -> None:
        self.number, self.parent = 0, parent

    def __call__(self) -> bool:
        """Whether to stop."""
        if self.parent is not None and os.getppid() != self.parent and not self.number:
            self.number = signal.SIGTERM
        return self.number != 0

    def note(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal."""
        del frame
        if self.number:
            os._exit(128 + number)
        self.number = number

    def obey(self) -> None:
        """Raise what the signal would have raised by itself."""
        if self.number == signal.SIGINT:
            raise KeyboardInterrupt
        raise Stopped


@contextmanager
def noted(wish: Wish) -> Iterator[None]:
    """Note SIGINT, SIGTERM and SIGUSR1 inside the block instead of raising; only the main thread can be asked."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    asking = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)
    before = [signal.signal(one, wish.note) for one in asking]
    try:
        yield
    finally:
        for one, handler in zip(asking, before, strict=True):
            signal.signal(one, handler)
