"""A Gaussian process over trainings, its noise and scale integrated on a grid (Rasmussen & Williams 2006, ch. 2, 5).

Whatever is known or wanted is a list of `Points`: a network's accuracy at a seed, its mean over all seeds, the smooth
surface between networks. All of them are Gaussian together, so one formula answers every question.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from triscale.search.coefficients.triangle.evidence import Matrix, Repeats, Vector
from triscale.search.coefficients.triangle.surface_prior import Prior

NONE = -1
"""As a place: the smooth surface, without what is one network's own. As a seed: the mean over all."""

SEED_SDS = 0.2 * 2 ** (np.arange(11) / 2)
"""Standard deviations of a training that are thought possible, in points: 0.2 to 6.4."""


NEGLIGIBLE = 1e-4
"""Weight over the largest, below which a pair of scale and seed sd is left out."""


class Points(NamedTuple):
    """k quantities: (k, 3) shares, and for each its log2 of cost, what part is resampled, its place and its seed."""

    shares: Matrix
    log_cost: Vector
    resampled: Vector
    place: NDArray[np.int64]
    seed: NDArray[np.int64]

    def at(self, rows: Sequence[int] | NDArray[np.int64]) -> "Points":
        """Some of them, in this order."""
        return Points(self.shares[rows], self.log_cost[rows], self.resampled[rows], self.place[rows], self.seed[rows])

    def but(self, *, log_cost: float | None = None, place: int | None = None, seed: int | None = None) -> "Points":
        """The same with one value for all."""
        new = {"log_cost": log_cost, "place": place, "seed": seed}
        return self._replace(**{k: np.full_like(getattr(self, k), v) for k, v in new.items() if v is not None})


def joined(*parts: Points) -> Points:
    """One list after the other."""
    return Points(
        np.concatenate([one.shares for one in parts]),
        np.concatenate([one.log_cost for one in parts]),
        np.concatenate([one.resampled for one in parts]),
        np.concatenate([one.place for one in parts]),
        np.concatenate([one.seed for one in parts]),
    )


def covariance(prior: Prior, scale: float, one: Points, two: Points) -> Matrix:
    """(len(one), len(two)) prior covariance, in points squared; `scale` multiplies the polynomial."""
    inner = one.shares @ two.shares.T
    apart = np.sum(one.shares**2, axis=1)[:, None] + np.sum(two.shares**2, axis=1) - 2 * inner
    crossed = _products(one.shares) @ _products(two.shares).T
    same_place = (one.place[:, None] == two.place) & (one.place[:, None] != NONE)
    same_seed = (one.seed[:, None] == two.seed) & (one.seed[:, None] != NONE)
    polynomial: Matrix = prior.linear**2 * inner + prior.interaction**2 * crossed
    whole: Matrix = (
        prior.level**2
        + scale**2 * polynomial
        + prior.smooth**2 * np.exp(-np.maximum(apart, 0.0) / (2 * prior.length**2))
        + prior.nugget**2 * same_place
        + prior.resampling**2 * np.outer(one.resampled, two.resampled)
        + prior.slope_sd**2 * np.outer(one.log_cost, two.log_cost)
        + prior.seed_effect**2 * same_seed
    )
    return whole


def _products(shares: Matrix) -> Matrix:
    depth, width, resolution = shares.T
    return np.stack([depth * width, depth * resolution, width * resolution], axis=1)


class Moments(NamedTuple):
    """Mean (k,) and covariance (k, k), in points."""

    mean: Vector
    covariance: Matrix


@dataclass(frozen=True, kw_only=True, eq=False)
class Posterior:
    """What n trainings say, for each pair of scale and seed sd.

    Attributes:
        prior: before the trainings.
        seen: of the trainings.
        level: mean of the trainings at the target cost.
        scales, seed_sds, weights: (g,) of each pair; the weights sum to 1.
        roots: (g, n, n) inverse Cholesky factors of the covariance of the trainings.
        whitened: (g, n) the trainings less their prior mean, under these.
    """

    prior: Prior
    seen: Points
    level: float
    scales: Vector
    seed_sds: Vector
    weights: Vector
    roots: NDArray[np.float64]
    whitened: Matrix

    @property
    def seed_sd(self) -> float:
        """Of one training around its network's mean, in points."""
        return float(np.sqrt(self.weights @ self.seed_sds**2))

    def __call__(self, points: Points) -> Moments:
        """Of any quantities: the moments of the mixture over the grid."""
        means, spread = np.empty((len(self.weights), len(points.place))), np.zeros((len(points.place),) * 2)
        for scale in np.unique(self.scales):
            rows = np.flatnonzero(self.scales == scale)
            across = self.roots[rows] @ covariance(self.prior, scale, self.seen, points)
            means[rows] = np.einsum("gnk,gn->gk", across, self.whitened[rows])
            spread += self.weights[rows].sum() * covariance(self.prior, scale, points, points)
            tall = (np.sqrt(self.weights[rows])[:, None, None] * across).reshape(-1, len(points.place))
            spread -= tall.T @ tall
        mean = self.weights @ means
        centred = np.sqrt(self.weights)[:, None] * (means - mean)
        return Moments(self.level + self.prior.slope * points.log_cost + mean, spread + centred.T @ centred)


def posterior(prior: Prior, seen: Points, accuracies: Vector, others: Repeats) -> Posterior:
    """Condition on trainings.

    Args:
        prior: before them.
        seen: of the trainings.
        accuracies: (n,) in points.
        others: what networks outside the surface say about the noise.
    """
    steady = accuracies - prior.slope * seen.log_cost
    level = float(steady.mean())
    scales, sds = (each.ravel() for each in np.meshgrid(prior.scales, SEED_SDS, indexing="ij"))
    known = {scale: covariance(prior, scale, seen, seen) for scale in prior.scales}
    whole = np.stack([known[s] for s in scales]) + (sds**2)[:, None, None] * np.eye(len(steady))
    roots = np.linalg.inv(np.linalg.cholesky(whole))
    whitened = roots @ (steady - level)
    likelihood = np.log(np.diagonal(roots, axis1=1, axis2=2)).sum(axis=1) - (whitened**2).sum(axis=1) / 2
    freedom = prior.seed_freedom + others.freedom
    squares = prior.seed_freedom * prior.seed_sd**2 + others.squares
    evidence = likelihood - freedom * np.log(sds) - squares / (2 * sds**2)
    weights = np.exp(evidence - evidence.max())
    kept = weights > NEGLIGIBLE
    return Posterior(
        prior=prior, seen=seen, level=level, scales=scales[kept], seed_sds=sds[kept],
        weights=weights[kept] / weights[kept].sum(), roots=roots[kept], whitened=whitened[kept],
    )  # fmt: skip
