"""What `triscale scale` found, as a JSON document and as text."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from triscale.cli.show.output import print_table, print_text
from triscale.costs import Cost, Target, cost_on, metric_named, registry
from triscale.latency.clocked_answer import ClockedFit
from triscale.scaling import BudgetFit, Coefficients, Factors, Rounding, explain_rounding, rule_named
from triscale.spec import Network, to_document

_MUCH_UNUSED = 0.1


class Scaled(NamedTuple):
    """A scaled network and how it came about: by factors alone, along a rule to phi, or `fitted` into limits.

    `target`: how it is trained and stored, for the memory.
    """

    base: Network
    network: Network
    factors: Factors
    target: Target
    phi: float | None = None
    rule: str | None = None
    coefficients: Coefficients | None = None
    limits: Mapping[str, float] = MappingProxyType({})
    fitted: BudgetFit | None = None

    def costs(self) -> tuple[Cost, Cost]:
        """Costs of the baseline and of the answer."""
        return cost_on(self.base, self.target), cost_on(self.network, self.target)

    def rounding(self) -> list[Rounding]:
        """Each value that was rounded."""
        return explain_rounding(self.base, self.network, self.factors)

    def to_dict(self, *, explain: bool) -> dict[str, Any]:
        """The JSON shape of `triscale scale --json`."""
        before, after = self.costs()
        fit = self.fitted.fit if self.fitted else None
        found: dict[str, Any] = {
            "network": to_document(self.network),
            "factors": {**self.factors._asdict(), "phi": self.phi},
            "cost": after.to_dict(),
            "slack": dict(fit.slack) if fit else {},
            "binding": list(fit.binding) if fit else [],
            "rule": self.rule,
            "rule_source": None if self.rule is None else rule_named(self.rule).source,
            "coefficients": self.coefficients._asdict() if self.coefficients else None,
            "baseline": before.to_dict(),
            "ratio": {name: _ratio(before, after, name) for name in _counted()},
        }
        if fit and self.fitted:
            notch = {"phi": fit.notch.phi, "factors": fit.notch.factors._asdict(), "cost": dict(fit.notch.cost or {})}
            left = dict(zip(("resolution", "width"), fit.left_rule, strict=True))
            found |= {"limits": dict(self.limits), "notch": notch, "unused": self.fitted.unused, "left_rule": left}
        if isinstance(self.fitted, ClockedFit):
            found["latency"] = self.fitted.latency.to_dict()
        if explain:
            found["rounding"] = [{**one._asdict(), "change": one.change} for one in self.rounding()]
        return found


def show(found: Scaled, *, explain: bool) -> None:
    """The network as a table, its cost against the baseline's, the limits, and on request each rounding."""
    before, after = found.costs()
    at = "" if found.phi is None else f" (phi {found.phi:.4g})"
    print_text(
        str(found.network),
        "",
        "factors: " + ", ".join(f"{name} {value:.4g}" for name, value in found.factors._asdict().items()) + at,
        *(() if found.rule is None else (f"rule: {found.rule}, {rule_named(found.rule).source}",)),
        "",
    )
    shown = (name for name in _counted() if found.target.batch > 1 or not metric_named(name).needs)
    names = dict.fromkeys((*shown, *(name for name in _counted() if name in found.limits)))
    print_table(
        ("cost", found.base.name, "scaled", "ratio"),
        [
            (name, _text(name, before.of(name)), _text(name, after.of(name)), f"{_ratio(before, after, name):.3f}x")
            for name in names
        ],
    )
    if found.fitted:
        _show_limits(found, found.fitted)
    if explain:
        print_text("")
        print_table(
            ("rounded", "baseline", "wanted", "got", "change"),
            [
                (one.field, str(one.base), f"{one.wanted:.2f}", str(one.got), f"{one.change:+.1%}")
                for one in found.rounding()
            ],
        )


def _show_limits(found: Scaled, fitted: BudgetFit) -> None:
    fit = fitted.fit
    rows = [
        (name, _text(name, fit.cost[name]), _text(name, limit), _text(name, fit.slack[name]),
         _more(fit.notch.cost, name), "binds" if name in fit.binding else "")
        for name, limit in found.limits.items()
    ]  # fmt: skip
    print_text("")
    bound = "bound" if any(metric_named(name).at_least for name in found.limits) else "at most"
    print_table(("limit", "use", bound, "slack", "one notch more", ""), rows)
    print_text(*_remarks(fitted, filled=fit.left_rule != (1.0, 1.0)))
    if isinstance(fitted, ClockedFit):
        print_text("", fitted.latency.text())


def _more(cost: Mapping[str, float] | None, name: str) -> str:
    return _text(name, cost[name]) if cost and name in cost else "too large"


def _counted() -> list[str]:
    """The metrics that every network has at once."""
    return [name for name, metric in registry().items() if metric.counted]


def _ratio(before: Cost, after: Cost, name: str) -> float:
    return after.of(name) / (before.of(name) or 1)


def _text(name: str, value: float) -> str:
    return metric_named(name).unit.show(value)


def _remarks(fitted: BudgetFit, *, filled: bool) -> Iterator[str]:
    resolution, width = fitted.fit.left_rule
    if filled:
        yield f"filled: resolution {resolution:.3f}x and width {width:.3f}x of what the rule says."
    if fitted.unused > _MUCH_UNUSED:
        advice = "nothing more fits" if filled else "--fill spends it on resolution, then on width"
        yield f"{fitted.unused:.0%} of the binding limit stays unused, because rounding makes steps: {advice}."
