"""From the lines of a table to rows: an image, its label, its split, and the reason where it cannot be used."""

import os
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from triscale.data.checks.reasons import ELSEWHERE, NO_LABEL, OUTSIDE
from triscale.data.names.litter import lies_in_litter
from triscale.data.names.split_words import Split, recognised
from triscale.data.names.walk import leads_out
from triscale.data.photo import CheckOptions
from triscale.data.readers.rows import PictureRow
from triscale.data.tables.columns import TRUE, Columns
from triscale.data.tables.labels import measured, plain_labels
from triscale.data.tables.lookup import ABSENT, Found, Lookup
from triscale.data.tables.sheet import SheetLine
from triscale.data.tables.text import Text
from triscale.errors import InputError
from triscale.units import counted

WANTED = (
    "Wanted: a first line path,label or path,label,split, then a line an image; split is train, val or test, "
    "or another word for them."
)
LITTER = "a file of the system, no image"
SAMPLE = 20


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A line whose cells are where they should be."""

    line: SheetLine
    path: str
    label: str
    split: Split
    hints: tuple[str, ...] = ()
    """Folders in which the image may lie: the line's split, that and the name of the table, the label."""


def entries(lines: Sequence[SheetLine], columns: Columns, table: Path, split: Split) -> list[Entry]:
    """The cells of all lines that are read.

    Args:
        lines: without the head.
        columns: which cells.
        table: the file, for messages.
        split: of lines that name none.

    Raises:
        InputError: a line ends too soon, has too many cells, no path, another split, or marks no or several classes;
            or the labels are amounts.
    """
    splits = {"": split, **recognised({_split(line, columns) for line in lines})}
    named = recognised([table.stem]).get(table.stem, "")
    found = [_entry(line, columns, table, splits) for line in lines]
    found = [
        replace(one, hints=tuple(filter(None, (*one.hints, named, table.stem, one.label.strip())))) for one in found
    ]
    labels = plain_labels([one.label for one in found])
    if amount := measured(labels):
        number = lines[labels.index(amount)].number
        raise InputError(
            f"{str(table)!r}, line {number}: the label {amount!r} is an amount, as nearly all labels are.\n"
            "A classifier learns classes: give the names of classes, or numbers that occur again."
        )
    return [replace(one, label=label) for one, label in zip(found, labels, strict=True)]


def _split(line: SheetLine, columns: Columns) -> str:
    """The cell of a line that names its split, as it stands there."""
    return line.cells[columns.split].strip() if columns.split is not None and columns.split < len(line.cells) else ""


def _entry(line: SheetLine, columns: Columns, table: Path, splits: Mapping[str, Split]) -> Entry:
    needed = max(columns.path, columns.label or 0, *columns.marked)
    if len(line.cells) <= needed:
        raise _refused(table, line, f"it has {len(line.cells)} cells, and {needed + 1} are needed")
    if any(cell.strip() for cell in line.cells[len(columns.titles) :]):
        raise _refused(table, line, f"it has {len(line.cells)} cells, and the first line {len(columns.titles)}")
    path = line.cells[columns.path]
    if not path.strip() or "\0" in path:
        raise _refused(table, line, "it has no path")
    cell = _split(line, columns)
    split = splits.get(cell)
    if split is None:
        raise _refused(table, line, f"{cell[:40]!r} is not a split")
    label = line.cells[columns.label] if columns.label is not None else _marked(line, columns, table)
    return Entry(line=line, path=path, label=label, split=split, hints=(cell, split) if cell else ())


def _marked(line: SheetLine, columns: Columns, table: Path) -> str:
    """The class that a line of zeros and ones marks."""
    ones = [columns.titles[column] for column in columns.marked if line.cells[column].strip().lower() in TRUE]
    if len(ones) != 1:
        shown = ", ".join(map(repr, ones[:3])) or "none"
        raise _refused(table, line, f"one class should be marked, it marks {shown}")
    return ones[0]


def _refused(table: Path, line: SheetLine, why: str) -> InputError:
    shown = ",".join(line.cells)[:80]
    return InputError(f"{str(table)!r}, line {line.number}: {shown!r} cannot be understood: {why}.\n{WANTED}")


def rows_of(
    found: Sequence[Entry], table: Path, lookup: Lookup, policy: CheckOptions, text: Text
) -> tuple[list[PictureRow], list[str]]:
    """The rows, each image once in a split, and notes about how paths are read.

    Args:
        found: all entries of the table.
        table: the file.
        lookup: finds the images.
        policy: whether paths out of the table's folder are taken.
        text: how the table was read: names of files may be bytes of another encoding.
    """
    lookup.learn_prefix([one.path for one in found[:SAMPLE]])
    rows = list[PictureRow]()
    changes = defaultdict[str, list[tuple[str, str]]](list)
    for one in found:
        place = _found(one, lookup, text)
        rows.append(_row(one, place, table.parent, policy))
        if place.changed:
            changes[place.changed].append((one.path.strip(), rows[-1].name))
    notes = [_changed(how, paths) for how, paths in changes.items()]
    notes += _alike({one.label for one in found})
    rows, repeated = _once(rows)
    if repeated:
        notes.append(f"{counted(repeated, 'line')} of the table passed over: an image again with its label.")
    return rows, notes


def _changed(how: str, paths: Sequence[tuple[str, str]]) -> str:
    return f"{counted(len(paths), 'path')}, such as {paths[0][0]!r} for {paths[0][1]!r}: {how}."


def _alike(labels: Iterable[str]) -> list[str]:
    """A note on the first two labels that differ in case alone: folders could not be called so everywhere."""
    first: dict[str, str] = {}
    for label in sorted(labels):
        if (other := first.setdefault(label.casefold(), label)) != label:
            return [f"The classes {other!r} and {label!r} differ only in case; they count as two."]
    return []


def _found(one: Entry, lookup: Lookup, text: Text) -> Found:
    place = lookup.find(one.path, prefer=one.hints)
    if place.reason == ABSENT and not text.certain:
        other = lookup.find(os.fsdecode(one.path.encode(text.encoding, "surrogateescape")))
        return place if other.reason else other
    return place


def _row(one: Entry, place: Found, folder: Path, policy: CheckOptions) -> PictureRow:
    reason = place.reason or ("" if one.label else NO_LABEL)
    if not policy.follow_links and leads_out(place.file, folder):
        reason = OUTSIDE if place.file.is_symlink() and not leads_out(place.file.parent, folder) else ELSEWHERE
    if lies_in_litter(PurePosixPath(one.path.strip().replace("\\", "/")).parts):
        reason = LITTER
    name = place.file.relative_to(folder).as_posix() if place.changed else one.path
    return PictureRow(name=name, file=place.file, label=one.label, split=one.split, reason=reason)


def _once(rows: Sequence[PictureRow]) -> tuple[list[PictureRow], int]:
    """Each image once in a split, and how many lines said the same again; none of those with two labels is used."""
    labels = defaultdict[tuple[str, str], dict[str, PictureRow]](dict)
    for row in rows:
        labels[row.split, str(row.file)].setdefault(row.label, row)
    kept = list[PictureRow]()
    for said in labels.values():
        first, *others = [label for label in said if label] or [""]
        torn = f"labelled {first!r} and {others[0]!r}" if others else ""
        kept.append(replace(said[first], reason=said[first].reason or torn))
        kept += [said[""]] if first and "" in said else []
    return kept, len(rows) - sum(map(len, labels.values()))
