"""A data set as `.npz` files: arrays `images`, `labels` and perhaps `classes` of each split.

`array_names.py` says which arrays these are, `arrays.py` in which forms they are read.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from triscale.data.checks.findings import Finding, alike_in, copies, refuse_serious, strangers
from triscale.data.checks.near_copies import looks_of
from triscale.data.checks.scan import SCAN, digests
from triscale.data.decode.render_cache import write_cached
from triscale.data.names.split_words import READ, Split
from triscale.data.photo import DEFAULT, CheckOptions, Photo
from triscale.data.photo_files import photos_of
from triscale.data.readers.array_file import WANTED, ArrayFile, ArrayPart, is_unlabelled, read_file
from triscale.data.readers.array_names import ArrayNames, named_arrays
from triscale.data.source import SPLIT_OFF, VAL_IS_TEST, Source, one_class, test_of
from triscale.data.split import FIRST, GroupBy, split_test
from triscale.errors import InputError


def open_npz(where: Path, *, name: str, cache: Path, policy: CheckOptions = DEFAULT) -> Source:
    """The splits in a folder of `.npz` files, or in one file; see `triscale.data.readers.array_names`.

    Without `test`, `val` is the test, and without both a fifth of `train` is.

    Raises:
        InputError: a file is missing, broken, or holds other arrays than it should.
    """
    named, notes = named_arrays(where)
    if policy.split.version == FIRST and "test" in named:
        named.pop("val", None)
    bare = [split for split in READ if split != "train" and split in named and is_unlabelled(named[split])]
    notes += tuple(f"The {split} split is not used: {named[split].shown} has no labels." for split in bare)
    order = [split for split in READ if split in named and split not in bare]
    files = {split: read_file(named[split]) for split in order}
    classes = _classes(files["train"])
    parts, left = _known_parts(files, classes)
    # One note for splits of one form, by the first of them.
    forms = {replace(files[split].form, note=""): files[split].note for split in reversed(parts)}
    notes += tuple(note for note in reversed(forms.values()) if note)
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
        native=files["train"].form.size,
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
    """The same with the digest of each image."""
    with part.names.path.open("rb") as stream:
        content = hashlib.file_digest(stream, "sha256").hexdigest()
    return replace(part, digests=tuple(one.digest for one in _seen(part, cache, content)))


def read_npz(names: ArrayNames) -> tuple[tuple[str, ...] | None, ArrayPart, str]:
    """All images of one file, its classes if it names them, and a note on how the images are read, or nothing.

    Raises:
        InputError: it is missing, broken, or holds other arrays than it should.
    """
    file = read_file(names)
    if file.classes is not None and file.labels.max() >= len(file.classes):
        raise InputError(f"{names.where!r}: label {file.labels.max()}, but only {len(file.classes)} classes.\n{WANTED}")
    return file.classes, file.part(), file.note


def _seen(part: ArrayPart, cache: Path, content: str) -> list[Photo]:
    """The digest and the look of each image, remembered in the cache under the digest of the file."""
    memory = cache / f"{content[:24]}-{hashlib.sha256(part.names.images.encode()).hexdigest()[:8]}-scan.json"
    try:
        known = json.loads(memory.read_bytes())
        found = known["found"] if known["version"] == SCAN else []
    except (OSError, ValueError, TypeError, KeyError):
        found = []
    if len(found) <= part.chosen.max():
        images = replace(part).whole  # a copy keeps no images in memory
        found = list(zip(digests(images), looks_of(images), strict=True))
        write_cached(memory, [json.dumps({"version": SCAN, "found": found}).encode()])
    some = [found[one] for one in part.chosen.tolist()]
    return [Photo(name="", file=Path(), label=0, digest=str(digest), look=str(look)) for digest, look in some]


def _keyed(part: ArrayPart, seen: Sequence[Photo], near: Mapping[str, str], group_by: GroupBy) -> ArrayPart:
    found = tuple(one.digest for one in seen)
    return replace(
        part, digests=found, keys=tuple(near.get(one, one) for one in found) if group_by == "near" else found
    )


def _classes(train: ArrayFile) -> tuple[str, ...]:
    """The classes of the training; without names they are the numbers that occur, so a gap is not an empty class."""
    classes = train.classes or tuple(map(str, np.unique(train.labels)))
    if len(classes) < 2:
        raise InputError(
            f"{train.names.where!r} holds only one class, {classes[0]!r}.\nA classifier needs two or more."
        )
    labels, strange = _places(train, train, classes)
    if strange:
        raise InputError(
            f"{train.names.where!r}: label {strange[-1]}, but there are only {len(classes)} classes: "
            f"{', '.join(classes[:5])[:60]}.\n{WANTED}"
        )
    empty = np.flatnonzero(np.bincount(labels, minlength=len(classes)) == 0)
    if len(empty):
        raise InputError(
            f"{train.names.where!r} has no image of class {classes[empty[0]]!r} (label {empty[0]}).\n"
            "Leave the class out of `classes`, or give images."
        )
    return classes


def _known_parts(
    files: Mapping[Split, ArrayFile], classes: tuple[str, ...]
) -> tuple[dict[Split, ArrayPart], tuple[Finding, ...]]:
    """The images of each split whose class the training has; findings on the others.

    A split of which no label is a class of the training has no labels to evaluate on: it is left out whole.
    """
    parts: dict[Split, ArrayPart] = {}
    found = list[Finding]()
    for split, file in files.items():
        labels, strange = _places(file, files["train"], classes)
        known = np.flatnonzero(labels >= 0)
        if strange:
            found.append(strangers(split, len(labels) - len(known), len(labels), strange))
        if len(known):
            parts[split] = replace(file, labels=labels).part(known)
    return parts, tuple(found)


def _places(file: ArrayFile, train: ArrayFile, classes: tuple[str, ...]) -> tuple[NDArray[np.int64], list[str]]:
    """The labels of a file as places among `classes`, -1 for those that are none of them; and the names of these."""
    if file.classes is not None and not file.texts and file.classes != classes:
        raise InputError(f"The classes of {file.names.where!r} are not those of train.npz.\nWrite the same into both.")
    if train.texts != file.texts and None in {train.classes, file.classes}:
        one, other = ("texts", "numbers") if file.texts else ("numbers", "texts")
        raise InputError(
            f"{file.names.where!r} has {one} for labels, and the training {other}.\nWrite the same kind into both."
        )
    names = file.classes or (classes if train.classes else None)
    known = {name: place for place, name in enumerate(classes)}
    numbers, inverse = np.unique(file.labels, return_inverse=True)
    called = {number: str(number) for number in numbers.tolist()}
    if names:
        called |= {number: names[number] for number in called if number < len(names)}
    places = [-1 if names and number >= len(names) else known.get(name, -1) for number, name in called.items()]
    strange = [name for name, place in zip(called.values(), places, strict=True) if place < 0]
    return np.array(places, dtype=np.int64)[inverse], strange
