"""Small tables of places and results that the tests of the surface share."""

from dataclasses import replace

import numpy as np

from triscale.search.coefficients.shares import Shares
from triscale.search.coefficients.triangle.evidence import Place, Result
from triscale.search.coefficients.triangle.surface_prior import PRIOR

KNOWN_NOISE = replace(PRIOR, scales=(1.0,), seed_freedom=1e7)
"""The default prior where a training's sd is 0.8 points for certain and nothing is scaled."""

POINTS = (
    (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (0.5, 0.5, 0.0), (0.5, 0.0, 0.5), (0.0, 0.5, 0.5),
    (0.34, 0.33, 0.33), (0.2, 0.3, 0.5), (0.6, 0.2, 0.2), (0.1, 0.8, 0.1),
)  # fmt: skip


def places(count: int = len(POINTS)) -> list[Place]:
    """Places with costs around the one asked for, every third without resampling."""
    return [
        Place(id=f"n{i}", shares=Shares(*POINTS[i]), log_cost=0.02 * (i % 4 - 1.5), resampled=i % 3 > 0)
        for i in range(count)
    ]


def results(seed: int = 0, trained: int = 8, repeated: int = 3) -> list[Result]:
    """Some networks in seed 0, the first of them in seed 1 too; accuracies around 60%."""
    random = np.random.default_rng(seed)
    pairs = [(i, 0) for i in range(trained)] + [(i, 1) for i in range(repeated)]
    return [Result(id=f"n{i}", seed=s, accuracy=0.6 + 0.02 * float(random.standard_normal())) for i, s in pairs]
