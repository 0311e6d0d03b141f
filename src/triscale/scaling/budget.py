"""The budget solver: the largest network on a rule's curve whose counted, rounded cost keeps every limit.

The solver sees only two callables, phi -> factors and factors -> cost, so it works for any rule, baseline and cost.
A *notch* is the next distinct network along phi: rounding makes the curve a staircase, and the answer is a step of it.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import NamedTuple

from triscale.errors import InputError, UsageError
from triscale.scaling.rules import Factors

Curve = Callable[[float], Factors]
CostOf = Callable[[Factors], Mapping[str, float]]

_FARTHEST = 4096.0
"""|phi| beyond which a curve that has not met its limits never will."""

_RESOLUTION_OF_PHI = 1e-9


class Point(NamedTuple):
    """A place on the curve; `cost` is None where there is no such network, too large or too small, which `why` says."""

    phi: float
    factors: Factors
    cost: Mapping[str, float] | None
    why: InputError | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Fit:
    """The answer of the solver.

    Attributes:
        phi, factors, cost: of the answer; `cost` holds the limited quantities.
        slack: limit minus use, in the limit's unit.
        binding: the limits that one notch more would break.
        notch: the next distinct network along phi, which breaks them.
        left_rule: by what ratio `fill` left the rule: (resolution, width), both 1 where nothing was filled.
    """

    phi: float
    factors: Factors
    cost: Mapping[str, float]
    slack: Mapping[str, float]
    binding: tuple[str, ...]
    notch: Point
    left_rule: tuple[float, float] = (1.0, 1.0)

    def unused(self, limits: Mapping[str, float]) -> float:
        """Fraction of the tightest binding limit that stays unused."""
        return min(self.slack[name] / limits[name] for name in self.binding)


def fit(curve: Curve, cost_of: CostOf, limits: Mapping[str, float]) -> Fit:
    """The largest point of the curve within all limits (costs must not fall as phi grows, as counted costs do not).

    Raises:
        UsageError: no limit, or a limit that is not a finite number above 0.
        InputError: the smallest network of the curve exceeds a limit, no limit is ever met, or there is no network
            to begin with.
    """
    _check(limits)

    def at(phi: float) -> Point:
        try:
            where = curve(phi)
        except InputError as error:
            return Point(phi, Factors(math.inf, math.inf, math.inf), None, error)
        return _point(phi, where, cost_of)

    low, high = _bracket(at, limits)
    while high.phi - low.phi > _RESOLUTION_OF_PHI * max(1.0, abs(low.phi)):
        middle = at((low.phi + high.phi) / 2)
        low, high = (middle, high) if _keeps(middle.cost, limits) else (low, middle)
    return _answer(low, high, limits)


def fill(found: Fit, cost_of: CostOf, limits: Mapping[str, float], side: int) -> Fit:
    """`found` with the largest resolution, then the largest width, that still fit; it leaves the rule by `left_rule`.

    The notch of the result is the next step of width, which breaks a limit.

    A factor on which no limit depends stays.

    Args:
        found: the answer on the curve.
        cost_of, limits: as in `fit`.
        side: the baseline's longer side in pixels; resolution grows pixel by pixel of it.
    """
    _, width, resolution = found.factors
    pixel = round(side * resolution)
    taller = found.factors
    if _costs(cost_of, found, limits, found.factors._replace(resolution=2 * resolution)):
        most = _largest(lambda step: _fits(cost_of, found.factors._replace(resolution=(pixel + step) / side), limits))
        taller = found.factors if most == 0 else found.factors._replace(resolution=(pixel + most) / side)
    step_of_width = 1 / 1024
    wider = _largest(lambda step: _fits(cost_of, taller._replace(width=width * (1 + step * step_of_width)), limits))
    filled = taller._replace(width=width * (1 + wider * step_of_width))
    cost = cost_of(filled)
    notch = _point(found.phi, taller._replace(width=width * (1 + (wider + 1) * step_of_width)), cost_of)
    return Fit(
        phi=found.phi,
        factors=filled,
        cost=cost,
        slack={name: limits[name] - cost[name] for name in limits},
        binding=_broken(notch, limits) or found.binding,
        notch=notch,
        left_rule=(filled.resolution / resolution, filled.width / width),
    )


def _point(phi: float, where: Factors, cost_of: CostOf) -> Point:
    try:
        return Point(phi, where, cost_of(where))
    except InputError as error:
        return Point(phi, where, None, error)


def _broken(point: Point, limits: Mapping[str, float]) -> tuple[str, ...]:
    """The limits that a point exceeds."""
    return tuple(name for name in limits if point.cost is not None and point.cost[name] > limits[name])


def _check(limits: Mapping[str, float]) -> None:
    if not limits:
        raise UsageError("no limit given: write --budget macs=1.0G, params=9M or another.")
    for name, limit in limits.items():
        if not (isinstance(limit, Real) and math.isfinite(limit) and limit > 0):
            raise UsageError(f"the limit {name} is {limit!r}; give a finite number above 0.")


def _keeps(cost: Mapping[str, float] | None, limits: Mapping[str, float]) -> bool:
    return cost is not None and all(cost[name] <= limit for name, limit in limits.items())


def _fits(cost_of: CostOf, factors: Factors, limits: Mapping[str, float]) -> bool:
    try:
        return _keeps(cost_of(factors), limits)
    except InputError:
        return False


def _costs(cost_of: CostOf, found: Fit, limits: Mapping[str, float], where: Factors) -> bool:
    """Whether going to `where` uses more of any limit; pixels cost no params, so params alone bound nothing."""
    try:
        cost = cost_of(where)
    except InputError:
        return True
    return any(cost[name] > found.cost[name] for name in limits)


def _bracket(at: Callable[[float], Point], limits: Mapping[str, float]) -> tuple[Point, Point]:
    """Neighbours on a doubling grid of phi around 0: one that keeps the limits, and a larger one that does not.

    Downwards the grid ends at the smallest network that there is.
    """
    here = at(0.0)
    up = _keeps(here.cost, limits)
    step = 1.0 if up else -1.0
    while abs(step) <= _FARTHEST:
        there = at(step)
        ends = there.cost is None and not up
        if ends:
            there = _last_counted(at, here, there)
        if _keeps(there.cost, limits) != up:
            return (here, there) if up else (there, here)
        here, step = there, 2 * step
        if ends:
            break
    if here.why is not None:
        raise here.why
    if up or here.cost is None:
        raise InputError(f"this rule does not change {', '.join(limits)} enough to meet a limit; add one such as macs.")
    cost = here.cost
    broken = ", ".join(
        f"{name} {cost[name]:,.0f} > {limits[name]:,.0f}" for name in limits if cost[name] > limits[name]
    )
    raise InputError(f"the budget cannot be reached: the smallest network on this rule's curve has {broken}.")


def _last_counted(at: Callable[[float], Point], counted: Point, beyond: Point) -> Point:
    """The point nearest to `beyond`, which has no cost, that has one."""
    while counted.cost is not None and abs(beyond.phi - counted.phi) > _RESOLUTION_OF_PHI * max(1.0, abs(counted.phi)):
        middle = at((counted.phi + beyond.phi) / 2)
        counted, beyond = (counted, middle) if middle.cost is None else (middle, beyond)
    return counted


def _answer(low: Point, high: Point, limits: Mapping[str, float]) -> Fit:
    cost = low.cost
    if cost is None:
        raise AssertionError  # the invariant of the bisection: low keeps every limit
    if high.cost is None:
        raise InputError(
            f"this rule hardly changes {', '.join(limits)}: nothing bounds the network; add a limit such as macs."
        )
    return Fit(
        phi=low.phi,
        factors=low.factors,
        cost=cost,
        slack={name: limits[name] - cost[name] for name in limits},
        binding=_broken(high, limits),
        notch=high,
    )


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
