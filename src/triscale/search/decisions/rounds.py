"""The rounds of a search: which candidates are trained next.

A round depends on the trials of the rounds before it alone, never on how many workers there are.
"""

from collections.abc import Sequence
from itertools import product
from statistics import mean

from triscale.search.coefficients.triangle.acquisition import is_small, next_round
from triscale.search.coefficients.triangle.optimum import optimum
from triscale.search.decisions.study_surface import surface_of
from triscale.search.decisions.trial_scores import scores_of
from triscale.trials import VALIDATION, Stored
from triscale.trials.study_records import PlanRecord, RoundRecord
from triscale.trials.surface_records import AskedRecord

LEADERS = 3
"""Where means decide, candidates that get further seeds."""

Pair = tuple[str, int]
"""Id of a network, and a seed."""


def next_asked(stored: Stored, plan: PlanRecord, images: int) -> RoundRecord | None:
    """The next round; None once the search has had its trainings, or the region of the best is small.

    Args:
        stored: the store of a study, all trainings of its rounds done or failed.
        plan: of the study.
        images: of the validation.
    """
    taken = {(one.id, one.seed) for asked in stored.all(RoundRecord) for one in asked.trainings}
    options = [(one.id, seed) for seed, one in product(plan.seeds, plan.candidates) if (one.id, seed) not in taken]
    left = plan.search - len(taken)
    if left <= 0 or not options:
        return None
    if left >= len(options):
        return _round("all", options)
    if not taken:
        lattice = [(one.id, plan.seeds[0]) for one in plan.candidates if one.lattice is not None]
        return _round("lattice", (lattice or options)[:left])
    return _informed(stored, plan, images, taken, options, min(plan.round, left))


def _informed(
    stored: Stored, plan: PlanRecord, images: int, taken: set[Pair], options: Sequence[Pair], size: int
) -> RoundRecord | None:
    found = surface_of(stored, plan, images)
    if isinstance(found, str):
        return _round("means", _of_the_best(stored, plan, options)[:size])
    if is_small(found, optimum(found)):
        return None
    return _round("gain", [(one.id, one.seed) for one in next_round(found, size, plan.seeds, taken)])


def _of_the_best(stored: Stored, plan: PlanRecord, options: Sequence[Pair]) -> list[Pair]:
    """What is left of the leaders in the order of seeds, then of the others; all of the first seed come first."""
    first = [one for one in options if one[1] == plan.seeds[0]]
    scores = scores_of(stored, VALIDATION, plan.epochs)
    within = [one.id for one in plan.candidates if one.within and one.id in scores]
    leaders = sorted(within, key=lambda one: -mean(scores[one].values()))[:LEADERS]
    further = [one for one in options if one[0] in leaders and one not in first]
    return [*first, *further, *(one for one in options if one not in first and one not in further)]


def _round(why: str, trainings: Sequence[Pair]) -> RoundRecord | None:
    asked = tuple(AskedRecord(id=one, seed=seed) for one, seed in trainings)
    return RoundRecord(why=why, trainings=asked) if asked else None
