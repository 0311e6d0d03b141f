"""Named rules side by side: one network scaled by each, to one phi or to the largest within one budget."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from triscale.costs import ANYWHERE, Target
from triscale.errors import UsageError
from triscale.scaling.network_budget import fit_budget
from triscale.scaling.rules import RULES, Coefficients, Factors, Rule, factors, rule_named, scale_by_rule
from triscale.spec import Network


class Ruled(NamedTuple):
    """A network scaled by a rule: the rule and its source, its place on the rule's curve, and the network."""

    rule: str
    source: str
    phi: float
    factors: Factors
    network: Network

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready, without the network."""
        return {
            "rule": self.rule, "rule_source": self.source, "phi": self.phi, "factors": self.factors._asdict()
        }  # fmt: skip


def by_rules(
    network: Network,
    rules: Sequence[str] = (),
    *,
    phi: float | None = None,
    limits: Mapping[str, float] | None = None,
    coefficients: Coefficients | None = None,
    target: Target = ANYWHERE,
) -> tuple[Ruled, ...]:
    """The network scaled by each rule.

    Args:
        network: the baseline.
        rules: names of `RULES`; empty: all that have a network here.
        phi: to it, so that the nominal cost is 2^phi; or
        limits: to the largest network that keeps them, which makes the rules equal in counted cost; see `fit_budget`.
        coefficients: of the rule `found`; compound stays the paper's.
        target: what the limits are of.

    Raises:
        UsageError: an unknown rule, one that needs coefficients, neither phi nor limits, or both.
        InputError: see `factors` and `fit_budget`.
    """
    if (phi is None) == (not limits):
        raise UsageError("rules are compared at one phi or within one budget: give one of the two.")
    found: list[Ruled] = []
    for name in dict.fromkeys(rules) or RULES:
        rule, of = rule_named(name), None if name == "compound" else coefficients
        if not rules and not _is_usable(rule, coefficients, found[0].phi if found else 0.0):
            continue
        if phi is not None:
            place = phi, factors(name, phi, of), scale_by_rule(network, name, phi, of)
        else:
            fit = fit_budget(network, limits or {}, rule=name, coefficients=of, target=target)
            place = fit.phi, fit.factors, fit.network
        found.append(Ruled(name, rule.source, *place))
    return tuple(found)


def _is_usable(rule: Rule, coefficients: Coefficients | None, phi: float) -> bool:
    """`found` with coefficients, and a rule that only shrinks where the others shrink too."""
    return (rule.coefficients != "required" or coefficients is not None) and (not rule.shrinks or phi < 0)
