"""Which trainings tell most next: the knowledge gradient (Frazier, Powell & Dayanik 2009), one training after another.

A training is worth what it is expected to raise the mean of the place that one would then choose. Further seeds come
where noise hides which place that is, new places where the surface is unsure.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np

from triscale.search.coefficients.triangle.evidence import Matrix, Vector
from triscale.search.coefficients.triangle.optimum import Optimum
from triscale.search.coefficients.triangle.posterior import joined
from triscale.search.coefficients.triangle.surface import Surface, networks

SMALL_LOSS = 0.001

_HERMITE = np.polynomial.hermite_e.hermegauss(21)
_NODES: Vector = _HERMITE[0]
_WEIGHTS: Vector = _HERMITE[1] / _HERMITE[1].sum()


class Training(NamedTuple):
    """A network and a seed."""

    id: str
    seed: int


def next_round(
    surface: Surface, size: int, seeds: Sequence[int], taken: Collection[tuple[str, int]] = ()
) -> list[Training]:
    """The trainings that are expected to tell most, at most `size`.

    One after the other is chosen as if those before it had come out as expected. A place is trained in the next seed
    that it has not had; the order of `seeds` is that in which all places get them.

    Args:
        surface: of all results so far.
        size: of the round; independent of how many workers there are, or results would depend on the machine.
        seeds: that may be trained.
        taken: trainings that are under way or have failed, as (id, seed).

    Returns:
        Fewer than `size` where every place has had every seed.
    """
    used = {(one.id, one.seed) for one in surface.results} | set(taken)
    options = [
        Training(one.id, seed)
        for one in surface.places
        for seed in [seed for seed in seeds if (one.id, seed) not in used][:size]
    ]
    if not options:
        return []
    index = {one.id: at for at, one in enumerate(surface.places)}
    own = networks(surface.places).at([index[one.id] for one in options])
    moments = surface.fit(joined(surface.points, own._replace(seed=np.array([one.seed for one in options]))))
    mean, spread = moments.mean[: len(surface.places)] + surface.allowed, moments.covariance
    chosen: list[int] = []
    open_to = _first_seeds(options, ())
    while open_to and len(chosen) < size:
        rows = len(surface.places) + np.array(open_to)
        told = spread[rows] / np.sqrt(spread[rows, rows] + surface.fit.seed_sd**2)[:, None]
        best = int(np.argmax(gains(mean, told[:, : len(mean)])))
        chosen.append(open_to[best])
        spread = spread - np.outer(told[best], told[best])
        open_to = _first_seeds(options, chosen)
    return [options[at] for at in chosen]


def _first_seeds(options: Sequence[Training], chosen: Collection[int]) -> list[int]:
    """Of each network, the first training that is left."""
    first: dict[str, int] = {}
    for at, one in enumerate(options):
        if at not in chosen:
            first.setdefault(one.id, at)
    return list(first.values())


def gains(mean: Vector, told: Matrix) -> Vector:
    """What each of k trainings is expected to raise the highest mean, in the units of the mean.

    Args:
        mean: (places,) now.
        told: (k, places) by how many of its standard deviations a result would move each of them.
    """
    highest = np.stack([(mean + node * told).max(axis=1) for node in _NODES])
    gained: Vector = _WEIGHTS @ highest - mean.max()
    return gained


def is_small(surface: Surface, optimum: Optimum) -> bool:
    """Whether further trainings could hardly change the answer.

    The chosen place is expected less than a tenth of a point below the best. Equal means are not reason: what is not
    known yet looks equal too.
    """
    return optimum.loss(surface.places.index(surface.chosen)) < SMALL_LOSS
