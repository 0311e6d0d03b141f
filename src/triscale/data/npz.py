"""A data set as a pair of files, `train.npz` and `test.npz`: arrays `images`, `labels` and perhaps `classes`.

`arrays.py` says in which forms the first two are read.
"""

import hashlib
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

from triscale.data.arrays import ArrayError, Form, form_of, labels_of
from triscale.data.fit import STUDY
from triscale.data.resize import CHUNK, Pictures, Size
from triscale.data.source import SPLIT_OFF, Source, TestFrom
from triscale.data.split import split_validation
from triscale.errors import InputError
from triscale.spec import Preprocessing

WANTED = (
    "Wanted: images [n, height, width, 3] uint8 (or grey, channels first, 0 to 1), labels [n], classes [k] or none."
)


@dataclass(frozen=True, eq=False)
class ArrayPart:
    """Pictures of equal size in an `.npz` file; `chosen` are the positions that belong to this split."""

    path: Path
    size: Size
    labels: NDArray[np.int64]
    chosen: NDArray[np.int64]
    form: Form

    @property
    def master(self) -> Size | None:
        """The size in the file."""
        return self.size

    def render(self, size: Size, how: Preprocessing = STUDY) -> Iterator[Pictures]:  # noqa: ARG002 - only at `master`
        """The pictures as they are in the file."""
        images = _array(self.path, "images")
        for start in range(0, len(self.chosen), CHUNK):
            yield self.form.pixels(images[self.chosen[start : start + CHUNK]])

    @cached_property
    def _images(self) -> Pictures:
        return self.form.pixels(_array(self.path, "images"))

    def name(self, index: int) -> str:
        """The file and the position in it."""
        return f"{self.path.name}[{self.chosen[index]}]"

    def opened(self, index: int) -> AbstractContextManager[Image.Image]:
        """One picture; the first one asked for loads them all into memory."""
        return nullcontext(Image.fromarray(self._images[self.chosen[index]]))


@dataclass(frozen=True, eq=False)
class _File:
    """What a file holds; `classes` are named by an array of that name, or by labels that are `texts` themselves."""

    path: Path
    form: Form
    labels: NDArray[np.int64]
    classes: tuple[str, ...] | None
    texts: bool

    @property
    def notes(self) -> tuple[str, ...]:
        return (f"{self.path.name}: {self.form.note}",) if self.form.note else ()

    def part(self, chosen: NDArray[np.int64] | None = None) -> ArrayPart:
        chosen = np.arange(len(self.labels)) if chosen is None else chosen
        return ArrayPart(self.path, self.form.size, self.labels[chosen], chosen, self.form)


def open_npz(folder: Path, *, name: str, cache: Path) -> Source:
    """The pair in `folder`; without `test.npz`, `val.npz` is the test, and without both a fifth of `train.npz`.

    Raises:
        InputError: a file is missing, broken, or holds other arrays than it should.
    """
    train = _read(folder / "train.npz")
    held_out: tuple[TestFrom, ...] = ("test", "val")
    test_from: TestFrom = next((some for some in held_out if (folder / f"{some}.npz").exists()), "train")
    files = _aligned([train] if test_from == "train" else [train, _read(folder / f"{test_from}.npz")])
    notes = tuple(dict.fromkeys(note for file in files for note in file.notes))
    if test_from == "train":
        kept, split_off = split_validation(files[0].labels, fraction=0.2, seed=0)
        parts, notes = (files[0].part(kept), files[0].part(split_off)), (*notes, SPLIT_OFF)
    else:
        parts = (files[0].part(), files[1].part())
    digest = hashlib.sha256(test_from.encode())
    for file in files:
        with file.path.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return Source(
        name=name,
        classes=files[0].classes or (),
        native=train.form.size,
        fingerprint=digest.hexdigest(),
        test_from=test_from,
        notes=notes,
        parts={"train": parts[0], "test": parts[1]},
        cache=cache,
    )


def read_npz(path: Path) -> tuple[tuple[str, ...] | None, ArrayPart]:
    """All pictures of one file, and its classes if it names them.

    Raises:
        InputError: it is missing, broken, or holds other arrays than it should.
    """
    file = _read(path)
    if file.classes is not None and file.labels.max() >= len(file.classes):
        raise InputError(f"{str(path)!r}: label {file.labels.max()}, but only {len(file.classes)} classes.\n{WANTED}")
    return file.classes, file.part()


