"""What trainings are evidence of: networks on the triangle, their results, and the two kinds of error in them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from triscale.intervals import pooled_deviation
from triscale.search.coefficients.shares import Shares

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Place:
    """A network that can be built, and where it lies.

    Attributes:
        id: of the network.
        shares: of the counted doubling.
        log_cost: log2 of its counted cost over the target cost.
        resampled: whether the originals are resized for it.
        within: whether it may be chosen: it has the target cost, within the tolerance.
    """

    id: str
    shares: Shares
    log_cost: float = 0.0
    resampled: bool = False
    within: bool = True


@dataclass(frozen=True, kw_only=True, eq=False)
class Result:
    """A training.

    Attributes:
        id: of the network.
        seed: its seed; all networks see the images of a seed in the same order.
        accuracy: on the validation images, a fraction.
        right: (images,) which of them were right, in an order that all results share; None where nobody kept it.
    """

    id: str
    seed: int
    accuracy: float
    right: NDArray[np.bool_] | None = None


class Repeats(NamedTuple):
    """Squared deviations, in points, of trainings from their network and seed, and their degrees of freedom."""

    squares: float
    freedom: int


def repeats(results: Iterable[Result]) -> Repeats:
    """What networks with several seeds say about the noise: residuals of network + seed, by least squares."""
    accuracies = defaultdict[str, dict[int, float]](dict)
    for one in results:
        accuracies[one.id][one.seed] = 100 * one.accuracy
    several = {name: by_seed for name, by_seed in sorted(accuracies.items()) if len(by_seed) > 1}
    if not several:
        return Repeats(0.0, 0)
    seeds = sorted({seed for by_seed in several.values() for seed in by_seed})
    cells = [(i, seeds.index(seed), value) for i, row in enumerate(several.values()) for seed, value in row.items()]
    design = np.zeros((len(cells), len(several) + len(seeds)))
    for at, (network, seed, _) in enumerate(cells):
        design[at, network] = design[at, len(several) + seed] = 1.0
    values = np.array([value for *_, value in cells])
    fitted, _, rank, _ = np.linalg.lstsq(design, values, rcond=None)
    return Repeats(float(np.sum((values - design @ fitted) ** 2)), len(cells) - int(rank))


def scatter(results: Iterable[Result]) -> Repeats:
    """Deviations from the network's mean alone, for networks that have no other to share their seeds with.

    What all networks share in a seed is still in it, so it is a little too large.
    """
    accuracies = defaultdict[str, list[float]](list)
    for one in results:
        accuracies[one.id].append(100 * one.accuracy)
    pooled = pooled_deviation(accuracies.values())
    return Repeats(pooled[0] ** 2 * pooled[1], pooled[1]) if pooled else Repeats(0.0, 0)


def image_variance(results: Sequence[Result], fraction: float) -> float:
    """Variance, in points squared, that a difference of two networks keeps however many seeds they get.

    The same validation images judge every network. In two seeds, the covariance over images of which of two networks
    was right is what another seed repeats; divided by the number of images it is the variance of the mean difference.
    It is pooled over all pairs of networks that have two seeds in common. Before there is such a pair, it is `fraction`
    of the variance of a difference in one seed; without any pair of networks in one seed, 0.
    """
    kept = {(one.id, one.seed): one.right for one in results if one.right is not None}
    seeds = sorted({seed for _, seed in kept})
    repeated = [_cross(kept, one, two) for one, two in combinations(seeds, 2)]
    single = [_cross(kept, one, one) for one in seeds]
    for crossed, part in ((repeated, 1.0), (single, fraction)):
        pairs = sum(count for _, count in crossed)
        if pairs:
            return max(0.0, 1e4 * part * sum(total for total, _ in crossed) / pairs)
    return 0.0


def _cross(kept: dict[tuple[str, int], NDArray[np.bool_]], one: int, two: int) -> tuple[float, int]:
    """Sum over pairs of networks of the covariance of their difference in two seeds, by images; and how many pairs."""
    names = sorted(name for name, seed in kept if seed == one and (name, two) in kept)
    if len(names) < 2:
        return 0.0, 0
    first, second = (np.array([kept[name, seed] for name in names], dtype=np.float64) for seed in (one, two))
    images = first.shape[1]
    first -= first.mean(axis=1, keepdims=True)
    second -= second.mean(axis=1, keepdims=True)
    covariance = first @ second.T / (images - 1) / images
    return float(len(names) * np.trace(covariance) - covariance.sum()), len(names) * (len(names) - 1) // 2
