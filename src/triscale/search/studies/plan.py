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
from triscale.trials.pilot_records import PilotRecord
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

_SAFE = 1.05
"""Of a time that is proposed: timed anew, a machine may be a little slower."""

TOLD_APART = 0.05
"""A difference of accuracies that a validation should be able to show."""

ENOUGH_IMAGES = math.ceil(2 * 0.25 * (1.96 / TOLD_APART) ** 2)
"""Validation images with which it can, in one training each; no accuracy has a larger sampling error than a half."""


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
        pilot: what was learned of the baseline before; None where the length of a training is given.
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
    pilot: PilotRecord | None = None

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
            pilot=self.pilot,
        )

    def remarks(self, validation: int) -> list[str]:
        """What a user should know before it begins: what the baseline needs, and what the validation cannot show.

        Args:
            validation: its images.
        """
        found = [] if self.pilot is None else [_pilot_text(self.pilot, self.train_size * self.recipe.epochs)]
        if validation < ENOUGH_IMAGES:
            found.append(
                f"{validation:,} validation images cannot tell {100 * TOLD_APART:g} points apart in one training each; "
                f"{ENOUGH_IMAGES:,} can"
            )
        return found


def _pilot_text(pilot: PilotRecord, samples: int) -> str:
    chosen = f"each training has {samples // pilot.batch:,}"
    if pilot.leaves is None:
        return (
            f"the baseline is no better than guessing after {pilot.needed:,} steps; {chosen}: give more --time, "
            "or easier images or another recipe"
        )
    leaves = f"the baseline leaves chance within {pilot.leaves:,} steps"
    settles = f"settles within {pilot.settles:,}" if pilot.settles else f"has not settled after {pilot.needed:,}"
    return f"{leaves} and {settles}; {chosen}"


def make_plan(
    question: Question,
    baseline: AnyNetwork,
    pictures: Mapping[str, int],
    speed: SecondsPerPicture,
    workers: int,
    recipe: Recipe,
    target: Target,
    native: Size | None = None,
    pilot: PilotRecord | None = None,
) -> StudyPlan:
    """Candidates, lengths and the predicted time.

    Where the question gives `time`, the epochs are sized to it; where even few epochs of all pictures take too long,
    fewer pictures are used, but never so few that a training has fewer steps than the baseline needs to settle; then
    fewer trainings of candidates, then fewer seeds, then the corners alone.

    Args:
        question: what was asked.
        baseline: its network, with as many classes as the data.
        pictures: how many there are for `train` and `validation`.
        speed: seconds of training a picture takes in one worker.
        workers: trainings at a time.
        recipe: all but its epochs is kept.
        target: what the limits are held against, see `study_target`.
        native: size of the originals, beyond which no candidate goes unless the question says so.
        pilot: what the baseline needs; its seconds are taken from the time.

    Raises:
        InputError: the time is too short even for the smallest study, or there are fewer pictures than asked for.
    """
    ground = baseline_of(baseline)
    phis, cost = _phis(question, ground, target), 2.0**question.at_phi
    largest = None if question.enlarge else native
    every = ground.candidates(cost, question.tolerance, question.candidates, largest)
    rivals = rivals_of(question.rival_names)
    need = _need(question, pictures, pilot)
    for shape in _shapes(question, every):
        seeds = [question.seed + k for k in range(shape.seeds)]
        trainings = agenda(
            baseline, shape.candidates, phis, seeds, _ANY_EPOCHS, shape.search, at_phi=question.at_phi, rivals=rivals
        )
        per_sample = _seconds_per_sample(trainings, _ANY_EPOCHS, speed) / workers
        size, epochs = _length(question, need, per_sample, recipe.epochs)
        seconds = per_sample * (size + need.evaluated) * epochs
        if need.time is None or (need.is_met(size, epochs, need.usual) and seconds <= need.time):
            break
    if need.time is not None and not (need.is_met(size, epochs, need.least, sure=True) and seconds <= need.most):
        raise _too_short(question, need, per_sample)
    return StudyPlan(
        baseline=ground.itself(), candidates=shape.candidates, phis=phis, train_size=size, seeds=seeds,
        recipe=replace(recipe, epochs=epochs), search=shape.search, target=cost, trainings=len(trainings),
        predicted_seconds=seconds,
        pilot=pilot,
    )  # fmt: skip


class _Need(NamedTuple):
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


def _need(question: Question, pictures: Mapping[str, int], pilot: PilotRecord | None) -> _Need:
    available = pictures["train"]
    given = question.train_size
    usual, least = (min(given or some, available) for some in (_LEAST_SAMPLES, _LEAST_SAMPLES // 4))
    spent = pilot.seconds if pilot else 0.0
    left = None if question.time is None else max(1.0, question.time - spent)
    most = question.epochs * (given or available) if question.epochs else math.inf
    return _Need(
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


def _too_short(question: Question, need: _Need, per_sample: float) -> InputError:
    """With a time that is long enough for the smallest study."""
    epochs = question.epochs or max(_LEAST_EPOCHS, math.ceil(need.demanded / need.available))
    size = max(need.least, math.ceil(need.demanded / epochs))
    seconds = _SAFE * per_sample * (size + need.evaluated) * epochs + need.pilot
    settles = f" (the baseline needs {need.demanded:,} images to settle)" if need.demanded else ""
    return InputError(
        f"{question.time:.0f} s are too short for this study{settles}.\n"
        f"Give --time {math.ceil(seconds / 60)}m or more, or a smaller baseline or phi."
    )


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


def _length(question: Question, need: _Need, per_sample: float, usual: int) -> tuple[int, int]:
    """(training pictures, epochs); the samples' worth of validation come on top of each epoch."""
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


def _seconds_per_sample(trainings: Sequence[Training], epochs: int, speed: SecondsPerPicture) -> float:
    """Seconds that all trainings of the study take for each sample of one of `epochs` epochs, on one worker."""
    return sum(speed(one.network) * one.epochs for one in trainings) / epochs
