"""How many trials a search has and how long they are, from its question and the speed of the baseline."""

import math
from typing import NamedTuple

from triscale.errors import InputError
from triscale.search.explorations.search_question import SearchQuestion
from triscale.search.planning.training_length import EVALUATION

TRIALS, FEWEST, EPOCHS, LONGER = 64, 16, 5, 4
"""Trials that are worth it, and with which a search begins to be one; epochs of a trial; times these at the end."""

_LEAST_IMAGES = 1_000


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
    """
    epochs = question.epochs or EPOCHS
    final = question.final_epochs or LONGER * epochs
    last = (question.finalists + 1) * question.seeds * final
    size = min(question.train_size or images, images)
    while True:
        epoch = speed * (size + EVALUATION * validation) / workers
        if question.time is None:
            trials = question.trials or TRIALS
            return SearchLength(trials, epochs, size, final, epoch * (trials * epochs + last))
        possible = math.floor((question.time / epoch - last) / epochs)
        trials = question.trials or max(possible, 0)
        if possible >= (question.trials or TRIALS) or (question.train_size and possible >= FEWEST):
            return SearchLength(trials, epochs, size, final, epoch * (trials * epochs + last))
        smaller = int(size * 0.8)
        if question.train_size or smaller < min(_LEAST_IMAGES, images):
            if possible >= (question.trials or FEWEST):
                return SearchLength(trials, epochs, size, final, epoch * (trials * epochs + last))
            seconds = epoch * ((question.trials or FEWEST) * epochs + last)
            raise InputError(
                f"{question.time:.0f} s are too short for this search.\n"
                f"Give --time {math.ceil(seconds / 60)}m or more, fewer --seeds or --epochs, or a smaller network."
            )
        size = smaller
