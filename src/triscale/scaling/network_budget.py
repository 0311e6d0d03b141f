"""`fit_budget`: the budget solvers applied to a network and limits on any registered metrics."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import partial

from triscale.costs import ANYWHERE, Counts, Target, Values, metric_named
from triscale.errors import InputError
from triscale.notebook_html import ShownInNotebook
from triscale.scaling.budget import Curve, fit
from triscale.scaling.leftover import fill
from triscale.scaling.limit import CostOf, Fit, Limits, UnboundedError, check, limit_on, point_at
from triscale.scaling.notches import scan
from triscale.scaling.rules import Coefficients, Factors, factors, rule_named, scale_by_rule
from triscale.scaling.shorten import scale_shortly, short_phi
from triscale.spec import Network, scale


@dataclass(frozen=True, kw_only=True, slots=True)
class BudgetFit(ShownInNotebook):
    """The largest network on a rule's curve inside a budget.

    Attributes:
        network: the answer, named after its place on the curve, by the shortest phi that gives it.
        phi, factors: that place.
        fit: slack, binding limits and the next notch.
        unused: fraction of the tightest binding limit that the rounding leaves unused.
    """

    network: Network
    phi: float
    factors: Factors
    fit: Fit
    unused: float


def fit_budget(
    network: Network,
    limits: Mapping[str, float],
    *,
    rule: str = "compound",
    coefficients: Coefficients | None = None,
    target: Target = ANYWHERE,
    filled: bool = False,
) -> BudgetFit:
    """The largest network on the curve of `rule` that keeps every limit, after rounding.

    Counted metrics are solved by bisection. With any other the networks below the counted limits are tried one by one
    from the largest down, each evaluated once, so that a noisy value is drawn once.

    Args:
        network: the baseline; the answer may be larger or smaller.
        limits: names of `triscale.costs.registry()` and bounds in the metrics' units; at least this for a metric of
            which more is better, else at most.
        rule, coefficients: see `factors`.
        target: what the metrics are of.
        filled: spend what rounding leaves on the largest resolution, then width, that still fit.

    Raises:
        UsageError: an unknown or senseless limit.
        InputError: the budget cannot be reached, nothing bounds the network, or the rule only shrinks networks and this
            one keeps the budget.
    """
    bounds = {name: limit_on(name, value) for name, value in limits.items()}
    counted = {name: limit for name, limit in bounds.items() if metric_named(name).counted}
    values = Values(target)
    whole, cheap = (partial(_cost, network, values, tuple(names)) for names in (bounds, counted))
    curve = partial(factors, rule, coefficients=coefficients)
    if rule_named(rule).shrinks:
        _require_larger(network, rule, whole, bounds)
    if counted == bounds:
        found = fit(curve, whole, bounds)
    else:
        found = scan(curve, partial(_key, network, curve), whole, bounds, top=_top(curve, cheap, counted))
    if filled:
        some = None if counted == bounds else (cheap, counted)
        found = fill(found, whole, bounds, max(network.resolution), counted=some)
    return _checked(_named(network, found, rule, coefficients), found, bounds, values)


def _require_larger(network: Network, rule: str, cost_of: CostOf, limits: Limits) -> None:
    """InputError where a rule that only shrinks meets a network that keeps the budget as it is."""
    check(limits)
    if point_at(0.0, Factors(), cost_of).keeps(limits):
        raise InputError(
            f"rule {rule} only shrinks a network, and {network.name} keeps the budget as it is: take another rule."
        )


def _top(curve: Curve, cost_of: CostOf, counted: Limits) -> Fit | None:
    """The largest network within the counted limits; None where these bound nothing."""
    try:
        return fit(curve, cost_of, counted) if counted else None
    except UnboundedError:
        return None


def _named(network: Network, found: Fit, rule: str, coefficients: Coefficients | None) -> Network:
    """The answer under its shortest name."""
    if found.left_rule == (1.0, 1.0):
        return scale_by_rule(network, rule, short_phi(network, rule, found.phi, coefficients), coefficients)
    return scale_shortly(network, found.factors)


def _checked(network: Network, found: Fit, limits: Limits, values: Values) -> BudgetFit:
    """The fit, once the network that is handed out is seen to keep every limit."""
    cost = values.of(network, limits)
    if not all(limit.kept_by(cost[name]) for name, limit in limits.items()):
        raise AssertionError(f"{network.name} breaks the budget that it was found for: {cost}")
    return BudgetFit(network=network, phi=found.phi, factors=found.factors, fit=found, unused=found.unused(limits))


def _cost(network: Network, values: Values, names: tuple[str, ...], where: Factors) -> dict[str, float]:
    """Of the scaled network: all counts, which bound its size, and the limited metrics."""
    return values.of(scale(network, **where._asdict()), dict.fromkeys((*Counts._fields, *names)))


def _key(network: Network, curve: Curve, phi: float) -> Hashable:
    """All that scaling changes; None where there is no network."""
    try:
        scaled = scale(network, **curve(phi)._asdict())
    except InputError:
        return None
    return scaled.resolution, scaled.stem, scaled.stages, scaled.head
