"""A table that can be printed as HTML or as Markdown."""

from dataclasses import dataclass
from html import escape


@dataclass(frozen=True)
class TableRow:
    """One line of a table; `kind` is a style: "", "chosen", "rival" or the like."""

    cells: tuple[str, ...]
    kind: str = ""


@dataclass(frozen=True)
class Table:
    """A titled table; the first column names the row, the others hold numbers."""

    header: tuple[str, ...]
    rows: tuple[TableRow, ...]
    note: str = ""


def to_html(table: Table) -> str:
    """The table with everything escaped, in a box that scrolls sideways on narrow screens."""
    head = "".join(f'<th scope="col">{escape(title)}</th>' for title in table.header)
    body = "\n".join(_html_row(row) for row in table.rows)
    note = f'<p class="note">{escape(table.note)}</p>' if table.note else ""
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>\n{note}'


def to_markdown(table: Table) -> str:
    """The table in the form that code forges render."""
    lines = [
        _markdown_row(tuple(markdown_text(title) for title in table.header)),
        "|".join(["", " --- ", *([" ---: "] * (len(table.header) - 1)), ""]),
        *(_markdown_row(_bold(row)) for row in table.rows),
    ]
    return "\n".join([*lines, *(["", markdown_text(table.note)] if table.note else [])])


def markdown_text(text: str) -> str:
    """Text that Markdown shows as it stands: its signs of markup and of HTML are escaped."""
    for sign in "\\`*_[]|":
        text = text.replace(sign, f"\\{sign}")
    return escape(" ".join(text.split()), quote=False)


def _html_row(row: TableRow) -> str:
    first, *others = row.cells
    cells = "".join(f"<td>{escape(cell)}</td>" for cell in others)
    return f'<tr class="{escape(row.kind)}"><th scope="row">{escape(first)}</th>{cells}</tr>'


def _markdown_row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


def _bold(row: TableRow) -> tuple[str, ...]:
    cells = tuple(markdown_text(cell) for cell in row.cells)
    return (f"**{cells[0]}**", *cells[1:]) if row.kind == "chosen" else cells
