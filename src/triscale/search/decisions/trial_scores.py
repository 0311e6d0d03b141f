"""Accuracies of the trials of a study, by network and seed."""

from collections.abc import Callable

from triscale.spec import content_hash
from triscale.trials import Stored, Trial

ByNetwork = dict[str, dict[int, float]]
"""Id -> seed -> accuracy."""


def scores_of(stored: Stored, metric: str, epochs: int) -> ByNetwork:
    """A metric of the trials of that length that are done and paired: the same images in the same order."""
    return _scores(stored, lambda one: one.metrics.get(metric), epochs)


def half_scores(stored: Stored, epochs: int) -> ByNetwork:
    """Validation accuracy at half of that length."""
    return _scores(stored, lambda one: one.half_top1, epochs)


def _scores(stored: Stored, value: Callable[[Trial], float | None], epochs: int) -> ByNetwork:
    found: ByNetwork = {}
    for trial in stored:
        number = value(trial) if trial.state == "done" and trial.epochs == epochs and trial.paired else None
        if number is not None:
            found.setdefault(content_hash(trial.network), {})[trial.seed] = number
    return found
