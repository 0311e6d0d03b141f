"""SIGTERM as an exception, so that what is under way is put in order before the process ends."""

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
