"""The progress of a training on stderr: a bar on a terminal, warnings and remarks always."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from triscale import units
from triscale.cli.output import complain
from triscale.errors import UsageError

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from torch.utils.tensorboard import SummaryWriter

    from triscale.train.engine import Engine
    from triscale.train.watch import Watch

_SMOOTH = 0.95


class Remarks:
    """Tells remarks alone: stderr is not a terminal."""

    def say(self, text: str) -> None:
        """A line for people."""
        complain(text)

    def step(self, engine: "Engine") -> None:
        """Nothing."""

    def epoch(self, engine: "Engine") -> None:
        """Nothing."""


class Silence:
    """Tells nothing: another process of the same training speaks."""

    def say(self, text: str) -> None:
        """Nothing."""

    def step(self, engine: "Engine") -> None:
        """Nothing."""

    def epoch(self, engine: "Engine") -> None:
        """Nothing."""


class OnTerminal:
    """A bar of all steps with images a second, time left, loss, accuracy and learning rate."""

    def __init__(self, bar: "Bar") -> None:
        self._bar = bar
        self._task = bar.add_task("", total=None, speed="", told="")
        self._before: tuple[float, int] | None = None
        self._seconds = 0.0
        """Of a step, smoothed."""

    def say(self, text: str) -> None:
        """A line above the bar."""
        self._bar.console.print(text, highlight=False, markup=False)

    def step(self, engine: "Engine") -> None:
        """Move the bar."""
        whole, now = engine.steps * engine.recipe.epochs, monotonic()
        if self._before is not None:
            took = now - self._before[0]
            self._seconds = took if not self._seconds else _SMOOTH * self._seconds + (1 - _SMOOTH) * took
        self._before = now, engine.step
        speed = engine.recipe.batch / self._seconds if self._seconds else 0.0
        left = units.duration(engine.steps_left * self._seconds)
        self._bar.update(
            self._task,
            total=whole,
            completed=engine.step,
            speed=f"{speed:.0f} images/s, {left} left",
            told=_told(engine),
        )

    def epoch(self, engine: "Engine") -> None:
        """A line above the bar."""
        one = engine.history[-1]
        self.say(f"epoch {one.epoch}: loss {one.train_loss:.4f}, validation top-1 {one.validation_top1:.1%}")


def _told(engine: "Engine") -> str:
    accuracy = f", top-1 {engine.history[-1].validation_top1:.1%}" if engine.history else ""
    return f"loss {engine.mean_loss:.3f}{accuracy}, rate {engine.learning_rate:.2g}"


class WithBoard:
    """Another watch, and the curves for TensorBoard beside it."""

    def __init__(self, watch: "Watch", writer: "SummaryWriter") -> None:
        self._watch, self._writer = watch, writer
        self.say, self.step = watch.say, watch.step

    def epoch(self, engine: "Engine") -> None:
        """Write a point of each curve."""
        one = engine.history[-1]
        for name, value in (
            ("loss/train", one.train_loss),
            ("top1/validation", one.validation_top1),
            ("learning_rate", engine.learning_rate),
            ("gradient_norm", engine.norm),
        ):
            self._writer.add_scalar(name, value, one.epoch)
        self._writer.flush()
        self._watch.epoch(engine)


@contextmanager
def training_progress(board: Path | None) -> "Iterator[Watch]":
    """Progress on a terminal, remarks elsewhere; curves for TensorBoard in the folder `board`."""
    with _progress() as watch:
        if board is None:
            yield watch
            return
        try:
            from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415  an extra
        except ImportError:
            raise UsageError("--tensorboard needs a package: pip install 'triscale[tensorboard]'.") from None
        with SummaryWriter(str(board)) as writer:
            yield WithBoard(watch, writer)


@contextmanager
def _progress() -> "Iterator[Watch]":
    if not sys.stderr.isatty():
        yield Remarks()
        return
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, TextColumn  # noqa: PLC0415
    from rich.progress import Progress as Bar  # noqa: PLC0415

    columns = (
        BarColumn(bar_width=16),
        TextColumn("{task.percentage:3.0f}%  {task.fields[speed]}  {task.fields[told]}"),
    )
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        yield OnTerminal(bar)
