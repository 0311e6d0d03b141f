"""The progress of a calibration on stderr: a bar on a terminal; elsewhere lines now and then, or nothing."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from triscale import units

EVERY = 15.0
"""Seconds between two lines."""


class SpacedLines:
    """Lines about how many measurements are done and what is left, one in some seconds at most."""

    def __init__(self, what: str, line: Callable[[str], None]) -> None:
        self._what, self._line = what, line
        self._began = self._said = monotonic()
        self._first: int | None = None

    def __call__(self, done: int, whole: int) -> None:
        """What is done, of how many; those of the first call may be from an earlier run."""
        now = monotonic()
        if self._first is None:
            self._began, self._first = now, done
        if now - self._said >= EVERY and done > self._first:
            left = (now - self._began) / (done - self._first) * (whole - done)
            self._line(f"{self._what}: {done} of {whole} measurements, {units.duration(left)} left at most")
            self._said = now


@contextmanager
def calibrating(target: str, line: Callable[[str], None] | None = None) -> Iterator[Callable[[int, int], None]]:
    """What is called with how many measurements are done, of how many.

    Args:
        target: is calibrated.
        line: takes a line now and then where there is no terminal; None: nothing is said there.
    """
    if not sys.stderr.isatty():
        yield (lambda _done, _whole: None) if line is None else SpacedLines(f"calibrating {target}", line)
        return
    from rich.console import Console  # noqa: PLC0415  only on a terminal
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    columns = TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(f"calibrating {target}")
        yield lambda done, whole: bar.update(task, completed=done, total=whole)
