"""Which columns of a table are the path, the label and the split."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from triscale.data.names.split_words import recognised_anywhere
from triscale.data.names.words import (
    INDEX_WORDS,
    LABEL,
    PATH,
    SPLIT,
    SPLIT_WORDS,
    is_known,
    label_rank,
    looks_like_picture,
    path_rank,
    word_of,
)
from triscale.data.tables.sheet import SheetLine

SAMPLE = 20
MOST_SPLITS = 3
NUMBERED = frozenset(("fold", "set", "subset", "partition"))
"""Titles of splits under which splits may be numbers; a `stage` or a `mode` may be anything."""
TRUE, FALSE = frozenset(("1", "1.0", "true")), frozenset(("0", "0.0", "false", ""))


class ColumnsError(Exception):
    """Which column is which is not clear; the text says why."""


@dataclass(frozen=True, kw_only=True)
class Columns:
    """The places of what is read.

    Attributes:
        titles: of all columns; `column 1` and so on where the table has no head.
        path: the column of paths.
        label: that of labels; None: `marked` has one for each class.
        split: that of splits; None: there is none.
        marked: columns of zeros and of a one in the class of an image.
        doubtful: columns that may be the split and are not read, where there is no split.
    """

    titles: tuple[str, ...]
    path: int
    label: int | None
    split: int | None = None
    marked: tuple[int, ...] = ()
    doubtful: tuple[int, ...] = ()

    @property
    def doubt(self) -> str:
        """That images which somebody set aside may be trained on; empty if no column says so."""
        if not self.doubtful:
            return ""
        shown = ", ".join(repr(self.titles[column]) for column in self.doubtful)
        return f"Not read, but may be the split: {shown}. Write train, val or test into a column split."

    @property
    def note(self) -> str:
        """Which columns are read; empty where they are called as this package documents them."""
        label = self.titles[self.label] if self.label is not None else None
        if (word_of(self.titles[self.path]), label and word_of(label)) == (PATH, LABEL):
            return ""
        read = f"{self.titles[self.path]!r} is the path"
        read += f", {label!r} the label" if label is not None else f", {len(self.marked)} columns mark the class"
        return f"Of the columns of the table, {read}" + (
            f", {self.titles[self.split]!r} the split." if self.split is not None else "."
        )


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A table as it is judged: its titles (none: it has no head), its lines, and two questions about a cell.

    Attributes:
        head: the titles.
        lines: what stands below, at least one.
        leads: whether a cell leads to a file.
        are_splits: whether each of the cells of a column names a split, or is empty.
    """

    head: tuple[str, ...] | None
    lines: Sequence[SheetLine]
    leads: Callable[[str], bool]
    are_splits: Callable[[set[str]], bool]

    def cells(self, column: int) -> list[str]:
        """What stands in a column, empty where a line ends before."""
        return [line.cells[column].strip() if column < len(line.cells) else "" for line in self.lines]

    def title(self, column: int) -> str:
        """What a column is called; empty if it is not."""
        return self.head[column].strip() if self.head and column < len(self.head) else ""


def has_head(first: SheetLine, leads: Callable[[str], bool]) -> bool:
    """Whether the first line names columns: two words of a head, or no cell that is an image."""
    if sum(map(is_known, filter(None, map(str.strip, first.cells)))) >= 2:
        return True
    return not any(looks_like_picture(cell) or leads(cell) for cell in first.cells if cell.strip())


def columns_of(sheet: Sheet) -> Columns:
    """The columns of a table.

    Raises:
        ColumnsError: no column is the path or the label, or several may be.
    """
    width = len(sheet.head or sheet.lines[0].cells)
    used = [column for column in range(width) if any(sheet.cells(column)) or _documented(sheet, column)]
    path = _path(sheet, used)
    rest = [column for column in used if column != path]
    split = next((column for column in rest if _is_split(sheet, column)), None)
    rest = [column for column in rest if column != split and not _is_index(sheet, column)]
    label, marked = _label(sheet, rest)
    titles = tuple(sheet.title(column) or f"column {column + 1}" for column in range(width))
    unread = [column for column in rest if split is None and column not in {label, *marked}]
    doubtful = tuple(column for column in unread if _may_be_split(sheet, column))
    return Columns(titles=titles, path=path, label=label, split=split, marked=marked, doubtful=doubtful)


def _documented(sheet: Sheet, column: int) -> bool:
    return word_of(sheet.title(column)) in {PATH, LABEL}


