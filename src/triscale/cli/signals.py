"""Signals that ask to stop: as an exception, or noted until what is under way is in order."""

import atexit
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from triscale.cli.early import end_at_once, handle, ignore


class Stopped(BaseException):
    """SIGTERM came; not an `Exception`, so that nothing on the way takes it for a failure."""


@contextmanager
def terminable() -> Iterator[None]:
    """Raise `Stopped` on SIGTERM inside the block. Only the main thread can do this, so elsewhere nothing changes."""
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


class Interrupt:
    """Ctrl-C raises KeyboardInterrupt once and is remembered; the next one ends the process at once.

    It must be remembered: a library that is just being imported, or called back from C, makes another exception of a
    KeyboardInterrupt, or prints it and goes on.

    Attributes:
        came: whether it did.
    """

    def __init__(self) -> None:
        self.came, self._hook = False, sys.unraisablehook

    @contextmanager
    def heard(self, *, last: bool) -> Iterator[None]:
        """Inside the block; `last`: nothing but the end of the process follows, which Ctrl-C may cut short."""
        before, self._hook = signal.getsignal(signal.SIGINT), sys.unraisablehook
        if before not in {signal.default_int_handler, end_at_once} or not handle(self._note):
            yield
            return
        sys.unraisablehook = self._unraisable
        if last:  # what is registered first runs last: when all is done, nothing is left to interrupt
            atexit.register(ignore)
        try:
            yield
        finally:
            handle(end_at_once if last else before)
            sys.unraisablehook = self._hook

    def _note(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        handle(end_at_once)
        self.came = True
        raise KeyboardInterrupt

    def _unraisable(self, found: "sys.UnraisableHookArgs") -> None:
        """An exception that has nowhere to go, such as one in a destructor: Ctrl-C ends the process all the same."""
        if issubclass(found.exc_type, KeyboardInterrupt):
            end_at_once()
        self._hook(found)


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
    """Note SIGINT, SIGTERM and SIGUSR1 inside the block instead of raising; only the main thread can do this."""
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
