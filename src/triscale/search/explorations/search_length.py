"""How many trials a search has and how long they are, from its question and the speed of the baseline."""

import math
from bisect import bisect_right
from typing import NamedTuple

from triscale.errors import InputError, UsageError
from triscale.search.explorations.rungs.ladder import rungs_above
from triscale.search.explorations.search_question import SearchQuestion
from triscale.search.planning.training_length import EVALUATION

TRIALS, FEWEST, EPOCHS, LONGER = 64, 16, 5, 4
"""Trials that are worth it, and with which a search begins to be one; epochs of a trial; times these at the end."""

_LEAST_IMAGES, _SMALLER = 1_000, 0.8
_MOST = 1_000_000
_NEAR = 1e-6
"""A time that is just enough is enough."""


class SearchLength(NamedTuple):
    """Trials, epochs and images of each, epochs of the last trainings, and predicted seconds of all."""

    trials: int
    epochs: int
    images: int
    final_epochs: int
    seconds: float


def search_length(question: SearchQuestion, images: int, validation: int, speed: float, workers: int) -> SearchLength:
    """The length of a search; one with a `time` takes fewer images before it takes fewer than 64 trials.

    Args:
        question: what is None in it is found here.
        images, validation: that there are.
        speed: seconds that an image takes in a step of the baseline, in one worker.
        workers: trainings at a time.

    Raises:
        InputError: the time is too short for 16 trials of 1,000 images.
        UsageError: the last rung trains longer than the finalists.
    """
    epochs = question.epochs or EPOCHS
    final = _final_epochs(question, epochs)
    last = (question.finalists + 1) * question.seeds * final

    def whole(trials: int) -> int:
        """Epochs of the trials and of the rungs above them."""
        return trials * epochs + sum(one.networks * one.epochs for one in rungs_above(question, trials, epochs))

    def epoch(size: int) -> float:
        return speed * (size + EVALUATION * validation) / workers

    def possible(size: int, time: float) -> int:
        return bisect_right(range(_MOST), time / epoch(size) - last + _NEAR, key=whole) - 1

    size, trials = min(question.train_size or images, images), question.trials or TRIALS
    if (time := question.time) is not None:
        least, fewest = size if question.train_size else min(_LEAST_IMAGES, images), question.trials or FEWEST
        while possible(size, time) < trials and size > least:
            size = max(least, int(size * _SMALLER))
        if possible(size, time) < fewest:
            raise _too_short(time, epoch(size) * (whole(fewest) + last))
        trials = question.trials or possible(size, time)
    return SearchLength(trials, epochs, size, final, epoch(size) * (whole(trials) + last))


def _final_epochs(question: SearchQuestion, epochs: int) -> int:
    longest = epochs * question.eta ** (question.rungs - 1)
    final = question.final_epochs or max(LONGER * epochs, longest)
    if final < longest:
        raise UsageError(
            f"the last of {question.rungs} rungs trains for {longest} epochs, and the finalists for {final}.\n"
            f"Give --final-epochs {longest} or more, or fewer --rungs."
        )
    return final


def _too_short(time: float, enough: float) -> InputError:
    return InputError(
        f"a time of {time:g} s is too short for this search.\n"
        f"Give --time {math.ceil(enough / 60)}m or more, fewer --seeds or --epochs, or a smaller network."
    )
