"""Where a point of the triangle lies on the page, and places for texts that cover nothing."""

from collections.abc import Iterable, Sequence
from math import sqrt
from typing import NamedTuple, Self

from triscale.report.triangle.contours import Point
from triscale.trials.triangle_words import PointOfTriangle

WIDE = 440.0
"""Of every image, in its own units: at 400 pixels a text of 13 units is still 12 pixels high."""

LEFT, SIDE = 50.0, 340.0
HIGH = SIDE * sqrt(3) / 2


class Box(NamedTuple):
    """A rectangle: its edges."""

    left: float
    top: float
    right: float
    bottom: float

    @classmethod
    def around(cls, x: float, y: float, wide: float, high: float) -> Self:
        """By its middle and its extents."""
        return cls(x - wide / 2, y - high / 2, x + wide / 2, y + high / 2)

    def meets(self, other: "Box") -> bool:
        """Whether both cover something."""
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )

    def holds(self, other: "Box") -> bool:
        """Whether the other lies in it."""
        return (
            self.left <= other.left and other.right <= self.right
            and self.top <= other.top and other.bottom <= self.bottom
        )  # fmt: skip


def spot(shares: PointOfTriangle, top: float) -> Point:
    """Depth lies at the lower left, width at the lower right, resolution at the apex, whose y is `top`."""
    return LEFT + SIDE * (shares.width + shares.resolution / 2), top + HIGH * (1 - shares.resolution)


def text_box(text: str, x: float, y: float, size: float) -> Box:
    """About what a text in the middle of a point covers; a sign is about 0.6 of its size wide, and is read with air."""
    return Box.around(x, y, 0.6 * size * len(text) + 2, 1.15 * size)


def first_free(boxes: Iterable[tuple[Point, Box]], taken: Sequence[Box], inside: Box) -> tuple[Point, Box] | None:
    """The first place whose box meets none of those taken and lies inside; None where all do."""
    for place, box in boxes:
        if inside.holds(box) and not any(box.meets(one) for one in taken):
            return place, box
    return None
