"""The surface over the triangle that the trials of a study give."""

import math

import numpy as np
from numpy.typing import NDArray

from triscale.search.coefficients.shares import Shares
from triscale.search.coefficients.triangle.evidence import Place, Result
from triscale.search.coefficients.triangle.surface import Surface, surface, why_no_surface
from triscale.search.coefficients.triangle.surface_prior import PRIOR, with_slope
from triscale.spec import content_hash
from triscale.trials import VALIDATION, Stored, Trial
from triscale.trials.study_records import PlanRecord


def places_of(plan: PlanRecord) -> list[Place]:
    """The candidates, as places of the triangle."""
    return [
        Place(
            id=one.id, shares=Shares(one.shares.depth, one.shares.width, one.shares.resolution),
            log_cost=math.log2(one.ratio / plan.target), resampled=one.resampled, within=one.within,
        )
        for one in plan.candidates
        if one.shares is not None
    ]  # fmt: skip


def results_of(stored: Stored, plan: PlanRecord, images: int) -> list[Result]:
    """The trainings of the plan's length that are done and paired, the baseline's too.

    Args:
        stored: the store of the study.
        plan: of the study.
        images: of the validation.
    """
    return [
        Result(id=content_hash(one.network), seed=one.seed, accuracy=one.metrics[VALIDATION], right=_right(one, images))
        for one in stored
        if one.state == "done" and one.paired and one.epochs == plan.epochs and VALIDATION in one.metrics
    ]


def surface_of(stored: Stored, plan: PlanRecord, images: int) -> Surface | str:
    """The surface, or why there is none, in words."""
    places, results = places_of(plan), results_of(stored, plan, images)
    own = {one.id for one in places}
    larger = [one for one in results if one.id in own]
    why = why_no_surface(places, larger)
    if why is not None:
        return why
    baseline = [one for one in results if one.id == plan.baseline.id]
    prior = with_slope(PRIOR, baseline, larger, math.log2(plan.target))
    return surface(places, [*larger, *baseline], prior)


def _right(trial: Trial, images: int) -> NDArray[np.bool_] | None:
    if trial.right is None:
        return None
    bits = np.unpackbits(np.frombuffer(trial.right, np.uint8))
    return bits[:images].astype(np.bool_)
