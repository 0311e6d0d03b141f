"""What every page of a report is made of: the document around it, its lists, and figures that Plotly draws."""

from collections.abc import Iterable
from html import escape
from importlib.resources import files

from plotly.offline import get_plotlyjs

# The browser itself rejects anything from outside: the page proves that it opens offline.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data: blob:"


def html_document(title: str, sections: Iterable[str], *, plots: bool, style: str = "") -> str:
    """A whole page in one file.

    Args:
        title: as text.
        sections: as HTML.
        plots: whether a section draws a figure, which needs the plotting script.
        style: what this page adds to the style sheet.
    """
    title = escape(title)
    style = files("triscale.report").joinpath("style.css").read_text(encoding="utf-8") + style
    script = f"<script>{get_plotlyjs()}</script>" if plots else ""
    body = "\n".join(sections)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
{style}</style>
{script}
</head>
<body>
<h1>{title}</h1>
{body}
</body>
</html>
"""


def plotted(name: str, document: str) -> str:
    """A figure drawn by the Plotly script in the head; `document` has its angle brackets escaped by Plotly."""
    return (
        f'<div class="plot"><div id="{name}"></div></div>\n<script>{{const figure = {document};\n'
        f'Plotly.newPlot("{name}", figure.data, figure.layout, '
        '{responsive: true, displaylogo: false, modeBarButtonsToRemove: ["select2d", "lasso2d"]});}</script>'
    )


def bullets(kind: str, lines: Iterable[str]) -> str:
    """A list in the style `kind`."""
    items = "\n".join(f"<li>{escape(line)}</li>" for line in lines)
    return f'<ul class="{kind}">\n{items}\n</ul>'


def definitions(lines: Iterable[tuple[str, str]]) -> str:
    """Names with their values."""
    items = "\n".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in lines)
    return f"<dl>\n{items}\n</dl>"
