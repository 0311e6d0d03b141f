"""The progress of a study on stderr, and only where that is a terminal."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING, Any

from triscale import units
from triscale.cli.output import complain

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

    from triscale.search.jobs import Job
    from triscale.search.progress import Progress
    from triscale.train import Epoch


class Silent:
    """Tells nothing: stderr is not a terminal."""

    def say(self, text: str) -> None:
        """Nothing."""

    def going_on(self, done: int, whole: int) -> None:
        """One line all the same: who comes back wants to know that nothing is lost."""
        complain(_going_on(done, whole))

    def agenda(self, waiting: "Sequence[tuple[Job, float]]", done: int, seconds: float) -> None:
        """Nothing."""

    def epoch(self, job: "Job", epoch: "Epoch") -> None:
        """Nothing."""

    def done(self, job: "Job", record: dict[str, Any]) -> None:
        """Nothing."""


class OnTerminal:
    """A line a step, and a bar of all trainings of the study, moved by epochs, in predicted seconds."""

    def __init__(self, bar: "Bar") -> None:
        self._bar = bar
        self._task = bar.add_task("", total=None, visible=False, left="")
        self._weights: dict[tuple[str, int, int], float] = {}
        self._passed: dict[tuple[str, int, int], float] = {}
        self._before = (0, 0.0)
        # What was predicted of earlier phases of this run, and what they took: between phases nothing is trained.
        self._predicted = self._took = 0.0
        self._started = self._moved = monotonic()

    def say(self, text: str) -> None:
        """A line above the bar."""
        self._bar.console.print(text, highlight=False, markup=False)

    def going_on(self, done: int, whole: int) -> None:
        """A line above the bar."""
        self.say(_going_on(done, whole))

    def agenda(self, waiting: "Sequence[tuple[Job, float]]", done: int, seconds: float) -> None:
        """The bar is as long as all that is done and all that is left."""
        self._predicted += sum(self._passed.values())
        self._took += self._moved - self._started
        self._weights, self._passed = {job.key: weight for job, weight in waiting}, {}
        self._before = (done, seconds)
        self._started = monotonic()
        self._move()

    def epoch(self, job: "Job", epoch: "Epoch") -> None:
        """The bar moves by one epoch of this training."""
        self._passed[job.key] = self._weights[job.key] * epoch.epoch / job.epochs
        self._move()

    def done(self, job: "Job", record: dict[str, Any]) -> None:
        """The training is complete, or has failed and says why."""
        self._passed[job.key] = self._weights[job.key]
        if record["kind"] == "failed":
            self.say(f"{job.network.name}: {record['reason']}")
        self._move()

    def _move(self) -> None:
        self._moved = monotonic()
        passed, total = sum(self._passed.values()), sum(self._weights.values())
        predicted, took = self._predicted + passed, self._took + self._moved - self._started
        # Until something is done the prediction is all there is; then the machine's speed corrects it.
        left = (total - passed) * (took / predicted if predicted else 1)
        trainings, seconds = self._before
        whole = trainings + sum(1 for key, weight in self._weights.items() if self._passed.get(key) == weight)
        text = f"{whole}/{trainings + len(self._weights)} trainings, {units.duration(left)} left"
        unfinished = self._passed != self._weights
        self._bar.update(self._task, total=seconds + total, completed=seconds + passed, left=text, visible=unfinished)


def _going_on(done: int, whole: int) -> str:
    return f"going on: {done} of {whole} trainings are done"


@contextmanager
def terminal_progress() -> "Iterator[Progress]":
    """Progress on a terminal; silence elsewhere."""
    if not sys.stderr.isatty():
        yield Silent()
        return
    from rich.console import Console  # noqa: PLC0415  a study needs it, `triscale cost` does not
    from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415
    from rich.progress import Progress as Bar  # noqa: PLC0415

    columns = (
        SpinnerColumn(),
        BarColumn(bar_width=20),  # a terminal of 80 columns holds it all
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
