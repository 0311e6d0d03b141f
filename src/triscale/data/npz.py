"""A data set as `.npz` files: arrays `images`, `labels` and perhaps `classes` of each split."""

import hashlib
import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from triscale.data.array_names import ArrayNames, named_arrays
from triscale.data.cache import write_whole
from triscale.data.findings import Finding, alike_in, copies, refuse_serious, strangers
from triscale.data.fit import STUDY
from triscale.data.near import looks_of
from triscale.data.photo import DEFAULT, Photo, Policy
from triscale.data.photos import photos_of
from triscale.data.resize import CHUNK, Pictures, Size
from triscale.data.scan import SCAN, digests
from triscale.data.source import SPLIT_OFF, VAL_IS_TEST, Source, one_class, test_of
from triscale.data.split import FIRST, GroupBy, split_test
from triscale.data.split_words import READ, Split
from triscale.errors import InputError
from triscale.spec import Preprocessing

WANTED = (
    "Wanted: images uint8 [n, height, width, 3], labels [n] whole numbers from 0, classes [k] texts (may be left out)."
)


@dataclass(frozen=True, eq=False)
class ArrayPart:
    """Pictures of equal size in an `.npz` file; `chosen` are the positions that belong to this split."""

    names: ArrayNames
    size: Size
    labels: NDArray[np.int64]
    chosen: NDArray[np.int64]
    digests: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()

    @property
    def master(self) -> Size | None:
        """The size in the file."""
        return self.size

    def render(self, size: Size, how: Preprocessing = STUDY) -> Iterator[Pictures]:  # noqa: ARG002 - only at `master`
        """The pictures as they are in the file."""
        images = _pixels(self.names)
        for start in range(0, len(self.chosen), CHUNK):
            yield images[self.chosen[start : start + CHUNK]]

    @cached_property
    def _images(self) -> Pictures:
        return _pixels(self.names)

    def name(self, index: int) -> str:
        """The file and the position in it."""
        return f"{self.names.shown}[{self.chosen[index]}]"

    def opened(self, index: int) -> AbstractContextManager[Image.Image]:
        """One picture; the first one asked for loads them all into memory."""
        return nullcontext(Image.fromarray(self._images[self.chosen[index]]))

    def some(self, positions: NDArray[np.int64]) -> "ArrayPart":
        """A part of this part."""
        keys, digests = (tuple(some[one] for one in positions) for some in (self.keys, self.digests))
        return replace(self, labels=self.labels[positions], chosen=self.chosen[positions], keys=keys, digests=digests)


@dataclass(frozen=True, eq=False)
class _File:
    names: ArrayNames
    size: Size
    labels: NDArray[np.int64]
    classes: tuple[str, ...] | None

    def part(self, chosen: NDArray[np.int64] | None = None) -> ArrayPart:
        chosen = np.arange(len(self.labels)) if chosen is None else chosen
        return ArrayPart(self.names, self.size, self.labels[chosen], chosen)


def open_npz(where: Path, *, name: str, cache: Path, policy: Policy = DEFAULT) -> Source:
    """The splits in a folder of `.npz` files, or in one file; see `triscale.data.array_names`.

    Without `test`, `val` is the test, and without both a fifth of `train` is.

    Raises:
        InputError: a file is missing, broken, or holds other arrays than it should.
    """
    named, notes = named_arrays(where)
    if policy.split.version == FIRST and "test" in named:
        named.pop("val", None)
    order = [split for split in READ if split in named]
    files = {split: _read(named[split]) for split in order}
    classes = _classes(files["train"])
    parts, left = _known_parts(files, classes)
    test_from = test_of(parts)
    digest, held_digests = hashlib.sha256(test_from.encode()), dict[Path, str]()
    for path in dict.fromkeys(named[split].path for split in order if split in parts):
        with path.open("rb") as stream:
            content = hashlib.file_digest(stream, "sha256")
        digest.update(content.digest())
        held_digests[path] = content.hexdigest()
    seen = {split: _seen(part, cache, held_digests[part.names.path]) for split, part in parts.items()}
    near = alike_in(seen)
    parts = {split: _keyed(part, seen[split], near, policy.split.group_by) for split, part in parts.items()}
    if test_from == "val":
        parts, notes = {"train": parts["train"], "test": parts["val"]}, (*notes, VAL_IS_TEST)
    if test_from == "train":
        kept, test = split_test(parts["train"].labels, parts["train"].keys, policy.split.version)
        parts, notes = {"train": parts["train"].some(kept), "test": parts["train"].some(test)}, (*notes, SPLIT_OFF)
    listed = {split: photos_of(part) for split, part in parts.items()}
    found = (*left, *copies(listed, near, drawn=test_from == "train"))
    refuse_serious(found, policy)
    labels = {split: part.labels for split, part in parts.items()}
    return Source(
        name=name,
        classes=classes,
        native=files["train"].size,
        fingerprint=digest.hexdigest(),
        test_from=test_from,
        skipped=sum(one.count for one in left),
        notes=(*notes, *one_class(labels, classes), *(one.text for one in found)),
        findings=found,
        parts=dict(parts),
        cache=cache,
        rule=policy.split,
    )


def with_digests(part: ArrayPart, cache: Path) -> ArrayPart:
    """The same with the digest of each picture."""
    with part.names.path.open("rb") as stream:
        content = hashlib.file_digest(stream, "sha256").hexdigest()
    return replace(part, digests=tuple(one.digest for one in _seen(part, cache, content)))


