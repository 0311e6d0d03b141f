"""What a fit reports to while it runs."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from triscale.latency.measuring import Watch
from triscale.latency.silent_watch import SilentWatch
from triscale.training import Callbacks, Quiet


class FitWatch(Protocol):
    """Receives the progress of a fit."""

    def say(self, text: str) -> None:
        """A line for people."""

    def training(self, what: str) -> AbstractContextManager[Callbacks]:
        """What a training calls while it runs; `what` names it."""
        ...

    def measuring(self) -> AbstractContextManager[Watch]:
        """What a measurement of latency calls."""
        ...

    def calibrating(self, target: str) -> AbstractContextManager[Callable[[int, int], None]]:
        """What a calibration calls with how many measurements are done, of how many."""
        ...


class SilentFit:
    """No progress."""

    def say(self, text: str) -> None:
        """Nothing."""

    def training(self, what: str) -> AbstractContextManager[Callbacks]:  # noqa: ARG002
        """Callbacks that do nothing."""
        return nullcontext(Quiet())

    def measuring(self) -> AbstractContextManager[Watch]:
        """A watch that does nothing."""
        return nullcontext(SilentWatch())

    def calibrating(self, target: str) -> AbstractContextManager[Callable[[int, int], None]]:  # noqa: ARG002
        """A call that does nothing."""
        return nullcontext(lambda _done, _whole: None)
