"""The progress of a training on stderr: a bar on a terminal, warnings and remarks always; and the wish to stop it."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from triscale import units
from triscale.cli.show.output import complain
from triscale.cli.signals import Wish, noted
from triscale.errors import UsageError

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from torch.utils.tensorboard import SummaryWriter

    from triscale.training.callbacks import Callbacks
    from triscale.training.engine import Trainer

_SMOOTH = 0.95


class Remarks:
    """Tells remarks alone: stderr is not a terminal."""

    def __init__(self, wish: Wish, stack: ExitStack) -> None:
        self._wish, self._stack = wish, stack

    def begin(self) -> None:
        """From here on a signal is noted, and obeyed once the state is saved."""
        self._stack.enter_context(noted(self._wish))

    def stopping(self) -> bool:
        """Whether a signal asked to stop."""
        return self._wish()

    def say(self, text: str) -> None:
        """A line for people."""
        complain(text)

    def step(self, engine: "Trainer") -> None:
        """Nothing."""

    def epoch(self, engine: "Trainer") -> None:
        """Nothing."""


class Silence(Remarks):
    """Tells nothing: another process of the same training speaks."""

    def say(self, text: str) -> None:
        """Nothing."""


class OnTerminal(Remarks):
    """A bar of all steps with images a second, time left, loss, accuracy and learning rate."""

    def __init__(self, bar: "Bar", wish: Wish, stack: ExitStack) -> None:
        super().__init__(wish, stack)
        self._bar = bar
        self._task = bar.add_task("", total=None, speed="", told="")
        self._before: tuple[float, int] | None = None
        self._seconds = 0.0
        """Of a step, smoothed."""

    def say(self, text: str) -> None:
        """A line above the bar."""
        self._bar.console.print(text, highlight=False, markup=False)

    def step(self, engine: "Trainer") -> None:
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

    def epoch(self, engine: "Trainer") -> None:
        """A line above the bar."""
        one = engine.history[-1]
        self.say(f"epoch {one.epoch}: loss {one.train_loss:.4f}, validation top-1 {one.validation_top1:.1%}")


def _told(engine: "Trainer") -> str:
    accuracy = f", top-1 {engine.history[-1].validation_top1:.1%}" if engine.history else ""
    return f"loss {engine.mean_loss:.3f}{accuracy}, rate {engine.learning_rate:.2g}"


class WithBoard:
    """Other callbacks, and the curves for TensorBoard beside them."""

    def __init__(self, callbacks: Remarks, writer: "SummaryWriter") -> None:
        self._callbacks, self._writer = callbacks, writer
        self.begin, self.say, self.step = callbacks.begin, callbacks.say, callbacks.step
        self.stopping = callbacks.stopping

    def epoch(self, engine: "Trainer") -> None:
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
        self._callbacks.epoch(engine)


@contextmanager
def training_progress(board: Path | None, wish: Wish, *, speaks: bool = True) -> "Iterator[Callbacks]":
    """Progress on a terminal, remarks elsewhere; curves for TensorBoard in the folder `board`.

    Args:
        board: folder of the curves; None: none are written.
        wish: to stop; signals make it once the training has begun.
        speaks: whether this process does, of several.
    """
    with ExitStack() as stack:
        if not speaks:
            yield Silence(wish, stack)
            return
        callbacks = _callbacks(wish, stack)
        if board is None:
            yield callbacks
            return
        try:
            from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415  an extra
        except ImportError:
            raise UsageError("--tensorboard needs a package: pip install 'triscale[tensorboard]'.") from None
        yield WithBoard(callbacks, stack.enter_context(SummaryWriter(str(board))))


def _callbacks(wish: Wish, stack: ExitStack) -> Remarks:
    if not sys.stderr.isatty():
        return Remarks(wish, stack)
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, TextColumn  # noqa: PLC0415
    from rich.progress import Progress as Bar  # noqa: PLC0415

    columns = (
        BarColumn(bar_width=16),
        TextColumn("{task.percentage:3.0f}%  {task.fields[speed]}  {task.fields[told]}"),
    )
    bar = stack.enter_context(Bar(*columns, console=Console(stderr=True), transient=True))
    return OnTerminal(bar, wish, stack)
