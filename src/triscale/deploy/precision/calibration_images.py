"""Which images of a data set judge a lower precision, and which calibrate it: never the same ones."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from triscale.data import Held, open_split
from triscale.data.chosen import chosen, identities
from triscale.data.held import ALL
from triscale.data.source import Part
from triscale.deploy.precision.accuracy_gate import Right
from triscale.errors import InputError
from triscale.evaluation import BATCH, held_out, matched_labels, ranked_answers, rule_of, tensors_of
from triscale.weights import Predictor


@dataclass(frozen=True, kw_only=True, eq=False)
class Judging:
    """Images on which float32 and a lower precision are compared: those that `triscale evaluate` would take.

    Attributes:
        held: the images.
        labels: [n], positions among the classes of the network.
    """

    held: Held
    labels: NDArray[np.int64]

    def right(self, classifier: Predictor) -> Right:
        """[n], whether the classifier is right about each image."""
        return np.asarray(ranked_answers(classifier, self.held)[:, 0] == self.labels)


def judging_images(data: str | Path, split: str | None, classifier: Predictor) -> Judging:
    """The images of a data set that judge.

    Without a split they are those that `triscale.evaluation.evaluate` takes; where it would take all of them, since
    nothing is divided and nothing known of the training, the fifth that `test` means there, so that some can calibrate.

    Raises:
        InputError: nothing usable there, classes that the network does not have, or no image that was not trained on.
    """
    held, _ = held_out(data, split, classifier.trained_on)
    if split is None and held.split == ALL:
        held = open_split(data, "test", rule=rule_of(classifier.trained_on))
    return Judging(held=held, labels=matched_labels(held, classifier.classes))


@dataclass(frozen=True, kw_only=True, eq=False)
class CalibrationImages:
    """Training images, prepared by the preprocessing of the weights.

    Attributes:
        images: float32 [n, c, h, w].
    """

    images: Tensor

    def __len__(self) -> int:
        return len(self.images)

    def batches(self, size: int) -> Iterator[NDArray[np.float32]]:
        """Whole batches [size, c, h, w]; the last one is filled up with the first images."""
        whole = -(-len(self.images) // size) * size
        order = torch.arange(whole) % len(self.images)
        for start in range(0, whole, size):
            yield np.ascontiguousarray(self.images[order[start : start + size]].numpy())


def calibration_images(data: str | Path, judging: Judging, classifier: Predictor, count: int) -> CalibrationImages:
    """Some training images of a data set, chosen by a hash of their content: the same ones each time, in any order.

    Args:
        data: see `triscale.data.open_data`.
        judging: images that are not taken.
        classifier: whose preprocessing prepares them.
        count: at most so many, at least 1.

    Raises:
        InputError: classes that the network does not have, or no image is left beside those that judge.
    """
    train = open_split(data, "train", rule=rule_of(classifier.trained_on))
    matched_labels(train, classifier.classes)
    known, judges = _names(train.part), set(_names(judging.held.part))
    free = [position for position, name in enumerate(known) if name not in judges]
    if not free:
        raise InputError(
            f"no image of {train.name} is left to calibrate with: all {len(known):,} of its training images judge.\n"
            "Give --data with training images beside those, or another --split to judge on."
        )
    picked = sorted(sorted(free, key=lambda position: _rank(known[position]))[:count])
    part = chosen(train.part, np.array(picked, dtype=np.int64))
    return CalibrationImages(images=torch.cat(list(tensors_of(replace(train, part=part), classifier, BATCH))))


def _names(part: Part) -> Sequence[str]:
    """A text for each image: of its content, where that is known."""
    return identities(part) or [part.name(index) for index in range(len(part.labels))]


def _rank(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()
