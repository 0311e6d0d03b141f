"""Bars of progress in a notebook: one output that is updated, by IPython's own display; no widgets are needed."""

import sys
from collections.abc import Callable, Mapping
from html import escape
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from triscale import units
from triscale.errors import TriscaleError

if TYPE_CHECKING:
    from triscale.search.trainings.progress import StudyProgress
    from triscale.training import Callbacks
    from triscale.training.engine import Trainer
    from triscale.trials import Trial

_BETWEEN = 0.2
"""Seconds between two writings: each is a message to the browser, and is kept in the notebook's file."""


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return shell is not None and getattr(shell, "kernel", None) is not None


class NotebookBar:
    """A bar with words behind it, in one output of a cell."""

    def __init__(self) -> None:
        display = sys.modules["IPython"].display  # it is there in a notebook, see `in_notebook`
        self._html: Callable[[str], Any] = display.HTML
        self._handle = display.display(self._html(""), display_id=True)
        self._written = -_BETWEEN

    def move(self, done: float, whole: float, text: str, *, last: bool = False) -> None:
        """Update it, unless that was done a moment ago; the last writing is always made."""
        if not last and monotonic() - self._written < _BETWEEN:
            return
        self._written = monotonic()
        share = done / whole if whole else 0.0
        self._handle.update(
            self._html(
                f'<progress max="1" value="{share:.4f}" style="width: 14rem; vertical-align: middle"></progress> '
                f"{share:.0%} {escape(text)}"
            )
        )


def counting(what: str) -> Callable[[int, int], None] | None:
    """A bar that counts to a whole in a notebook; None elsewhere."""
    if not in_notebook():
        return None
    bar = NotebookBar()
    return lambda done, whole: bar.move(done, whole, f"{done:,} of {whole:,} {what}", last=done == whole)


def notebook_training() -> "Callbacks":
    """A bar of all steps of a training, with its loss and accuracy; remarks below it."""
    from triscale.training import Quiet  # noqa: PLC0415  torch is loaded only here

    class Steps(Quiet):
        def __init__(self) -> None:
            self._bar = NotebookBar()
            self._first: tuple[float, int] | None = None

        def say(self, text: str) -> None:
            print(f"triscale: {text}", file=sys.stderr)

        def step(self, engine: "Trainer") -> None:
            whole, now = engine.steps * engine.recipe.epochs, monotonic()
            first, made = self._first or (now, engine.step)
            self._first = first, made
            each = (now - first) / max(engine.step - made, 1)
            told = f"loss {engine.mean_loss:.3f}{_top1(engine)}, {units.duration(each * engine.steps_left)} left"
            self._bar.move(engine.step, whole, told, last=engine.step == whole)

        def epoch(self, engine: "Trainer") -> None:
            whole = engine.steps * engine.recipe.epochs
            self._bar.move(engine.step, whole, f"epoch {engine.history[-1].epoch}{_top1(engine)}", last=True)

    return Steps()


def notebook_study() -> "StudyProgress":
    """A bar of all trainings of a study; warnings and failures below it."""
    from triscale.search.trainings.progress import Quiet  # noqa: PLC0415  torch is loaded only here
    from triscale.search.trainings.study_course import StudyCourse  # noqa: PLC0415

    class Trainings(Quiet):
        def __init__(self) -> None:
            self._bar, self._course = NotebookBar(), StudyCourse()

        def say(self, text: str) -> None:
            if text.startswith("warning"):
                print(f"triscale: {text}", file=sys.stderr)

        def agenda(self, left: Mapping[str, float], done: int, seconds: float) -> None:
            self._course.agenda(left, done, seconds)
            self._move()

        def epoch(self, key: str, share: float) -> None:
            self._course.epoch(key, share)
            self._move()

        def settled(self, trial: "Trial") -> None:
            self._course.settled(trial.key)
            if trial.state == "failed":
                print(f"triscale: {trial.network.name}, seed {trial.seed}, failed: {trial.reason}", file=sys.stderr)
            self._move()

        def standing(self, text: str) -> None:
            self._course.standing = text
            self._move()

        def _move(self) -> None:
            now = self._course.now()
            self._bar.move(now.done, now.whole, now.text, last=not now.unfinished)

    return Trainings()


def shown_study(folder: Path) -> str | None:
    """A study or a search as HTML; None where its folder is gone, and its text must do."""
    from triscale.report.notebook import study_html  # noqa: PLC0415  plotly is loaded only here

    try:
        return study_html(folder)
    except TriscaleError:
        return None


def _top1(engine: "Trainer") -> str:
    return f", top-1 {engine.history[-1].validation_top1:.1%}" if engine.history else ""