def _seen(part: ArrayPart, cache: Path, content: str) -> list[Photo]:
    """The digest and the look of each picture, remembered in the cache under the digest of the file."""
    memory = cache / f"{content[:24]}-{hashlib.sha256(part.names.images.encode()).hexdigest()[:8]}-scan.json"
    try:
        known = json.loads(memory.read_bytes())
        found = known["found"] if known["version"] == SCAN else []
    except (OSError, ValueError, TypeError, KeyError):
        found = []
    if len(found) <= part.chosen.max():
        images = _pixels(part.names)
        found = list(zip(digests(images), looks_of(images), strict=True))
        write_whole(memory, [json.dumps({"version": SCAN, "found": found}).encode()])
    some = [found[one] for one in part.chosen.tolist()]
    return [Photo(name="", file=Path(), label=0, digest=str(digest), look=str(look)) for digest, look in some]


def _keyed(part: ArrayPart, seen: Sequence[Photo], near: Mapping[str, str], group_by: GroupBy) -> ArrayPart:
    found = tuple(one.digest for one in seen)
    return replace(
        part, digests=found, keys=tuple(near.get(one, one) for one in found) if group_by == "near" else found
    )


def _known_parts(
    files: Mapping[Split, _File], classes: tuple[str, ...]
) -> tuple[dict[Split, ArrayPart], tuple[Finding, ...]]:
    """The pictures of each split whose class the training has; findings on the others.

    A split of which no label is a class of the training has no labels to evaluate on: it is left out whole.
    """
    parts: dict[Split, ArrayPart] = {}
    found = list[Finding]()
    for split, file in files.items():
        if file.classes is not None and file.classes != classes:
            raise InputError(
                f"The classes of {file.names.where!r} are not those of train.npz.\nWrite the same into both."
            )
        known = file.labels < len(classes)
        if (count := int((~known).sum())) and split != "train":
            strange = sorted(set(file.labels[~known].tolist()))
            found.append(strangers(split, count, len(known), list(map(str, strange))))
        if known.any():
            parts[split] = file.part(np.flatnonzero(known))
    return parts, tuple(found)


def read_npz(names: ArrayNames) -> tuple[tuple[str, ...] | None, ArrayPart]:
    """All pictures of one file, and its classes if it names them.

    Raises:
        InputError: it is missing, broken, or holds other arrays than it should.
    """
    file = _read(names)
    if file.classes is not None and file.labels.max() >= len(file.classes):
        raise InputError(f"{names.where!r}: label {file.labels.max()}, but only {len(file.classes)} classes.\n{WANTED}")
    return file.classes, file.part()


def _classes(train: _File) -> tuple[str, ...]:
    classes = train.classes or tuple(str(label) for label in range(int(train.labels.max()) + 1))
    if len(classes) < 2:
        raise InputError(f"{train.names.where!r} holds only one class.\nA classifier needs two or more.")
    if train.labels.max() >= len(classes):
        raise InputError(
            f"{train.names.where!r}: label {train.labels.max()}, but there are only {len(classes)} classes.\n{WANTED}"
        )
    empty = np.flatnonzero(np.bincount(train.labels, minlength=len(classes)) == 0)
    if len(empty):
        raise InputError(
            f"{train.names.where!r} has no picture of class {classes[empty[0]]!r} (label {empty[0]}).\n"
            "Leave the class out of `classes`, or give pictures."
        )
    return classes


def _read(names: ArrayNames) -> _File:
    path = names.path
    shape, dtype = _header(names)
    if dtype != np.uint8 or 0 in shape or not (len(shape) == 3 or (len(shape) == 4 and shape[3] in {1, 3})):
        raise InputError(f"{str(path)!r}: images are {dtype} {list(shape)}.\n{WANTED}")
    labels = _array(path, names.labels)
    if labels.shape == (shape[0], 1):
        labels = labels[:, 0]
    if labels.dtype.kind not in "iu" or labels.shape != (shape[0],) or labels.min() < 0:
        raise InputError(
            f"{str(path)!r}: labels {labels.dtype} {list(labels.shape)} for {shape[0]} images, or negative.\n{WANTED}"
        )
    classes = _array(path, "classes") if "classes" in _names(path) else None
    if classes is not None and (classes.ndim != 1 or classes.dtype.kind != "U" or len(set(classes)) != len(classes)):
        raise InputError(
            f"{str(path)!r}: classes are {classes.dtype} {list(classes.shape)}, or not distinct.\n{WANTED}"
        )
    called = None if classes is None else tuple(str(some) for some in classes)
    return _File(names, (shape[1], shape[2]), labels.astype(np.int64), called)


def _names(path: Path) -> set[str]:
    with zipfile.ZipFile(path) as archive:
        return {name.removesuffix(".npy") for name in archive.namelist()}


def _header(names: ArrayNames) -> tuple[tuple[int, ...], np.dtype[np.generic]]:
    """Shape and dtype of the images without unpacking them, and that nothing else is missing."""
    path = names.path
    try:
        missing = {names.images, names.labels} - _names(path)
        if missing:
            raise InputError(f"{str(path)!r} has no array {' and no array '.join(sorted(missing))}.\n{WANTED}")
        with zipfile.ZipFile(path) as archive, archive.open(f"{names.images}.npy") as stream:
            version = np.lib.format.read_magic(stream)
            read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape, _, dtype = read(stream)
            return shape, dtype
    except FileNotFoundError as error:
        raise InputError(f"There is no {str(path)!r}.\nGive a folder that holds train.npz and test.npz.") from error
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise _broken(path, error) from error


def _pixels(names: ArrayNames) -> Pictures:
    """`[n, height, width, 3]`; grey ones have the same value three times."""
    images = _array(names.path, names.images).astype(np.uint8, copy=False)
    if images.ndim == 3:
        images = images[..., None]
    return images if images.shape[3] == 3 else np.repeat(images, 3, axis=3)


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
