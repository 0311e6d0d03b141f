"""An interval of a median as a cell of a table under "95% interval", marked where it holds the median less surely."""

from collections.abc import Callable

from triscale.intervals import LEVEL

EXPLAINED = (
    "A percentage behind an interval: fewer than six rounds count, so it holds the median only that surely. "
    "Give more rounds or time."
)
"""What a marked cell says, in a line below the table."""


def interval_cell(ends: tuple[float, float], coverage: float, shown: Callable[[float], str]) -> str:
    """`1.2 to 1.4`, or `1.2 to 1.4 (75%)` where the coverage is below 95%.

    Args:
        ends: low and high.
        coverage: the probability that the interval holds the true median.
        shown: from an end to its text.
    """
    text = " to ".join(map(shown, ends))
    return text if coverage >= LEVEL else f"{text} ({coverage:.0%})"


def explanation(coverages: list[float]) -> list[str]:
    """The line below a table, if one of its intervals is marked."""
    return [EXPLAINED] if any(one < LEVEL for one in coverages) else []
