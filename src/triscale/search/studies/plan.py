"""The plan of a study: which trainings, how long, and how many seconds they will take. Pure: speeds are handed in."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from triscale.costs import Target
from triscale.errors import InputError
from triscale.recipes import Recipe
from triscale.scaling import PAPER
from triscale.search.coefficients.baselines import Baseline, baseline_of
from triscale.search.coefficients.candidates import Candidate
from triscale.search.coefficients.family import steps
from triscale.search.coefficients.rivals import rivals_of
from triscale.search.decisions.rounds import LEADERS
from triscale.search.studies.agenda import Training, agenda
from triscale.search.studies.question import Question
from triscale.spec import AnyNetwork, Size
from triscale.trials.study_records import PlanRecord

SecondsPerPicture = Callable[[AnyNetwork], float]

EVALUATION = 1 / 3
"""A forward pass takes about a third of a training step."""

_LEAST_EPOCHS, _MOST_EPOCHS = 5, 30
_LEAST_SAMPLES = 2_000
TRAININGS_A_POINT = 2
"""Trainings of candidates for each point of the lattice, where neither their number nor a time is given."""

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
        search: trainings of candidates.
        target: counted cost of a candidate over the baseline's.
        trainings: how many there will be at most, which depends a little on what is found.
        predicted_seconds: of all trainings on the given number of workers, with evaluation.
    """

    baseline: Candidate
    candidates: Sequence[Candidate]
    phis: Sequence[float]
    train_size: int
    seeds: Sequence[int]
    recipe: Recipe
    search: int
    target: float
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
            target=self.target,
            round=question.round,
            search=self.search,
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
    native: Size | None = None,
) -> StudyPlan:
    """Candidates, lengths and the predicted time.

    Where the question gives `time`, the epochs are sized to it; where even few epochs of all pictures take too long,
    fewer pictures are used; where those get too few, fewer trainings of candidates, then fewer seeds, then the corners
    alone.

    Args:
        question: what was asked.
        baseline: its network, with as many classes as the data.
        pictures: how many there are for `train` and `validation`.
        speed: seconds of training a picture takes in one worker.
        workers: trainings at a time.
        recipe: all but its epochs is kept.
        target: what the limits are held against, see `study_target`.
        native: size of the originals, beyond which no candidate goes unless the question says so.

    Raises:
        InputError: the time is too short even for the smallest study, or there are fewer pictures than asked for.
    """
    ground = baseline_of(baseline)
    phis, cost = _phis(question, ground, target), 2.0**question.at_phi
    available, evaluated = pictures["train"], EVALUATION * pictures["validation"]
    largest = None if question.enlarge else native
    every = ground.candidates(cost, question.tolerance, question.candidates, largest)
    rivals = rivals_of(question.rival_names)
    for shape in _shapes(question, every):
        seeds = [question.seed + k for k in range(shape.seeds)]
        trainings = agenda(
            baseline, shape.candidates, phis, seeds, _ANY_EPOCHS, shape.search, at_phi=question.at_phi, rivals=rivals
        )
        per_sample = _seconds_per_sample(trainings, _ANY_EPOCHS, speed) / workers
        size, epochs = _length(question, available, per_sample, evaluated, recipe.epochs)
        if question.time is None or question.train_size is not None or size >= min(_LEAST_SAMPLES, available):
            break
    seconds = per_sample * (size + evaluated) * epochs
    least = min(question.train_size or _LEAST_SAMPLES // 4, available)
    if question.time is not None and (seconds > 1.5 * question.time or size < least):
        need = per_sample * (least + evaluated) * (question.epochs or _LEAST_EPOCHS)
        raise InputError(
            f"{question.time:.0f} s are too short for this study.\n"
            f"Give --time {math.ceil(need / 60)}m or more, or a smaller baseline or phi."
        )
    return StudyPlan(
        baseline=ground.itself(), candidates=shape.candidates, phis=phis, train_size=size, seeds=seeds,
        recipe=replace(recipe, epochs=epochs), search=shape.search, target=cost, trainings=len(trainings),
        predicted_seconds=seconds,
    )  # fmt: skip


class _Shape(NamedTuple):
    """How much a study looks at: candidates, trainings of them, and seeds."""

    candidates: Sequence[Candidate]
    search: int
    seeds: int


def _shapes(question: Question, every: Sequence[Candidate]) -> Iterator[_Shape]:
    """From what is asked for down to one training of each corner, for as long as the time is too short."""
    lattice = sum(one.lattice is not None for one in every) or len(every)
    most = len(every) * question.seeds
    search = min(question.trainings or TRAININGS_A_POINT * lattice, most)
    least = search if question.trainings else min(lattice, search)
    for fewer in range(search, least - 1, -1):
        yield _Shape(every, fewer, question.seeds)
    for seeds in range(question.seeds - 1, 0, -1):
        yield _Shape(every, min(least, len(every) * seeds), seeds)
    corners = [one for one in every if one.rule != "grid"]
    if corners and question.trainings is None:
        yield _Shape(corners, len(corners), 1)


def _phis(question: Question, ground: Baseline, target: Target) -> list[float]:
    """The phis of the family; with a budget the paper's coefficients stand in until those of the study are known."""
    phi = question.phi
    if question.budget:
        phi, _ = ground.largest(question.budget, PAPER, target)
    return steps(phi, question.at_phi) if phi > 0 else [phi]


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
