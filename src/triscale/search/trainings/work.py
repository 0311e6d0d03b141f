"""What a worker of a study does: one training, from a task to a trial."""

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from triscale.data import CheckOptions, Source, open_data
from triscale.errors import BusyError
from triscale.training import Inputs, Quiet, Trainer, fit, forget_state
from triscale.trials import Execution, Numerics, TrainJob, Trial, read
from triscale.trials.executor import Tell

_PATIENCE = 120.0
"""Seconds to wait for the folder of a training; a file system that is shared frees what a dead node locked so late."""


@dataclass(frozen=True, kw_only=True)
class TrialTask:
    """A training, and where it finds its images.

    Attributes:
        job: what is trained.
        numerics, execution: see `triscale.training.fit`.
        data: what opens the images, see `triscale.data.open_data`.
        policy: what is done about doubtful images.
        folder: of the training, where the worker shares the driver's files; None: the weights travel back.
        floors: see `Training`.
    """

    job: TrainJob
    numerics: Numerics
    execution: Execution
    data: str
    policy: CheckOptions
    folder: Path | None
    floors: tuple[float | None, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A training that has ended; `weights` are the bytes of its checkpoint where the folder is not shared."""

    trial: Trial
    weights: bytes | None = None


@dataclass(frozen=True)
class Progressed:
    """A worker completed an epoch."""

    epoch: int


class HopelessError(Exception):
    """A training that is stopped; the text says why."""


_sources: dict[tuple[str, CheckOptions], Source] = {}


def opened(
    data: str, policy: CheckOptions, *, afresh: bool = False, progress: Callable[[int, int], None] | None = None
) -> Source:
    """The data set, opened and checked once a process.

    Args:
        data, policy: see `triscale.data.open_data`.
        afresh: open it again, as a driver does: its content may have changed since.
        progress: called while the images are looked at.
    """
    key = absolute(data), policy
    if afresh or key not in _sources:
        _sources.clear()  # one study at a time reads its images
        _sources[key] = open_data(data, policy=policy, progress=progress)
    return _sources[key]


def absolute(data: str) -> str:
    """What opens the same images from any working folder."""
    name, colon, root = data.partition(":")
    if data.startswith("flowers") and not Path(data).exists():
        return data
    if colon and not Path(data).exists():
        return f"{name}:{Path(root).resolve()}"
    return str(Path(data).resolve())


def run_trial(task: TrialTask, tell: Tell) -> Trained:
    """Train, or resume; progress and signs of life go to the driver.

    Raises:
        TriscaleError: see `triscale.training.fit`.
    """
    with _folder(task.folder) as folder:
        inputs = Inputs(source=opened(task.data, task.policy, progress=lambda *_: tell()))
        try:
            trial = _fitted(task, folder, inputs, tell)
        except HopelessError as reason:
            return Trained(trial=_stopped(folder, str(reason)))
        weights = None if task.folder else (folder / str(trial.checkpoint)).read_bytes()
    return Trained(trial=trial, weights=weights)


def _stopped(folder: Path, reason: str) -> Trial:
    """The trial as the folder has it; the state from which it would resume goes, for nothing resumes it."""
    (trial,) = read(folder)
    forget_state(folder)
    return replace(trial, state="stopped", reason=reason, metrics={"seconds": trial.history[-1].seconds or 0.0})


def _fitted(task: TrialTask, folder: Path, inputs: Inputs, tell: Tell) -> Trial:
    """`fit`, once a worker whose driver or node was killed has left the folder: it ends about a second after them."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            return fit(task.job, folder, task.numerics, task.execution, _Reports(tell, task.floors), inputs=inputs)
        except BusyError:
            if time.monotonic() > deadline:
                raise
        tell()
        time.sleep(0.2)


class _Reports(Quiet):
    """Sends epochs and warnings to the driver; each step and each batch of an evaluation is a sign of life."""

    def __init__(self, tell: Tell, floors: Sequence[float | None] = ()) -> None:
        self._tell, self._floors = tell, floors

    def say(self, text: str) -> None:
        """Send a warning."""
        if text.startswith("warning"):
            self._tell(text)

    def step(self, engine: Trainer) -> None:
        """Send a sign of life."""
        del engine
        self._tell()

    def epoch(self, engine: Trainer) -> None:
        """Send how far it is, and stop where that is hopeless.

        Raises:
            HopelessError: the accuracy is below the floor of this epoch.
        """
        self._tell(Progressed(engine.epoch))
        floor = self._floors[engine.epoch - 1] if self._floors else None
        if floor is not None and (top1 := engine.history[-1].validation_top1) < floor:
            raise HopelessError(
                f"stopped after epoch {engine.epoch} of {engine.recipe.epochs}: its validation accuracy of "
                f"{100 * top1:.1f}% there is below {100 * floor:.1f}%, behind three quarters of the earlier trials"
            )

    def stopping(self) -> bool:
        """Send a sign of life; the driver ends the process where it wants a stop."""
        self._tell()
        return False


@contextmanager
def _folder(shared: Path | None) -> Iterator[Path]:
    """The folder of the training; one that is removed at the end where none is shared."""
    if shared is not None:
        yield shared
        return
    folder = Path(tempfile.mkdtemp(prefix="triscale-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
