"""Where the best of the triangle lies, as probabilities: from joint draws of the surface at every network.

What counts as best is the surface, without what is one network's own: of sixty equal networks one is always ahead by
luck, and nobody wants to know which.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from triscale.search.coefficients.triangle.evidence import Matrix, Vector
from triscale.search.coefficients.triangle.surface import Surface

DRAWS = 4000
LEVEL = 0.95
HALF_A_POINT = 0.005

SEEN_SDS = 1.959964 + 0.841621
"""Standard deviations of a difference that a test at 5% (two-sided) sees with a power of 80%."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Optimum:
    """Draws of what all places are worth, (draws, places), fractions; minus infinity where none may be chosen."""

    draws: Matrix

    @cached_property
    def highest(self) -> Vector:
        """(draws,) of the best place in each."""
        found: Vector = self.draws.max(axis=1)
        return found

    @cached_property
    def best(self) -> Vector:
        """(places,) probability of being the best."""
        return np.bincount(self.draws.argmax(axis=1), minlength=self.draws.shape[1]) / len(self.draws)

    @cached_property
    def region(self) -> NDArray[np.bool_]:
        """(places,) the fewest that hold the best with a probability of 95%."""
        order = np.argsort(-self.best, kind="stable")
        before = np.cumsum(self.best[order]) - self.best[order]
        inside = np.zeros(len(order), dtype=np.bool_)
        inside[order] = before < LEVEL - 1e-9
        return inside

    def within(self, difference: float = HALF_A_POINT) -> Vector:
        """(places,) probability of lying at most `difference` (a fraction) below the best."""
        near: Vector = np.mean(self.draws >= self.highest[:, None] - difference, axis=0)
        return near

    def loss(self, place: int) -> float:
        """How far a place is expected to lie below the best, a fraction."""
        return float(np.mean(self.highest - self.draws[:, place]))


def optimum(surface: Surface, draws: int = DRAWS, seed: int = 0) -> Optimum:
    """Draw; the same surface gives the same draws."""
    spread = surface.trend.covariance + surface.image_covariance
    values, vectors = np.linalg.eigh(spread)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    normal = np.random.default_rng(seed).standard_normal((draws, len(values)))
    found = surface.trend.mean + normal @ root.T + surface.allowed
    return Optimum(draws=found / 100)


def smallest_difference(surface: Surface) -> float:
    """The difference that this study could have seen between the chosen network and another, a fraction.

    (z(0.975) + z(0.8)) times the posterior standard deviation of such a difference, the median over the other networks
    that were trained: a test at 5% then finds it in four of five studies.
    """
    chosen = surface.places.index(surface.chosen)
    trained = {one.id for one in surface.results}
    others = [at for at, one in enumerate(surface.places) if one.id in trained and at != chosen]
    spread = surface.covariance
    variances = [spread[chosen, chosen] + spread[at, at] - 2 * spread[chosen, at] for at in others]
    return float(SEEN_SDS * np.sqrt(np.median(variances))) if variances else float("inf")
