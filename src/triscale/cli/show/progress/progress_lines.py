"""The progress of a study on stderr, and only where that is a terminal."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from triscale.cli.show.output import complain

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

    from triscale.search.trainings.progress import StudyProgress
    from triscale.trials import Trial


class Silent:
    """Reports nothing but warnings: stderr is not a terminal."""

    def say(self, text: str) -> None:
        """Warnings alone."""
        if text.startswith("warning"):
            complain(text)

    def resumed(self, done: int, lost: int, whole: int) -> None:
        """One line all the same: who comes back wants to know that nothing is lost."""
        complain(_resumed(done, lost, whole))

    def agenda(self, left: Mapping[str, float], done: int, seconds: float) -> None:
        """Nothing."""

    def epoch(self, key: str, share: float) -> None:
        """Nothing."""

    def settled(self, trial: "Trial") -> None:
        """A failure, with its reason."""
        if trial.state == "failed":
            complain(_failure(trial))

    def standing(self, text: str) -> None:
        """Nothing."""


class OnTerminal:
    """A line a step, and a bar of all trainings of the study, moved by epochs, in predicted seconds."""

    def __init__(self, bar: "Bar") -> None:
        from triscale.search.trainings.study_course import StudyCourse  # noqa: PLC0415  with torch

        self._bar = bar
        self._task = bar.add_task("", total=None, visible=False, left="")
        self._course = StudyCourse()

    def say(self, text: str) -> None:
        """A line above the bar."""
        self._bar.console.print(text, highlight=False, markup=False)

    def resumed(self, done: int, lost: int, whole: int) -> None:
        """A line above the bar."""
        self.say(_resumed(done, lost, whole))

    def agenda(self, left: Mapping[str, float], done: int, seconds: float) -> None:
        """The bar is as long as all that is done and all that is left; what runs keeps its epochs."""
        self._course.agenda(left, done, seconds)
        self._move()

    def epoch(self, key: str, share: float) -> None:
        """The bar moves by one epoch of this training."""
        self._course.epoch(key, share)
        self._move()

    def settled(self, trial: "Trial") -> None:
        """The training is done, or has failed and says why."""
        self._course.settled(trial.key)
        if trial.state == "failed":
            self.say(_failure(trial))
        self._move()

    def standing(self, text: str) -> None:
        """Stands behind the time left."""
        self._course.standing = text
        self._move()

    def _move(self) -> None:
        now = self._course.now()
        self._bar.update(self._task, total=now.whole, completed=now.done, left=now.text, visible=now.unfinished)


def _resumed(done: int, lost: int, whole: int) -> str:
    again = f"; {lost} that were done run again, because their weights are gone" if lost else ""
    return f"resuming: {done} of {whole} trainings are done{again}"


def _failure(trial: "Trial") -> str:
    return f"{trial.network.name}, seed {trial.seed}, failed: {trial.reason}"


@contextmanager
def terminal_progress() -> "Iterator[StudyProgress]":
    """Progress on a terminal; silence elsewhere."""
    if not sys.stderr.isatty():
        yield Silent()
        return
    from rich.console import Console  # noqa: PLC0415  a study needs it, `triscale cost` does not
    from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415
    from rich.progress import Progress as Bar  # noqa: PLC0415

    columns = (
        SpinnerColumn(),
        BarColumn(bar_width=14),  # a terminal of 80 columns holds it all
        TextColumn("{task.percentage:3.0f}%  {task.fields[left]}"),
        TimeElapsedColumn(),
    )
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        yield OnTerminal(bar)


@contextmanager
def counting(what: str) -> "Iterator[Callable[[int, int], None] | None]":
    """A bar that counts to a whole, on a terminal; None elsewhere."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn  # noqa: PLC0415
    from rich.progress import Progress as Bar  # noqa: PLC0415

    columns = (BarColumn(), MofNCompleteColumn(), TextColumn(what), TimeRemainingColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, whole: bar.update(task, completed=done, total=whole)


def remark(text: str) -> None:
    """A line of what is being done, on a terminal; nothing elsewhere."""
    if sys.stderr.isatty():
        complain(text)
