"""Contours of values on a triangular lattice: what lies above a level, as closed lines, by linear interpolation."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import ceil, floor
from typing import NamedTuple

Point = tuple[float, float]
Loop = tuple[Point, ...]
_DIGITS = 6
"""Decimals of a coordinate to which two points are one."""


class Vertex(NamedTuple):
    """A point of the plane with a value."""

    x: float
    y: float
    value: float


Triangle = tuple[Vertex, Vertex, Vertex]


def lattice_side(number: int) -> int | None:
    """Into how many parts a side is cut in a triangular lattice of so many points; None where no lattice has these."""
    side = 0
    while (side + 1) * (side + 2) // 2 < number:
        side += 1
    return side if side and (side + 1) * (side + 2) // 2 == number else None


def lattice(side: int) -> Iterator[tuple[int, int]]:
    """The points of a lattice by steps along two of its sides."""
    return ((first, second) for first in range(side + 1) for second in range(side + 1 - first))


def triangles(side: int, points: Mapping[tuple[int, int], Vertex]) -> list[Triangle]:
    """The side^2 small triangles between the points of a lattice, all turning the same way."""
    found = []
    for i, j in lattice(side - 1):
        found.append((points[i, j], points[i + 1, j], points[i, j + 1]))
        if i + j < side - 1:
            found.append((points[i + 1, j], points[i + 1, j + 1], points[i, j + 1]))
    return found


def above(parts: Iterable[Triangle], level: float) -> list[Loop]:
    """Closed lines around what has at least this value, each point once; holes turn the other way."""
    passed: Counter[tuple[Point, Point]] = Counter()
    for triangle in parts:
        corners = _clipped(triangle, level)
        for one, two in zip(corners, [*corners[1:], *corners[:1]], strict=True):
            # An edge of two triangles is passed both ways, so that it is none of the whole.
            passed[min(one, two), max(one, two)] += 1 if one < two else -1
    edges = [(one, two) if times > 0 else (two, one) for (one, two), times in passed.items() for _ in range(abs(times))]
    return _joined([edge for edge in edges if edge[0] != edge[1]])


def _clipped(triangle: Triangle, level: float) -> list[Point]:
    """The part of a triangle with at least this value."""
    found = []
    for one, two in zip(triangle, (*triangle[1:], triangle[0]), strict=True):
        if one.value >= level:
            found.append(_rounded(one.x, one.y))
        if (one.value >= level) != (two.value >= level):
            found.append(_crossing(min(one, two), max(one, two), level))
    return found


def _crossing(one: Vertex, two: Vertex, level: float) -> Point:
    """Where an edge has the level; the same point from both of its triangles."""
    by = (level - one.value) / (two.value - one.value)
    return _rounded(one.x + by * (two.x - one.x), one.y + by * (two.y - one.y))


def _rounded(x: float, y: float) -> Point:
    return round(x, _DIGITS), round(y, _DIGITS)


def _joined(edges: Iterable[tuple[Point, Point]]) -> list[Loop]:
    """Edges put end to end."""
    onward: defaultdict[Point, list[Point]] = defaultdict(list)
    for start, end in edges:
        onward[start].append(end)
    loops = []
    for start in list(onward):
        while onward[start]:
            loop = [start]
            while following := onward[loop[-1]]:
                loop.append(following.pop())
            loops.append(tuple(loop[:-1]))
    return loops


def levels(values: Sequence[float], most: int) -> list[float]:
    """At most so many round numbers between the least value and the greatest, evenly apart: 0.61, 0.62, 0.63.

    They are a tenth of a point apart or more.
    """
    low, high = min(values), max(values)
    for step in (digit * 10**power for power in (-3, -2, -1) for digit in (1, 2, 5)):
        # Quotients are rounded, so that a bound which is itself a multiple is not passed by its last bit.
        first, last = floor(round(low / step, 6)) + 1, ceil(round(high / step, 6)) - 1
        if last - first < most:
            return [round(number * step, 6) for number in range(first, last + 1)]
    return []
