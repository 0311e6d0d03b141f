"""How long the trainings of a study are: sized to a time, and to what the baseline needs."""

import math
from collections.abc import Mapping
from typing import NamedTuple

from triscale.errors import InputError
from triscale.search.studies.question import Question
from triscale.trials.pilot_records import PilotRecord

EVALUATION = 1 / 3
"""A forward pass takes about a third of a training step."""

_LEAST_EPOCHS, _MOST_EPOCHS = 5, 30
_LEAST_SAMPLES = 2_000

_SAFE = 1.05
"""Of a time that is proposed: timed again, a machine may be a little slower."""


class Need(NamedTuple):
    """What a training must have, and what there is.

    Attributes:
        available: training images.
        evaluated: samples' worth of the validation, on top of each epoch.
        usual, least: training images that a study has if it can, and at the very least.
        samples: that a training should see for the baseline to settle.
        sure: whether the baseline was seen to settle; otherwise nothing says that more time would be enough.
        time: seconds for all trainings; None: any.
        most: seconds above which the smallest study takes too long.
        pilot: seconds that were spent before.
    """

    available: int
    evaluated: float
    usual: int
    least: int
    samples: int
    sure: bool
    time: float | None
    most: float
    pilot: float

    @property
    def demanded(self) -> int:
        """Samples without which there is no study."""
        return self.samples if self.sure else 0

    def is_met(self, size: int, epochs: int, least: int, *, sure: bool = False) -> bool:
        """By trainings of so many epochs of so many images, `least` of them at least; `sure`: as far as is demanded."""
        return size >= least and size * epochs >= (self.demanded if sure else self.samples)


def need_of(question: Question, pictures: Mapping[str, int], pilot: PilotRecord | None) -> Need:
    """Of a question, with what the pilot of its baseline showed."""
    available = pictures["train"]
    given = question.train_size
    usual, least = (min(given or some, available) for some in (_LEAST_SAMPLES, _LEAST_SAMPLES // 4))
    spent = pilot.seconds if pilot else 0.0
    left = None if question.time is None else max(1.0, question.time - spent)
    most = question.epochs * (given or available) if question.epochs else math.inf
    return Need(
        available=available,
        evaluated=EVALUATION * pictures["validation"],
        usual=usual,
        least=least,
        samples=int(min(pilot.needed * pilot.batch, most)) if pilot else 0,
        sure=pilot is not None and pilot.settles is not None,
        time=left,
        most=0.0 if question.time is None else 1.5 * question.time - spent,
        pilot=spent,
    )


def too_short(question: Question, need: Need, per_sample: float) -> InputError:
    """With a time that is long enough for the smallest study."""
    epochs = question.epochs or max(_LEAST_EPOCHS, math.ceil(need.demanded / need.available))
    size = max(need.least, math.ceil(need.demanded / epochs))
    seconds = _SAFE * per_sample * (size + need.evaluated) * epochs + need.pilot
    settles = f" (the baseline needs {need.demanded:,} images to settle)" if need.demanded else ""
    return InputError(
        f"{question.time:.0f} s are too short for this study{settles}.\n"
        f"Give --time {math.ceil(seconds / 60)}m or more, or a smaller baseline or phi."
    )


def length(question: Question, need: Need, per_sample: float, usual: int) -> tuple[int, int]:
    """(training images, epochs); the samples' worth of validation come on top of each epoch."""
    size = min(question.train_size or need.available, need.available)
    if need.time is None:
        return size, question.epochs or usual
    samples = need.time / per_sample
    epochs = question.epochs or min(
        max(_MOST_EPOCHS, math.ceil(need.samples / size)), int(samples / (size + need.evaluated))
    )
    if question.train_size is not None or (question.epochs is None and epochs >= _LEAST_EPOCHS):
        return size, max(2, epochs)
    epochs = question.epochs or _LEAST_EPOCHS
    return min(size, max(1, int(samples / epochs - need.evaluated))), epochs
