"""Every network of a wanted counted cost that a baseline can be scaled to.

A plain grid of triples mostly rounds to the same few networks. So the walk is over what rounding can tell apart:
repeats, sides and channels; between them nothing changes. Factors are at least 1 (paper, section 3.3).
"""

import math
from bisect import bisect_left
from collections.abc import Callable, Iterator
from typing import NamedTuple

from triscale.errors import InputError
from triscale.scaling import Factors
from triscale.search.coefficients.equal_cost import MACS, EqualCost
from triscale.spec import Network, Size, content_hash, scale

_NEAR = 1e-9
_SMALLEST_PHI = -64.0
_WIDTHS = 500
"""Steps of width in a factor of 1: finer than the rounding of channels up to about 250."""
_PER_POINT = 3
"""Networks of one depth and side that are kept, those of the nearest cost."""


class Proposal(NamedTuple):
    """A network of about the wanted cost; `inside` is some triple that rounds to it."""

    network: Network
    inside: Factors
    ratio: float


def pool(
    baseline: Network, target: float, tolerance: float, largest: Size | None = None, cost: EqualCost = MACS
) -> list[Proposal]:
    """Every distinct network whose cost is `target` times the baseline's within `tolerance`.

    Of one depth and side the three nearest in cost are kept. Sides are one pixel apart, or a fiftieth of the baseline's
    where that is more: nobody tells 224 px from 225.

    Args:
        baseline: is not among them.
        target: cost over the baseline's.
        tolerance: of that.
        largest: height and width beyond which no network goes; None: any.
        cost: counted MACs, or another metric.
    """
    walk, found = _Walk(baseline, target + tolerance, cost), dict[str, Proposal]()
    for depth in walk.depths():
        for side in walk.sides(depth, largest):
            for width, ratio in walk.widths_within(depth, side, target, tolerance):
                inside = Factors(depth, width, side)
                network = scale(baseline, **inside._asdict())
                found.setdefault(content_hash(network), Proposal(network, inside, ratio))
    return list(found.values())


class _Walk:
    """Over the notches of a baseline up to a counted ratio."""

    def __init__(self, baseline: Network, most: float, cost: EqualCost) -> None:
        self._baseline, self._most, self._cost = baseline, most, cost
        self._base = cost(baseline)
        self._widths = list(self._notches())

    def ratio(self, depth: float, width: float, resolution: float) -> float:
        return self._cost(scale(self._baseline, depth=depth, width=width, resolution=resolution)) / self._base

    def depths(self) -> Iterator[float]:
        """One depth factor for each distinct set of repeats, from 1 up: where a repeat count just fits."""
        repeats = {stage.repeats for stage in self._baseline.stages if stage.scales_depth}
        yield 1.0
        depth = 1.0
        while repeats:
            depth = min((math.floor(depth * n + _NEAR) + 1) / n for n in repeats)
            if self.ratio(depth, 1.0, 1.0) > self._most:
                return
            yield depth

    def sides(self, depth: float, largest: Size | None) -> Iterator[float]:
        """Factors of resolution, from 1 up."""
        longer = max(self._baseline.resolution)
        side = longer
        while self.ratio(depth, 1.0, side / longer) <= self._most:
            sizes = scale(self._baseline, resolution=side / longer).resolution
            if largest is not None and side > longer and any(a > b for a, b in zip(sizes, largest, strict=True)):
                return
            yield side / longer
            side += max(1, longer // 50)

    def widths_within(self, depth: float, side: float, target: float, tolerance: float) -> list[tuple[float, float]]:
        """(width, ratio) of the networks nearest to the target."""
        first = bisect_left(self._widths, target - tolerance, key=lambda width: self.ratio(depth, width, side))
        found = []
        for width in self._widths[first:]:
            ratio = self.ratio(depth, width, side)
            if ratio > target + tolerance:
                break
            found.append((width, ratio))
        return sorted(found, key=lambda one: abs(math.log(one[1] / target)))[:_PER_POINT]

    def _notches(self) -> Iterator[float]:
        """One width factor for each distinct set of channels."""
        before, step = None, _WIDTHS
        while True:
            network = scale(self._baseline, width=step / _WIDTHS)
            channels = network.stem, network.stages, network.head
            if channels != before:
                if self.ratio(1.0, step / _WIDTHS, 1.0) > self._most:
                    return
                yield step / _WIDTHS
                before = channels
            elif step > 64 * _WIDTHS:  # nothing scales by width
                return
            step += 1


def nearest_on_curve(
    baseline: Network, curve: Callable[[float], Factors], wanted: float, cost: EqualCost = MACS
) -> tuple[Factors, Network]:
    """The network on a curve (phi -> factors, cost growing) whose cost is nearest to the wanted one by ratio."""

    def cost_at(phi: float) -> float:
        """0 where the baseline has shrunk to what cannot run."""
        try:
            return cost(scale(baseline, **curve(phi)._asdict()))
        except InputError:
            if phi > 0:
                raise
            return 0

    low, high = -1.0, 1.0
    while cost_at(high) < wanted:
        low, high = high, 2 * high
    while cost_at(low) >= wanted and low > _SMALLEST_PHI:
        low, high = 2 * low, low
    while high - low > _NEAR * max(1.0, abs(high)):
        middle = (low + high) / 2
        low, high = (middle, high) if cost_at(middle) < wanted else (low, middle)
    phi = min((phi for phi in (low, high) if cost_at(phi)), key=lambda phi: abs(math.log(cost_at(phi) / wanted)))
    return curve(phi), scale(baseline, **curve(phi)._asdict())