def _path(sheet: Sheet, used: Sequence[int]) -> int:
    """The column named `path`; else of those that lead to files, or look so, or are named so, the surest name."""
    for column in used:
        if word_of(sheet.title(column)) == PATH:
            return column
    leading = [column for column in used if any(map(sheet.leads, sheet.cells(column)[:SAMPLE]))]
    looking = [column for column in used if any(map(looks_like_picture, sheet.cells(column)[:SAMPLE]))]
    _refuse_lost_names(sheet, looking, leading)
    named = [column for column in used if path_rank(sheet.title(column)) is not None]
    if sum(map(is_known, filter(None, sheet.head or ()))) < 2:
        named = []  # one such word may stand in any text
    for some in ([column for column in leading if column in looking], leading, looking, named):
        if some:
            ranks = {column: path_rank(sheet.title(column)) for column in some}
            best = min((rank for rank in ranks.values() if rank is not None), default=None)
            surest = [column for column in some if ranks[column] == best]
            alone = [column for column in surest if len(set(sheet.cells(column))) == len(sheet.lines)]
            return _only(sheet, alone or surest, PATH)
    raise ColumnsError("no column leads to images")


def _refuse_lost_names(sheet: Sheet, looking: Sequence[int], leading: Sequence[int]) -> None:
    """Numbers may lead to other images than the names beside them mean, of which none is there."""
    if set(leading) & set(looking):
        return
    for one in looking:
        local = not any("://" in cell for cell in sheet.cells(one)[:SAMPLE])
        if local and path_rank(sheet.title(one)) is not None and leading and _all_numbers(sheet, leading):
            raise ColumnsError(
                f"{sheet.title(one)!r} names no image that is there, {sheet.title(leading[0])!r} does: "
                f"call the right one {PATH!r}"
            )


def _all_numbers(sheet: Sheet, columns: Sequence[int]) -> bool:
    return all(cell.isdecimal() for column in columns for cell in sheet.cells(column))


def _only(sheet: Sheet, columns: Sequence[int], what: str) -> int:
    """The one of several columns; those that say the same with other names are one."""
    first, *others = columns
    if any(not _same(sheet, first, other) for other in others):
        shown = " and ".join(repr(sheet.title(column) or f"column {column + 1}") for column in columns[:2])
        raise ColumnsError(f"{shown} may both be the {what}: call the right one {what!r}")
    texts = [column for column in columns if not all(cell.isdecimal() for cell in sheet.cells(column))]
    return (texts or columns)[0]


def _same(sheet: Sheet, one: int, other: int) -> bool:
    """Whether each value of a column goes with one value of another, and the other way round."""
    pairs = set(zip(sheet.cells(one), sheet.cells(other), strict=True))
    return len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})


def _is_split(sheet: Sheet, column: int) -> bool:
    """A column named `split`; one with another such name, or none, if all that stands there are splits."""
    word = word_of(sheet.title(column))
    if word == SPLIT:
        return True
    return (word in SPLIT_WORDS or sheet.head is None) and sheet.are_splits(set(sheet.cells(column)))


def _may_be_split(sheet: Sheet, column: int) -> bool:
    """A column of splits with another name, or one that is named so: `fold`; of few values, `is_valid` and `train`."""
    cells = set(sheet.cells(column))
    title = sheet.title(column)
    named = word_of(title) in NUMBERED or (bool(recognised_anywhere([title])) and len(cells) <= MOST_SPLITS)
    return named or (len(cells) > 1 and sheet.are_splits(cells))


def _is_index(sheet: Sheet, column: int) -> bool:
    """A column that only numbers the lines: it has no name, or one for that, and another number in each."""
    cells = sheet.cells(column)
    numbers = word_of(sheet.title(column)) in INDEX_WORDS and all(cell.isdecimal() for cell in cells)
    return numbers and len(set(cells)) == len(cells) > 2


def _label(sheet: Sheet, rest: Sequence[int]) -> tuple[int | None, tuple[int, ...]]:
    """The label's column, or the columns that mark it."""
    ranks = {column: rank for column in rest if (rank := label_rank(sheet.title(column))) is not None}
    if ranks:
        return _only(sheet, [column for column in ranks if ranks[column] == min(ranks.values())], LABEL), ()
    marks = [column for column in rest if {cell.lower() for cell in sheet.cells(column)} <= TRUE | FALSE]
    if sheet.head is not None and len(marks) > 1:
        return None, tuple(marks)
    others = [column for column in rest if path_rank(sheet.title(column)) is None]
    others = others or [column for column in rest if _repeats(sheet, column)]
    if not others:
        raise ColumnsError("no column is left for the label")
    column = _only(sheet, others, LABEL)
    if len(sheet.lines) >= SAMPLE and not _repeats(sheet, column):
        raise ColumnsError(f"{sheet.title(column) or 'the second column'!r} has another value in nearly each line")
    return column, ()


def _repeats(sheet: Sheet, column: int) -> bool:
    """Whether values occur more than twice on average, as those of a class do."""
    return len(sheet.lines) > 2 * len(set(sheet.cells(column)))
