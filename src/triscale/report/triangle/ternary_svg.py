"""The triangle of depth, width and resolution as a ternary contour plot of the expected accuracy, as SVG."""

from collections.abc import Iterable, Sequence
from math import dist

from triscale.report.triangle import contours
from triscale.report.triangle.contours import Point, Vertex
from triscale.report.triangle.plane import HIGH, LEFT, SIDE, WIDE, Box, first_free, spot, text_box
from triscale.report.triangle.signs import MARGIN, document, dot, heading, legend, marked, path, text
from triscale.report.triangle.view import View, radius
from triscale.trials.surface_records import ContourRecord, PlaceRecord, SharesRecord

_MOST_LEVELS = 6
_FINE = 40
"""The side of the lattice on which the region is traced: 8 units of the drawing apart."""

_NUMBER = 10.5
_CLEAR, _BELOW = 15.0, 25.0
"""From the triangle to a word, so that a mark on an edge or in a corner has room."""


def draw_ternary(shown: View, *, titled: bool) -> str:
    """Contours of the smooth part, the networks, the region of the best, the paper's point, the corners in words."""
    top = 96.0 if titled else 42.0
    grid = _grid(shown.surface.contour, top)
    levels = contours.levels([one.expected for one in shown.surface.contour], _MOST_LEVELS) if grid else []
    places = {one.id: spot(one.shares, top) for one in shown.surface.places}
    page = Box(4, top - 20, WIDE - 4, top + HIGH + 10)
    covered = [Box.around(*places[one.id], 2 * radius(one.n), 2 * radius(one.n)) for one in shown.trained]
    signs, taken = marked(shown, places, [*covered, *_words(top)], page)
    below, high = legend(shown, top + HIGH + 90)
    parts = [
        *(heading(shown) if titled else ()),
        *_bands(grid, levels),
        path(_region(shown.surface.places, top), "region"),
        f'<path class="frame" d="{_outline(top)}"/>',
        *(dot(one, places[one.id]) for one in shown.surface.places if not one.n),
        *_numbers(grid, levels, taken, page, top + HIGH),
        *(dot(one, places[one.id]) for one in shown.trained),
        *signs,
        *_corners(top),
        *_scale(levels, shown, top + HIGH + 46),
        *below,
    ]
    return document(parts, high, _label(shown), len(levels) + 1)


def _label(shown: View) -> str:
    return f"Expected accuracy of {shown.scaled_to}, over the triangle of depth, width and resolution"


def _grid(contour: Sequence[ContourRecord], top: float) -> list[contours.Triangle]:
    """The small triangles between the points of the contour; none where these are not whole lattice."""
    side = contours.lattice_side(len(contour))
    if side is None:
        return []
    points = {
        (round(side * one.shares.width), round(side * one.shares.resolution)): Vertex(
            *spot(one.shares, top), one.expected
        )
        for one in contour
    }
    return contours.triangles(side, points) if all(key in points for key in contours.lattice(side)) else []


def _bands(grid: Sequence[contours.Triangle], levels: Sequence[float]) -> Iterable[str]:
    """Each band lies on the lower ones; its edge is the line of its level."""
    if grid:
        yield path(contours.above(grid, float("-inf")), "b0")
    for index, level in enumerate(levels, 1):
        yield path(contours.above(grid, level), f"b{index} iso")


def _region(places: Sequence[PlaceRecord], top: float) -> list[contours.Loop]:
    """What lies nearer to a network of the region than to any other."""
    inside = [spot(one.shares, top) for one in places if one.in_region]
    outside = [spot(one.shares, top) for one in places if not one.in_region]
    if not inside:
        return []

    def nearer(i: int, j: int) -> Vertex:
        at = spot(SharesRecord(depth=1 - (i + j) / _FINE, width=i / _FINE, resolution=j / _FINE), top)
        away = min((dist(at, one) for one in outside), default=2 * SIDE)
        return Vertex(*at, away - min(dist(at, one) for one in inside))

    fine = {(i, j): nearer(i, j) for i, j in contours.lattice(_FINE)}
    return contours.above(contours.triangles(_FINE, fine), 0.0)


