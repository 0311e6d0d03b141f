"""What a trained network says of pictures, in files or in memory."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from triscale.data.ahead import decoded
from triscale.data.batches import to_tensor
from triscale.data.images import UnreadableError, decode
from triscale.data.resize import Pictures
from triscale.errors import NumericError
from triscale.weights import Answering

BATCH = 16


@dataclass(frozen=True, kw_only=True, slots=True)
class Prediction:
    """What is said of one file.

    Attributes:
        image: the file.
        top: classes as `{class, name, probability}`, most probable first; `class` is its index.
        reason: why it cannot be read; then `top` is empty.
    """

    image: Path
    top: Sequence[dict[str, Any]] = ()
    reason: str | None = None


def predictions(
    classifier: Answering, images: Sequence[Path], *, top: int = 5, batch: int = BATCH
) -> Iterator[Prediction]:
    """One prediction for each file, in their order; the next batch is decoded while the model computes.

    Args:
        classifier: see `triscale.weights.load_classifier`.
        images: picture files; one that cannot be read does not stop the others.
        top: the most classes for each.
        batch: pictures a step; all are of one size, so it changes the memory and the speed only.

    Raises:
        NumericError: the network answers what is not finite; the message names the picture.
    """
    how = classifier.preprocessing
    for files in decoded(images, classifier.resolution, how, batch):
        readable = [pixels for _, pixels in files if not isinstance(pixels, UnreadableError)]
        rows = iter(_of_batch(classifier, np.stack(readable), top, files[0][0]) if readable else ())
        for path, pixels in files:
            if isinstance(pixels, UnreadableError):
                yield Prediction(image=path, reason=str(pixels))
            else:
                yield Prediction(image=path, top=next(rows))


def prediction(classifier: Answering, content: bytes, *, top: int = 5) -> list[dict[str, Any]]:
    """What is said of one picture in memory: as `Prediction.top`. Several threads may ask at once.

    Args:
        classifier: see `triscale.weights.load_classifier`.
        content: of a picture file.
        top: the most classes.

    Raises:
        UnreadableError: it is no picture that we take.
        NumericError: the network answers what is not finite.
    """
    pixels = decode(content, classifier.resolution, classifier.preprocessing)
    return _top(classifier, pixels[None], top)[0]


def _of_batch(classifier: Answering, pixels: Pictures, top: int, first: Path) -> list[list[dict[str, Any]]]:
    try:
        return _top(classifier, pixels, top)
    except NumericError as error:
        raise NumericError(f"{error} (seen in the batch of {first})") from None


def _top(classifier: Answering, pixels: Pictures, top: int) -> list[list[dict[str, Any]]]:
    how = classifier.preprocessing
    probabilities = classifier.logits(to_tensor(pixels, how.mean, how.std)).double().softmax(1)
    order = probabilities.argsort(dim=1, descending=True, stable=True)[:, :top].tolist()
    return [
        [{"class": index, "name": classifier.classes[index], "probability": float(row[index])} for index in chosen]
        for row, chosen in zip(probabilities.tolist(), order, strict=True)
    ]
