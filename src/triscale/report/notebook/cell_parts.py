"""What every cell of a notebook is made of: a box with a style of its own, since a notebook has no style sheet."""

from base64 import b64encode
from collections.abc import Iterable
from html import escape

from triscale.report.printable_table import Table, TableRow, to_html

_STYLE = """
.triscale { max-width: 60rem; line-height: 1.45; }
.triscale p { margin: .2rem 0 .6rem; }
.triscale table { border-collapse: collapse; margin: .3rem 0 .6rem; }
.triscale table { font-size: .85em; font-variant-numeric: tabular-nums; }
.triscale th, .triscale td { padding: .2rem .6rem; text-align: right; white-space: nowrap; }
.triscale td, .triscale tbody th { border-bottom: 1px solid rgba(128,128,128,.25); }
.triscale th:first-child { text-align: left; font-weight: 500; }
.triscale tr.chosen > * { font-weight: 700; }
.triscale .scroll { overflow-x: auto; }
.triscale .note { opacity: .75; font-size: .9em; }
.triscale img { width: 100%; max-width: 60rem; }
"""


def cell(parts: Iterable[str]) -> str:
    """Parts, each HTML, as the output of one cell."""
    body = "\n".join(part for part in parts if part)
    return f'<div class="triscale"><style>{_STYLE}</style>\n{body}\n</div>'


def sentence(text: str) -> str:
    """A paragraph."""
    return f"<p>{escape(text)}</p>"


def table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]], note: str = "") -> str:
    """A table; the first column names the row."""
    return to_html(Table(header, tuple(TableRow(row) for row in rows), note))


def image(svg: str, about: str, width: str = "") -> str:
    """A drawing as an image, so that its styles stay its own; `width` in units of CSS where it is not the cell's."""
    address = b64encode(svg.encode()).decode()
    style = f' style="width: {escape(width)}"' if width else ""
    return f'<img alt="{escape(about)}"{style} src="data:image/svg+xml;base64,{address}">'
