"""The plan of a study: which trainings, how long, and how many seconds they will take. Pure: speeds are handed in."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from triscale.costs import Target
from triscale.recipes import Recipe
from triscale.scaling import PAPER, parse_coefficients
from triscale.search.coefficients.baselines import Baseline, baseline_of
from triscale.search.coefficients.candidates import Candidate, corners, with_transferred
from triscale.search.coefficients.equal_cost import MACS, EqualCost
from triscale.search.coefficients.family import steps
from triscale.search.coefficients.lattice import LATTICE
from triscale.search.coefficients.rivals import rivals_of
from triscale.search.decisions.rounds import LEADERS
from triscale.search.planning.agenda import agenda
from triscale.search.planning.training_length import length, need_of, too_short
from triscale.search.studies.question import Question
from triscale.search.trainings.shared_terms import Training
from triscale.spec import AnyNetwork, Size
from triscale.trials.pilot_records import PilotRecord
from triscale.trials.study_records import PlanRecord

SecondsPerPicture = Callable[[AnyNetwork], float]

TRAININGS_A_POINT = 2
"""Trainings of candidates for each point of the lattice, where neither their number nor a time is given."""

_ANY_EPOCHS = 100
"""Epochs of an agenda whose length is not known yet."""

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
        train_size: training images (validation not included).
        seeds: the seeds, in order; the first is used for every candidate.
        search: trainings of candidates.
        target: counted cost of a candidate over the baseline's.
        trainings: how many there will be at most, which depends a little on what is found.
        predicted_seconds: of all trainings on the given number of workers, with evaluation.
        transferred: id of the candidate that coefficients from another cost give.
        pilot: what was learned of the baseline before; None where the length of a training is given.
        distinct: networks of the target cost that the candidates were taken from.
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
    transferred: str | None = None
    pilot: PilotRecord | None = None
    distinct: int | None = None

    def record(self, question: Question, native: tuple[int, int] | None, cost: EqualCost = MACS) -> PlanRecord:
        """For the store; `native` is the size of the original images."""
        return PlanRecord(
            baseline=self.baseline.record(native, cost),
            candidates=tuple(candidate.record(native, cost) for candidate in self.candidates),
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
            transferred=self.transferred,
            trainings=self.trainings,
            predicted_seconds=round(self.predicted_seconds),
            recipe=self.recipe,
            pilot=self.pilot,
            distinct=self.distinct,
            cost=question.cost,
        )

    def remarks(self, validation: int) -> list[str]:
        """What a user should know before it begins: what the baseline needs, and what the validation cannot show.

        Args:
            validation: its images.
        """
        found = [] if (text := self._coarse()) is None else [text]
        found += [] if self.pilot is None else [_pilot_text(self.pilot, self.train_size * self.recipe.epochs)]
        if validation < ENOUGH_IMAGES:
            found.append(
                f"{validation:,} validation images cannot distinguish {100 * TOLD_APART:g} points in one "
                f"training each; {ENOUGH_IMAGES:,} can"
            )
        return found

    def _coarse(self) -> str | None:
        """Where no network of the baseline stands near a point of the lattice; foreign code has no triangle to fill."""
        missing = [name for name in LATTICE if name not in {one.lattice for one in self.candidates}]
        if not missing or len(self.candidates) < len(LATTICE) or self.baseline.cell is None or self.distinct is None:
            return None
        return (
            f"the baseline rounds coarsely: none of {self.distinct:,} distinct networks of {self.target:g} times its "
            f"cost lies near {', '.join(missing)}; one with more repeats a stage or a smaller channel divisor has more "
            "(the finenet ones)"
        )


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
    cost: EqualCost = MACS,
) -> StudyPlan:
    """Candidates, lengths and the predicted time.

    Where the question gives `time`, the epochs are sized to it; where even few epochs of all images take too long,
    fewer images are used, but never so few that a training has fewer steps than the baseline needs to settle; then
    fewer trainings of candidates, then fewer seeds, then the corners alone.

    Args:
        question: as it was given.
        baseline: its network, with as many classes as the data.
        pictures: how many there are for `train` and `validation`.
        speed: seconds of training an image takes in one worker.
        workers: trainings at a time.
        recipe: all but its epochs is kept.
        target: what the limits are held against, see `recipe_target`.
        native: size of the originals, beyond which no candidate goes unless the question says so.
        pilot: what the baseline needs; its seconds are taken from the time.
        cost: what candidates cost alike.

    Raises:
        InputError: the time is too short even for the smallest study, or there are fewer images than asked for.
    """
    ground = baseline_of(baseline, cost)
    phis, times = _phis(question, ground, target), 2.0**question.at_phi
    largest = None if question.enlarge else native
    every = ground.candidates(times, question.tolerance, question.candidates, largest)
    moved = _transferred(question, ground, times)
    every = every if moved is None else with_transferred(every, moved)
    rivals = rivals_of(question.rival_names)
    need = need_of(question, pictures, pilot)
    for shape in _shapes(question, every):
        seeds = [question.seed + k for k in range(shape.seeds)]
        trainings = agenda(
            baseline, shape.candidates, phis, seeds, _ANY_EPOCHS, shape.search, at_phi=question.at_phi, rivals=rivals
        )
        per_sample = _seconds_per_sample(trainings, _ANY_EPOCHS, speed) / workers
        size, epochs = length(question, need, per_sample, recipe.epochs)
        seconds = per_sample * (size + need.evaluated) * epochs
        if need.time is None or (need.is_met(size, epochs, need.usual) and seconds <= need.time):
            break
    if need.time is not None and not (need.is_met(size, epochs, need.least, sure=True) and seconds <= need.most):
        raise too_short(question, need, per_sample)
    return StudyPlan(
        baseline=ground.itself(), candidates=shape.candidates, phis=phis, train_size=size, seeds=seeds,
        recipe=replace(recipe, epochs=epochs), search=shape.search, target=times, trainings=len(trainings),
        predicted_seconds=seconds, pilot=pilot,
        distinct=ground.distinct(times, question.tolerance, largest),
        transferred=moved.id if moved is not None and moved.id in {one.id for one in shape.candidates} else None,
    )  # fmt: skip


def _transferred(question: Question, ground: Baseline, cost: float) -> Candidate | None:
    if question.transfer is None:
        return None
    return ground.transferred(parse_coefficients(question.transfer), cost, question.tolerance)


class _Shape(NamedTuple):
    """How much a study looks at: candidates, trainings of them, and seeds."""

    candidates: Sequence[Candidate]
    search: int
    seeds: int


def _shapes(question: Question, every: Sequence[Candidate]) -> Iterator[_Shape]:
    """From what the question wants down to one training of each corner, for as long as the time is too short."""
    lattice = sum(one.lattice is not None for one in every) or len(every)
    most = len(every) * question.seeds
    search = min(question.trainings or TRAININGS_A_POINT * lattice, most)
    least = search if question.trainings else min(lattice, search)
    for fewer in range(search, least - 1, -1):
        yield _Shape(every, fewer, question.seeds)
    for seeds in range(question.seeds - 1, 0, -1):
        yield _Shape(every, min(least, len(every) * seeds), seeds)
    alone = list(corners(every).values())
    if alone and question.trainings is None:
        yield _Shape(alone, len(alone), 1)


def _phis(question: Question, ground: Baseline, target: Target) -> list[float]:
    """The phis of the family; with a budget the paper's coefficients stand in until those of the study are known."""
    phi = question.phi
    if question.budget:
        phi, _ = ground.largest(question.budget, PAPER, target)
    return steps(phi, question.at_phi) if phi > 0 else [phi]


def _seconds_per_sample(trainings: Sequence[Training], epochs: int, speed: SecondsPerPicture) -> float:
    """Seconds that all trainings of the study take for each sample of one of `epochs` epochs, on one worker."""
    return sum(speed(one.network) * one.epochs for one in trainings) / epochs
