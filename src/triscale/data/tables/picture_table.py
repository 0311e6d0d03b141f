"""A data set as a table: a line for each image, with its path, its label and perhaps its split.

CSV as spreadsheets, Kaggle, pandas and labelling tools write it, plain lists of `path label`, and JSON.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from triscale.data.decode.render_cache import Progress
from triscale.data.names.split_words import Split, recognised
from triscale.data.names.words import word_of
from triscale.data.photo import CheckOptions
from triscale.data.readers.rows import PictureRow, rows_source
from triscale.data.source import Source
from triscale.data.tables.columns import Columns, ColumnsError, Sheet, columns_of, has_head
from triscale.data.tables.entries import WANTED, entries, rows_of
from triscale.data.tables.json_table import JSON, read_json
from triscale.data.tables.lookup import Lookup
from triscale.data.tables.sheet import NoColumnsError, SheetLine, read_lines
from triscale.data.tables.text import Text, read_text
from triscale.errors import InputError
from triscale.units import counted

SUFFIXES = frozenset((".csv", ".tsv", ".txt", ".lst", ".psv", *JSON))
"""Of files that are read as tables."""


@dataclass(frozen=True, kw_only=True)
class PictureTable:
    """A table that was understood: its rows, what its column of labels is called, and sentences on how it was read."""

    rows: Sequence[PictureRow]
    label: str = ""
    notes: tuple[str, ...] = ()


def open_table(name: str, cache: Path, policy: CheckOptions, progress: Progress | None = None) -> Source:
    """The images that a table lists; their paths are relative to the folder of the table.

    Raises:
        InputError: it cannot be read, or a line cannot be understood; the message names the line.
    """
    table = read_table(Path(name), policy)
    return rows_source(table.rows, name=name, notes=table.notes, cache=cache, policy=policy, progress=progress)


def read_table(path: Path, policy: CheckOptions, split: Split = "train") -> PictureTable:
    """The rows of a table.

    Args:
        path: the file.
        policy: whether paths out of its folder are taken.
        split: of rows that name none.

    Raises:
        InputError: see `open_table`.
    """
    try:
        text = read_text(path.read_bytes(), str(path))
    except OSError as error:
        raise InputError(f"{str(path)!r} cannot be read: {error.strerror}.\n{WANTED}") from error
    lines = read_json(text.text, str(path)) if path.suffix.lower() in JSON else read_lines(text.text, str(path))
    lookup = Lookup(path.parent)
    sheet = _sheet(lines, lookup)
    if not sheet.lines:
        raise NoColumnsError(f"{str(path)!r} holds 0 classes: there is no line below the first.\n{WANTED}")
    try:
        columns = columns_of(sheet)
    except ColumnsError as error:
        first = ",".join(lines[0].cells)[:60]
        raise NoColumnsError(f"The first line of {str(path)!r} is {first!r}: {error}.\n{WANTED}") from error
    rows, notes = rows_of(entries(sheet.lines, columns, path, split), path, lookup, policy, text)
    repeated = len(lines) - len(sheet.lines) - (sheet.head is not None)
    label = "" if columns.label is None else word_of(columns.titles[columns.label])
    told = filter(
        None,
        (_encoded(text), columns.note, columns.doubt, _unsplit(sheet, columns, split), _repeated(repeated), *notes),
    )
    return PictureTable(rows=rows, label=label, notes=tuple(told))


def _sheet(lines: Sequence[SheetLine], lookup: Lookup) -> Sheet:
    """The table with its head apart; tables that were joined repeat it below."""

    def leads(cell: str) -> bool:
        return bool(cell) and not lookup.find(cell).reason

    head = lines[0].cells if has_head(lines[0], leads) else None
    below = [line for line in lines if line.cells != head]
    return Sheet(head=head, lines=below, leads=leads, are_splits=lambda cells: cells <= recognised(cells).keys() | {""})


def _encoded(text: Text) -> str:
    if text.certain:
        return ""
    return f"The table is not UTF-8: it is read as {text.encoding}. Save it as UTF-8 if names look wrong."


def _unsplit(sheet: Sheet, columns: Columns, split: Split) -> str:
    """That some lines name a split and others do not."""
    cells = [] if columns.split is None else sheet.cells(columns.split)
    if not any(cells) or all(cells):
        return ""
    return f"{counted(cells.count(''), 'line')} of the table without a split: taken as {split}."


def _repeated(count: int) -> str:
    return f"{counted(count, 'line')} of the table passed over: the first line again." if count else ""
