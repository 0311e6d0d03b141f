"""What is better where several numbers count: dominance, fronts, crowding, hypervolume. All are maximised."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def dominates(one: Sequence[float], other: Sequence[float]) -> bool:
    """Whether `one` is nowhere worse than `other` and somewhere better."""
    return all(a >= b for a, b in zip(one, other, strict=True)) and tuple(one) != tuple(other)


def fronts(scores: ArrayLike) -> list[list[int]]:
    """Rows sorted into fronts: none dominates the first, the first alone the next, and so on (Deb et al. 2002).

    Args:
        scores: one row for each network, one column for each number that is maximised.

    Returns:
        The rows of each front, in their order. Equal rows share a front.
    """
    rows = np.asarray(scores, dtype=float)
    no_worse = np.all(rows[:, None] >= rows[None], axis=-1)
    beats: NDArray[np.bool_] = no_worse & np.any(rows[:, None] > rows[None], axis=-1)
    left, found = np.ones(len(rows), dtype=bool), []
    while left.any():
        first = left & ~beats[left].any(0)
        found.append([int(row) for row in np.flatnonzero(first)])
        left &= ~first
    return found


def crowding(scores: ArrayLike) -> Floats:
    """How much room each row of a front has around it: the sides of the box between its neighbours (Deb et al. 2002).

    Each number is divided by its range. The ends have infinite room.
    """
    rows = np.asarray(scores, dtype=float)
    room = np.zeros(len(rows))
    for column in rows.T:
        order = np.argsort(column, kind="stable")
        span = column[order[-1]] - column[order[0]]
        room[order[[0, -1]]] = np.inf
        if span > 0:
            room[order[1:-1]] += (column[order[2:]] - column[order[:-2]]) / span
    return room


def hypervolume(scores: ArrayLike, reference: Sequence[float]) -> float:
    """The volume that rows dominate above a reference, exactly, by slices along the last number.

    Args:
        scores: one row for each network, one column for each number that is maximised.
        reference: for each number the worst value that counts; rows that are not above it in all add nothing.
    """
    rows = np.asarray(scores, dtype=float).reshape(-1, len(reference)) - np.asarray(reference, dtype=float)
    return _volume(rows[(rows > 0).all(1)])


def _volume(rows: Floats) -> float:
    """Above zero: each slab of the last column times what the rows that reach it dominate in the others."""
    if not len(rows):
        return 0.0
    if rows.shape[1] == 1:
        return float(rows.max())
    rows = rows[np.argsort(-rows[:, -1], kind="stable")]
    below = np.append(rows[1:, -1], 0.0)
    return sum(
        float(row[-1] - low) * _volume(rows[: place + 1, :-1])
        for place, (row, low) in enumerate(zip(rows, below, strict=True))
        if row[-1] > low
    )
