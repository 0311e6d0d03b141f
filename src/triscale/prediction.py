"""What a trained network says about images, in files or in memory."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
from torch import Tensor

from triscale.data import Picture, picture_name
from triscale.data.decode.image import UnreadableError, decode
from triscale.data.feed.in_memory import to_tensor
from triscale.data.feed.prefetch import decoded
from triscale.data.transforms.area_resize import Pictures
from triscale.errors import NumericError
from triscale.weights import Guess, Predictor

BATCH = 16
Given = TypeVar("Given", bound=Picture)
"""A file, or an image in memory."""


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class Prediction(Generic[Given]):
    """What is said about one image.

    Attributes:
        image: the file, or the image as it was given.
        top: the most probable classes, best first.
        reason: why the file cannot be read; then `top` is empty.
    """

    image: Given
    top: tuple[Guess, ...] = ()
    reason: str | None = None

    def __repr__(self) -> str:
        """Short, also where `image` is an array."""
        said = self.reason or ", ".join(f"{one.name} {one.probability:.1%}" for one in self.top)
        return f"Prediction({picture_name(self.image)}: {said})"


def predictions(
    classifier: Predictor, images: Sequence[Given], *, top: int = 5, batch: int = BATCH
) -> Iterator[Prediction[Given]]:
    """One prediction for each image, in their order; the next batch is decoded while the model computes.

    Args:
        classifier: see `triscale.weights.load_classifier`.
        images: files, of which one that cannot be read does not stop the others; or images in memory.
        top: the most classes for each.
        batch: images a step; all are of one size, so it changes the memory and the speed only.

    Raises:
        InputError: something in memory is not an image.
        NumericError: the network answers what is not finite; the message names the image.
    """
    how = classifier.preprocessing
    for files in decoded(images, classifier.resolution, how, batch):
        readable = [pixels for _, pixels in files if not isinstance(pixels, UnreadableError)]
        rows = iter(_of_batch(classifier, np.stack(readable), top, files[0][0]) if readable else ())
        for image, pixels in files:
            if isinstance(pixels, UnreadableError):
                yield Prediction(image=image, reason=str(pixels))
            else:
                yield Prediction(image=image, top=next(rows))


def prediction(classifier: Predictor, content: bytes, *, top: int = 5) -> list[dict[str, Any]]:
    """What is said about one file's bytes: `Prediction.top`, JSON-ready. Several threads may ask at once.

    Args:
        classifier: see `triscale.weights.load_classifier`.
        content: of an image file.
        top: the most classes.

    Raises:
        UnreadableError: it is not an image that we take.
        NumericError: the network answers what is not finite.
    """
    pixels = decode(content, classifier.resolution, classifier.preprocessing)
    return [guess.to_dict() for guess in _top(classifier, pixels[None], top)[0]]


def _of_batch(classifier: Predictor, pixels: Pictures, top: int, first: Picture) -> list[tuple[Guess, ...]]:
    try:
        return _top(classifier, pixels, top)
    except NumericError as error:
        raise NumericError(f"{error} (seen in the batch of {picture_name(first)})") from None


def _top(classifier: Predictor, pixels: Pictures, top: int) -> list[tuple[Guess, ...]]:
    how = classifier.preprocessing
    return guesses(classifier.logits(to_tensor(pixels, how.mean, how.std)), classifier.classes, top)


def guesses(logits: Tensor, classes: Sequence[str], top: int) -> list[tuple[Guess, ...]]:
    """The most probable classes of each row of logits [n, classes], at most `top`, best first."""
    probabilities = logits.double().softmax(1)
    order = probabilities.argsort(dim=1, descending=True, stable=True)[:, :top].tolist()
    return [
        tuple(Guess(index, classes[index], float(row[index])) for index in chosen)
        for row, chosen in zip(probabilities.tolist(), order, strict=True)
    ]
