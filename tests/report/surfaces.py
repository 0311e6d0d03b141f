"""Surfaces over the scaling triangle, made by hand: what they expect is a formula, so that an image can be checked."""

from collections.abc import Callable, Iterable, Mapping
from math import exp, log2

import msgspec

from tests.report import sample
from triscale.report.triangle.view import View
from triscale.trials.study_records import CandidateRecord, ChoiceRecord, PlanRecord
from triscale.trials.surface_records import ContourRecord, PlaceRecord, SharesRecord, SurfaceRecord, WithinRecord
from triscale.trials.triangle_words import DIMENSIONS

Formula = Callable[[SharesRecord], float]
BEST = SharesRecord(depth=0.1, width=0.35, resolution=0.55)
SEEDS = {(8, 0): 1, (0, 8): 1, (0, 0): 1, (4, 0): 1, (0, 4): 1, (4, 4): 2, (3, 4): 5, (2, 3): 3, (3, 2): 1}
"""Seeds of the trained networks of `surface`, by their eighths of width and resolution."""

PAPER = "2-3"


def quadratic(shares: SharesRecord) -> float:
    """Best at `BEST`; 6 points below it in the corner of depth."""
    away = (
        (shares.depth - BEST.depth) ** 2 + (shares.width - BEST.width) ** 2 + (shares.resolution - BEST.resolution) ** 2
    )
    return 0.648 - 0.05 * away


def linear(shares: SharesRecord) -> float:
    """60 % by depth alone, 64 % by width alone, 66 % by resolution alone."""
    return 0.60 * shares.depth + 0.64 * shares.width + 0.66 * shares.resolution


def contour(formula: Formula, side: int = 12) -> tuple[ContourRecord, ...]:
    return tuple(
        ContourRecord(shares=at(i, j, side), expected=formula(at(i, j, side)), sd=0.004)
        for i in range(side + 1)
        for j in range(side + 1 - i)
    )


def at(width: int, resolution: int, side: int) -> SharesRecord:
    return SharesRecord(depth=(side - width - resolution) / side, width=width / side, resolution=resolution / side)


def surface(
    formula: Formula = quadratic,
    shares: Mapping[str, SharesRecord] | None = None,
    seeds: Mapping[str, int] | None = None,
    contours: Iterable[ContourRecord] | None = None,
) -> SurfaceRecord:
    """A network at each of 45 points of the triangle, or at the given ones; region: within half a point of the best."""
    known = shares or {f"{i}-{j}": at(i, j, 8) for i in range(9) for j in range(9 - i)}
    trained = {f"{i}-{j}": n for (i, j), n in SEEDS.items()} if seeds is None else seeds
    top = max(map(formula, known.values()))
    likely = {id_: exp(-500 * (top - formula(one))) for id_, one in known.items()}
    places = [
        PlaceRecord(
            id=id_, shares=one, n=trained.get(id_, 0), mean=formula(one) + 0.001 if trained.get(id_) else None,
            expected=formula(one), interval=(formula(one) - 0.012, formula(one) + 0.012),
            best=likely[id_] / sum(likely.values()), in_region=top - formula(one) <= 0.005,
        )
        for id_, one in known.items()
    ]  # fmt: skip
    places.sort(key=lambda one: -one.expected)
    return SurfaceRecord(
        places=tuple(places), contour=tuple(contour(formula) if contours is None else contours), chosen=places[0].id,
        area=sum(one.in_region for one in places) / len(places),
        within_half_a_point=WithinRecord(depth=0.01, width=0.22, resolution=0.18, paper=0.64),
        smallest_difference=0.011, seed_sd=0.008, seed_freedom=7, image_sd=0.004, cost_slope=0.02, cost_slope_sd=0.01,
        resampling=-0.003, resampling_sd=0.005, prior={"linear": 3.0},
    )  # fmt: skip


def seen(found: SurfaceRecord, *, paper: str | None = PAPER, name: str = "finenet_32") -> View:
    return View(surface=found, baseline=name, times=2.0, chosen=found.chosen, paper=paper, sizes={})


def studied(formula: Formula = quadratic) -> sample.Study:
    """The synthetic study, whose choice rests on a surface over its candidates."""
    found = sample.study()
    plan = found.one(PlanRecord)
    candidates = [msgspec.structs.replace(one, shares=_shares(one)) for one in plan.candidates]
    candidates[0] = msgspec.structs.replace(candidates[0], lattice="paper")
    shares = {one.id: one.shares for one in candidates if one.shares is not None}
    rests_on = surface(formula, shares, dict.fromkeys(list(shares)[1:], 2))
    return found.with_(PlanRecord, candidates=tuple(candidates)).with_(
        ChoiceRecord, surface=rests_on, chosen=rests_on.chosen
    )


def _shares(one: CandidateRecord) -> SharesRecord:
    """Of the factors, which is near enough for an image."""
    parts = (log2(one.factors.depth), 2 * log2(one.factors.width), 2 * log2(one.factors.resolution))
    return SharesRecord(**{name: part / sum(parts) for name, part in zip(DIMENSIONS, parts, strict=True)})
