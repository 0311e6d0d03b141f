"""Arrays of images and of labels in the forms in which people keep them, brought to one or rejected."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from triscale.data.transforms.area_resize import CHUNK, Pictures, Size

Array = NDArray[np.generic]
Channels = Literal["last", "first", "none"]

CHANNELS = {1, 3, 4}
DOUBTFUL = 2.0
"""Floats up to here can be from 0 to 1 with some beyond, or from 0 to 255 and dark."""


class ArrayError(Exception):
    """An array that is not understood; the text says what it is."""


@dataclass(frozen=True, kw_only=True)
class Form:
    """How an array holds images.

    Attributes:
        size: `(height, width)` in pixels.
        channels: where the channels stand: last, first (behind the images), or nowhere, of grey images.
        scale: by which values become those from 0 to 255.
        note: what a reader should know of it; empty for the documented form.
    """

    size: Size
    channels: Channels = "last"
    scale: float = 1.0
    note: str = ""

    def pixels(self, images: Array) -> Pictures:
        """The images of such an array, uint8 `[n, height, width, 3]`; what is transparent is white."""
        if images.dtype == np.uint8 and self.channels == "last" and images.shape[3] == 3:
            return images.astype(np.uint8, copy=False)
        blocks = [self._block(images[start : start + CHUNK]) for start in range(0, len(images), CHUNK)]
        return np.concatenate(blocks) if blocks else np.empty((0, *self.size, 3), np.uint8)

    def _block(self, images: Array) -> Pictures:
        if self.channels == "first":
            images = images.transpose(0, 2, 3, 1)
        if self.channels == "none":
            images = images[..., None]
        values = np.rint(images.astype(np.float64) * self.scale)
        if values.shape[3] == 4:
            alpha = values[..., 3:] / 255
            values = np.rint(values[..., :3] * alpha + 255 * (1 - alpha))
        return np.broadcast_to(values.astype(np.uint8), (*values.shape[:3], 3))


def form_of(shape: tuple[int, ...], dtype: np.dtype[Any], images: Callable[[], Array]) -> Form:
    """The form of an array of images.

    Args:
        shape: of the array.
        dtype: likewise.
        images: gives the array; called only where its values have to be looked at.

    Raises:
        ArrayError: it is none that can only mean one thing.
    """
    said = f"{dtype} {list(shape)}"
    if 0 in shape or len(shape) not in {3, 4}:
        flat = ": each image is one row, reshape them" if len(shape) == 2 else ""
        raise ArrayError(said + flat)
    channels: Channels = "none"
    if len(shape) == 4:
        if not CHANNELS & {shape[1], shape[3]}:
            raise ArrayError(said)
        channels = "last" if shape[3] in CHANNELS else "first"
    size = {"last": shape[1:3], "first": shape[2:4], "none": shape[1:3]}[channels]
    scale, values = (1.0, "") if dtype == np.uint8 else _scale(said, dtype, images())
    plain = channels == "last" and shape[3] == 3 and not values
    layout = {"last": "", "first": ", channels first", "none": ", grey"}[channels]
    note = "" if plain else f"images {said} are read as images of {size[0]}x{size[1]} px{layout}{values}."
    return Form(size=(size[0], size[1]), channels=channels, scale=scale, note=note)


def _scale(said: str, dtype: np.dtype[Any], images: Array) -> tuple[float, str]:
    """What turns the values into 0 to 255, and the words of the note about it."""
    if dtype.kind == "b":
        return 255.0, ", black and white"
    if dtype.kind not in "iuf":
        raise ArrayError(said)
    least, most = float(images.min()), float(images.max())
    if least >= 0 and most <= 1:
        return 255.0, ", values from 0 to 1"
    if least >= 0 and most <= 255 and (dtype.kind in "iu" or most > DOUBTFUL):
        return 1.0, ", values from 0 to 255"
    raise ArrayError(f"{said} with values from {least:.4g} to {most:.4g}, neither 0 to 1 nor 0 to 255")


@dataclass(frozen=True, eq=False)
class Labels:
    """What an array of labels says.

    Attributes:
        numbers: `[n]`, not negative.
        names: what the numbers stand for, where the array holds texts.
    """

    numbers: NDArray[np.int64]
    names: tuple[str, ...] | None = None


def labels_of(array: Array, count: int) -> Labels:
    """The labels of `count` images: whole numbers, texts, or a one in the column of the class.

    Raises:
        ArrayError: it is none of these, or not as long as there are images.
    """
    said = f"{array.dtype} {list(array.shape)} for {count} images"
    if array.shape in {(count, 1), (1, count)}:
        array = array.reshape(count)
    if array.ndim == 2 and len(array) == count and array.dtype.kind in "iufb":
        array = _marked(array)
    if array.shape != (count,):
        raise ArrayError(said)
    if array.dtype.kind in "US":
        return _named(array)
    if array.dtype.kind not in "iufb":
        raise ArrayError(said)
    numbers = array.astype(np.int64)
    if (odd := np.flatnonzero(numbers != array)).size:
        raise ArrayError(f"{said}, amounts such as {array[odd[0]]} at {odd[0]}")
    if numbers.min() < 0:
        raise ArrayError(f"{said}, negative: {numbers.min()} at {numbers.argmin()}")
    return Labels(numbers)


def _marked(array: Array) -> Array:
    """The column of the one in each row."""
    marks = array == 1
    wrong = np.flatnonzero((marks.sum(axis=1) != 1) | ((array != 0) & ~marks).any(axis=1))
    if wrong.size:
        shown = " ".join(map(str, array[wrong[0]][:8].tolist()))
        raise ArrayError(
            f"{array.dtype} {list(array.shape)}: row {wrong[0]} is {shown}, and one class should be marked"
        )
    places: Array = marks.argmax(axis=1)
    return places


def _named(array: Array) -> Labels:
    texts = [(text.decode("utf-8", "backslashreplace") if isinstance(text, bytes) else text) for text in array.tolist()]
    found = {text.strip() for text in texts}
    if "" in found:
        raise ArrayError(f"{array.dtype}, the one at {[text.strip() for text in texts].index('')} is empty")
    numbers = all(name.isdecimal() for name in found)
    names = tuple(sorted(found, key=lambda one: (int(one) if numbers else 0, one)))
    places = {name: place for place, name in enumerate(names)}
    return Labels(np.array([places[text.strip()] for text in texts], dtype=np.int64), names)
