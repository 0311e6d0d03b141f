"""`fill`: what the rounding leaves of a budget, spent on resolution, then on width."""

from collections.abc import Callable

from triscale.errors import InputError
from triscale.scaling.limit import CostOf, Fit, Limits, point_at
from triscale.scaling.rules import Factors

Counted = tuple[CostOf, Limits]
"""Costs that never fall as a network grows, and the limits on them."""

_WIDTH_STEP = 1 / 1024
_MOST = 1024
"""Steps of a factor that are tried where no counted limit says how far: up to about twice the width."""


def fill(
    found: Fit, cost_of: CostOf, limits: Limits, side: int, *, counted: tuple[CostOf, Limits] | None = None
) -> Fit:
    """`found` with the largest resolution, then the largest width, that still fit; it leaves the rule by `left_rule`.

    The notch of the result is the next step of width, which breaks a limit. A factor on which no limit depends stays,
    and so does one of which more would cost less (where two widths meet, a projection may fall away).

    Args:
        found: the answer on the curve.
        cost_of, limits: all of them.
        side: the baseline's longer side in pixels; resolution grows pixel by pixel of it.
        counted: where some costs may fall as a network grows, those that do not, and their limits (perhaps none).
    """
    _, width, resolution = found.factors
    pixel = round(side * resolution)
    fits = _Fits(found, cost_of, limits, counted)

    def taller(step: int) -> Factors:
        return found.factors._replace(resolution=(pixel + step) / side) if step else found.factors

    tall = found.factors
    if counted or _costs(cost_of, found, limits, found.factors._replace(resolution=2 * resolution)):
        tall = taller(fits.most(taller))

    def wider(step: int) -> Factors:
        return tall._replace(width=width * (1 + step * _WIDTH_STEP))

    steps = fits.most(wider)
    filled = wider(steps)
    cost, notch = cost_of(filled), point_at(found.phi, wider(steps + 1), cost_of)
    return Fit(
        phi=found.phi,
        factors=filled,
        cost=cost,
        slack={name: limit.slack(cost[name]) for name, limit in limits.items()},
        binding=notch.broken(limits) or found.binding,
        notch=notch,
        left_rule=(filled.resolution / resolution, filled.width / width),
    )


class _Fits:
    """How far a factor may go from the answer `found`; the arguments are those of `fill`."""

    def __init__(self, found: Fit, cost_of: CostOf, limits: Limits, counted: Counted | None) -> None:
        self._cost_of, self._limits = cost_of, limits
        self._cheap, self._bounds = counted or (cost_of, limits)
        self._all_counted, self._least = counted is None, self._cheap(found.factors)

    def most(self, to: Callable[[int], Factors]) -> int:
        """The largest step that fits: by bisection where costs do not fall, else tried one by one from the top."""
        if self._all_counted:
            return _largest(lambda step: self._counted(to(step)))
        most = _largest(lambda step: step <= _MOST and self._counted(to(step)))
        return next((step for step in range(most, 0, -1) if self._everything(to(step))), 0)

    def _counted(self, where: Factors) -> bool:
        point = point_at(0.0, where, self._cheap)
        return point.keeps(self._bounds) and all((point.cost or {})[name] >= cost for name, cost in self._least.items())

    def _everything(self, where: Factors) -> bool:
        return self._counted(where) and point_at(0.0, where, self._cost_of).keeps(self._limits)


def _costs(cost_of: CostOf, found: Fit, limits: Limits, where: Factors) -> bool:
    """Whether going to `where` uses more of any limit; pixels cost no params, so params alone bound nothing."""
    try:
        cost = cost_of(where)
    except InputError:
        return True
    return any(cost[name] > found.cost[name] for name in limits)


def _largest(fits: Callable[[int], bool]) -> int:
    """The largest step >= 0 that fits; step 0 is known to fit and larger steps cost no less."""
    high = 1
    while fits(high):
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low
