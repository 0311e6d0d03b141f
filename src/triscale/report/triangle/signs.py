"""The signs that the images of the triangle share: marks of networks, their legend, the frame of the document."""

from collections.abc import Iterable, Sequence
from html import escape

from triscale import units
from triscale.report.triangle.contours import Loop, Point
from triscale.report.triangle.paint import style
from triscale.report.triangle.plane import WIDE, Box, first_free, text_box
from triscale.report.triangle.view import View, described, radius
from triscale.trials.surface_records import PlaceRecord

MARGIN = 16.0
_ROW, _GAP, _SIGN = 22.0, 14.0, 22.0
_ON = 11.0
"""Size of a text that lies on the image."""


def path(loops: Iterable[Loop], kind: str) -> str:
    """Closed lines as one shape."""
    lines = ["M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in loop) + "Z" for loop in loops]
    return f'<path class="{kind}" fill-rule="evenodd" d="{"".join(lines)}"/>' if lines else ""


def text(kind: str, x: float, y: float, words: str, more: str = "") -> str:
    """A text; `kind` is its classes."""
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}"{more}>{escape(words)}</text>'


def dot(one: PlaceRecord, at: Point) -> str:
    """A network: a circle sized by its seeds, or a dot."""
    kind, size = ("seen", radius(one.n)) if one.n else ("unseen", 1.5)
    return (
        f'<circle class="{kind}" data-id="{escape(one.id)}" cx="{at[0]:.1f}" cy="{at[1]:.1f}" r="{size:.2f}">'
        f"<title>{escape(described(one))}</title></circle>"
    )


def ring(at: Point, size: float) -> str:
    """Around the chosen network."""
    circle = f'cx="{at[0]:.1f}" cy="{at[1]:.1f}" r="{size:.1f}"'
    return f'<circle class="halo" {circle}/><circle class="ring" {circle}/>'


def diamond(at: Point, size: float) -> str:
    """Around the paper's network."""
    (x, y), by = at, size
    line = f"M{x - by:.1f} {y:.1f}L{x:.1f} {y - by:.1f}L{x + by:.1f} {y:.1f}L{x:.1f} {y + by:.1f}Z"
    return f'<path class="halo" d="{line}"/><path class="paper" d="{line}"/>'


def marked(shown: View, places: dict[str, Point], taken: Sequence[Box], inside: Box) -> tuple[list[str], list[Box]]:
    """The signs of the paper's and of the chosen network, named where there is room; and what is covered then."""
    parts, boxes = [], list(taken)
    seeds = {one.id: one.n for one in shown.surface.places}
    for id_, word in ((shown.paper, "paper"), (shown.chosen, "chosen")):
        if id_ is None or id_ not in places:
            continue
        size = radius(seeds[id_]) + (7.5 if word == "paper" else 4.0)
        parts.append(diamond(places[id_], size) if word == "paper" else ring(places[id_], size))
        boxes.append(Box.around(*places[id_], 2 * size, 2 * size))
    for id_, word in ((shown.chosen, "chosen"), (shown.paper, "paper")):
        if id_ is not None and id_ in places and (free := first_free(_around(places[id_], word), boxes, inside)):
            (x, y), box = free
            parts.append(text("on mark middle", x, y + 0.35 * _ON, word))
            boxes.append(box)
    return parts, boxes


def _around(at: Point, word: str) -> Iterable[tuple[Point, Box]]:
    """Places for a word beside a mark: right, left, above, below, then farther off."""
    half = 0.3 * _ON * len(word)
    for away in (18.0, 24.0, 32.0, 42.0):
        for x, y in ((away + half, 0), (-away - half, 0), (0, -away - 3), (0, away + 3)):
            yield (at[0] + x, at[1] + y), text_box(word, at[0] + x, at[1] + y, _ON)


HATCHED = '<rect class="region" x="-9" y="-7" width="18" height="14"/>'
BAR = '<line class="best" x1="-9" x2="9" y1="0" y2="0"/>'


def legend(shown: View, y: float, region: str = HATCHED) -> tuple[list[str], float]:
    """What the signs mean, and where the next line may begin."""
    numbers = sorted({one.n for one in shown.trained})
    seeds = [numbers[0], *numbers[-1:]] if len(numbers) > 1 else numbers
    first = [(f'<circle class="seen" r="{radius(n):.2f}"/>', f"{units.counted(n, 'seed')}") for n in seeds]
    if len(shown.trained) < len(shown.surface.places):
        first.append(('<circle class="unseen" r="1.5"/>', "not trained"))
    second = [('<circle class="ring" r="7"/>', "chosen")]
    if shown.paper is not None:
        second.append(('<path class="paper" d="M-8 0L0 -8L8 0L0 8Z"/>', "the paper's point"))
    if any(one.in_region for one in shown.surface.places):
        second.append((region, "95 % region of the best"))
    return [*_row(first, y), *_row(second, y + _ROW)], y + 2 * _ROW


def _row(entries: Iterable[tuple[str, str]], y: float) -> Iterable[str]:
    x = MARGIN
    for sign, words in entries:
        yield f'<g transform="translate({x + _SIGN / 2:.1f} {y - 4:.1f})">{sign}</g>'
        yield text("soft", x + _SIGN + 4, y, words)
        x += _SIGN + 4 + 6.3 * len(words) + _GAP


def heading(shown: View) -> list[str]:
    """The baseline, and what the image shows."""
    return [
        text("title", MARGIN, 28, shown.name),
        text("soft", MARGIN, 47, f"at {shown.cost} its {shown.cost_word}: expected accuracy on validation images"),
    ]


def document(parts: Iterable[str], high: float, label: str, bands: int) -> str:
    """The SVG of an image, which fits into any width and shows on light and on dark pages."""
    body = "\n".join(part for part in parts if part)
    return f"""<svg xmlns="http://www.w3.org/2000/svg" class="triangle" viewBox="0 0 {WIDE:g} {high:.0f}" \
width="{WIDE:g}" role="img" aria-label="{escape(label)}">
<style>{style(bands)}
</style>
<defs><pattern id="triangle-hatch" width="6" height="6" patternUnits="userSpaceOnUse" \
patternTransform="rotate(45)"><line class="hatch" x1="0" y1="0" x2="0" y2="6"/></pattern></defs>
<rect class="page" width="{WIDE:g}" height="{high:.0f}" rx="8"/>
{body}
</svg>
"""
