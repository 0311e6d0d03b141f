"""Least squares with coefficients of at least 0: the active set method of Lawson and Hanson (1974, chapter 23)."""

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]

_TOLERANCE = 1e-10
_RIDGE = 1e-12


def nonnegative_least_squares(terms: Doubles, values: Doubles) -> Doubles:
    """The coefficients x >= 0 that make |terms x - values| least.

    Args:
        terms: [rows, columns]; columns may differ in scale by orders of magnitude, and may be 0.
        values: [rows].

    Returns:
        [columns].
    """
    scale = np.maximum(np.linalg.norm(terms, axis=0), 1e-300)
    scaled = terms / scale
    gram, projected = scaled.T @ scaled, scaled.T @ values
    found, free = np.zeros(terms.shape[1]), np.zeros(terms.shape[1], dtype=bool)
    for _ in range(10 * terms.shape[1]):
        slope = np.where(free, -np.inf, projected - gram @ found)
        if slope.max(initial=-np.inf) <= _TOLERANCE * np.abs(projected).max(initial=1e-300):
            break
        free[slope.argmax()] = True
        found = _inside(gram, projected, found, free)
    answer: Doubles = found / scale
    return answer


def _inside(gram: Doubles, projected: Doubles, before: Doubles, free: NDArray[np.bool_]) -> Doubles:
    """The best point whose free coefficients are above 0; those that end at 0 are free no more."""
    while True:
        best = np.zeros_like(before)
        best[free] = _solved(gram[np.ix_(free, free)], projected[free])
        below = free & (best <= 0)
        if not below.any():
            return best
        step = np.min(before[below] / np.maximum(before[below] - best[below], 1e-300))
        before = before + step * (best - before)
        free &= before > 1e-14
        before[~free] = 0.0


def _solved(gram: Doubles, projected: Doubles) -> Doubles:
    """The solution of a symmetric system; of one that columns alike make singular, the shortest."""
    try:
        found = np.linalg.solve(gram + _RIDGE * np.eye(len(gram)), projected)
    except np.linalg.LinAlgError:
        found = np.linalg.lstsq(gram, projected, rcond=1e-13)[0]
    return np.asarray(found, dtype=np.float64)


def relative_least_squares(terms: Doubles, values: Doubles, power: float = 1.0) -> Doubles:
    """As above, each row weighted by 1 / value^power: at 1 the relative error counts, at 0 the absolute one."""
    weights = values**-power
    return nonnegative_least_squares(terms * weights[:, None], values * weights)