def _aligned(files: list[_File]) -> list[_File]:
    """The files with the classes of the first one, which is for training, and labels that are places among them.

    Without names the classes are the numbers that occur, so that a gap is no empty class.

    Raises:
        InputError: fewer than two classes, one without a picture for training, or a label that training has not.
    """
    train = files[0]
    classes = train.classes or tuple(map(str, np.unique(train.labels)))
    if len(classes) < 2:
        raise InputError(f"{str(train.path)!r} holds only one class, {classes[0]!r}.\nA classifier needs two or more.")
    aligned = [replace(file, labels=_places(file, train, classes), classes=classes) for file in files]
    empty = np.flatnonzero(np.bincount(aligned[0].labels, minlength=len(classes)) == 0)
    if len(empty):
        raise InputError(
            f"{str(train.path)!r} has no picture of class {classes[empty[0]]!r} (label {empty[0]}).\n"
            "Leave the class out of `classes`, or give pictures."
        )
    return aligned


def _places(file: _File, train: _File, classes: tuple[str, ...]) -> NDArray[np.int64]:
    """The labels of a file as places among `classes`."""
    if file.classes is not None and not file.texts and file.classes != classes:
        raise InputError(f"The classes of {str(file.path)!r} are not those of train.npz.\nWrite the same into both.")
    if train.texts and not file.texts and file.classes is None:
        raise InputError(
            f"{str(file.path)!r} has numbers for labels, and train.npz texts.\nWrite the same kind into both."
        )
    names = file.classes or (classes if train.classes else None)
    known = {name: place for place, name in enumerate(classes)}
    numbers, inverse = np.unique(file.labels, return_inverse=True)
    called = [(names[number] if number < len(names) else None) if names else str(number) for number in numbers.tolist()]
    strange = [number for number, name in zip(numbers.tolist(), called, strict=True) if name not in known]
    if strange:
        label = names[strange[-1]] if names and strange[-1] < len(names) else strange[-1]
        raise InputError(
            f"{str(file.path)!r}: label {label}, but there are only {len(classes)} classes: "
            f"{', '.join(classes[:5])[:60]}.\n{WANTED}"
        )
    return np.array([known[name] for name in called if name is not None], dtype=np.int64)[inverse]


def _read(path: Path) -> _File:
    shape, dtype = _header(path)
    try:
        form = form_of(shape, dtype, lambda: _array(path, "images"))
    except ArrayError as error:
        raise InputError(f"{str(path)!r}: images are {error}.\n{WANTED}") from error
    try:
        labels = labels_of(_array(path, "labels"), shape[0])
    except ArrayError as error:
        raise InputError(f"{str(path)!r}: labels {error}.\n{WANTED}") from error
    classes = _array(path, "classes") if "classes" in _names(path) else None
    if classes is not None and (classes.ndim != 1 or classes.dtype.kind != "U" or len(set(classes)) != len(classes)):
        raise InputError(
            f"{str(path)!r}: classes are {classes.dtype} {list(classes.shape)}, or not distinct.\n{WANTED}"
        )
    names = None if classes is None else tuple(str(some) for some in classes)
    if labels.names is None or names is None:
        return _File(path, form, labels.numbers, names or labels.names, labels.names is not None)
    strange = set(labels.names) - set(names)
    if strange:
        raise InputError(f"{str(path)!r}: the label {min(strange)!r} is not among `classes`.\n{WANTED}")
    return _File(path, form, np.array([names.index(one) for one in labels.names])[labels.numbers], names, texts=False)


def _names(path: Path) -> set[str]:
    with zipfile.ZipFile(path) as archive:
        return {name.removesuffix(".npy") for name in archive.namelist()}


def _header(path: Path) -> tuple[tuple[int, ...], np.dtype[np.generic]]:
    """Shape and dtype of `images` without unpacking them, and that nothing else is missing."""
    try:
        there = _names(path)
        missing = {"images", "labels"} - there
        if missing:
            held = f"; it has {', '.join(sorted(there))[:80]}" if there else ""
            raise InputError(f"{str(path)!r} has no array {' and no array '.join(sorted(missing))}{held}.\n{WANTED}")
        with zipfile.ZipFile(path) as archive, archive.open("images.npy") as stream:
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
            "Write texts as numpy.array(texts, dtype=str), pictures as one uint8 array of equal sizes."
        )
    return InputError(
        f"{str(path)!r} cannot be read: {' '.join(str(error).split())[:120]}.\nWrite it anew with numpy.savez. {WANTED}"
    )
