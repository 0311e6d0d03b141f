"""Which rules of scaling stand side by side, and within what."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from triscale.cli.options.coefficients import read_coefficients
from triscale.cli.options.sizes_and_limits import budget_help, limits
from triscale.cli.show.output import complain
from triscale.costs import Target, metric_named
from triscale.errors import UsageError
from triscale.latency.latency_metric import is_clocked
from triscale.scaling import RULES, Ruled, by_rules, rule_named, scale_by_rule
from triscale.spec import Network

if TYPE_CHECKING:
    from triscale.latency.equal_latency import Timed

ALL = "all"


def rule_names(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Names of rules, each known; several may stand behind one another with commas. Empty for `all`.

    Raises:
        UsageError: an unknown rule.
    """
    names = [part.strip().replace("-", "_") for text in texts for part in text.split(",")]
    if names == [ALL]:
        return ()
    for name in names:
        rule_named(name)
    return tuple(dict.fromkeys(names))


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class RuleChoice:
    """Rules side by side.

    Attributes:
        rules: scale the one NET by these rules, such as compound,width,fast_compound, or by all: to --phi (1 by
            default) or to the largest within --budget.
        budget: a limit such as macs=1.0G.
        equal: with --rules, scale to the value of this metric that the compound member at --phi has, such as
            activations, or latency with --target, which is measured.
        coefficients: alpha,beta,gamma for the rule found; or a study's folder or records.jsonl, or a JSON file.
    """

    rules: Annotated[tuple[str, ...], Parameter(negative=(), show_default=False)] = ()
    budget: Annotated[
        tuple[str, ...],
        Parameter(negative=(), show_default=False, help=budget_help("with --rules, a limit such as macs=1.0G")),
    ] = ()
    coefficients: str | None = None
    equal: str | None = None

    @property
    def limits(self) -> dict[str, float]:
        """Of the budget, by the names of metrics."""
        return limits(self.budget)

    def require_usable(self, nets: int, phi: float | None) -> None:
        """UsageError where an option has nothing to act on."""
        if not self.rules and (self.budget or self.coefficients is not None):
            raise UsageError("--budget and --coefficients belong to --rules: say which rules, or --rules all.")
        if self.equal is not None and (self.budget or not self.rules):
            raise UsageError("--equal says how large --rules scale: give it with --rules, and no --budget.")
        if self.rules and nets != 1:
            raise UsageError("--rules scales one network by several rules: give one NET.")
        if self.rules and self.budget and phi is not None:
            raise UsageError("--rules are compared at --phi or within --budget: give one of the two.")

    def scaled(self, network: Network, phi: float | None, target: Target) -> tuple[Ruled, ...]:
        """The network by each rule; see `triscale.scaling.by_rules` for the errors."""
        coefficients = None if self.coefficients is None else read_coefficients(self.coefficients)
        bounds, names = self.limits, rule_names(self.rules)
        if self.equal is not None:
            member = scale_by_rule(network, "compound", 1.0 if phi is None else phi)
            phi, bounds = None, {self.equal: metric_named(self.equal).of(member, target)}
        elif phi is None and not bounds:
            phi = 1.0
        found = by_rules(network, names, phi=phi, limits=bounds, coefficients=coefficients, target=target)
        left = [name for name in RULES if name not in {one.rule for one in found}]
        if left and not names:
            complain(f"note: without a network here: {', '.join(left)}.")
        return found

    def timed(self, network: Network, phi: float | None, target: Target) -> "tuple[Timed, ...]":
        """By each rule the network that takes as long as the compound member, measured; none without --equal latency.

        See `triscale.latency.equal_latency.at_equal_latency` for the errors.
        """
        if self.equal is None or not is_clocked((self.equal,)):
            return ()
        from triscale.latency.equal_latency import at_equal_latency  # noqa: PLC0415  loads NumPy

        coefficients = None if self.coefficients is None else read_coefficients(self.coefficients)
        names = rule_names(self.rules) or [name for name, rule in RULES.items() if rule.coefficients != "required"]
        at = 1.0 if phi is None else phi
        return at_equal_latency(network, names, phi=at, coefficients=coefficients, target=target)


NO_RULES = RuleChoice()
