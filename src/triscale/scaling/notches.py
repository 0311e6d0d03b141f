"""The budget solver for costs that are predicted, measured or not monotone: it walks the notches of a curve downwards.

Nothing is assumed of the cost, so that the first network that keeps every limit is the largest that does. What is
assumed is that every rounded size goes one way along phi: where two ends of a stretch are the same network, so is all
between them.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping

from triscale.errors import InputError
from triscale.scaling.budget import RESOLUTION_OF_PHI, Curve, on_curve
from triscale.scaling.limit import CostOf, Fit, Limits, OutOfReachError, Point, UnboundedError, answer, check, point_at

REACH = 10.0
"""How far from phi = 0 the walk goes where no counted limit ends it: from a thousandth of the nominal cost to a
thousand times. Below a counted limit it goes as far down again."""

KeyAt = Callable[[float], Hashable]
"""phi -> what is equal where the rounded networks are; None where there is no network."""


def scan(curve: Curve, key_at: KeyAt, cost_of: CostOf, limits: Limits, *, top: Fit | None = None) -> Fit:
    """The largest network of the curve that keeps every limit, wherever smaller or larger ones do not.

    Args:
        curve: phi -> factors.
        key_at: see `KeyAt`.
        cost_of: factors -> all limited costs, asked for each network once.
        limits: any.
        top: the answer of `fit` for those of the limits that are counted: nothing above it keeps them.

    Raises:
        UsageError: no limit, or a limit that is not a finite number above 0.
        UnboundedError: even the largest network in reach keeps every limit.
        InputError: none in reach keeps them all; the message has the nearest value of each.
    """
    check(limits)
    start = REACH if top is None else top.phi
    above = None if top is None else _next_to(top, cost_of)
    tried: list[Point] = []
    for beyond, phi in notches(key_at, start, min(start, 0.0) - REACH):
        here = on_curve(curve, cost_of, phi)
        if here.keeps(limits):
            if above is None:
                raise UnboundedError(
                    f"the largest network in reach, at phi {phi:g}, keeps {', '.join(limits)}; add one such as macs."
                )
            return answer(here, above._replace(phi=beyond, factors=curve(beyond)) if tried else above, limits)
        tried.append(here)
        above = here
    raise _out_of_reach(tried, limits)


def notches(key_at: KeyAt, start: float, lowest: float) -> Iterator[tuple[float, float]]:
    """(just above, phi) of each distinct network from `start` down to `lowest`; phi is its largest, to 1e-9.

    The first is that at `start` itself.
    """
    beyond = phi = start
    width = RESOLUTION_OF_PHI
    while True:
        yield beyond, phi
        key, low = key_at(phi), max(phi - width, lowest)
        while key_at(low) == key:
            if low == lowest:
                return
            width *= 2
            low = max(phi - width, lowest)
        beyond, phi = _border(key_at, key, phi, low)
        width = max(RESOLUTION_OF_PHI, width / 4)


def _border(key_at: KeyAt, key: Hashable, high: float, low: float) -> tuple[float, float]:
    """(the smallest phi of the network `key`, the largest of the next one), between `high`, which is it, and `low`."""
    while high - low > RESOLUTION_OF_PHI * max(1.0, abs(low)):
        middle = (high + low) / 2
        high, low = (middle, low) if key_at(middle) == key else (high, middle)
    return high, low


def _next_to(top: Fit, cost_of: CostOf) -> Point:
    """What lies above the counted answer, with its other costs where they can be had."""
    whole = point_at(top.notch.phi, top.notch.factors, cost_of)
    return top.notch if whole.cost is None else whole


def _out_of_reach(tried: list[Point], limits: Limits) -> InputError:
    """With the network that comes nearest: of those that break the fewest limits, the one that breaks them least."""
    costs = [one.cost for one in tried if one.cost is not None]
    if not costs:
        return InputError(f"the budget cannot be reached: {tried[0].why}")
    nearest = min(costs, key=lambda cost: _excess(cost, limits))
    return OutOfReachError(f"of {len(costs):,} networks on this rule's curve, the nearest", nearest, limits)


def _excess(cost: Mapping[str, float], limits: Limits) -> tuple[int, float]:
    """How many limits a cost breaks, and by how much of them."""
    over = [-limit.slack(cost[name]) / limit.value for name, limit in limits.items() if not limit.kept_by(cost[name])]
    return len(over), sum(over)
