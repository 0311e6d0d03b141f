"""The progress of a search under a limit on latency: which network is measured, and how long that still takes."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

from triscale import units
from triscale.cli.show.output import complain

if TYPE_CHECKING:
    from triscale.latency.measuring import Subject


class ClockProgress:
    """Hears of the networks that are measured one after the other.

    Args:
        line: takes what stays: a network that is being measured.
        status: takes what is replaced by what comes next.
    """

    def __init__(self, line: Callable[[str], None], status: Callable[[str], None]) -> None:
        self.lines: list[str] = []
        self._line, self._status = line, status
        self._what, self._ends = "", 0.0

    def opening(self, subject: "Subject", done: int, whole: int) -> None:
        """Which network it is, of how many at most."""
        from triscale.latency.clocked_fit import SECONDS  # noqa: PLC0415  loads NumPy

        self._what = f"measuring {subject.network.name} on {subject.target}"
        if whole > 1:
            self._what += f", network {done + 1} of {whole} at most"
        self._ends = monotonic() + SECONDS
        self._line(f"{self._what}: about {units.duration(SECONDS)}")
        self._status(self._what)

    def round(self, done: int, group: int, groups: int) -> None:
        """The time that is left for this network."""
        del done, group, groups
        self._status(f"{self._what}: {units.duration(max(0.0, self._ends - monotonic()))} left")

    def notice(self, text: str) -> None:
        """A line that stays."""
        self.lines.append(text)
        complain(f"note: {text}")


def nowhere(text: str) -> None:
    """Takes a text, and shows it nowhere."""


@contextmanager
def clocking(line: Callable[[str], None] = nowhere) -> Iterator[ClockProgress]:
    """Shows the progress of the search: a status line on a terminal; elsewhere what `line` does, and notices."""
    if not sys.stderr.isatty():
        yield ClockProgress(line, nowhere)
        return
    from rich.console import Console  # noqa: PLC0415  only on a terminal

    with Console(stderr=True).status("searching") as shown:
        yield ClockProgress(nowhere, shown.update)
