"""From the text of a table to its cells: commas, semicolons, tabs, bars, or the spaces of a plain list."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from triscale.data.names.words import is_known, looks_like_picture
from triscale.errors import InputError

DELIMITERS = ",;\t|"


@dataclass(frozen=True, slots=True)
class SheetLine:
    """The cells of a record, and the number of its (last) line in the file, from 1."""

    number: int
    cells: tuple[str, ...]


class DialectError(Exception):
    """The text breaks the rules of quoting; the text is the line and the reason."""


class NoColumnsError(InputError):
    """A table without a column of paths, without one of labels, or without lines."""


def read_lines(text: str, name: str) -> list[SheetLine]:
    """The records of a table, the head among them; those without any text are left out.

    Raises:
        InputError: there is none, all have one cell, or the quoting is broken; the message names the line.
    """
    given, text = _separator(text)
    skipped, text = _remarks(text)
    marks = DELIMITERS + " " * ('" "' in text.partition("\n")[0])
    readings = [given] if given else [mark for mark in marks if _width(text, mark) > 1]
    sheets, broken = list[list[SheetLine]](), list[DialectError]()
    for mark in readings:
        try:
            sheets.append(_parsed(text, mark))
        except DialectError as error:
            broken.append(error)
    if broken and not sheets:
        raise InputError(f'{name!r}, {broken[0]}.\nWrite cells that hold quotes or separators as "a, b".') from broken[
            0
        ]
    best = max(sheets or [_spaced(text)], key=_score)
    if not best:
        raise NoColumnsError(
            f"The first line of {name!r} is missing: the table is empty.\nWrite a line for each image."
        )
    if max(len(line.cells) for line in best) < 2:
        shown = best[0].cells[0][:60]
        raise NoColumnsError(
            f"The first line of {name!r} is {shown!r}: the table has one column.\n"
            "Give each image a label in a second column: path,label."
        )
    return _with_index([SheetLine(line.number + skipped, line.cells) for line in best])


def _remarks(text: str) -> tuple[int, str]:
    """How many lines begin with a sign of remarks before the table, and the text behind them."""
    count = 0
    while text.startswith("#"):
        first, _, rest = text.partition("\n")
        cells = re.split(f"[{DELIMITERS}]", first)
        if sum(map(is_known, cells)) > 1 or any(map(looks_like_picture, cells)):
            break
        count, text = count + 1, rest
    return count, text


def _with_index(lines: list[SheetLine]) -> list[SheetLine]:
    """R writes the numbers of rows without a title: the head then lacks a cell that all other lines have."""
    head, *below = lines
    numbers = [line.cells[0] for line in below if len(line.cells) == len(head.cells) + 1 and line.cells[0].isdecimal()]
    if len(below) < 2 or len(set(numbers)) < len(below):
        return lines
    return [SheetLine(head.number, ("", *head.cells)), *below]


def _separator(text: str) -> tuple[str, str]:
    """What the first line says where Excel wrote `sep=;`, and the text behind it, its first line an empty one."""
    first, _, rest = text.partition("\n")
    mark = first.strip().strip('"')
    if mark.lower().startswith("sep=") and len(mark) == 5:
        return mark[4], "\n" + rest
    return "", text


def _width(text: str, mark: str) -> int:
    """How many cells the first line has."""
    try:
        return len(next(iter(_records(text, mark)), (0, []))[1])
    except DialectError:
        return 2  # read whole, it will say where


def _parsed(text: str, mark: str) -> list[SheetLine]:
    try:
        records = list(_records(text, mark))
    except DialectError:
        if '\\"' not in text:
            raise
        records = list(_records(text, mark, escape="\\"))
    return [SheetLine(number, tuple(cells)) for number, cells in records if any(cell.strip() for cell in cells)]


def _records(text: str, mark: str, escape: str | None = None) -> Iterator[tuple[int, list[str]]]:
    """Records by one separator.

    Single quotes count where the text begins with one; spaces before a quote do where there are any.
    """
    reader = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=mark,
        quotechar="'" if text.startswith("'") else '"',
        doublequote=escape is None,
        escapechar=escape,
        skipinitialspace=f'{mark} "' in text,
        strict=True,
    )
    try:
        for cells in reader:
            yield reader.line_num, cells
    except csv.Error as error:
        raise DialectError(f"line {reader.line_num}: {error}") from error


def _score(lines: Sequence[SheetLine]) -> tuple[int, float]:
    """How well a separator reads a table: the words of a head that it shows, and how many lines are as long."""
    if not lines:
        return 0, 0.0
    usual, count = Counter(len(line.cells) for line in lines).most_common(1)[0]
    return sum(map(is_known, lines[0].cells)), count / len(lines) * (usual > 1)


def _spaced(text: str) -> list[SheetLine]:
    """A list as Caffe and ImageNet have it, `path label` or `label path`; a path may hold spaces itself."""
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    last = [SheetLine(number, tuple(line.rsplit(None, 1))) for number, line in lines]
    first = [SheetLine(number, tuple(line.split(None, 1))) for number, line in lines]
    return first if _pictures(first, -1) > _pictures(last, 0) else last


def _pictures(lines: Sequence[SheetLine], column: int) -> int:
    return sum(looks_like_picture(line.cells[column]) for line in lines[:100])
