"""Worker processes that end with the process they work for, however it ends, and leave signals to it."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_TO_STOP = (signal.SIGINT, signal.SIGTERM)


def end_with(parent: int) -> None:
    """End this process within about a second once its parent is gone, at once if it is gone already.

    Args:
        parent: the id of the process that started it, as the parent knows it: one that is killed early has been
            replaced as the parent before its child can ask for it.
    """
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


@contextmanager
def signals_held(which: tuple[signal.Signals, ...] = _TO_STOP) -> Iterator[None]:
    """Signals to stop wait: a worker inherits that, so that none reaches it before it knows what to do with them."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, which)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def release_signals() -> None:
    """In a worker that knows what to do with signals to stop: let them reach it."""
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _TO_STOP)
