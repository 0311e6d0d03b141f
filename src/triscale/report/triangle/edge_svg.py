"""Where only two dimensions can be scaled the triangle is an edge: the expected accuracy along it, as SVG."""

from collections.abc import Iterable, Sequence
from itertools import groupby, pairwise
from typing import NamedTuple

from triscale.report.triangle.contours import Point, levels
from triscale.report.triangle.plane import LEFT, WIDE, Box
from triscale.report.triangle.signs import BAR, MARGIN, document, dot, heading, legend, marked, text
from triscale.report.triangle.ternary_svg import percents
from triscale.report.triangle.view import View, lower, radius, upper
from triscale.trials.surface_records import ContourRecord, PlaceRecord, SharesRecord
from triscale.trials.triangle_words import scaled

_LONG, _HIGH = WIDE - LEFT - 2 * MARGIN, 210.0
_MOST_LEVELS = 5


class _Axes(NamedTuple):
    """The dimension whose share grows to the right, the y of the upper edge, and the accuracies at both edges."""

    dimension: str
    top: float
    low: float
    high: float

    def across(self, shares: SharesRecord) -> float:
        """The x of a point of the edge."""
        return float(LEFT + _LONG * getattr(shares, self.dimension))

    def up(self, accuracy: float) -> float:
        """The y of an accuracy."""
        return self.top + _HIGH * (self.high - accuracy) / (self.high - self.low)


def draw_edge(shown: View, *, titled: bool) -> str:
    """The smooth part with its interval as a line, the networks on it, the region of the best below."""
    first, second = shown.dimensions
    curve = sorted(_of_edge(shown.surface.contour, {first, second}), key=lambda one: getattr(one.shares, second))
    axes = _axes(shown, second, curve, 72.0 if titled else 20.0)
    places = {one.id: _point(axes, one) for one in shown.surface.places}
    circles = [Box.around(*places[one.id], 2 * radius(one.n), 2 * radius(one.n)) for one in shown.trained]
    signs, _ = marked(shown, places, circles, Box(LEFT, 0, WIDE - 4, axes.top + _HIGH))
    below, high = legend(shown, axes.top + _HIGH + 56, BAR)
    parts = [
        *(heading(shown) if titled else ()),
        *_lines(axes),
        *_curve(axes, curve),
        *_region(axes, shown.surface.places),
        *(dot(one, places[one.id]) for one in shown.surface.places if not one.n),
        *(dot(one, places[one.id]) for one in shown.trained),
        *signs,
        text("corner", LEFT, axes.top + _HIGH + 26, f"{first} only"),
        text("soft middle", LEFT + _LONG / 2, axes.top + _HIGH + 26, f"{first} and {second}"),
        text("corner end", LEFT + _LONG, axes.top + _HIGH + 26, f"{second} only"),
        *below,
    ]
    label = f"Expected accuracy of {shown.scaled_to}, from {first} only to {second} only"
    return document(parts, high, label, 1)


def _of_edge(contour: Sequence[ContourRecord], dimensions: set[str]) -> Iterable[ContourRecord]:
    """The points of a contour that have no share of any other dimension."""
    return (one for one in contour if set(scaled(one.shares)) <= dimensions)


def _axes(shown: View, dimension: str, curve: Sequence[ContourRecord], top: float) -> _Axes:
    values = [bound for one in curve for bound in (lower(one), upper(one))]
    values += [_height(one) for one in shown.surface.places]
    air = 0.06 * (max(values) - min(values)) or 0.005
    return _Axes(dimension, top, min(values) - air, max(values) + air)


def _height(one: PlaceRecord) -> float:
    """What was measured; what is expected where nothing was."""
    return one.expected if one.mean is None else one.mean


def _point(axes: _Axes, one: PlaceRecord) -> Point:
    return axes.across(one.shares), axes.up(_height(one))


def _lines(axes: _Axes) -> Iterable[str]:
    """Round accuracies, and the axis."""
    marks = levels([axes.low, axes.high], _MOST_LEVELS)
    for level, words in zip(marks, percents(marks), strict=True):
        y = axes.up(level)
        yield f'<line class="grid" x1="{LEFT:g}" x2="{LEFT + _LONG:g}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield text("soft end", LEFT - 6, y + 4, f"{words} %")
    bottom = axes.top + _HIGH
    yield f'<path class="frame" d="M{LEFT:g} {bottom:.1f}L{LEFT + _LONG:g} {bottom:.1f}"/>'


def _curve(axes: _Axes, curve: Sequence[ContourRecord]) -> Iterable[str]:
    if not curve:
        return
    outline = [(one, upper(one)) for one in curve] + [(one, lower(one)) for one in reversed(curve)]
    around = "L".join(f"{axes.across(one.shares):.1f} {axes.up(value):.1f}" for one, value in outline)
    middle = "L".join(f"{axes.across(one.shares):.1f} {axes.up(one.expected):.1f}" for one in curve)
    yield f'<path class="spread" d="M{around}Z"/><path class="line" d="M{middle}"/>'


def _region(axes: _Axes, places: Sequence[PlaceRecord]) -> Iterable[str]:
    """A bar below what lies nearer to a network of the region than to any other."""
    ordered = sorted(places, key=lambda one: axes.across(one.shares))
    bounds = [LEFT, *((axes.across(a.shares) + axes.across(b.shares)) / 2 for a, b in pairwise(ordered)), LEFT + _LONG]
    y = axes.top + _HIGH + 6
    for inside, cells in groupby(zip(ordered, pairwise(bounds), strict=True), lambda cell: cell[0].in_region):
        spans = [span for _, span in cells]
        if inside:
            yield f'<line class="best" x1="{spans[0][0]:.1f}" x2="{spans[-1][1]:.1f}" y1="{y:.1f}" y2="{y:.1f}"/>'
