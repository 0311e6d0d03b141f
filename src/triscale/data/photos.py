"""From lists of picture files to a `Source`: scan, findings, what is left out, and the pictures of each split."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from triscale.data.cache import Progress
from triscale.data.findings import Finding, findings, readable
from triscale.data.fit import STUDY
from triscale.data.images import File, Stamp, UnreadableError, content, decode, opened, pillow_warnings_off
from triscale.data.photo import Photo, Policy
from triscale.data.reasons import unusable
from triscale.data.resize import CHUNK, Pictures, Size
from triscale.data.scan import completed, examined, fingerprint, hashed, threads
from triscale.data.source import SPLIT_OFF, Source, TestFrom
from triscale.data.split import split_validation
from triscale.errors import InputError
from triscale.spec import Preprocessing


class BrokenPictureError(InputError):
    """A picture cannot be read any more."""


BLOCK_BYTES = 64 * 2**20
"""Most bytes of decoded pictures in one block."""


@dataclass(frozen=True, eq=False)
class PhotoPart:
    """Photos that could all be read when the source was opened."""

    files: tuple[File, ...]
    names: tuple[str, ...]
    stamps: tuple[Stamp, ...]
    labels: NDArray[np.int64]
    digests: tuple[str, ...] = ()

    @property
    def master(self) -> Size | None:
        """None: each size is decoded from the files, since photos have no common size."""
        return None

    def name(self, index: int) -> str:
        """The path relative to the root of the data set."""
        return self.names[index]

    def opened(self, index: int) -> AbstractContextManager[Image.Image]:
        """One photo, its pixels not read yet; `UnreadableError` if the file is not what it was."""
        return opened(self.files[index], self.stamps[index])

    def content(self, index: int) -> bytes | None:
        """The bytes of one photo; None if the file is not what it was: `opened` says why."""
        return content(self.files[index], self.stamps[index])

    def render(self, size: Size, how: Preprocessing = STUDY) -> Iterator[Pictures]:
        """The photos at `size`, decoded by all processors."""
        block = min(CHUNK, max(1, BLOCK_BYTES // (3 * size[0] * size[1])))
        for start in range(0, len(self.files), block):
            some = range(start, min(start + block, len(self.files)))
            with pillow_warnings_off(), threads() as pool:
                yield np.stack(list(pool.map(lambda index: self._still_good(index, size, how), some)))

    def _still_good(self, index: int, size: Size, how: Preprocessing) -> Pictures:
        try:
            return decode(self.files[index], size, how)
        except UnreadableError as error:
            raise BrokenPictureError(
                f"The picture {self.names[index]!r} broke after the data was checked: {error}.\n"
                "Restore or remove it, then run the command again."
            ) from error


def part_of(photos: Sequence[Photo]) -> PhotoPart:
    """A split that holds these photos."""
    return PhotoPart(
        tuple(photo.file for photo in photos),
        tuple(photo.name for photo in photos),
        tuple(photo.stamp for photo in photos),
        labels_of(photos),
        tuple(photo.digest for photo in photos),
    )


def labels_of(photos: Sequence[Photo]) -> NDArray[np.int64]:
    """`[n]`."""
    return np.array([photo.label for photo in photos], dtype=np.int64)


def photo_source(
    train: Sequence[Photo],
    test: Sequence[Photo] | None,
    *,
    name: str,
    classes: Sequence[str],
    test_from: TestFrom,
    notes: tuple[str, ...] = (),
    table: bytes = b"",
    cache: Path,
    policy: Policy,
    progress: Progress | None = None,
) -> Source:
    """Scan the files and put a source together; one decoding each, remembered in the cache under the content's hash.

    Args:
        train: all files said to be training pictures.
        test: likewise of the test; None: a fifth of each class is split off.
        name: what opens it again.
        classes: names in the order of the labels.
        test_from: what serves as the test.
        notes: sentences that are known already.
        table: what tells the labels, where the names of the files do not.
        cache: folder for what is remembered.
        policy: what is done about doubtful pictures.
        progress: is told how much of the scan is done, and of how much.

    Raises:
        InputError: a class or the test without a readable picture; with a strict policy any serious finding.
    """
    files = hashed([*train, *(test or ())], progress)
    content = fingerprint(files, table)
    files = examined(files, cache / f"{content[:24]}-scan.json", progress)
    if policy.allow_truncated and (complete := completed(files)) != files:
        # What is rendered of them is something else.
        files, content = complete, fingerprint(files, table + b"truncated")
    train, tested = files[: len(train)], files[len(train) :]
    found = findings(train, tested, classes)
    refuse_serious(found, policy)
    refuse_empty(train, classes, policy)
    kept, kept_test, classes, empty = _without_empty(readable(train), readable(tested), classes)
    if test is None:
        rest, split_off = split_validation(labels_of(kept), fraction=0.2, seed=0)
        kept, kept_test, notes = [kept[i] for i in rest], [kept[i] for i in split_off], (*notes, SPLIT_OFF)
    if not kept_test:
        raise unusable(f"There is no readable test picture in {name!r}", tested, "Put pictures in.")
    found += empty
    return Source(
        name=name,
        classes=tuple(classes),
        native=(int(np.median([min(photo.size) for photo in kept])),) * 2,
        fingerprint=content,
        test_from=test_from,
        skipped=sum(bool(photo.reason) for photo in files),
        notes=notes + tuple(one.text for one in found),
        findings=found,
        parts={"train": part_of(kept), "test": part_of(kept_test)},
        cache=cache,
    )


def refuse_serious(found: Sequence[Finding], policy: Policy) -> None:
    """Stop for the first serious finding if the policy is strict."""
    for one in found:
        if policy.strict and one.serious:
            raise InputError(f"{one.text}\nPut the pictures in order, or leave --strict out to train without them.")


def refuse_empty(train: Sequence[Photo], classes: Sequence[str], policy: Policy) -> None:
    """Stop for the first class without a readable picture, unless the policy allows it and two others remain."""
    there = {photo.label for photo in readable(train)}
    empty = [label for label in range(len(classes)) if label not in there]
    if not empty or (policy.allow_empty and len(there) > 1):
        return
    raise unusable(
        f"The class {classes[empty[0]]!r} holds no readable picture for training",
        [photo for photo in train if photo.label == empty[0]],
        "Remove the class or put pictures in; `check` and `train` leave it out with --allow-empty."
        if len(there) > 1
        else f"A classifier needs two or more classes, and only {len(there)} of {len(classes)} have pictures.",
    )


def _without_empty(
    train: list[Photo], test: list[Photo], classes: Sequence[str]
) -> tuple[list[Photo], list[Photo], Sequence[str], tuple[Finding, ...]]:
    """The pictures and classes without the empty ones."""
    there = sorted({photo.label for photo in train})
    empty = [name for label, name in enumerate(classes) if label not in there]
    if not empty:
        return train, test, classes, ()
    found = Finding(
        kind="empty",
        count=len(empty),
        text=f"{len(empty)} classes without a readable picture were left out: {', '.join(map(repr, empty[:3]))}.",
        examples=tuple(map(repr, empty[:10])),
    )
    moved: Mapping[int, int] = {old: new for new, old in enumerate(there)}
    return (
        [replace(photo, label=moved[photo.label]) for photo in train],
        [replace(photo, label=moved[photo.label]) for photo in test if photo.label in moved],
        [classes[label] for label in there],
        (found,),
    )
