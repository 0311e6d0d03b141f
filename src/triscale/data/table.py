"""A data set as a CSV file: a head `path,label` or `path,label,split`, and a row for each picture."""

import csv
from collections.abc import Mapping
from pathlib import Path

from triscale.data.cache import Progress
from triscale.data.folders import OUTSIDE
from triscale.data.photo import Policy
from triscale.data.rows import Row, rows_source
from triscale.data.source import Source
from triscale.data.split_words import Split, recognised
from triscale.data.walk import leads_out
from triscale.errors import InputError

WANTED = (
    "Wanted: a first line path,label or path,label,split, then a line a picture; split is train, val or test, "
    "or another word for them."
)


def open_table(name: str, cache: Path, policy: Policy, progress: Progress | None = None) -> Source:
    """The pictures that a table lists; their paths are relative to the folder of the table.

    Raises:
        InputError: it cannot be read, or a line cannot be understood; the message names the line.
    """
    path = Path(name)
    try:
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            reader = csv.reader(file, strict=True)
            head = [column.strip().lower() for column in next(reader, [])]
            if head not in (["path", "label"], ["path", "label", "split"]):
                raise InputError(f"The first line of {name!r} is {','.join(head)[:60]!r}.\n{WANTED}")
            lines = [(reader.line_num, cells) for cells in reader if cells]
    except OSError as error:
        raise InputError(f"{name!r} cannot be read: {error.strerror}.\n{WANTED}") from error
    except csv.Error as error:
        raise InputError(f"{name!r}, line {reader.line_num}: {error}.\n{WANTED}") from error
    splits = {"": "train", **recognised({_split(cells) for _, cells in lines})}
    rows = [_row(path, cells, line, splits, policy) for line, cells in lines]
    return rows_source(rows, name=name, cache=cache, policy=policy, progress=progress)


def _split(cells: list[str]) -> str:
    return cells[2].strip() if len(cells) > 2 else ""


def _row(table: Path, cells: list[str], line: int, splits: Mapping[str, Split], policy: Policy) -> Row:
    """One line; a path that leads out of the table's folder is left out, as a link that does.

    Beside the training, a picture may have no label: tests are often handed out so.
    """
    label = cells[1].strip() if len(cells) > 1 else ""
    split = splits.get(_split(cells))
    unlabelled = not label and split in {None, "train"}
    if len(cells) not in {2, 3} or not cells[0] or unlabelled or split is None or "\0" in cells[0]:
        raise InputError(f"{str(table)!r}, line {line}: {','.join(cells)[:80]!r} cannot be understood.\n{WANTED}")
    file = table.parent / cells[0]
    outside = not policy.follow_links and leads_out(file, table.parent)
    return Row(name=cells[0], file=file, label=label, split=split, reason=OUTSIDE if outside else "")
