"""Means over seeds, medians of ratios and 95% intervals, in closed form and with the standard library only."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import NormalDist, mean, median

LEVEL = 0.95


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A median with an interval that holds the true one; `coverage` says how surely (0.95 is wanted)."""

    median: float
    low: float
    high: float
    coverage: float


def interval(values: Sequence[float]) -> Interval:
    """Find the median and its 95% interval between order statistics, which assumes nothing about the distribution.

    The interval from the k-th smallest to the k-th largest value misses the true median with the probability that fewer
    than k of n fair coins show heads, twice. With fewer than six values even the whole range holds it less surely than
    95%; `coverage` then says so.

    Raises:
        ValueError: if there are no values.
    """
    n = len(values)
    if not n:
        raise ValueError("an interval needs at least one value")
    missed = [2 * sum(math.comb(n, i) for i in range(k)) / 2**n for k in range(1, n // 2 + 1)]
    k = max((k for k, miss in enumerate(missed, 1) if miss <= 0.05), default=1)
    ordered = sorted(values)
    return Interval(
        median=median(ordered), low=ordered[k - 1], high=ordered[n - k], coverage=1 - missed[k - 1] if missed else 0.0
    )


def wilson(correct: float, total: int, level: float = LEVEL) -> tuple[float, float]:
    """The score interval of a proportion (Wilson 1927): what `total` images can say about an accuracy.

    Args:
        correct: correctly classified images; a mean over seeds need not be whole.
        total: images, at least 1.
        level: confidence level.
    """
    z = NormalDist().inv_cdf((1 + level) / 2)
    rate, weight = correct / total, z * z / total
    centre = (rate + weight / 2) / (1 + weight)
    half = z / (1 + weight) * math.sqrt(rate * (1 - rate) / total + weight / (4 * total))
    return max(0.0, centre - half), min(1.0, centre + half)


def paired_drop(lost: float, gained: float, total: float, level: float = LEVEL) -> tuple[float, float]:
    """The score interval of the drop between two accuracies on the same images (Tango 1998).

    Both classifiers answer every image, so only those count of which one is right and the other wrong; two
    intervals of one accuracy each would be far too wide. Tango's test asks of each possible drop d how far the counts
    are from it, in standard errors of the likeliest truth that has just that drop; the interval holds the d that are
    not too far. It keeps its level where few images changed, and where none did, as the usual difference of
    proportions with its standard error does not: that gives a width of zero there. With none changed the upper end is
    z^2 / (n + z^2), from 50 images on above the exact bound of no event in n.

    Args:
        lost: images classified correctly before and not after.
        gained: the other way round.
        total: all images, at least 1; those that did not change count too.
        level: confidence level.

    Returns:
        (low, high) of (lost - gained) / total, each in [-1, 1].
    """
    z = NormalDist().inv_cdf((1 + level) / 2)
    return -_largest_drop(gained, lost, total, z), _largest_drop(lost, gained, total, z)


def _largest_drop(lost: float, gained: float, total: float, z: float) -> float:
    """The largest drop of which the counts are at most z standard errors below."""
    low, high = (lost - gained) / total, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        below = total * middle - (lost - gained)
        low, high = (middle, high) if below <= z * _deviation_at(middle, lost, gained, total) else (low, middle)
    return high


def _deviation_at(drop: float, lost: float, gained: float, total: float) -> float:
    """The standard deviation of lost - gained at the likeliest truth with this drop (Tango 1998, equation 5)."""
    b = (2 * total - lost + gained) * drop - lost - gained
    c = -gained * drop * (1 - drop)
    rate = (math.sqrt(max(b * b - 8 * total * c, 0.0)) - b) / (4 * total)  # of gained
    return math.sqrt(max(total * (2 * rate + drop * (1 - drop)), 0.0))


def t_quantile(freedom: int, level: float = LEVEL) -> float:
    """The t with `level` of Student's distribution with `freedom` degrees of freedom between -t and t."""
    low, high = 0.0, math.pi / 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _central(freedom, middle) < level else (low, middle)
    return math.sqrt(freedom) * math.tan(high)


def _central(freedom: int, angle: float) -> float:
    """P(|t| <= sqrt(freedom) tan(angle)) for whole degrees of freedom (Abramowitz & Stegun 26.7.3 and 26.7.4)."""
    odd = freedom % 2
    term = math.cos(angle) if odd else 1.0
    total = 0.0
    for k in range(odd, freedom - 1, 2):
        total += term
        term *= (k + 1) / (k + 2) * math.cos(angle) ** 2
    if odd:
        return (angle + math.sin(angle) * total) * 2 / math.pi
    return math.sin(angle) * total


def deviation(values: Sequence[float]) -> float | None:
    """The sample standard deviation; None for fewer than two values."""
    if len(values) < 2:
        return None
    centre = mean(values)
    return math.sqrt(sum((value - centre) ** 2 for value in values) / (len(values) - 1))


def mean_interval(values: Sequence[float], level: float = LEVEL) -> tuple[float, float] | None:
    """The t interval of a mean, over images for instance; None for fewer than two values."""
    spread = deviation(values)
    if spread is None:
        return None
    centre, half = mean(values), t_quantile(len(values) - 1, level) * spread / math.sqrt(len(values))
    return centre - half, centre + half


def pooled_deviation(groups: Iterable[Sequence[float]]) -> tuple[float, int] | None:
    """The standard deviation within groups and its degrees of freedom; None when no group has two values.

    Two or three seeds say little about the noise of one network; all networks together say more.
    """
    squares, freedom = 0.0, 0
    for values in groups:
        spread = deviation(values)
        if spread is not None:
            squares += spread**2 * (len(values) - 1)
            freedom += len(values) - 1
    return (math.sqrt(squares / freedom), freedom) if freedom else None


def seed_margin(pooled: tuple[float, int], seeds: int, level: float = LEVEL) -> float:
    """Half the width of the t interval of a mean over `seeds`, from `pooled_deviation`."""
    spread, freedom = pooled
    return t_quantile(freedom, level) * spread / math.sqrt(seeds)
