"""The cell of a network: all triples of factors that round to it."""

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from triscale.scaling import Factors
from triscale.spec import Network, scale

_NEAR = 1e-9
Interval = tuple[float, float]


class GridCell(NamedTuple):
    """Per factor, the interval of values that round to one network."""

    depth: Interval
    width: Interval
    resolution: Interval

    def centre(self) -> Factors:
        """The middle of each interval above 1; exactly 1 where the interval holds 1."""
        return Factors(*(_centre(interval) for interval in (self.depth, self.width, self.resolution)))


def cell_of(baseline: Network, network: Network, inside: Factors) -> GridCell:
    """The cell around `inside`, a triple that rounds to `network`, found by bisection of the rounding itself."""
    intervals = {}
    for name, value in inside._asdict().items():
        same = partial(_rounds_to, network, baseline, inside, name)
        low, high = _edge(same, value, value / 2), _edge(same, value, value * 2)
        if low < 1 < high and not same(1.0):  # a factor of exactly 1 rounds nothing: 30 channels stay 30
            low, high = (math.nextafter(1, 2), high) if value > 1 else (low, math.nextafter(1, 0))
        intervals[name] = (low, high)
    return GridCell(**intervals)


def _centre(interval: Interval) -> float:
    low, high = interval
    if low <= 1 <= high:
        return 1.0
    return (low + high) / 2


def _edge(same: Callable[[float], bool], inside: float, outside: float) -> float:
    """The last value from `inside` towards `outside` for which `same` holds, to a billionth."""
    if same(outside):
        return outside
    while abs(outside - inside) > _NEAR * abs(inside):
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if same(middle) else (inside, middle)
    return inside


def _rounds_to(network: Network, baseline: Network, inside: Factors, name: str, factor: float) -> bool:
    other = scale(baseline, **{**inside._asdict(), name: factor})
    return all(getattr(other, part) == getattr(network, part) for part in ("resolution", "stem", "stages", "head"))
