"""The design of a study: the points of a simplex lattice over the triangle (Scheffe 1958), and the paper's point."""

import math
from collections.abc import Callable, Sequence
from typing import TypeVar

from triscale.search.coefficients.shares import PAPER_SHARES, Shares

LATTICE = {
    "depth": Shares(1.0, 0.0, 0.0),
    "width": Shares(0.0, 1.0, 0.0),
    "resolution": Shares(0.0, 0.0, 1.0),
    "depth+width": Shares(0.5, 0.5, 0.0),
    "depth+resolution": Shares(0.5, 0.0, 0.5),
    "width+resolution": Shares(0.0, 0.5, 0.5),
    "centroid": Shares(1 / 3, 1 / 3, 1 / 3),
    "paper": PAPER_SHARES,
}
"""Corners, middles of the edges, centroid, and the shares of alpha 1.2, beta 1.1, gamma 1.15."""

OUTSIDE = 0.1
"""A network outside the tolerance stands for a point only where every other is farther by this much."""

FAR = 0.25
"""A network farther than this from a point does not stand for it."""

T = TypeVar("T")


def design(
    networks: Sequence[T], shares_of: Callable[[T], Shares], is_within: Callable[[T], bool], most: int
) -> list[tuple[T, str | None]]:
    """Up to `most` networks, each with the point that it stands for: first the lattice, then those far from all others.

    Args:
        networks, shares_of, is_within: see `assign`.
        most: in all.
    """
    standing = assign(networks, shares_of, is_within)
    others = [one for one in networks if is_within(one)]
    picked = spread(list(standing.values()), others, shares_of, most)[:most]
    return [(one, next((name for name, its in standing.items() if its is one), None)) for one in picked]


def assign(networks: Sequence[T], shares_of: Callable[[T], Shares], is_within: Callable[[T], bool]) -> dict[str, T]:
    """The network that stands for each point of the lattice, the nearest to it; no network stands for two.

    Args:
        networks: that can be built.
        shares_of: where one lies.
        is_within: whether one costs what it should, within the tolerance.
    """
    left, found = list(networks), dict[str, T]()
    for name, point in LATTICE.items():

        def distance(one: T, point: Shares = point) -> float:
            return math.dist(shares_of(one), point) + (0.0 if is_within(one) else OUTSIDE)

        nearest = min(left, key=distance, default=None)
        if nearest is not None and distance(nearest) <= FAR:
            found[name] = nearest
            left.remove(nearest)
    return found


def spread(chosen: Sequence[T], others: Sequence[T], shares_of: Callable[[T], Shares], most: int) -> list[T]:
    """`chosen` and those of `others` that lie farthest from all taken so far on the triangle, until there are `most`.

    At least one is taken where none is chosen.
    """
    taken, left = list(chosen) or list(others[:1]), [one for one in others if one not in chosen]
    distances = [min((math.dist(shares_of(one), shares_of(two)) for two in taken), default=0.0) for one in left]
    while left and len(taken) < most:
        index = max(range(len(left)), key=distances.__getitem__)
        new = left.pop(index)
        distances.pop(index)
        taken.append(new)
        distances = [min(d, math.dist(shares_of(one), shares_of(new))) for one, d in zip(left, distances, strict=True)]
    return taken
