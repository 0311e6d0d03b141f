"""Which trainings are hopeless: those that are behind three quarters of the earlier trials after the same epoch.

A training is compared with trials that its proposal could know, and with no others: any number of workers, and a search
that resumes, stops the same ones.
"""

import math
from collections.abc import Sequence

FEWEST = 8
"""Earlier trials below which nothing is stopped."""
SHARE, WATCHED = 0.25, 0.5
"""Of the earlier trials, those that a training must not be behind of; of its epochs, those before nothing is said."""

Course = Sequence[float]
"""The score of a trial after each of its epochs; short where it was stopped."""


def floors(earlier: Sequence[Course], epochs: int) -> tuple[float | None, ...]:
    """For each epoch the score below which a training is stopped after it; None: it goes on.

    The lower quartile of the earlier trials, where one that was stopped before counts as worse than all others. So at
    most a quarter of all trainings would be stopped if they came in a random order, and a sampler that improves stops
    fewer.

    Args:
        earlier: trials that have ended and did not fail.
        epochs: of the training.
    """
    first = math.ceil(WATCHED * epochs)
    return tuple(_floor(earlier, epoch) if first <= epoch < epochs else None for epoch in range(1, epochs + 1))


def _floor(earlier: Sequence[Course], epoch: int) -> float | None:
    if len(earlier) < FEWEST:
        return None
    row = sorted(course[epoch - 1] if epoch <= len(course) else -math.inf for course in earlier)
    found = row[math.floor(SHARE * len(row))]
    return found if math.isfinite(found) else None
