"""How long the trainings of a fit are: steps are timed on the real images, and the time is divided."""

import math
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import NamedTuple

import torch

from triscale.errors import InputError
from triscale.nn import synchronize
from triscale.quantities import DURATION
from triscale.recipes import Recipe
from triscale.search.planning.training_length import EVALUATION
from triscale.speed_plan import SpeedPlan
from triscale.training import Inputs, Quiet, Trainer, fit
from triscale.trials import Execution, Numerics, TrainJob
from triscale.units import duration

_TIMED = 4
"""Steps that are timed, after one of warm-up; an epoch has at least `_STEPS`, so none is left on the way."""

_STEPS = 8
"""Steps of an epoch at least: of few images, smaller batches are made."""

_LONG = 3
"""Times the recipe's epochs that are worth their time."""

_ENOUGH_STEPS = 1_000
"""Steps that a training may have in any case: of few images, an epoch teaches little."""

_ROOM = 1.25
"""Times the least time that a message proposes: the next run searches and times its steps again."""

SAFE = 0.9
"""Of the time that is planned: a machine may be slower later, and the export and the test take some."""

ALONE = 0.5
"""Share of the time that the answer's training may take where a larger network is trained too."""


class Images(NamedTuple):
    """How many there are to train on, and to validate on after each epoch."""

    training: int
    validation: int

    @property
    def passes(self) -> float:
        """Images' worth of training in an epoch."""
        return self.training + EVALUATION * self.validation


@dataclass(frozen=True, kw_only=True, slots=True)
class Length:
    """Epochs of the answer's training, and whether time is left for another one."""

    epochs: int
    compared: bool


def suited(recipe: Recipe, images: int) -> Recipe:
    """The recipe with a batch of which an epoch has several."""
    return replace(recipe, batch=max(2, min(recipe.batch, images // _STEPS)))


def seconds_per_image(job: TrainJob, inputs: Inputs, numerics: Numerics, execution: Execution) -> float:
    """Median seconds on the clock of a training step, an image, on the real images; the network is thrown away.

    Raises:
        OutOfMemoryError, NumericError: as in any training.
    """
    clock = _Clock(torch.device(numerics.device))
    timed = replace(job, recipe=replace(job.recipe, epochs=max(job.recipe.epochs, 2)))
    with tempfile.TemporaryDirectory(prefix="triscale-") as name, suppress(_EnoughSteps):
        fit(timed, Path(name) / "run", replace(numerics, plan=SpeedPlan()), execution, clock, inputs=inputs)
    return median(clock.seconds) / job.recipe.batch


def length_within(
    whole: float, spent: float, recipe: Recipe, images: Images, per_image: float, *, compare: bool
) -> Length:
    """The epochs for which there is time.

    Args:
        whole: seconds of the fit.
        spent: of these, before the training.
        recipe: of the training.
        images: of an epoch.
        per_image: seconds of a training step.
        compare: whether a larger network is to be trained too.

    Raises:
        InputError: the time is too short; the message says what is needed.
    """
    epoch, least = per_image * images.passes, least_epochs(recipe)
    usable = SAFE * (whole - spent)
    possible = int(usable / epoch)
    if possible < least:
        needed = math.ceil(_ROOM * (spent + least * epoch / SAFE) / 60)
        raise InputError(
            f"the time is too short: {duration(max(0.0, whole - spent))} of {duration(whole)} are left for training, "
            f"which takes {least} epochs at least, of about {duration(math.ceil(epoch))} each.\n"
            f"Give --time {DURATION.write(60 * needed)} or more, or tighter limits."
        )
    most = max(_LONG * recipe.epochs, math.ceil(_ENOUGH_STEPS * recipe.batch / images.training))
    half = int(ALONE * usable / epoch)
    compared = compare and half >= least
    return Length(epochs=min(most, half if compared else possible), compared=compared)


def least_epochs(recipe: Recipe) -> int:
    """Epochs without which a recipe is none: its warm-up has to end."""
    return max(2, math.floor(recipe.warmup_epochs) + 1)


def larger_epochs(seconds: float, epochs: int, epoch: float) -> int:
    """Epochs of the larger network's training: as many as the answer's, or half at least; 0 where time lacks.

    Args:
        seconds: that are left.
        epochs: of the answer.
        epoch: seconds of one of the larger network.
    """
    possible = min(epochs, int(SAFE * seconds / epoch))
    return possible if 2 * possible >= epochs and possible >= 2 else 0


class _EnoughSteps(BaseException):
    """All steps are timed."""


class _Clock(Quiet):
    """Times steps after the first, and then ends the training."""

    def __init__(self, device: torch.device) -> None:
        self.seconds: list[float] = []
        self._device, self._before = device, 0.0

    def step(self, engine: Trainer) -> None:
        """Note the time."""
        synchronize(self._device)
        now = time.perf_counter()
        if engine.step > 1:
            self.seconds.append(now - self._before)
        self._before = now
        if len(self.seconds) >= _TIMED:
            raise _EnoughSteps
