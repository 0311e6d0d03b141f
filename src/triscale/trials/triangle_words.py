"""The scaling triangle in true words: where a network lies (`width only`, `depth and resolution`), at what cost."""

from typing import Protocol

DIMENSIONS = ("depth", "width", "resolution")
MIX = "a mix"
_SHOWN = 0.005
"""A smaller share is shown as 0 %, and is not named."""


class PointOfTriangle(Protocol):
    """A point of the triangle: each dimension's share of a counted doubling; they sum to 1."""

    @property
    def depth(self) -> float:
        """Of the repeats."""

    @property
    def width(self) -> float:
        """Of the channels."""

    @property
    def resolution(self) -> float:
        """Of the sides of the input."""


def where(shares: PointOfTriangle) -> str:
    """Corner, edge or inside: `width only`, `depth and resolution`, `a mix`."""
    named = scaled(shares)
    if len(named) == len(DIMENSIONS):
        return MIX
    return f"{named[0]} only" if len(named) == 1 else " and ".join(named)


def times(target: float) -> str:
    """A multiple of the baseline's cost: `twice`, `2.83 times`."""
    return "twice" if target == 2 else f"{target:.3g} times"


def cost_word(metric: str) -> str:
    """What networks cost alike, in a sentence: `cost` where it is that of the paper, else the metric's name."""
    return "cost" if metric == "macs" else metric.replace("_", " ")


def scaled(shares: PointOfTriangle) -> tuple[str, ...]:
    """The dimensions that have a share, in the order depth, width, resolution."""
    return tuple(name for name in DIMENSIONS if getattr(shares, name) >= _SHOWN)
