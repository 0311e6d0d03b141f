"""Scaling rules: from phi to factors of depth, width and resolution. Pure arithmetic; nothing is rounded here.

In every rule 2^phi is the nominal cost: MACs grow as depth x width^2 x resolution^2. What a network really costs is
always counted after rounding.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal, NamedTuple

from triscale.errors import InputError, UsageError, unknown_word
from triscale.scaling.published_curves import resnet_rs, tinynet
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


@dataclass(frozen=True, slots=True)
class Rule:
    """A named rule of scaling.

    Attributes:
        source: paper with section, table or equation; and what of it is ours.
        formula: phi and the coefficients -> factors.
        coefficients: whether alpha, beta and gamma decide it; where `optional`, the paper's stand in.
        shrinks: whether it has no networks above phi = 0.
    """

    source: str
    formula: Formula
    coefficients: Literal["none", "optional", "required"] = "none"
    shrinks: bool = False


def _compound(phi: float, c: Coefficients) -> Factors:
    return Factors(c.alpha**phi, c.beta**phi, c.gamma**phi)


_EFFICIENTNET = "Tan & Le 2019 (arXiv 1905.11946)"
_FAST = "Dollar et al. 2021 (arXiv 2103.06877), table 4"
_RESNET_RS = "Bello et al. 2021 (arXiv 2103.07579), section 6, where training {}; pace of the resolution fitted by us"

RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "compound": Rule(f"{_EFFICIENTNET}, equation 3", _compound, "optional"),
        "depth": Rule(f"{_EFFICIENTNET}, section 3.2", lambda phi, _: Factors(depth=2**phi)),
        "width": Rule(f"{_EFFICIENTNET}, section 3.2", lambda phi, _: Factors(width=2 ** (phi / 2))),
        "resolution": Rule(f"{_EFFICIENTNET}, section 3.2", lambda phi, _: Factors(resolution=2 ** (phi / 2))),
        "uniform": Rule(
            f"{_FAST}, alpha 1/3 (dwr)", lambda phi, _: Factors(2 ** (phi / 3), 2 ** (phi / 6), 2 ** (phi / 6))
        ),
        "fast_compound": Rule(
            f"{_FAST}, alpha 0.8 (dWr)", lambda phi, _: Factors(2 ** (0.1 * phi), 2 ** (0.4 * phi), 2 ** (0.05 * phi))
        ),
        "found": Rule(f"{_EFFICIENTNET}, equation 3, with the coefficients of a study", _compound, "required"),
        "resnet_rs_depth": Rule(
            _RESNET_RS.format("overfits"), lambda phi, _: Factors(*resnet_rs(phi, overfits=True))
        ),
        "resnet_rs_width": Rule(
            _RESNET_RS.format("does not overfit"), lambda phi, _: Factors(*resnet_rs(phi, overfits=False))
        ),
        "tinynet": Rule(
            "Han et al. 2020 (arXiv 2010.14819), section 3; interpolated by us between the five networks",
            lambda phi, _: Factors(*tinynet(phi)), shrinks=True,
        ),
    }
)  # fmt: skip
"""Every rule by its name."""

OTHER_NAMES: Mapping[str, str] = MappingProxyType({"fast": "fast_compound"})
"""Names that older versions gave to rules, which go on to work."""


def rule_named(name: str) -> Rule:
    """The rule of a name.

    Raises:
        UsageError: no such rule.
    """
    if name == "resnet_rs":
        raise UsageError(
            "resnet_rs scales the depth where training overfits, else the width: give resnet_rs_depth or\n"
            "resnet_rs_width, or let a study measure it (--rivals resnet_rs)."
        )
    found = RULES.get(OTHER_NAMES.get(name, name))
    if found is None:
        raise UsageError(unknown_word("rule", name, RULES))
    return found


def factors(rule: str, phi: float, coefficients: Coefficients | None = None) -> Factors:
    """The factors of a rule at phi, any finite number; below 0 they shrink the network.

    Args:
        rule: a name of `RULES`.
        phi: 2^phi is the nominal cost.
        coefficients: of the compound rule, by default the paper's; `found` needs them, the other rules ignore them.

    Raises:
        UsageError: no such rule, phi not finite, or coefficients that are lacking or not above 0.
        InputError: phi so large that a factor is no longer a number, or above 0 where a rule only shrinks.
    """
    named = rule_named(rule)
    if not math.isfinite(phi):
        raise UsageError(f"phi is {phi}; give a finite number such as 1.5.")
    if coefficients is None and named.coefficients == "required":
        raise UsageError(f"rule {rule} needs the coefficients of a study: add --coefficients RUN_FOLDER.")
    return _checked(rule, phi, named.formula, _checked_coefficients(coefficients or PAPER))


def _checked_coefficients(coefficients: Coefficients) -> Coefficients:
    if not all(math.isfinite(value) and value > 0 for value in coefficients):
        raise UsageError(
            f"coefficients are {','.join(map(str, coefficients))}; give three numbers above 0, such as 1.2,1.1,1.15."
        )
    return coefficients


def _checked(rule: str, phi: float, formula: Formula, coefficients: Coefficients) -> Factors:
    try:
        found = formula(phi, coefficients)
    except OverflowError:
        found = Factors(math.inf)
    if not all(math.isfinite(value) and value > 0 for value in found):
        raise InputError(
            f"phi = {phi:g} is too far for rule {rule}: a factor is beyond all numbers. Use a phi nearer to 0."
        )
    return found


def scale_by_rule(network: Network, rule: str, phi: float, coefficients: Coefficients | None = None) -> Network:
    """The network scaled along a rule's curve and named after it, such as `efficientnet_b0@phi=1.5`."""
    return rename(scale(network, **factors(rule, phi, coefficients)._asdict()), network, rule, phi, coefficients)


def rename(scaled: Network, base: Network, rule: str, phi: float, coefficients: Coefficients | None) -> Network:
    """`scaled` with the shortest name from which it can be made again; `found` is compound with its coefficients."""
    parts = [f"phi={phi}"]
    if rule_named(rule).coefficients == "none":
        parts.append(f"rule={rule}")
    elif coefficients not in (None, PAPER):
        parts.append(f"coefficients={'/'.join(map(str, coefficients))}")
    return replace(scaled, name=f"{base.name}@{','.join(parts)}")
