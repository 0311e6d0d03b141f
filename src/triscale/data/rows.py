"""From rows of (picture, label, split), as tables and shards have them, to a `Source`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from triscale.data.cache import Progress
from triscale.data.images import File
from triscale.data.photo import Photo, Policy
from triscale.data.photos import photo_source
from triscale.data.reasons import unusable
from triscale.data.source import Source, TestFrom
from triscale.errors import InputError

NOT_USED = "The val pictures are not used: there is a test, and validation is split off the training pictures."
VAL_IS_TEST = "There is no test: val serves as the test, validation is split off the training pictures."


@dataclass(frozen=True, kw_only=True)
class Row:
    """A picture as it is listed: `reason` says why it cannot be one, `label` is what the list calls its class."""

    name: str
    file: File
    label: str
    split: str = "train"
    reason: str = ""


def rows_source(
    rows: Sequence[Row],
    *,
    name: str,
    names: Sequence[str] | None = None,
    notes: tuple[str, ...] = (),
    cache: Path,
    policy: Policy,
    progress: Progress | None = None,
) -> Source:
    """The source of listed pictures.

    Args:
        rows: all pictures of all splits, in their order.
        name: what opens it again.
        names: of the classes, where labels are their numbers from 0; by default labels are the names, in the order of
            numbers if all are whole numbers, else of texts.
        notes: sentences that are known already.
        cache: see `photo_source`.
        policy: see `photo_source`.
        progress: see `photo_source`.

    Raises:
        InputError: fewer than two classes; a label without a name, or one that occurs only in the test.
    """
    there = {row.split for row in rows}
    test_from: TestFrom = "test" if "test" in there else "val" if "val" in there else "train"
    notes += (NOT_USED,) if {"test", "val"} <= there else (VAL_IS_TEST,) if test_from == "val" else ()
    used = [row for row in rows if row.split in {"train", test_from}]
    labels = _labels(used, name, names)
    photos = {
        split: [
            Photo(name=row.name, file=row.file, label=labels.get(row.label, -1), reason=row.reason)
            for row in used
            if row.split == split
        ]
        for split in ("train", test_from)
    }
    return photo_source(
        photos["train"],
        None if test_from == "train" else photos[test_from],
        name=name,
        classes=names or tuple(labels),
        test_from=test_from,
        notes=notes,
        table="".join(f"{row.split}\0{row.label}\0" for row in used).encode("utf-8", "surrogateescape"),
        cache=cache,
        policy=policy,
        progress=progress,
    )


def _labels(rows: Sequence[Row], name: str, names: Sequence[str] | None) -> dict[str, int]:
    """The number of each label, in the order of the classes; a class of which nothing can be used is one too."""
    if names is not None:
        return {row.label: _number(row, len(names)) for row in rows if not row.reason}
    found = {row.label for row in rows if row.split == "train" and row.label}
    strange = {row.label for row in rows if row.label} - found
    if strange:
        raise InputError(
            f"The class {min(strange)!r} of {name!r} occurs in the test only.\nName the classes alike in both splits."
        )
    if len(found) < 2:
        only = f", {next(iter(found))!r}" if found else ""
        raise unusable(f"{name!r} holds {len(found)} classes{only}", rows, "A classifier needs two or more.")
    numbers = all(label.isdecimal() for label in found)
    return {label: i for i, label in enumerate(sorted(found, key=lambda one: (int(one) if numbers else 0, one)))}


def _number(row: Row, count: int) -> int:
    if not row.label.isdecimal() or int(row.label) >= count:
        raise InputError(
            f"The picture {row.name!r} has the label {row.label!r}, but there are names for {count} classes.\n"
            "Labels are whole numbers from 0 where classes.txt names them."
        )
    return int(row.label)
