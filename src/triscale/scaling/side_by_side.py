"""Named rules side by side: one network scaled by each, to one phi or to the largest within one budget."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from triscale.costs import ANYWHERE, Target
from triscale.errors import InputError, UsageError
from triscale.scaling.network_budget import fit_budget
from triscale.scaling.rules import RULES, Coefficients, Factors, factors, rule_named, scale_by_rule
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
        rules: names of `RULES`; empty: all that have a network there.
        phi: to it, so that the nominal cost is 2^phi; or
        limits: to the largest network that keeps them, which makes the rules equal in counted cost; see `fit_budget`.
        coefficients: of the rule `found`; compound stays the paper's.
        target: what the limits are of.

    Raises:
        UsageError: an unknown rule, one that needs coefficients, neither phi nor limits, or both.
        InputError: see `factors` and `fit_budget`; without names of rules only where none has a network.
    """
    if (phi is None) == (not limits):
        raise UsageError("rules are compared at one phi or within one budget: give one of the two.")
    found: list[Ruled] = []
    errors: list[InputError] = []
    for name in dict.fromkeys(rules) or RULES:
        if not rules and rule_named(name).coefficients == "required" and coefficients is None:
            continue
        try:
            found.append(
                _by_rule(network, name, phi, limits or {}, None if name == "compound" else coefficients, target)
            )
        except InputError as error:
            if rules:
                raise
            errors.append(error)
    if not found:
        raise errors[0]
    return tuple(found)


def _by_rule(
    network: Network,
    name: str,
    phi: float | None,
    limits: Mapping[str, float],
    coefficients: Coefficients | None,
    target: Target,
) -> Ruled:
    source = rule_named(name).source
    if phi is not None:
        scaled = scale_by_rule(network, name, phi, coefficients)
        return Ruled(name, source, phi, factors(name, phi, coefficients), scaled)
    fit = fit_budget(network, limits, rule=name, coefficients=coefficients, target=target)
    return Ruled(name, source, fit.phi, fit.factors, fit.network)
