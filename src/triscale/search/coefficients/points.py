"""Candidates and curves of a foreign baseline: points of one grid, since nothing is known of how its code rounds.

A factor is a multiple of a hundredth and a side a whole number of pixels, so that points meet again and each is counted
once. The grid is over the exponents of cost: of the cost that is added, every fifth goes to one dimension.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import NamedTuple

from triscale.errors import InputError
from triscale.foreign import Dimension, Dimensions, count, known
from triscale.scaling import Factors, factors
from triscale.spec import ForeignNetwork, Size
from triscale.trials.triangle_words import times

TARGET = 2.0
"""Counted cost of a candidate over the baseline's: phi = 1."""

PARTS = 5
"""Into so many parts a doubling of cost is split among the dimensions."""

_STEPS_OF_ONE = 100
_POWER: Mapping[Dimension, float] = {"depth": 1.0, "width": 0.5, "resolution": 0.5}
"""Exponent of the nominal factor that doubles the cost: cost grows as depth x width^2 x resolution^2."""

_BRACKET = 0.25
_NEAR = 1e-6
_SMALLEST_PHI = -16.0
Curve = Callable[[float], Factors]


class Point(NamedTuple):
    """A foreign network of the grid.

    Attributes:
        network: as it was built and counted, with its fingerprint.
        rule: `grid`, `compound`, `curve`, or the one dimension that is scaled.
        factors: over the baseline.
        ratio: counted MACs over the baseline's.
        merged: points of the search that turned out to be this network.
    """

    network: ForeignNetwork
    rule: str
    factors: Factors
    ratio: float
    merged: int = 1

    @property
    def id(self) -> str:
        """Content hash of the network."""
        return self.network.content_hash()

    @property
    def identity(self) -> tuple[object, ...]:
        """Points whose tensors, operations and size are the same are one network, whatever their factors."""
        return self.network.fingerprint, self.network.resolution

    def is_within(self, target: float, tolerance: float) -> bool:
        """Whether it costs `target` times the baseline within the tolerance."""
        return abs(self.ratio - target) <= tolerance


def proposals(
    baseline: ForeignNetwork, scaled: Dimensions, *, target: float = TARGET, tolerance: float = 0.1,
    largest: Size | None = None,
) -> list[Point]:  # fmt: skip
    """A corner for each dimension, then points of the grid that cost `target` times the baseline within `tolerance`.

    Corners are always part, also where the network's own rounding keeps them outside the tolerance.

    Args:
        baseline, scaled: what is scaled.
        target, tolerance: see above.
        largest: height and width beyond which no network goes; None: any.

    Raises:
        InputError: nothing lies within the tolerance, there is one network alone, or the network fails at a point.
    """
    corners = [nearest(baseline, rule, partial(factors, rule), target) for rule in scaled.scaled]
    found: dict[tuple[object, ...], Point] = {}
    for point in (*corners, *_grid(baseline, scaled, target, tolerance)):
        if largest is not None and any(a > max(b, c) for a, b, c in zip(
            point.network.resolution, largest, baseline.resolution, strict=True
        )):  # fmt: skip
            continue
        first = found.get(point.identity)
        found[point.identity] = point if first is None else first._replace(merged=first.merged + 1)
    if not any(point.is_within(target, tolerance) for point in found.values()):
        raise InputError(
            f"no network within {tolerance:g} of {target:g} times the cost of {baseline.path} was found: it rounds too "
            "coarsely.\nUse a baseline with more channels or blocks, or a larger --tolerance."
        )
    if len(found) < 2:
        beyond = "" if largest is None else f" of at most {largest[0]}x{largest[1]} px, the size of the originals,"
        raise InputError(
            f"{baseline.path} has 1 network{beyond} at {times(target)} its cost, so there is nothing to compare.\n"
            "Use a baseline of a smaller resolution or one that scales in depth too, or --enlarge."
        )
    return list(found.values())


def nearest(baseline: ForeignNetwork, rule: str, curve: Curve, ratio: float) -> Point:
    """The point on a curve (phi -> factors, cost growing) whose MACs are nearest to `ratio` times the baseline's.

    Raises:
        InputError: the network fails at a point on the way.
    """
    at = partial(point, baseline, rule)
    expected = math.log2(ratio)
    low, high = expected - _BRACKET, expected + _BRACKET
    while at(curve(high)).ratio < ratio:
        low, high = high, high + 2 * (high - low)
    while at(curve(low)).ratio >= ratio and low > _SMALLEST_PHI:
        low, high = low - 2 * (high - low), low
    while high - low > _NEAR:
        middle = (low + high) / 2
        low, high = (middle, high) if at(curve(middle)).ratio < ratio else (low, middle)
    return min((at(curve(phi)) for phi in (low, high)), key=lambda one: abs(math.log(one.ratio / ratio)))


def point(baseline: ForeignNetwork, rule: str, where: Factors) -> Point:
    """The point of the grid that is nearest to some factors."""
    longer = max(baseline.resolution)
    sides = baseline.scaled(resolution=where.resolution).resolution
    on_grid = Factors(_on_grid(where.depth), _on_grid(where.width), max(sides) / longer)
    network = known(baseline.scaled(**on_grid._asdict()))
    return Point(network, rule, on_grid, count(network).macs / count(baseline).macs)


def _on_grid(factor: float) -> float:
    return max(1, math.floor(factor * _STEPS_OF_ONE + 0.5)) / _STEPS_OF_ONE


def _grid(baseline: ForeignNetwork, scaled: Dimensions, target: float, tolerance: float) -> Iterator[Point]:
    """One point for each way to split the cost, its finest dimension solved for the counted one."""
    doublings = math.log2(target)
    solved = scaled.scaled[-2] if "width" in scaled.scaled[:-1] else scaled.scaled[-1]
    others = [name for name in scaled.scaled if name != solved]
    for parts in _splits(len(others)):
        fixed = Factors(
            **{name: 2 ** (_POWER[name] * doublings * part / PARTS) for name, part in zip(others, parts, strict=True)}
        )
        found = nearest(baseline, "grid", partial(_moved, fixed, solved), target)
        if found.is_within(target, tolerance):
            yield found


def _splits(dimensions: int) -> Iterator[tuple[int, ...]]:
    """What fixed dimensions get of a doubling, in parts; a remainder is left for the one that is solved."""
    if dimensions == 1:
        yield from ((part,) for part in range(PARTS))
        return
    yield from ((one, two) for one in range(PARTS) for two in range(PARTS - one))


def _moved(fixed: Factors, solved: Dimension, phi: float) -> Factors:
    """A factor of at least 1 (paper, section 3.3), from the share of the cost that the fixed ones leave."""
    left = phi - math.log2(fixed.depth * fixed.width**2 * fixed.resolution**2)
    return fixed._replace(**{solved: 2 ** (_POWER[solved] * max(left, 0.0))})
