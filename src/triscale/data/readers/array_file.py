"""One split in an `.npz` file: its images, labels and perhaps class names, each in a form that `arrays.py` knows."""

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from triscale.data.readers.array_names import ArrayNames
from triscale.data.readers.arrays import ArrayError, Form, form_of, labels_of
from triscale.data.transforms.area_resize import CHUNK, Pictures, Size
from triscale.data.transforms.eval_crop import STUDY
from triscale.errors import InputError
from triscale.spec import Preprocessing

WANTED = (
    "Wanted: images [n, height, width, 3] uint8 (or grey, channels first, 0 to 1), labels [n], classes [k] or none."
)


@dataclass(frozen=True, eq=False)
class ArrayPart:
    """Images of equal size in an `.npz` file; `chosen` are the positions that belong to this split."""

    names: ArrayNames
    form: Form
    labels: NDArray[np.int64]
    chosen: NDArray[np.int64]
    digests: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()

    @property
    def master(self) -> Size | None:
        """The size in the file."""
        return self.form.size

    def render(self, size: Size, how: Preprocessing = STUDY) -> Iterator[Pictures]:  # noqa: ARG002 - only at `master`
        """The images as they are in the file."""
        images = _array(self.names.path, self.names.images)
        for start in range(0, len(self.chosen), CHUNK):
            yield self.form.pixels(images[self.chosen[start : start + CHUNK]])

    @cached_property
    def whole(self) -> Pictures:
        """All images of the array, those of other splits too; kept in memory once asked for."""
        return self.form.pixels(_array(self.names.path, self.names.images))

    def name(self, index: int) -> str:
        """The file and the position in it."""
        return f"{self.names.shown}[{self.chosen[index]}]"

    def opened(self, index: int) -> AbstractContextManager[Image.Image]:
        """One image; the first one asked for loads them all into memory."""
        return nullcontext(Image.fromarray(self.whole[self.chosen[index]]))

    def some(self, positions: NDArray[np.int64]) -> "ArrayPart":
        """A part of this part."""
        keys, digests = (tuple(some[one] for one in positions) for some in (self.keys, self.digests))
        return replace(self, labels=self.labels[positions], chosen=self.chosen[positions], keys=keys, digests=digests)


@dataclass(frozen=True, eq=False)
class ArrayFile:
    """What is there of a split.

    Attributes:
        names: of its arrays.
        form: of its images.
        labels: `[n]`, not negative.
        classes: what the labels stand for, named by an array `classes` or by labels that are texts; None: nothing says.
        texts: whether the labels are texts themselves.
    """

    names: ArrayNames
    form: Form
    labels: NDArray[np.int64]
    classes: tuple[str, ...] | None
    texts: bool

    @property
    def note(self) -> str:
        """How the images are read; empty for the documented form."""
        return self.form.note and f"{self.names.shown}: {self.form.note}"

    def part(self, chosen: NDArray[np.int64] | None = None) -> ArrayPart:
        """The images at some positions, by default all."""
        chosen = np.arange(len(self.labels)) if chosen is None else chosen
        return ArrayPart(self.names, self.form, self.labels[chosen], chosen)


def read_file(names: ArrayNames) -> ArrayFile:
    """The labels and the form of the images, which stay in the file.

    Raises:
        InputError: the file is missing, broken, or holds other arrays than it should.
    """
    path = names.path
    shape, dtype = _header(names)
    try:
        form = form_of(shape, dtype, lambda: _array(path, names.images))
    except ArrayError as error:
        raise InputError(f"{names.where!r}: images are {error}.\n{WANTED}") from error
    try:
        labels = labels_of(_array(path, names.labels), shape[0])
    except ArrayError as error:
        raise InputError(f"{names.where!r}: labels {error}.\n{WANTED}") from error
    classes = _array(path, "classes") if "classes" in _names(path) else None
    if classes is not None and (classes.ndim != 1 or classes.dtype.kind != "U" or len(set(classes)) != len(classes)):
        raise InputError(
            f"{str(path)!r}: classes are {classes.dtype} {list(classes.shape)}, or not distinct.\n{WANTED}"
        )
    called = None if classes is None else tuple(str(some) for some in classes)
    if labels.names is None or called is None:
        return ArrayFile(names, form, labels.numbers, called or labels.names, labels.names is not None)
    strange = set(labels.names) - set(called)
    if strange:
        raise InputError(f"{names.where!r}: the label {min(strange)!r} is not among `classes`.\n{WANTED}")
    places = np.array([called.index(one) for one in labels.names])[labels.numbers]
    return ArrayFile(names, form, places, called, texts=False)


def is_unlabelled(names: ArrayNames) -> bool:
    """Whether the images of a split are there and its labels are not; of a broken file `read_file` says so."""
    try:
        there = _names(names.path)
    except (OSError, zipfile.BadZipFile):
        return False
    return names.images in there and names.labels not in there


def _names(path: Path) -> set[str]:
    with zipfile.ZipFile(path) as archive:
        return {name.removesuffix(".npy") for name in archive.namelist()}


def _header(names: ArrayNames) -> tuple[tuple[int, ...], np.dtype[np.generic]]:
    """Shape and dtype of the images without unpacking them, and that nothing else is missing."""
    path = names.path
    try:
        there = _names(path)
        missing = {names.images, names.labels} - there
        if missing:
            held = f"; it has {', '.join(sorted(there))[:80]}" if there else ""
            raise InputError(f"{str(path)!r} has no array {' and no array '.join(sorted(missing))}{held}.\n{WANTED}")
        with zipfile.ZipFile(path) as archive, archive.open(f"{names.images}.npy") as stream:
            version = np.lib.format.read_magic(stream)
            read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape, _, dtype = read(stream)
            return shape, dtype
    except FileNotFoundError as error:
        raise InputError(f"There is no {str(path)!r}.\nGive a folder that holds train.npz and test.npz.") from error
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise _broken(path, error) from error


def _array(path: Path, name: str) -> NDArray[np.generic]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            array: NDArray[np.generic] = arrays[name]
            return array
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise _broken(path, error) from error


def _broken(path: Path, error: Exception) -> InputError:
    if "Object arrays" in str(error):
        return InputError(
            f"{str(path)!r} cannot be read: an array holds Python objects.\n"
            "Write texts as numpy.array(texts, dtype=str), images as one uint8 array of equal sizes."
        )
    return InputError(
        f"{str(path)!r} cannot be read: {' '.join(str(error).split())[:120]}.\nWrite it with numpy.savez. {WANTED}"
    )
