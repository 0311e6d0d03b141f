"""The budget solver for counted costs: the largest network on a rule's curve that keeps every limit, by bisection.

The solver sees only two callables, phi -> factors and factors -> cost, so it works for any rule, baseline and cost
that never falls as phi grows. `scan` is for the others. A *notch* is the next distinct network along phi: rounding
makes the curve a staircase, and the answer is a step of it.
"""

import math
from collections.abc import Callable

from triscale.errors import InputError
from triscale.scaling.limit import CostOf, Fit, Limits, OutOfReachError, Point, UnboundedError, answer, check, point_at
from triscale.scaling.rules import Factors

Curve = Callable[[float], Factors]

FARTHEST = 4096.0
"""|phi| beyond which a curve that has not met its limits never will."""

RESOLUTION_OF_PHI = 1e-9


def fit(curve: Curve, cost_of: CostOf, limits: Limits) -> Fit:
    """The largest point of the curve within all limits (costs must not fall as phi grows, as counted costs do not).

    Raises:
        UsageError: no limit, or a limit that is not a finite number above 0.
        UnboundedError: no limit is ever met.
        InputError: the smallest network of the curve breaks a limit, or there is no network to begin with.
    """
    check(limits)

    def at(phi: float) -> Point:
        return on_curve(curve, cost_of, phi)

    low, high = _bracket(at, limits)
    while high.phi - low.phi > RESOLUTION_OF_PHI * max(1.0, abs(low.phi)):
        middle = at((low.phi + high.phi) / 2)
        low, high = (middle, high) if middle.keeps(limits) else (low, middle)
    return answer(low, high, limits)


def on_curve(curve: Curve, cost_of: CostOf, phi: float) -> Point:
    """The point of a curve at phi, with its cost if it has one."""
    try:
        where = curve(phi)
    except InputError as error:
        return Point(phi, Factors(math.inf, math.inf, math.inf), None, error)
    return point_at(phi, where, cost_of)


def _bracket(at: Callable[[float], Point], limits: Limits) -> tuple[Point, Point]:
    """Neighbours on a doubling grid of phi around 0: one that keeps the limits, and a larger one that does not.

    Downwards the grid ends at the smallest network that there is.
    """
    here = at(0.0)
    up = here.keeps(limits)
    step = 1.0 if up else -1.0
    while abs(step) <= FARTHEST:
        there = at(step)
        ends = there.cost is None and not up
        if ends:
            there = _last_counted(at, here, there)
        if there.keeps(limits) != up:
            return (here, there) if up else (there, here)
        here, step = there, 2 * step
        if ends:
            break
    if here.why is not None:
        raise here.why
    if up or here.cost is None:
        raise UnboundedError(
            f"this rule does not change {', '.join(limits)} enough to meet a limit; add one such as macs."
        )
    raise OutOfReachError("the smallest network on this rule's curve", here.cost, limits)


def _last_counted(at: Callable[[float], Point], counted: Point, beyond: Point) -> Point:
    """The point nearest to `beyond`, which has no cost, that has one."""
    while counted.cost is not None and abs(beyond.phi - counted.phi) > RESOLUTION_OF_PHI * max(1.0, abs(counted.phi)):
        middle = at((counted.phi + beyond.phi) / 2)
        counted, beyond = (counted, middle) if middle.cost is None else (middle, beyond)
    return counted
