"""The progress of a fit on stderr: lines always, bars on a terminal."""

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

from triscale.cli.show.output import complain
from triscale.cli.show.progress.calibration_progress import calibrating
from triscale.cli.show.progress.clock_progress import clocking
from triscale.cli.show.progress.training_bar import training_progress
from triscale.cli.signals import Wish

if TYPE_CHECKING:
    from triscale.latency.measuring import Watch
    from triscale.training import Callbacks


class SaidOnce:
    """Other callbacks, without the lines that an earlier training said: its images are the same."""

    def __init__(self, callbacks: "Callbacks", said: set[str]) -> None:
        self._callbacks, self._said = callbacks, said
        self.begin, self.step, self.epoch = callbacks.begin, callbacks.step, callbacks.epoch
        self.stopping = callbacks.stopping

    def say(self, text: str) -> None:
        """A line that is new."""
        if text not in self._said:
            self._said.add(text)
            self._callbacks.say(text)


class FitProgress:
    """Lines, and the bars of the commands whose steps a fit takes."""

    def __init__(self, wish: Wish) -> None:
        self._wish = wish
        self._said: set[str] = set()

    def say(self, text: str) -> None:
        """A line for people."""
        complain(text)

    @contextmanager
    def training(self, what: str) -> "Iterator[Callbacks]":
        """The bar of `triscale train`."""
        with training_progress(None, self._wish) as callbacks:
            if sys.stderr.isatty():
                callbacks.say(f"training {what}")
            yield SaidOnce(callbacks, self._said)

    @contextmanager
    def measuring(self) -> "Iterator[Watch]":
        """A status line on a terminal, a line for each network elsewhere."""
        with clocking(complain) as watch:
            yield watch

    def calibrating(self, target: str) -> AbstractContextManager[Callable[[int, int], None]]:
        """The bar of `triscale calibrate`; a line now and then where there is no terminal."""
        return calibrating(target, complain)
