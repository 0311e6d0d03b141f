"""From rows of (image, label, split), as tables and shards have them, to a `Source`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from triscale.data.checks.reasons import NO_LABEL, unusable
from triscale.data.decode.image import File
from triscale.data.decode.render_cache import Progress
from triscale.data.names.split_words import Split
from triscale.data.photo import CheckOptions, Photo
from triscale.data.photo_files import photo_source
from triscale.data.source import Source
from triscale.data.split import FIRST
from triscale.errors import InputError
from triscale.units import agreeing


@dataclass(frozen=True, kw_only=True)
class PictureRow:
    """An image as it is listed: `reason` says why it cannot be one, `label` is what the list calls its class."""

    name: str
    file: File
    label: str
    split: Split = "train"
    reason: str = ""


def rows_source(
    rows: Sequence[PictureRow],
    *,
    name: str,
    names: Sequence[str] | None = None,
    notes: tuple[str, ...] = (),
    cache: Path,
    policy: CheckOptions,
    progress: Progress | None = None,
) -> Source:
    """The source of listed images.

    Args:
        rows: all images of all splits, in their order.
        name: what opens it again.
        names: of the classes, where labels are their numbers from 0; by default labels are the names, in the order of
            numbers if all are whole numbers, else of texts.
        notes: sentences that are known already.
        cache: see `photo_source`.
        policy: see `photo_source`.
        progress: see `photo_source`.

    Raises:
        InputError: fewer than two classes; a label without a name.
    """
    if policy.split.version == FIRST and any(row.split == "test" for row in rows):
        rows = [row for row in rows if row.split != "val"]
    if rows and not any(row.split == "train" for row in rows):
        there = ", ".join(sorted({row.split for row in rows}))
        raise InputError(f"{name!r} has no training images: all are in {there}.\nExpected a split train beside them.")
    labels = _labels(rows, name, names)
    strange = "there is no class {!r} in training".format
    splits: dict[Split, list[Photo]] = {}
    for row in rows:
        label = labels.get(row.label, -1)
        reason = row.reason or ("" if label >= 0 else strange(row.label) if row.label else NO_LABEL)
        splits.setdefault(row.split, []).append(Photo(name=row.name, file=row.file, label=label, reason=reason))
    known = {row.split for row in rows if row.label in labels} | {"train"}
    unknown = [split for split in splits if split not in known]
    notes += tuple(
        f"The {split} split is not used: none of its {len(splits[split])} images has the label of a training class."
        for split in unknown
    )
    used = [row for row in rows if row.split not in unknown]
    return photo_source(
        {split: photos for split, photos in splits.items() if split not in unknown},
        name=name,
        classes=names or tuple(labels),
        notes=notes,
        table="".join(f"{row.split}\0{row.label or '?'}\0" for row in used).encode("utf-8", "surrogateescape"),
        cache=cache,
        policy=policy,
        progress=progress,
    )


def _labels(rows: Sequence[PictureRow], name: str, names: Sequence[str] | None) -> dict[str, int]:
    """The number of each label, in the order of the classes; a class of which nothing can be used is one too."""
    if names is not None:
        return {row.label: _number(row, len(names)) for row in rows if not row.reason}
    found = {row.label for row in rows if row.split == "train" and row.label}
    if len(found) < 2:
        only = f", {next(iter(found))!r}" if found else ""
        raise unusable(
            f"{name!r} holds {agreeing(len(found), 'class', 'classes')}{only}", rows, "A classifier needs two or more."
        )
    numbers = all(label.isdecimal() for label in found)
    return {label: i for i, label in enumerate(sorted(found, key=lambda one: (int(one) if numbers else 0, one)))}


def _number(row: PictureRow, count: int) -> int:
    if not row.label.isdecimal() or int(row.label) >= count:
        raise InputError(
            f"The image {row.name!r} has the label {row.label!r}, but there are names for {count} classes.\n"
            "Labels are whole numbers from 0 where classes.txt names them."
        )
    return int(row.label)
