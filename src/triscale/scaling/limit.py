"""A limit of a budget, and a point of a curve that keeps it or not."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import NamedTuple

from triscale.costs import metric_named
from triscale.errors import InputError, UsageError
from triscale.quantities import COUNT, Unit
from triscale.scaling.rules import Factors

CostOf = Callable[[Factors], Mapping[str, float]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Limit:
    """A bound on one cost.

    Attributes:
        value: the bound, above 0.
        at_least: the cost must not be below it; otherwise not above it.
        unit: of the cost, for messages.
        room: share by which a bound that a message proposes is wider than the cost: another measurement differs.
    """

    value: float
    at_least: bool = False
    unit: Unit = COUNT
    room: float = 0.0

    def slack(self, cost: float) -> float:
        """What is left: how far the cost may still go before it breaks the limit; below 0 where it does."""
        return cost - self.value if self.at_least else self.value - cost

    def kept_by(self, cost: float) -> bool:
        """Whether a cost keeps it; exactly at the bound it does."""
        return cost >= self.value if self.at_least else cost <= self.value

    def broken(self, name: str, cost: float) -> str:
        """How a cost breaks it, such as `macs 12 > 10`."""
        return f"{name} {self.unit.exact(cost)} {'<' if self.at_least else '>'} {self.unit.exact(self.value)}"

    def kept(self, name: str, cost: float) -> str:
        """A bound that a cost keeps, as people type it, such as `macs=7.19M or more`."""
        wider = cost / (1 + self.room) if self.at_least else cost * (1 + self.room)
        written = self.unit.enough(wider, self.value, at_least=self.at_least)
        return f"{name}={written} or {'less' if self.at_least else 'more'}"


Limits = Mapping[str, Limit]

_ROOM = 0.1
"""Of bounds on what is predicted or measured."""


def limit_on(name: str, value: float) -> Limit:
    """A limit on a registered metric; UsageError where there is none of this name."""
    metric = metric_named(name, "limit")
    return Limit(value=value, at_least=metric.at_least, unit=metric.unit, room=0.0 if metric.counted else _ROOM)


class OutOfReachError(InputError):
    """No network in reach keeps a budget.

    Attributes:
        cost: of the network that comes nearest.
        limits: of the budget.
    """

    def __init__(self, nearest: str, cost: Mapping[str, float], limits: Limits) -> None:
        """`nearest` begins the sentence about the broken limits."""
        self.cost, self.limits = cost, limits
        broken = {name: limit for name, limit in limits.items() if not limit.kept_by(cost[name])}
        found = ", ".join(limit.broken(name, cost[name]) for name, limit in broken.items())
        enough = " and ".join(limit.kept(name, cost[name]) for name, limit in broken.items())
        super().__init__(f"the budget cannot be reached: {nearest} has {found}. Give {enough}.")


class UnboundedError(InputError):
    """No limit keeps a network from growing on this curve."""


class Point(NamedTuple):
    """A place on the curve; `cost` is None where there is no such network, too large or too small, which `why` says."""

    phi: float
    factors: Factors
    cost: Mapping[str, float] | None
    why: InputError | None = None

    def keeps(self, limits: Limits) -> bool:
        """Whether there is a network that keeps every limit."""
        return self.cost is not None and all(limit.kept_by(self.cost[name]) for name, limit in limits.items())

    def broken(self, limits: Limits) -> tuple[str, ...]:
        """The limits that it breaks."""
        cost = self.cost or {}
        return tuple(name for name, limit in limits.items() if name in cost and not limit.kept_by(cost[name]))


def point_at(phi: float, where: Factors, cost_of: CostOf) -> Point:
    """The point of these factors, with its cost if it has one."""
    try:
        return Point(phi, where, cost_of(where))
    except InputError as error:
        return Point(phi, where, None, error)


@dataclass(frozen=True, kw_only=True, slots=True)
class Fit:
    """The answer of the solver.

    Attributes:
        phi, factors, cost: of the answer; `cost` holds the limited quantities.
        slack: how far each cost is from its limit, in the limit's unit.
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

    def unused(self, limits: Limits) -> float:
        """Fraction of the tightest binding limit that stays unused."""
        return min(self.slack[name] / limits[name].value for name in self.binding)


def answer(low: Point, high: Point, limits: Limits) -> Fit:
    """The answer `low`, which keeps every limit, below the next distinct network `high`, which does not.

    Raises:
        UnboundedError: there is no larger network, and so no limit that binds.
    """
    if low.cost is None:
        raise AssertionError  # the invariant of every solver: low keeps every limit
    if high.cost is None:
        raise UnboundedError(
            f"this rule hardly changes {', '.join(limits)}: nothing bounds the network; add a limit such as macs."
        )
    return Fit(
        phi=low.phi,
        factors=low.factors,
        cost=low.cost,
        slack={name: limit.slack(low.cost[name]) for name, limit in limits.items()},
        binding=high.broken(limits),
        notch=high,
    )


def check(limits: Limits) -> None:
    """UsageError unless there are limits and each is a finite number above 0."""
    if not limits:
        raise UsageError("no limit given: write --budget macs=1.0G, params=9M or another.")
    for name, limit in limits.items():
        if not (isinstance(limit.value, Real) and math.isfinite(limit.value) and limit.value > 0):
            raise UsageError(f"the limit {name} is {limit.value!r}; give a finite number above 0.")
