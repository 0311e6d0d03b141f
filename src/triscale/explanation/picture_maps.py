"""Class activation maps of image files, drawn over exactly the pixels that the network saw."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
from PIL import Image

from triscale.data import Picture, picture_name
from triscale.data.decode.image import UnreadableError, opened, upright_size
from triscale.data.feed.in_memory import to_tensor
from triscale.data.feed.prefetch import decoded
from triscale.errors import NumericError, UsageError
from triscale.explanation.focus import Scoring, mask_of, scored
from triscale.explanation.gradcam import LAST, ClassMaps, Method, class_maps, method_for
from triscale.explanation.grid import overlay
from triscale.map_scores import MapScore
from triscale.weights import Classifier, Guess, finite

_BATCH = 4
"""Images a step: Grad-CAM keeps what training would keep of each."""
Given = TypeVar("Given", bound=Picture)
"""A file, or an image in memory."""


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class Explanation(Generic[Given]):
    """The map of one class over one image.

    Attributes:
        image: the file, or the image as it was given.
        method: `CAM` or `Grad-CAM`.
        shown: the class.
        picture: the map over what was cut out of the image; None where the file cannot be read.
        reason: why it cannot be read.
        score: what the map is worth, where that was wanted.
    """

    image: Given
    method: Method
    shown: Guess | None = None
    picture: Image.Image | None = None
    reason: str | None = None
    score: MapScore | None = None

    def __repr__(self) -> str:
        """Short, also where `image` is an array."""
        said = self.reason or f"{self.method} of {self.shown.name if self.shown else 'no class'}"
        return f"Explanation({picture_name(self.image)}: {said})"


def explanations(
    classifier: Classifier,
    images: Sequence[Given],
    *,
    wanted: str | int | None = None,
    layer: str = LAST,
    scoring: Scoring | None = None,
) -> Iterator[Explanation[Given]]:
    """One explanation for each image, in their order.

    Args:
        classifier: see `triscale.weights.load_classifier`; its preprocessing decides what the network sees.
        images: files, of which one that cannot be read does not stop the others; or images in memory.
        wanted: the class by its name or index; by default the most probable one of each image.
        layer: the map that is looked at, see `class_maps`.
        scoring: how each map is scored, see `Explanation.score`; None: none is.

    Raises:
        UsageError: no such class or layer.
        InputError: something in memory is not an image.
        NumericError: the network answers what is not finite; the message names the image.
    """
    method = method_for(classifier.own_model, layer)
    index = None if wanted is None else class_index(classifier.classes, wanted)
    return _explanations(classifier, images, index, layer, method, scoring)


def class_index(classes: Sequence[str], wanted: str | int) -> int:
    """The class of that name, or else of that index; UsageError, with names that are near, where there is none."""
    text = str(wanted)
    if text in classes and isinstance(wanted, str):
        return classes.index(text)
    if text.isdecimal() and text.isascii() and len(text) < 10 and int(text) < len(classes):
        return int(text)
    near = get_close_matches(text, classes, cutoff=0.5) or [name for name in classes if text.casefold() in name][:3]
    hint = (
        f"did you mean {' or '.join(near)}?"
        if near
        else f"they are {', '.join(classes[:5])}{', ...' * (len(classes) > 5)}"
    )
    raise UsageError(f"no class {wanted!r} among the {len(classes)} of these weights: {hint}")


def _explanations(
    classifier: Classifier,
    images: Sequence[Given],
    index: int | None,
    layer: str,
    method: Method,
    scoring: Scoring | None,
) -> Iterator[Explanation[Given]]:
    for files in decoded(images, classifier.resolution, classifier.preprocessing, _BATCH):
        readable = [pixels for _, pixels in files if not isinstance(pixels, UnreadableError)]
        seen = _seen(classifier, np.stack(readable), index, layer, files[0][0]) if readable else None
        row = 0
        for image, pixels in files:
            if isinstance(pixels, UnreadableError) or seen is None:
                yield Explanation(image=image, method=method, reason=str(pixels))
                continue
            yield Explanation(
                image=image,
                method=method,
                shown=_guess(classifier, seen, row),
                picture=overlay(pixels, seen.maps[row].numpy()),
                score=None if scoring is None else _score(classifier, image, pixels, seen, row, scoring),
            )
            row += 1


def _seen(classifier: Classifier, pixels: Any, index: int | None, layer: str, first: Picture) -> ClassMaps:
    how = classifier.preprocessing
    seen = class_maps(classifier.own_model, to_tensor(pixels, how.mean, how.std), index, layer)
    try:
        finite(seen.logits)
    except NumericError as error:
        raise NumericError(f"{error} (seen in the batch of {picture_name(first)})") from None
    return seen


def _score(
    classifier: Classifier, image: Picture, pixels: Any, seen: ClassMaps, row: int, scoring: Scoring
) -> MapScore:
    """The score of the map in a row; only files can have boxes."""
    how, mask = classifier.preprocessing, None
    if isinstance(image, Path) and image.name in scoring.boxes:
        with opened(image) as original:
            size = upright_size(original)
        mask = mask_of(scoring, image.name, size, classifier.resolution, how)
    tensor = to_tensor(pixels[None], how.mean, how.std)[0]
    return scored(classifier, tensor, seen.maps[row], int(seen.chosen[row]), steps=scoring.steps, mask=mask)


def _guess(classifier: Classifier, seen: ClassMaps, row: int) -> Guess:
    index = int(seen.chosen[row])
    probability = float(seen.logits[row].double().softmax(0)[index])
    return Guess(index, classifier.classes[index], probability)
