"""Worlds to try a rule in: networks on the triangle, what they are truly worth, and what trainings show of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from triscale import trials
from triscale.search.coefficients.shares import PAPER_SHARES, Shares
from triscale.search.coefficients.triangle.evidence import Matrix, Place, Result, Vector
from triscale.search.coefficients.triangle.posterior import NONE, joined
from triscale.search.coefficients.triangle.surface import Surface, networks, surface
from triscale.search.coefficients.triangle.surface_prior import PRIOR, Prior, with_slope
from triscale.search.decisions.trial_scores import scores_of
from triscale.trials.study_records import PlanRecord

SIDE = 12
SEEDS = 24
CORNERS = np.eye(3)
CENTROID = np.full(3, 1 / 3)
LATTICE = np.array([*CORNERS, (0.5, 0.5, 0.0), (0.5, 0.0, 0.5), (0.0, 0.5, 0.5), CENTROID, PAPER_SHARES])
"""What a study begins with: the corners, the middles of the edges, the centroid, the paper's point."""

Trained = Sequence[tuple[int, int]]
"""Trainings as (place, seed)."""


@dataclass(frozen=True, kw_only=True, eq=False)
class World:
    """One truth and all trainings that could be made in it; points (hundredths of accuracy).

    Attributes:
        places: what can be built, with the shares that a study believes.
        smooth: (places,) the surface where each truly lies, at the cost asked for.
        shown: (places, seeds) what each training would show.
        prior: what a study believes beforehand.
    """

    places: tuple[Place, ...]
    smooth: Vector
    shown: Matrix
    prior: Prior = PRIOR

    @cached_property
    def shares(self) -> Matrix:
        """(places, 3) as a study believes them."""
        return np.array([one.shares for one in self.places])

    def results(self, trained: Trained) -> list[Result]:
        """Of some trainings."""
        return [
            Result(id=self.places[at].id, seed=seed, accuracy=float(self.shown[at, seed]) / 100) for at, seed in trained
        ]

    def nearest(self, points: Matrix) -> list[int]:
        """For each of (k, 3) points the nearest place that none of them has yet."""
        found: list[int] = []
        for point in points:
            apart = np.sum((self.shares - point) ** 2, axis=1)
            apart[found] = np.inf
            found.append(int(np.argmin(apart)))
        return found

    def regret(self, place: int) -> float:
        """How far a place truly lies below the best, in points."""
        return float(self.smooth.max() - self.smooth[place])


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """How random worlds are drawn; standard deviations in points.

    Attributes:
        noise: of a training.
        span: of the surface, best less worst.
        bend: of its products of two shares, over its linear part.
        own: of what a network has that its neighbours have not.
        bumps: of a smooth deviation from the quadratic.
        jitter: of the shares that a study believes.
        edge: whether the optimum lies on an edge.
        slope: points a doubling of cost; the prior believes 3 +- 1.5.
        seed_effect: of what all networks share in a seed.
        places: how many networks can be built.
    """

    noise: float = 1.0
    span: float = 5.0
    bend: float = 3.0
    own: float = 0.3
    bumps: float = 0.0
    jitter: float = 0.0
    edge: bool = False
    slope: float = 4.0
    seed_effect: float = 0.3
    places: int = 31

    def draw(self, number: int) -> World:
        """The world of a number."""
        random = np.random.default_rng(number)
        grid = np.array([(a, b, SIDE - a - b) for a in range(SIDE + 1) for b in range(SIDE + 1 - a)]) / SIDE
        smooth = self._surface(random, grid)
        first = World(places=_places(grid), smooth=smooth, shown=smooth[:, None]).nearest(LATTICE)
        rest = [at for at in random.permutation(len(grid)) if at not in first]
        kept = np.array(first + rest[: self.places - len(first)])
        log_cost = np.log2(random.uniform(1.94, 2.06, len(kept)) / 2)
        means = 50 + smooth[kept] + self.own * random.standard_normal(len(kept)) + self.slope * log_cost
        noise = self.noise * random.standard_normal((len(kept), SEEDS))
        shown = means[:, None] + noise + self.seed_effect * random.standard_normal(SEEDS)
        believed = np.abs(grid[kept] + self.jitter * random.standard_normal((len(kept), 3)))
        return World(places=_places(believed, log_cost), smooth=smooth[kept], shown=shown)

    def _surface(self, random: np.random.Generator, grid: Matrix) -> Vector:
        """A quadratic stretched to the span, and bumps."""
        depth, width, resolution = grid.T
        terms = np.stack([depth, width, resolution, depth * width, depth * resolution, width * resolution], axis=1)
        apart = np.sum((grid[:, None] - grid) ** 2, axis=2)
        root = np.linalg.cholesky(np.exp(-apart / (2 * 0.25**2)) + 1e-8 * np.eye(len(grid)))
        while True:
            found: Vector = terms @ (random.standard_normal(6) * ([1.0] * 3 + [self.bend] * 3))
            best = grid[np.argmax(found)]
            if not self.edge or (best.min() == 0 and best.max() < 1):
                return found * self.span / np.ptp(found) + self.bumps * root @ random.standard_normal(len(grid))


def _places(shares: Matrix, log_cost: Vector | None = None) -> tuple[Place, ...]:
    costs = np.zeros(len(shares)) if log_cost is None else log_cost
    return tuple(
        Place(id=f"n{number:03d}", shares=Shares(*map(float, row / row.sum())), log_cost=float(cost))
        for number, (row, cost) in enumerate(zip(shares, costs, strict=True))
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Table:
    """Worlds drawn from a table of trainings: the truth from the posterior on all of it, then new noise."""

    surface: Surface

    def draw(self, number: int) -> World:
        """The world of a number."""
        random = np.random.default_rng(number)
        fit, count = self.surface.fit, len(self.surface.places)
        moments = fit(joined(self.surface.points.but(place=NONE), networks(self.surface.places)))
        drawn = random.multivariate_normal(moments.mean, moments.covariance, method="eigh")
        noise = fit.seed_sd * random.standard_normal((count, SEEDS))
        common = fit.prior.seed_effect * random.standard_normal(SEEDS)
        shown = drawn[count:, None] + noise + common
        return World(places=self.surface.places, smooth=drawn[:count], shown=shown, prior=fit.prior)


def from_table(
    places: Sequence[Place], accuracies: Mapping[str, Mapping[int, float]], baseline: str | None = None
) -> Table:
    """The worlds of a table: network -> seed -> accuracy as a fraction; of the baseline, if it is one of them."""
    results = [
        Result(id=name, seed=seed, accuracy=value) for name, row in accuracies.items() for seed, value in row.items()
    ]
    ids = {one.id for one in places}
    own = [one for one in results if one.id == baseline]
    prior = with_slope(PRIOR, own, [one for one in results if one.id in ids])
    return Table(surface=surface([one for one in places if one.id in accuracies], results, prior))


def from_store(folder: Path) -> Table:
    """The worlds of a study's trials: its candidates that have shares and were trained."""
    stored = trials.read(folder)
    plan = stored.one(PlanRecord)
    if plan is None:
        raise SystemExit(f"{folder} holds no plan of a study")
    places = [
        Place(
            id=one.id,
            shares=Shares(one.shares.depth, one.shares.width, one.shares.resolution),
            log_cost=float(np.log2(one.ratio / 2)),
            resampled=one.resampled,
        )
        for one in plan.candidates
        if one.shares is not None and one.within
    ]
    return from_table(places, scores_of(stored, trials.VALIDATION, plan.epochs), plan.baseline.id)
