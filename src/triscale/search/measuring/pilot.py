"""The pilot of a study: how many steps its baseline needs to leave chance, and to settle.

A training at a constant rate with an average of its weights is looked at after 16, 32, 64, ... steps. The average at a
step is about what a whole training of that length would give, so that one training shows what each length is worth.
"""

import math
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import islice, pairwise
from pathlib import Path

from triscale.data import Source
from triscale.evaluation import right_answers
from triscale.recipes import Recipe
from triscale.speed_plan import SpeedPlan
from triscale.training import Inputs, Quiet, Trainer, fit
from triscale.training.feed import Batch
from triscale.training.supply import Validation, feeds_of
from triscale.trials import Execution, Numerics, TrainJob
from triscale.trials.pilot_records import CheckpointRecord, PilotRecord

PILOT_SHARE = 0.1
"""Of the time of a study that its pilot may take."""

FIRST = 16
"""Steps before the first checkpoint; each further one is twice as far."""

SETTLED = 0.75
"""A training has settled where it is this far from chance to what twice as many steps give."""

_SURE = 3.0
"""Standard errors above chance that are not luck, at two checkpoints in a row."""

_IMAGES = 2_000
"""Images of the validation that are enough to tell."""

_PATIENCE = 3.0
"""Times the seconds of work that a pilot may take on the clock, where other work shares the core."""

_AT_ONCE = 64
_AVERAGE = 0.98
_ENDLESS = 1_000_000
"""Steps of a schedule whose beginning is constant."""


def run_pilot(job: TrainJob, source: Source, numerics: Numerics, seconds: float) -> PilotRecord:
    """Train the baseline until it settles, or until the time is over; the network is thrown away.

    Args:
        job: of the baseline.
        source: its images.
        numerics: on what; torch's own kernels are used.
        seconds: most work after the first step; the first two checkpoints come whatever they take. Work is the time of
            this process on its core, or with several threads or a GPU that of the clock.

    Raises:
        NumericError, OutOfMemoryError: as in any training.
    """
    alone = numerics.device == "cpu" and numerics.threads == 1
    clock = time.process_time if alone else time.monotonic
    began = clock()
    inputs, plain = Inputs(source=source), replace(numerics, plan=SpeedPlan())
    _, validation = feeds_of(job, source, inputs.preprocessing(job), 0, lambda *_: None)
    images = len(source.training_split(seed=job.data.seed, train_size=job.data.subset).training)
    chance = source.guessing(seed=job.data.seed)
    watch = _Watch(_some(validation, source, job), chance, seconds, clock)
    with tempfile.TemporaryDirectory(prefix="triscale-") as name, suppress(_Enough):
        long = replace(job, recipe=_constant(job.recipe, max(1, images // job.recipe.batch)))
        execution = Execution(loader_workers=0, save_every=3600.0)
        fit(long, Path(name) / "run", plain, execution, watch, inputs=inputs)
    leaves, settles = judged(watch.checkpoints, chance, watch.images)
    return PilotRecord(
        batch=job.recipe.batch,
        images=watch.images,
        checkpoints=tuple(watch.checkpoints),
        leaves=leaves,
        settles=settles,
        seconds=round(clock() - began, 3),
    )


def judged(checkpoints: Sequence[CheckpointRecord], chance: float, images: int) -> tuple[int | None, int | None]:
    """(steps to leave chance, steps to settle), each None where the checkpoints do not reach so far.

    Args:
        checkpoints: each after twice the steps of the one before.
        chance: what guessing gets right, a fraction.
        images: that accuracies were measured on.
    """
    sure = chance + _SURE * math.sqrt(chance * (1 - chance) / max(1, images))
    pairs = list(pairwise(checkpoints))
    leaves = next((one.step for one, two in pairs if min(one.accuracy, two.accuracy) > sure), None)
    if leaves is None:
        return None, None
    gains = ((one, two.accuracy - chance) for one, two in pairs if one.step >= leaves)
    return leaves, next((one.step for one, later in gains if one.accuracy - chance >= SETTLED * later), None)


def _constant(recipe: Recipe, steps: int) -> Recipe:
    """The recipe with a schedule that only begins, after a short warm-up, and an average of the last weights."""
    epochs = max(2, _ENDLESS // steps)
    return replace(
        recipe,
        epochs=epochs,
        schedule="cosine",
        warmup=FIRST / (epochs * steps),
        warmup_epochs=0.0,
        ema=recipe.ema or _AVERAGE,
        first_size=1.0,
        first_strength=1.0,
    )


def _some(validation: Validation, source: Source, job: TrainJob) -> Validation:
    """Every k-th batch of the validation, so that about `_IMAGES` are left, of all classes."""
    whole = len(source.training_split(seed=job.data.seed, train_size=job.data.subset).validation)
    every = max(1, whole // _IMAGES)

    def batches(at_once: int) -> Iterator[Batch]:
        return islice(validation(at_once), 0, None, every)

    return batches


class _Enough(BaseException):
    """The pilot has seen what it wanted, or its time is over."""


class _Watch(Quiet):
    """Looks at a training after 16, 32, 64, ... steps, and ends it once it has settled or its time is over."""

    def __init__(self, validation: Validation, chance: float, seconds: float, clock: Callable[[], float]) -> None:
        self.checkpoints: list[CheckpointRecord] = []
        self.images = 0
        self._validation, self._chance, self._seconds, self._clock = validation, chance, seconds, clock
        self._next = FIRST
        self._began: tuple[float, float] | None = None

    def step(self, engine: Trainer) -> None:
        """Evaluate where a checkpoint is due."""
        self._began = self._began or (self._clock(), time.monotonic())
        if engine.step >= self._next:
            right = right_answers(engine.evaluated, self._validation(_AT_ONCE))
            self.images = len(right)
            self.checkpoints.append(CheckpointRecord(step=engine.step, accuracy=float(right.float().mean())))
            self._next *= 2
            if judged(self.checkpoints, self._chance, self.images)[1] is not None:
                raise _Enough
        if len(self.checkpoints) > 1 and self._is_over(*self._began):
            raise _Enough

    def _is_over(self, work: float, wall: float) -> bool:
        return self._clock() > work + self._seconds or time.monotonic() > wall + _PATIENCE * self._seconds
