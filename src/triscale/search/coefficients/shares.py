"""Shares: how much of a doubling of counted cost each dimension takes, the coordinates of the scaling triangle.

Depth, width and resolution multiply into each other and rounding breaks every formula, so what one dimension adds
depends on what came before it. A share is therefore its part of log2 of the counted cost averaged over all orders in
which the dimensions can be applied (Shapley 1953), divided by their sum.
"""

import math
from collections.abc import Callable
from functools import cache
from itertools import permutations
from typing import NamedTuple

from triscale.scaling import PAPER, Factors

DIMENSIONS = ("depth", "width", "resolution")


class Shares(NamedTuple):
    """A point of the triangle; the three sum to 1."""

    depth: float
    width: float
    resolution: float


PAPER_SHARES = Shares(
    *(part / (math.log2(PAPER.alpha) + 2 * math.log2(PAPER.beta) + 2 * math.log2(PAPER.gamma)) for part in (
        math.log2(PAPER.alpha), 2 * math.log2(PAPER.beta), 2 * math.log2(PAPER.gamma)
    ))
)  # fmt: skip
"""Of alpha 1.2, beta 1.1, gamma 1.15: a network's cost grows as depth x width^2 x resolution^2 (section 3.3)."""


def shares(macs: Callable[[Factors], float], at: Factors) -> Shares:
    """The shares of a network.

    Args:
        macs: counted cost of the baseline scaled by some factors.
        at: the factors of the network; at least one dimension must add cost.

    Raises:
        ValueError: the factors add no cost.
    """

    @cache
    def cost(applied: frozenset[str]) -> float:
        return math.log2(macs(Factors(*(value if name in applied else 1.0 for name, value in at._asdict().items()))))

    added = dict.fromkeys(DIMENSIONS, 0.0)
    for order in permutations(DIMENSIONS):
        for place, name in enumerate(order):
            before = frozenset(order[:place])
            added[name] += (cost(before | {name}) - cost(before)) / 6
    whole = sum(added.values())
    if whole <= 0:
        raise ValueError(f"{at} adds no cost")
    return Shares(*(part / whole for part in added.values()))
