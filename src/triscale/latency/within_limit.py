"""A limit on latency, kept as measured: the predictor proposes a network, the measurement decides.

Near one network the predictor errs by one factor: what it says about the next notch, times what was measured over what
it said here, is the better prediction. So the limit is solved again with that factor until no other network is left.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from triscale import units
from triscale.errors import InputError
from triscale.latency.latency_metric import LATENCY
from triscale.scaling.limit import limit_on

MOST_TRIES = 6
"""Networks that are measured at most."""

_NEAR = 0.03
"""How far a prediction may still be off beside a network that was measured: a notch within it is measured too."""

Found = TypeVar("Found")
"""What a solver finds: a network with how it was found."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Try(Generic[Found]):
    """A network that was measured.

    Attributes:
        found: as the solver gave it.
        key: equal for equal networks.
        predicted, measured: seconds of a step.
        notch: predicted seconds of the next larger network; inf where there is none.
    """

    found: Found
    key: str
    predicted: float
    measured: float
    notch: float = math.inf


def largest_within(
    limit: float, solve: Callable[[float], Found], measure: Callable[[Found], Try[Found]], key: Callable[[Found], str]
) -> tuple[Try[Found], tuple[Try[Found], ...]]:
    """The largest network whose measured latency keeps a limit, and all that were measured.

    Args:
        limit: seconds.
        solve: predicted seconds -> the largest network within them. InputError where there is none.
        measure: measures what was found.
        key: equal for equal networks.

    Raises:
        InputError: no network that was measured keeps it, or none is predicted to.
    """
    tried: list[Try[Found]] = []
    aim: float | None = limit
    while aim is not None and len(tried) < MOST_TRIES:
        try:
            found = solve(aim)
        except InputError:
            if not tried:
                raise
            break  # nothing smaller is left
        if key(found) in {one.key for one in tried}:
            break
        tried.append(measure(found))
        aim = _next_aim(limit, tried)
    within = [one for one in tried if one.measured <= limit]
    if not within:
        fastest = min(tried, key=lambda one: one.measured)
        raise InputError(
            f"no network keeps a latency of {units.latency(limit)} as measured: the fastest of {len(tried)} takes "
            f"{units.latency(fastest.measured)} where {units.latency(fastest.predicted)} were predicted.\n"
            f"Give {limit_on(LATENCY.name, limit).kept(LATENCY.name, fastest.measured)}."
        )
    return max(within, key=lambda one: one.predicted), tuple(tried)


def _next_aim(limit: float, tried: list[Try[Found]]) -> float | None:
    """Predicted seconds to solve for next; None where the next notch would break the limit."""
    last = tried[-1]
    error = last.measured / last.predicted
    below = min((one.predicted for one in tried if one.measured > limit), default=math.inf) * (1 - 1e-9)
    if last.measured > limit:
        return min(limit / error, below)
    if last.notch * error * (1 - _NEAR) > limit:
        return None
    return min(max(limit / error, last.notch * (1 + 1e-9)), below)
