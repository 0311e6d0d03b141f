"""Short names of networks that a solver found: of all numbers that round to one network, the shortest."""

from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from functools import partial

from triscale.errors import TriscaleError
from triscale.scaling.rules import Coefficients, Factors, factors
from triscale.spec import Network, content_hash, scale

_PLACES = 15


def short_phi(base: Network, rule: str, phi: float, coefficients: Coefficients | None) -> float:
    """The phi of the fewest decimals that gives, after rounding, the network of `phi`: 0.8800894413 -> 0.88."""
    return _shortest(phi, lambda near: scale(base, **factors(rule, near, coefficients)._asdict()))


def short_factors(base: Network, where: Factors) -> Factors:
    """Factors of the fewest decimals that give, after rounding, the network of `where`; shortened one by one."""
    for name in where._fields:
        where = where._replace(**{name: _shortest(getattr(where, name), partial(_at, base, where, name))})
    return where


def scale_shortly(base: Network, where: Factors) -> Network:
    """The network of these factors under its shortest name."""
    return scale(base, **short_factors(base, where)._asdict())


def _at(base: Network, where: Factors, name: str, value: float) -> Network:
    return scale(base, **where._replace(**{name: value})._asdict())


def _shortest(value: float, at: Callable[[float], Network]) -> float:
    """The number of the fewest decimals, and of those the nearest, at which the network is that at `value`.

    The numbers of a network are an interval around `value`, so it is enough to try the neighbours on either side.
    """
    wanted, exact = content_hash(at(value)), Decimal(value)
    for places in range(_PLACES):
        step = Decimal(1).scaleb(-places)
        sides = (exact.quantize(step, rounding) for rounding in (ROUND_FLOOR, ROUND_CEILING))
        for near in sorted(sides, key=lambda side: abs(side - exact)):
            if _hash(at, float(near)) == wanted:
                return float(near) + 0.0  # -0.0 becomes 0.0
    return float(value)


def _hash(at: Callable[[float], Network], value: float) -> str | None:
    """The content hash at a value; None where there is no network, as at a factor of 0."""
    try:
        return content_hash(at(value))
    except TriscaleError:
        return None
