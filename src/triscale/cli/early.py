"""Ctrl-C in the first moments: it ends the process at once and says nothing, since nothing has begun.

Loaded before everything else, so it loads next to nothing; by itself Python would show where it was importing.
"""

# `signal` is this and its enums, which take longer to load than all that stands before the first handler.
import _signal as signal  # type: ignore[import-not-found]
import os

INTERRUPTED = 130
"""The exit code after Ctrl-C: 128 and the number of SIGINT."""


def end_at_once(*_: object) -> None:
    """Handle SIGINT where there is nothing to put in order, or no patience left."""
    os._exit(INTERRUPTED)


class AtOnce:
    """SIGINT ends the process at once inside the block; another handler than Python's own is left alone."""

    def __enter__(self) -> None:
        self._ours = signal.getsignal(signal.SIGINT) is signal.default_int_handler and handle(end_at_once)

    def __exit__(self, *_: object) -> None:
        if self._ours:
            handle(signal.default_int_handler)


def ignore() -> None:
    """Let Ctrl-C do nothing from now on."""
    handle(signal.SIG_IGN)


def handle(handler: object) -> bool:
    """Let `handler` have SIGINT; False in a thread, which Python does not let decide."""
    try:
        signal.signal(signal.SIGINT, handler)
    except ValueError:
        return False
    return True
