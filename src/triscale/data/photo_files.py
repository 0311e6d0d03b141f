"""From lists of image files to a `Source`: scan, findings, what is left out, and the images of each split."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from triscale.data.checks.findings import Finding, alike_in, findings, left_out, readable, refuse_serious
from triscale.data.checks.reasons import unusable
from triscale.data.checks.scan import completed, examined, fingerprint, hashed, threads
from triscale.data.decode.image import File, Stamp, UnreadableError, content, decode, opened, pillow_warnings_off
from triscale.data.decode.picture_formats import SINCE_THEN
from triscale.data.decode.render_cache import Progress
from triscale.data.names.split_words import READ, Split
from triscale.data.photo import CheckOptions, Photo
from triscale.data.source import SPLIT_OFF, VAL_IS_TEST, Part, Source, TestFrom, one_class, test_of
from triscale.data.split import split_test
from triscale.data.transforms.area_resize import CHUNK, Pictures, Size
from triscale.data.transforms.eval_crop import STUDY
from triscale.errors import InputError
from triscale.spec import Preprocessing
from triscale.units import agreeing


class BrokenPictureError(InputError):
    """An image cannot be read any more."""


BLOCK_BYTES = 64 * 2**20
"""Most bytes of decoded images in one block."""


@dataclass(frozen=True, eq=False)
class PhotoPart:
    """Photos that could all be read when the source was opened."""

    files: tuple[File, ...]
    names: tuple[str, ...]
    stamps: tuple[Stamp, ...]
    labels: NDArray[np.int64]
    digests: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()

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
                f"The image {self.names[index]!r} broke after the data was checked: {error}.\n"
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
        tuple(photo.key for photo in photos),
    )


def photos_of(part: Part) -> list[Photo]:
    """The images of a part in memory as the findings take them; those without digests are all different."""
    labels = part.labels.tolist()
    return [
        Photo(
            name=part.name(index), file=Path(), label=labels[index], digest=digest, group="" if key == digest else key
        )
        for index, (digest, key) in enumerate(zip(part.digests, part.keys, strict=True))
    ]


def labels_of(photos: Sequence[Photo]) -> NDArray[np.int64]:
    """`[n]`."""
    return np.array([photo.label for photo in photos], dtype=np.int64)


def photo_source(
    splits: Mapping[Split, Sequence[Photo]],
    *,
    name: str,
    classes: Sequence[str],
    notes: tuple[str, ...] = (),
    table: bytes = b"",
    cache: Path,
    policy: CheckOptions,
    progress: Progress | None = None,
) -> Source:
    """Scan the files and put a source together; one decoding each, remembered in the cache under the content's hash.

    Args:
        splits: all files said to be images of each split, `train` among them. `val` is the validation set where there
            is a `test`, and serves as the test where there is none; without both, a fifth of each class is split off.
        name: what opens it again.
        classes: names in the order of the labels.
        notes: sentences that are known already.
        table: what tells the labels, where the names of the files do not.
        cache: folder for what is remembered.
        policy: what is done about doubtful images, and how splits are drawn.
        progress: called with how much of the scan is done, and of how much.

    Raises:
        InputError: a class or the test without a readable image; with a strict policy any serious finding.
    """
    scanned, content = _scanned(splits, table, cache, progress, mend=policy.allow_truncated)
    files = [photo for photos in scanned.values() for photo in photos]
    refuse_serious([one for one in (left_out(files),) if one], policy)
    refuse_empty(scanned["train"], classes, policy)
    good, classes, empty = _without_empty({split: readable(some) for split, some in scanned.items()}, classes)
    near = alike_in(good)
    if policy.split.group_by == "near":
        good = {split: [replace(one, group=near.get(one.digest, "")) for one in some] for split, some in good.items()}
    parts, test_from, told = _settled(good, scanned, name, policy)
    found = findings(files, parts, near, classes, drawn=test_from == "train")
    refuse_serious(found, policy)
    found += empty
    return Source(
        name=name,
        classes=tuple(classes),
        native=(int(np.median([min(photo.size) for photo in parts["train"]])),) * 2,
        fingerprint=content,
        test_from=test_from,
        skipped=sum(bool(photo.reason) for photo in files),
        notes=(*notes, *told, *one_class({split: labels_of(some) for split, some in parts.items()}, classes),
               *(one.text for one in found)),
        findings=found,
        parts={split: part_of(some) for split, some in parts.items()},
        cache=cache,
        rule=policy.split,
    )  # fmt: skip


def _scanned(
    splits: Mapping[Split, Sequence[Photo]], table: bytes, cache: Path, progress: Progress | None, *, mend: bool
) -> tuple[dict[Split, list[Photo]], str]:
    """The files of each split as a scan found them, and the fingerprint of them all."""
    order = [split for split in READ if split in splits]
    files = hashed([photo for split in order for photo in splits[split]], progress)
    content = fingerprint(files, table)
    files = examined(files, cache / f"{content[:24]}-scan.json", progress)
    also = "".join(sorted({photo.format for photo in files} & SINCE_THEN)).encode()
    if mend and (complete := completed(files)) != files:
        files, also = complete, b"truncated" + also
    if also:  # where such files are left out, or grey where they end, what is rendered of the set is something else
        content = fingerprint(files, table + also)
    rest = iter(files)
    return {split: list(islice(rest, len(splits[split]))) for split in order}, content


def _settled(
    good: Mapping[Split, Sequence[Photo]], scanned: Mapping[Split, Sequence[Photo]], name: str, policy: CheckOptions
) -> tuple[dict[Split, Sequence[Photo]], TestFrom, tuple[str, ...]]:
    """The splits as they are used, what serves as the test, and notes on it.

    A split of which no file can be read is a damaged one; one without files is none.
    """
    for split, files in scanned.items():
        if files and not good[split]:
            raise unusable(f"There is no readable {split} image in {name!r}", files, "Put images in.")
    there = {split: photos for split, photos in good.items() if photos}
    notes = tuple(f"The {split} split holds no files and is not used." for split in good if split not in there)
    test_from = test_of(there)
    if test_from == "test":
        return there, test_from, notes
    if test_from == "val":
        return {"train": there["train"], "test": there["val"]}, test_from, (*notes, VAL_IS_TEST)
    photos = there["train"]
    drawn = split_test(labels_of(photos), [photo.key for photo in photos], policy.split.version)
    rest, test = ([photos[i] for i in some] for some in drawn)
    if not test:
        raise InputError(f"No class of {name!r} has two different images to split a test off.\nPut images in.")
    return {"train": rest, "test": test}, test_from, (*notes, SPLIT_OFF)


def refuse_empty(train: Sequence[Photo], classes: Sequence[str], policy: CheckOptions) -> None:
    """Stop for the first class without a readable image, unless the policy allows it and two others remain."""
    there = {photo.label for photo in readable(train)}
    empty = [label for label in range(len(classes)) if label not in there]
    if not empty or (policy.allow_empty and len(there) > 1):
        return
    raise unusable(
        f"The class {classes[empty[0]]!r} holds no readable image for training",
        [photo for photo in train if photo.label == empty[0]],
        "Remove the class or put images in; `check` and `train` leave it out with --allow-empty."
        if len(there) > 1
        else f"A classifier needs two or more classes, and only {len(there)} of {len(classes)} have images.",
    )


def _without_empty(
    splits: Mapping[Split, Sequence[Photo]], classes: Sequence[str]
) -> tuple[Mapping[Split, Sequence[Photo]], Sequence[str], tuple[Finding, ...]]:
    """The images and classes without the empty ones."""
    there = sorted({photo.label for photo in splits["train"]})
    empty = [name for label, name in enumerate(classes) if label not in there]
    if not empty:
        return splits, classes, ()
    without = "without a readable image"
    left = agreeing(len(empty), f"class {without} was", f"classes {without} were")
    found = Finding(
        kind="empty",
        count=len(empty),
        text=f"{left} left out: {', '.join(map(repr, empty[:3]))}.",
        examples=tuple(map(repr, empty[:10])),
    )
    moved = {old: new for new, old in enumerate(there)}
    kept = {
        split: [replace(photo, label=moved[photo.label]) for photo in photos if photo.label in moved]
        for split, photos in splits.items()
    }
    return kept, [classes[label] for label in there], (found,)
