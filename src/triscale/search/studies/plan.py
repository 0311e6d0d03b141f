"""The plan of a study: which trainings, how long, and how many seconds they will take. Pure: speeds are handed in."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from triscale.costs import Target
from triscale.errors import InputError
from triscale.recipes import Recipe
from triscale.scaling import PAPER
from triscale.search.coefficients.baselines import Baseline, baseline_of
from triscale.search.coefficients.candidates import TARGET, Candidate
from triscale.search.coefficients.family import steps
from triscale.search.studies.agenda import LEADERS, Training, agenda
from triscale.search.studies.question import Question
from triscale.spec import AnyNetwork
from triscale.trials.study_records import PlanRecord

SecondsPerPicture = Callable[[AnyNetwork], float]

EVALUATION = 1 / 3
"""A forward pass takes about a third of a training step."""

_LEAST_EPOCHS, _MOST_EPOCHS = 5, 30
_LEAST_SAMPLES = 2_000
_ANY_EPOCHS = 100
"""Epochs of an agenda whose length is not known yet."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StudyPlan:
    """What a study will do.

    Attributes:
        baseline, candidates: the networks of the search.
        phis: of the family.
        train_size: training pictures (validation not included).
        seeds: the seeds, in order; the first is used for every candidate.
        trainings: how many there will be, which depends a little on who leads.
        predicted_seconds: of all trainings on the given number of workers, with evaluation.
    """

    baseline: Candidate
    candidates: Sequence[Candidate]
    phis: Sequence[float]
    train_size: int
    seeds: Sequence[int]
    recipe: Recipe
    trainings: int
    predicted_seconds: float

    def record(self, question: Question, native: tuple[int, int] | None) -> PlanRecord:
        """For the store; `native` is the size of the original images."""
        return PlanRecord(
            baseline=self.baseline.record(native),
            candidates=tuple(candidate.record(native) for candidate in self.candidates),
            phi=self.phis[-1],
            phis=tuple(self.phis),
            epochs=self.recipe.epochs,
            batch=self.recipe.batch,
            train_size=self.train_size,
            seeds=tuple(self.seeds),
            leaders=LEADERS,
            tolerance=question.tolerance,
            trainings=self.trainings,
            predicted_seconds=round(self.predicted_seconds),
            recipe=self.recipe,
        )


def make_plan(
    question: Question,
    baseline: AnyNetwork,
    pictures: Mapping[str, int],
    speed: SecondsPerPicture,
    workers: int,
    recipe: Recipe,
    target: Target,
) -> StudyPlan:
    """Candidates, lengths and the predicted time.

    Where the question gives `time`, the epochs are sized to it; where even few epochs of all pictures take too long,
    fewer pictures are used, and where those get too few, fewer candidates.

    Args:
        question: what was asked.
        baseline: its network, with as many classes as the data.
        pictures: how many there are for `train` and `validation`.
        speed: seconds of training a picture takes in one worker.
        workers: trainings at a time.
        recipe: all but its epochs is kept.
        target: what the limits are held against, see `study_target`.

    Raises:
        InputError: the time is too short even for the smallest study, or there are fewer pictures than asked for.
    """
    ground = baseline_of(baseline)
    whole = ground.itself()
    phis = _phis(question, ground, target)
    wanted, available, evaluated = question.candidates, pictures["train"], EVALUATION * pictures["validation"]
    seeds = [question.seed + k for k in range(question.seeds)]
    every = ground.candidates(TARGET, question.tolerance, wanted)
    while True:
        chosen = every[:wanted]  # the farthest come first, so fewer candidates are a part of more
        trainings = agenda(baseline, chosen, phis, seeds, _ANY_EPOCHS)
        per_sample = _seconds_per_sample(trainings, _ANY_EPOCHS, speed) / workers
        size, epochs = _length(question, available, per_sample, evaluated, recipe.epochs)
        if question.time is None or question.train_size is not None or size >= _LEAST_SAMPLES or size == available:
            break
        if wanted <= 5:
            break
        wanted -= 1
    seconds = per_sample * (size + evaluated) * epochs
    least = min(question.train_size or _LEAST_SAMPLES // 4, available)
    if question.time is not None and (seconds > 1.5 * question.time or size < least):
        need = per_sample * (least + evaluated) * (question.epochs or _LEAST_EPOCHS)
        raise InputError(
            f"{question.time:.0f} s are too short for this study.\n"
            f"Give --time {math.ceil(need / 60)}m or more, or a smaller baseline or phi."
        )
    return StudyPlan(
        baseline=whole,
        candidates=chosen,
        phis=phis,
        train_size=size,
        seeds=seeds,
        recipe=replace(recipe, epochs=epochs),
        trainings=len(trainings),
        predicted_seconds=seconds,
    )


def _phis(question: Question, ground: Baseline, target: Target) -> list[float]:
    """The phis of the family; with a budget the paper's coefficients stand in until those of the study are known."""
    phi = question.phi
    if question.budget:
        phi, _ = ground.largest(question.budget, PAPER, target)
    return steps(phi) if phi > 0 else [phi]


def _length(question: Question, available: int, per_sample: float, evaluated: float, usual: int) -> tuple[int, int]:
    """(training pictures, epochs); `evaluated` samples' worth of validation come on top of each epoch."""
    size = min(question.train_size or available, available)
    if question.time is None:
        return size, question.epochs or usual
    samples = question.time / per_sample
    epochs = question.epochs or min(_MOST_EPOCHS, int(samples / (size + evaluated)))
    if question.train_size is not None or (question.epochs is None and epochs >= _LEAST_EPOCHS):
        return size, max(2, epochs)
    epochs = question.epochs or _LEAST_EPOCHS
    return min(size, max(1, int(samples / epochs - evaluated))), epochs


def _seconds_per_sample(trainings: Sequence[Training], epochs: int, speed: SecondsPerPicture) -> float:
    """Seconds that all trainings of the study take for each sample of one of `epochs` epochs, on one worker."""
    return sum(speed(one.network) * one.epochs for one in trainings) / epochs
