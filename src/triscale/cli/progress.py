"""The progress of a study on stderr, and only where that is a terminal."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING, Any

from triscale.cli.quantities import duration_text

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

    from triscale.search.jobs import Job
    from triscale.search.study import Progress
    from triscale.train import Epoch


class Silent:
    """Tells nothing: stderr is not a terminal."""

    def say(self, text: str) -> None:
        """Nothing."""

    def jobs(self, jobs: "Sequence[tuple[Job, float]]") -> None:
        """Nothing."""

    def epoch(self, job: "Job", epoch: "Epoch") -> None:
        """Nothing."""

    def done(self, job: "Job", record: dict[str, Any]) -> None:
        """Nothing."""


class OnTerminal:
    """A line a step, and a bar of the trainings under way, moved by epochs, in predicted seconds."""

    def __init__(self, bar: "Bar") -> None:
        self._bar = bar
        self._task = bar.add_task("", total=None, visible=False, left="")
        self._weights: dict[tuple[str, int, int], float] = {}
        self._passed: dict[tuple[str, int, int], float] = {}
        self._started = monotonic()

    def say(self, text: str) -> None:
        """The step becomes the bar's title."""
        self._bar.console.print(text, highlight=False, markup=False)

    def jobs(self, jobs: "Sequence[tuple[Job, float]]") -> None:
        """A new bar, as long as the trainings will take."""
        self._weights = {job.key: weight for job, weight in jobs}
        self._passed = {}
        self._started = monotonic()
        self._bar.reset(self._task, total=sum(self._weights.values()), visible=True)
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
        if len(self._passed) == len(self._weights) and self._passed == self._weights:
            self._bar.update(self._task, visible=False)

    def _move(self) -> None:
        passed, total = sum(self._passed.values()), sum(self._weights.values())
        elapsed = monotonic() - self._started
        # Until something is done the prediction is all there is; then the machine's speed corrects it.
        left = (total - passed) * (elapsed / passed if passed else 1)
        whole = sum(1 for key, weight in self._weights.items() if self._passed.get(key) == weight)
        text = f"{whole}/{len(self._weights)} trainings, {duration_text(left)} left"
        self._bar.update(self._task, completed=passed, left=text)


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
        BarColumn(),
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