def _numbers(
    grid: Sequence[contours.Triangle], levels: Sequence[float], taken: Sequence[Box], page: Box, bottom: float
) -> Iterable[str]:
    """The level of each line, in percent, at its place with most room around it; left out where there is none."""
    boxes = list(taken)
    for level, words in zip(levels, percents(levels), strict=True):
        points = [point for loop in contours.above(grid, level) for point in loop if _is_inside(point, bottom)]
        points.sort(key=lambda point: -_room(point, boxes))
        found = first_free(((point, text_box(words, *point, _NUMBER)) for point in points), boxes, page)
        if found is not None:
            (x, y), box = found
            boxes.append(box)
            yield text("on middle", x, y + 0.35 * _NUMBER, words)


def _room(point: Point, boxes: Sequence[Box]) -> float:
    """How far the nearest thing is away."""
    return min((dist(point, ((one.left + one.right) / 2, (one.top + one.bottom) / 2)) for one in boxes), default=SIDE)


def _is_inside(point: Point, bottom: float, by: float = 14.0) -> bool:
    """Whether a point is well inside the triangle, whose lower side is `bottom`."""
    x, up = point[0] - LEFT, bottom - point[1]
    return up > by and 3**0.5 * x - up > 2 * by and 3**0.5 * (SIDE - x) - up > 2 * by


def percents(levels: Sequence[float]) -> list[str]:
    """Levels in percent, with a decimal only where their steps need it."""
    whole = all(abs(100 * level - round(100 * level)) < 1e-6 for level in levels)
    return [f"{100 * level:.{0 if whole else 1}f}" for level in levels]


def _outline(top: float) -> str:
    return f"M{LEFT:g} {top + HIGH:.1f}L{LEFT + SIDE:g} {top + HIGH:.1f}L{LEFT + SIDE / 2:g} {top:g}Z"


def _corners(top: float) -> Iterable[str]:
    """Each corner in words, and each edge between two of them."""
    bottom, middle = top + HIGH, LEFT + SIDE / 2
    yield text("corner middle", middle, top - _CLEAR, "resolution only")
    yield text("corner", MARGIN, bottom + _BELOW, "depth only")
    yield text("corner end", WIDE - MARGIN, bottom + _BELOW, "width only")
    yield text("soft middle", middle, bottom + _BELOW, "depth and width")
    for sign, words in ((-1, "depth and resolution"), (1, "width and resolution")):
        x, y = _beside(sign, top)
        yield text("soft middle", x, y, words, f' transform="rotate({60 * sign} {x:.1f} {y:.1f})"')


def _beside(sign: int, top: float) -> Point:
    """Outside the middle of a side edge; `sign` is -1 for the left one."""
    return LEFT + SIDE / 2 + sign * (SIDE / 4 + _CLEAR * 0.87), top + HIGH / 2 - _CLEAR / 2


def _words(top: float) -> Iterable[Box]:
    """About what the words around the triangle cover; a turned text as a row of squares."""
    yield Box.around(LEFT + SIDE / 2, top - _CLEAR - 5, 124, 15)
    for sign in (-1, 1):
        x, y = _beside(sign, top)
        yield from (Box.around(x + 6 * step, y + sign * 10.4 * step, 16, 16) for step in range(-6, 7))


def _scale(levels: Sequence[float], shown: View, y: float) -> Iterable[str]:
    """The bands from the lowest to the highest, with the levels between them."""
    if not shown.surface.contour:
        return
    if not levels:
        flat = shown.surface.contour[0].expected
        yield text("soft middle", WIDE / 2, y + 12, f"expected accuracy {100 * flat:.1f} % everywhere")
        return
    wide = SIDE / (len(levels) + 1)
    yield text("soft", MARGIN, y + 9, "%")
    for index in range(len(levels) + 1):
        yield f'<rect class="b{index} iso" x="{LEFT + index * wide:.1f}" y="{y:.1f}" width="{wide:.1f}" height="11"/>'
    for index, words in enumerate(percents(levels), 1):
        yield text("soft middle", LEFT + index * wide, y + 24, words)
