"""Kendall's tau: how alike two numbers rank the same things, with its 95% interval."""

import math
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

_FIELLER = 0.437
"""Variance of the z of tau, times n - 4 (Fieller, Hartley and Pearson 1957)."""


def kendall_tau(one: ArrayLike, other: ArrayLike, pairs: NDArray[np.float64] | None = None) -> float | None:
    """Tau-b of two rows of numbers, n^2 pairs at a time; None where either has one value only.

    Concordant minus discordant pairs, over the root of the pairs that are not ties in either (Kendall 1945).

    Args:
        one, other: [n].
        pairs: [n, n], how often each pair of numbers counts; once by default.
    """
    a, b = _signs(one), _signs(other)
    weight = np.ones_like(a, dtype=float) if pairs is None else pairs
    untied = math.sqrt(float(weight[a != 0].sum()) * float(weight[b != 0].sum()))
    return float((weight * a * b).sum()) / untied if untied else None


def tau_interval(tau: float, n: float) -> tuple[float, float] | None:
    """The 95% interval of a tau of n numbers in each row, by Fisher's z; None for fewer than 6 or a tau of 1 or -1."""
    if n < 6 or abs(tau) >= 1:
        return None
    margin = NormalDist().inv_cdf(0.975) * math.sqrt(_FIELLER / (n - 4))
    middle = math.atanh(tau)
    return math.tanh(middle - margin), math.tanh(middle + margin)


def _signs(values: ArrayLike) -> NDArray[np.int8]:
    """The sign of each difference of two of them."""
    row = np.asarray(values, dtype=float)
    signs: NDArray[np.int8] = np.sign(row[:, None] - row[None]).astype(np.int8)
    return signs
