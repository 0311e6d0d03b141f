"""The surface over the scaling triangle: from all trainings together, what every network that can be built is worth."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from triscale.search.coefficients.shares import DIMENSIONS
from triscale.search.coefficients.triangle.evidence import (
    Matrix,
    Place,
    Repeats,
    Result,
    Vector,
    image_variance,
    repeats,
    scatter,
)
from triscale.search.coefficients.triangle.posterior import NONE, Moments, Points, Posterior, posterior
from triscale.search.coefficients.triangle.surface_prior import PRIOR, Prior

MOVES = 0.2
"""A dimension takes part where its shares differ by more than this."""

FEWEST = {2: 4, 3: 6}
"""By the dimensions that take part: networks that must be trained before a surface says more than means."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Surface:
    """What trainings say about the networks of the triangle.

    Accuracies are of the validation images at exactly the target cost, as fractions. `covariance` and what follows
    from it hold the error of these images that differs between networks, half of its variance for each of two; what
    all networks share of it is left out, since no comparison feels it.

    Attributes:
        places: by id, all that can be built.
        results: the trainings of them, by id and seed.
        fit: the posterior of any quantity, in points.
        repeats: what repeated trainings say about the noise, those of other networks too.
        image_variance: of a difference of two networks, in points squared; see `evidence.image_variance`.
    """

    places: tuple[Place, ...]
    results: tuple[Result, ...]
    fit: Posterior
    repeats: Repeats
    image_variance: float

    @cached_property
    def points(self) -> Points:
        """The networks at the target cost, mean over seeds, in the order of `places`."""
        return networks(self.places).but(log_cost=0.0)

    @cached_property
    def values(self) -> Moments:
        """Of each network, its own deviation from its neighbours included; in points, without the error of images."""
        return self.fit(self.points)

    @cached_property
    def trend(self) -> Moments:
        """Of the surface where each network lies; in points, without the error of images."""
        return self.fit(self.points.but(place=NONE))

    @cached_property
    def image_covariance(self) -> Matrix:
        """Of the error that the validation images add, in points squared; near networks share it."""
        shares = self.points.shares
        apart = np.sum((shares[:, None] - shares) ** 2, axis=2)
        found: Matrix = self.image_variance / 2 * np.exp(-apart / (2 * self.fit.prior.length**2))
        return found

    @property
    def expected(self) -> Vector:
        """Posterior mean of each place."""
        return self.values.mean / 100

    @property
    def covariance(self) -> Matrix:
        """Posterior covariance of the places, fractions squared."""
        return (self.values.covariance + self.image_covariance) / 1e4

    @property
    def sd(self) -> Vector:
        """Posterior standard deviation of each place."""
        return np.sqrt(np.diagonal(self.covariance))

    def smooth(self, shares: Matrix) -> tuple[Vector, Vector]:
        """Mean and standard deviation of the surface between networks.

        Args:
            shares: (k, 3) points of the triangle; each row sums to 1.

        Returns:
            (k,) means and (k,) standard deviations, fractions.
        """
        count = len(shares)
        nowhere = np.full(count, NONE)
        moments = self.fit(Points(np.asarray(shares, float), np.zeros(count), np.zeros(count), nowhere, nowhere))
        return moments.mean / 100, np.sqrt(np.diagonal(moments.covariance) + self.image_variance / 2) / 100

    @property
    def allowed(self) -> Vector:
        """(places,) 0 where a place may be chosen, else minus infinity: added to what is maximised."""
        return np.array([0.0 if one.within else -np.inf for one in self.places])

    @property
    def chosen(self) -> Place:
        """The place within the tolerance with the highest posterior mean."""
        return self.places[int(np.argmax(self.values.mean + self.allowed))]

    @property
    def slope(self) -> tuple[float, float]:
        """Mean and standard deviation of what a doubling of cost adds, fractions."""
        return self._step("log_cost")

    @property
    def resampling(self) -> tuple[float, float]:
        """Mean and standard deviation of what resized originals add, fractions."""
        return self._step("resampled")

    def _step(self, field: str) -> tuple[float, float]:
        pair = self.points.at([0, 0])._replace(**{field: np.array([1.0, 0.0])})
        moments = self.fit(pair)
        signs = np.array([1.0, -1.0])
        return float(signs @ moments.mean) / 100, float(np.sqrt(signs @ moments.covariance @ signs)) / 100


def surface(places: Sequence[Place], results: Sequence[Result], prior: Prior = PRIOR) -> Surface:
    """The surface that trainings give; the order of places and results makes no difference.

    Args:
        places: every network that can be built, trained or not.
        results: trainings; those of networks outside `places`, such as the baseline, speak of the noise alone.
        prior: see `surface_prior.with_slope` for its slope.

    Raises:
        ValueError: none of the places was trained, or none is within the tolerance.
    """
    ordered = tuple(sorted(places, key=lambda one: one.id))
    index = {one.id: at for at, one in enumerate(ordered)}
    mine = tuple(sorted((one for one in results if one.id in index), key=lambda one: (one.id, one.seed)))
    if not mine or not any(one.within for one in ordered):
        raise ValueError("no network of the surface was trained, or none may be chosen")
    seen = networks(ordered).at([index[one.id] for one in mine])._replace(seed=np.array([one.seed for one in mine]))
    accuracies = np.array([100 * one.accuracy for one in mine])
    others = scatter(one for one in results if one.id not in index)
    return Surface(
        places=ordered, results=mine, fit=posterior(prior, seen, accuracies, others),
        repeats=repeats(results), image_variance=image_variance(mine, prior.image_fraction),
    )  # fmt: skip


def networks(places: Sequence[Place]) -> Points:
    """Their points, mean over seeds, at their own cost; resampling is counted from the mean of all places."""
    resampled = np.array([float(one.resampled) for one in places])
    return Points(
        np.array([one.shares for one in places], dtype=np.float64),
        np.array([one.log_cost for one in places], dtype=np.float64),
        resampled - resampled.mean(),
        np.arange(len(places)),
        np.full(len(places), NONE),
    )


def why_no_surface(places: Sequence[Place], results: Sequence[Result]) -> str | None:
    """Why trainings are too few for a surface, in words; None where they suffice."""
    trained = {one.id for one in results}
    shares = [one.shares for one in places if one.id in trained]
    spans = [max(each) - min(each) for each in zip(*shares, strict=True)]
    moving = [name for name, span in zip(DIMENSIONS, spans, strict=bool(spans)) if span > MOVES]
    if len(moving) < 2:
        return "the trained networks differ in fewer than two dimensions"
    fewest = FEWEST[len(moving)]
    if len(shares) < fewest:
        over = " and ".join([", ".join(moving[:-1]), moving[-1]])
        return f"{len(shares)} networks are trained; a surface over {over} needs {fewest}"
    return None
