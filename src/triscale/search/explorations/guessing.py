"""Whether a search saw anything: its trials beside always naming the most frequent class."""

from collections.abc import Sequence

from triscale.intervals import LEVEL, wilson
from triscale.trials.searches.worth_records import GuessingRecord


def beside_guessing(accuracies: Sequence[float], images: int, guessing: float) -> GuessingRecord | None:
    """The best of some trials, with an interval that allows for how many there are; None without trials.

    Args:
        accuracies: top-1 of each trial on the validation images.
        images: of the validation.
        guessing: top-1 of always naming their most frequent class.
    """
    if not accuracies:
        return None
    best = max(accuracies)
    low, _ = wilson(best * images, images, 1 - (1 - LEVEL) / len(accuracies))
    return GuessingRecord(accuracy=guessing, images=images, n=len(accuracies), best=best, low=low)
