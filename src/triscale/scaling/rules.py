"""Scaling rules: from phi to factors of depth, width and resolution. Pure arithmetic; nothing is rounded here.

In every rule 2^phi is the nominal cost: MACs grow as depth x width^2 x resolution^2. What a network really costs is
always counted after rounding.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple

from triscale.errors import InputError, UsageError
from triscale.spec import Network, scale


class Factors(NamedTuple):
    """Multipliers of a baseline's depth, width and resolution."""

    depth: float = 1.0
    width: float = 1.0
    resolution: float = 1.0


class Coefficients(NamedTuple):
    """alpha, beta, gamma of the compound rule: factors of depth, width and resolution at phi = 1."""

    alpha: float
    beta: float
    gamma: float


PAPER = Coefficients(1.2, 1.1, 1.15)
"""Found by the paper's grid search for B0 (section 4); alpha * beta^2 * gamma^2 is 1.92."""

Formula = Callable[[float, Coefficients], Factors]

RULES: Mapping[str, Formula] = MappingProxyType(
    {
        "compound": lambda phi, c: Factors(c.alpha**phi, c.beta**phi, c.gamma**phi),
        "depth": lambda phi, _: Factors(depth=2**phi),
        "width": lambda phi, _: Factors(width=2 ** (phi / 2)),
        "resolution": lambda phi, _: Factors(resolution=2 ** (phi / 2)),
        "uniform": lambda phi, _: Factors(2 ** (phi / 3), 2 ** (phi / 6), 2 ** (phi / 6)),
        "fast": lambda phi, _: Factors(2 ** (0.1 * phi), 2 ** (0.4 * phi), 2 ** (0.05 * phi)),
    }
)
"""`compound` is equation 3 of the paper; `fast` is fast compound scaling (arXiv 2103.06877), which spends on width."""


def factors(rule: str, phi: float, coefficients: Coefficients = PAPER) -> Factors:
    """The factors of a rule at phi, any finite number; below 0 they shrink the network.

    Raises:
        UsageError: no such rule, phi not finite, or coefficients not above 0.
        InputError: phi so large that a factor is no longer a number.
    """
    if rule not in RULES:
        raise UsageError(f"unknown rule {rule!r}; the rules are {', '.join(RULES)}.")
    if not math.isfinite(phi):
        raise UsageError(f"phi is {phi}; give a finite number such as 1.5.")
    if not all(math.isfinite(value) and value > 0 for value in coefficients):
        raise UsageError(
            f"coefficients are {','.join(map(str, coefficients))}; give three numbers above 0, such as 1.2,1.1,1.15."
        )
    try:
        found = RULES[rule](phi, coefficients)
    except OverflowError:
        found = Factors(math.inf)
    if not all(math.isfinite(value) and value > 0 for value in found):
        raise InputError(
            f"phi = {phi:g} is too far for rule {rule}: a factor is beyond all numbers. Use a phi nearer to 0."
        )
    return found


def scale_by_rule(network: Network, rule: str, phi: float, coefficients: Coefficients = PAPER) -> Network:
    """The network scaled along a rule's curve and named after it, such as `efficientnet_b0@phi=1.5`."""
    return rename(scale(network, **factors(rule, phi, coefficients)._asdict()), network, rule, phi, coefficients)


def rename(scaled: Network, base: Network, rule: str, phi: float, coefficients: Coefficients) -> Network:
    """`scaled` with the shortest name from which it can be made again."""
    parts = [f"phi={phi}"]
    if rule != "compound":
        parts.append(f"rule={rule}")
    elif coefficients != PAPER:
        parts.append(f"coefficients={'/'.join(map(str, coefficients))}")
    return replace(scaled, name=f"{base.name}@{','.join(parts)}")
