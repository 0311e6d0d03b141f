"""A table that a click on a title sorts; without script it is a table all the same."""

from dataclasses import dataclass
from html import escape
from importlib.resources import files
from typing import NamedTuple


class Cell(NamedTuple):
    """What a cell says, and the number that it is sorted by; None: by its text, or last among numbers."""

    text: str
    value: float | None = None


@dataclass(frozen=True)
class SortableTable:
    """A titled table; the first column names the row."""

    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""


def to_sortable_html(table: SortableTable) -> str:
    """The table with everything escaped, and the script that sorts it."""
    head = "".join(f'<th scope="col">{escape(title)}</th>' for title in table.header)
    body = "\n".join(_row(row) for row in table.rows)
    note = f'<p class="note">{escape(table.note)}</p>' if table.note else ""
    script = files("triscale.report.search_page").joinpath("sort.js").read_text(encoding="utf-8")
    return (
        f'<div class="scroll"><table class="sortable"><thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table>'
        f"</div>\n{note}\n<script>\n{script}</script>"
    )


def _row(row: tuple[Cell, ...]) -> str:
    first, *others = row
    cells = "".join(f"<td{_value(one)}>{escape(one.text)}</td>" for one in others)
    return f'<tr><th scope="row"{_value(first)}>{escape(first.text)}</th>{cells}</tr>'


def _value(cell: Cell) -> str:
    return "" if cell.value is None else f' data-value="{cell.value:.12g}"'
