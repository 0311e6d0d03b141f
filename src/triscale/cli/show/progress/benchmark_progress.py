"""The progress of a benchmark on stderr: notices always, the rest only on a terminal."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from triscale import units

if TYPE_CHECKING:
    from triscale.latency.measuring import Subject


class Listening(Protocol):
    """Hears of a measurement, and keeps its notices."""

    lines: list[str]

    def opening(self, subject: "Subject", done: int, whole: int) -> None:
        """A network is about to be opened alone."""

    def round(self, done: int, group: int, groups: int) -> None:
        """A round is over."""

    def notice(self, text: str) -> None:
        """Something to know."""


class BenchmarkProgress:
    """Prints notices, and hands what is being done to a status line."""

    def __init__(self, complain: Callable[[str], None], status: Callable[[str], None]) -> None:
        self.lines: list[str] = []
        self._complain, self._status = complain, status

    def opening(self, subject: "Subject", done: int, whole: int) -> None:
        """Which network is being opened."""
        self._status(f"opening {done + 1} of {whole}: {subject.network.name} on {subject.target}")

    def round(self, done: int, group: int, groups: int) -> None:
        """How many rounds are over."""
        part = f"group {group} of {groups}: " if groups > 1 else ""
        self._status(f"{part}{units.counted(done, 'round')} measured")

    def notice(self, text: str) -> None:
        """A line that stays."""
        self.lines.append(text)
        self._complain(f"note: {text}")


@contextmanager
def watching(complain: Callable[[str], None]) -> Iterator[Listening]:
    """Shows the progress of a measurement: a status line on a terminal, else notices alone."""
    if not sys.stderr.isatty():
        yield BenchmarkProgress(complain, _silent)
        return
    from rich.console import Console  # noqa: PLC0415  only on a terminal

    console = Console(stderr=True)
    with console.status("starting") as shown:
        yield BenchmarkProgress(complain, shown.update)


def _silent(text: str) -> None:
    """Nothing: stderr is not a terminal."""
