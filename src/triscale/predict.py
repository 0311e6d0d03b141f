"""What a trained network says of picture files."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from triscale.data.ahead import decoded
from triscale.data.batches import to_tensor
from triscale.data.images import UnreadableError
from triscale.errors import NumericError
from triscale.weights import Classifier

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
    classifier: Classifier, images: Sequence[Path], *, top: int = 5, batch: int = BATCH
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
        rows = iter(_top(classifier, np.stack(readable), top, files[0][0]) if readable else ())
        for path, pixels in files:
            if isinstance(pixels, UnreadableError):
                yield Prediction(image=path, reason=str(pixels))
            else:
                yield Prediction(image=path, top=next(rows))


def _top(classifier: Classifier, pixels: Any, top: int, first: Path) -> list[list[dict[str, Any]]]:
    how = classifier.preprocessing
    try:
        probabilities = classifier.logits(to_tensor(pixels, how.mean, how.std)).double().softmax(1)
    except NumericError as error:
        raise NumericError(f"{error} (seen in the batch of {first})") from None
    order = probabilities.argsort(dim=1, descending=True, stable=True)[:, :top].tolist()
    return [
        [{"class": index, "name": classifier.classes[index], "probability": float(row[index])} for index in chosen]
        for row, chosen in zip(probabilities.tolist(), order, strict=True)
    ]
