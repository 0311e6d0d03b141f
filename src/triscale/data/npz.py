"""A data set as a pair of files, `train.npz` and `test.npz`: arrays `images`, `labels` and perhaps `classes`."""

import hashlib
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from triscale.data.fit import STUDY
from triscale.data.resize import CHUNK, Pictures, Size
from triscale.data.scan import digests
from triscale.data.source import SPLIT_OFF, Source, TestFrom
from triscale.data.split import SplitRule, split_test
from triscale.errors import InputError
from triscale.spec import Preprocessing

WANTED = (
    "Wanted: images uint8 [n, height, width, 3], labels [n] whole numbers from 0, classes [k] texts (may be left out)."
)


@dataclass(frozen=True, eq=False)
class ArrayPart:
    """Pictures of equal size in an `.npz` file; `chosen` are the positions that belong to this split."""

    path: Path
    size: Size
    labels: NDArray[np.int64]
    chosen: NDArray[np.int64]

    @property
    def master(self) -> Size | None:
        """The size in the file."""
        return self.size

    def render(self, size: Size, how: Preprocessing = STUDY) -> Iterator[Pictures]:  # noqa: ARG002 - only at `master`
        """The pictures as they are in the file."""
        images = _array(self.path, "images").astype(np.uint8, copy=False)
        for start in range(0, len(self.chosen), CHUNK):
            yield images[self.chosen[start : start + CHUNK]]

    @cached_property
    def _images(self) -> Pictures:
        return _array(self.path, "images").astype(np.uint8, copy=False)

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """A digest of the bytes of each picture; the first time it is asked for they are all read."""
        return digests(self._images[self.chosen])

    def name(self, index: int) -> str:
        """The file and the position in it."""
        return f"{self.path.name}[{self.chosen[index]}]"

    def opened(self, index: int) -> AbstractContextManager[Image.Image]:
        """One picture; the first one asked for loads them all into memory."""
        return nullcontext(Image.fromarray(self._images[self.chosen[index]]))


@dataclass(frozen=True, eq=False)
class _File:
    path: Path
    size: Size
    labels: NDArray[np.int64]
    classes: tuple[str, ...] | None

    def part(self, chosen: NDArray[np.int64] | None = None) -> ArrayPart:
        chosen = np.arange(len(self.labels)) if chosen is None else chosen
        return ArrayPart(self.path, self.size, self.labels[chosen], chosen)


def open_npz(folder: Path, *, name: str, cache: Path, rule: SplitRule = SplitRule()) -> Source:  # noqa: B008  frozen
    """The pair in `folder`; without `test.npz`, `val.npz` is the test, and without both a fifth of `train.npz`.

    Raises:
        InputError: a file is missing, broken, or holds other arrays than it should.
    """
    train = _read(folder / "train.npz")
    held_out: tuple[TestFrom, ...] = ("test", "val")
    test_from: TestFrom = next((some for some in held_out if (folder / f"{some}.npz").exists()), "train")
    notes: tuple[str, ...] = ()
    if test_from == "train":
        kept, split_off = split_test(train.labels, train.part().keys, rule.version)
        parts, files, notes = (train.part(kept), train.part(split_off)), [train], (SPLIT_OFF,)
    else:
        test = _read(folder / f"{test_from}.npz")
        parts, files = (train.part(), test.part()), [train, test]
    digest = hashlib.sha256(test_from.encode())
    for file in files:
        with file.path.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return Source(
        name=name,
        classes=_classes(files),
        native=train.size,
        fingerprint=digest.hexdigest(),
        test_from=test_from,
        notes=notes,
        parts={"train": parts[0], "test": parts[1]},
        cache=cache,
        rule=rule,
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


def _classes(files: list[_File]) -> tuple[str, ...]:
    train = files[0]
    classes = train.classes or tuple(str(label) for label in range(int(train.labels.max()) + 1))
    if len(classes) < 2:
        raise InputError(f"{str(train.path)!r} holds only one class.\nA classifier needs two or more.")
    for file in files:
        if file.classes is not None and file.classes != classes:
            raise InputError(
                f"The classes of {str(file.path)!r} are not those of train.npz.\nWrite the same into both."
            )
        if file.labels.max() >= len(classes):
            raise InputError(
                f"{str(file.path)!r}: label {file.labels.max()}, but there are only {len(classes)} classes.\n{WANTED}"
            )
    empty = np.flatnonzero(np.bincount(train.labels, minlength=len(classes)) == 0)
    if len(empty):
        raise InputError(
            f"{str(train.path)!r} has no picture of class {classes[empty[0]]!r} (label {empty[0]}).\n"
            "Leave the class out of `classes`, or give pictures."
        )
    return classes


def _read(path: Path) -> _File:
    shape, dtype = _header(path)
    if dtype != np.uint8 or len(shape) != 4 or shape[3] != 3 or 0 in shape:
        raise InputError(f"{str(path)!r}: images are {dtype} {list(shape)}.\n{WANTED}")
    labels = _array(path, "labels")
    if labels.dtype.kind not in "iu" or labels.shape != (shape[0],) or labels.min() < 0:
        raise InputError(
            f"{str(path)!r}: labels {labels.dtype} {list(labels.shape)} for {shape[0]} images, or negative.\n{WANTED}"
        )
    classes = _array(path, "classes") if "classes" in _names(path) else None
    if classes is not None and (classes.ndim != 1 or classes.dtype.kind != "U" or len(set(classes)) != len(classes)):
        raise InputError(
            f"{str(path)!r}: classes are {classes.dtype} {list(classes.shape)}, or not distinct.\n{WANTED}"
        )
    names = None if classes is None else tuple(str(some) for some in classes)
    return _File(path, (shape[1], shape[2]), labels.astype(np.int64), names)


def _names(path: Path) -> set[str]:
    with zipfile.ZipFile(path) as archive:
        return {name.removesuffix(".npy") for name in archive.namelist()}


def _header(path: Path) -> tuple[tuple[int, ...], np.dtype[np.generic]]:
    """Shape and dtype of `images` without unpacking them, and that nothing else is missing."""
    try:
        missing = {"images", "labels"} - _names(path)
        if missing:
            raise InputError(f"{str(path)!r} has no array {' and no array '.join(sorted(missing))}.\n{WANTED}")
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
    return InputError(
        f"{str(path)!r} cannot be read: {' '.join(str(error).split())[:120]}.\nWrite it anew with numpy.savez. {WANTED}"
    )
