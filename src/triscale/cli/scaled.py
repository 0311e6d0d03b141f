"""What `triscale scale` found, as a JSON document and as text."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from triscale import api, units
from triscale.cli.output import print_table, print_text
from triscale.cli.trained import Words
from triscale.scaling import BudgetFit, Coefficients, Factors, Rounding, explain_rounding
from triscale.spec import Network, to_document

_COSTS = ("params", "macs", "activations", "inference_memory", "training_memory")
_MUCH_UNUSED = 0.1


class Scaled(NamedTuple):
    """A scaled network and how it came about: by factors alone, along a rule to phi, or `fitted` into limits.

    `words`: how it is trained, for the memory.
    """

    base: Network
    network: Network
    factors: Factors
    batch: int
    words: Words
    phi: float | None = None
    rule: str | None = None
    coefficients: Coefficients | None = None
    limits: Mapping[str, float] = MappingProxyType({})
    fitted: BudgetFit | None = None

    def costs(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Costs of the baseline and of the answer."""
        before, after = (api.cost(one, batch=self.batch, **self.words) for one in (self.base, self.network))
        return before.as_dict(), after.as_dict()

    def rounding(self) -> list[Rounding]:
        """Each value that was rounded."""
        return explain_rounding(self.base, self.network, self.factors)

    def document(self, *, explain: bool) -> dict[str, Any]:
        """The JSON shape of `triscale scale --json`."""
        before, after = self.costs()
        fit = self.fitted.fit if self.fitted else None
        found: dict[str, Any] = {
            "network": to_document(self.network),
            "factors": {**self.factors._asdict(), "phi": self.phi},
            "cost": after,
            "slack": dict(fit.slack) if fit else {},
            "binding": list(fit.binding) if fit else [],
            "rule": self.rule,
            "coefficients": self.coefficients._asdict() if self.coefficients else None,
            "baseline": before,
            "ratio": {name: after[name] / before[name] for name in _COSTS},
        }
        if fit and self.fitted:
            notch = {"phi": fit.notch.phi, "factors": fit.notch.factors._asdict(), "cost": dict(fit.notch.cost or {})}
            left = dict(zip(("resolution", "width"), fit.left_rule, strict=True))
            found |= {"limits": dict(self.limits), "notch": notch, "unused": self.fitted.unused, "left_rule": left}
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
        "",
    )
    names = [name for name in _COSTS if found.batch > 1 or not name.endswith("memory") or name in found.limits]
    print_table(
        ("cost", found.base.name, "scaled", "ratio"),
        [
            (name, units.cost(name, before[name]), units.cost(name, after[name]), f"{after[name] / before[name]:.3f}x")
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
        (name, units.cost(name, fit.cost[name]), units.cost(name, limit), units.cost(name, fit.slack[name]),
         _more(fit.notch.cost, name), "binds" if name in fit.binding else "")
        for name, limit in found.limits.items()
    ]  # fmt: skip
    print_text("")
    print_table(("limit", "use", "at most", "slack", "one notch more", ""), rows)
    print_text(*_remarks(fitted, filled=fit.left_rule != (1.0, 1.0)))


def _more(cost: Mapping[str, float] | None, name: str) -> str:
    return units.cost(name, cost[name]) if cost else "too large"


def _remarks(fitted: BudgetFit, *, filled: bool) -> Iterator[str]:
    resolution, width = fitted.fit.left_rule
    if filled:
        yield f"filled: resolution {resolution:.3f}x and width {width:.3f}x of what the rule says."
    if fitted.unused > _MUCH_UNUSED:
        advice = "nothing more fits" if filled else "--fill spends it on resolution, then on width"
        yield f"{fitted.unused:.0%} of the binding limit stays unused, because rounding makes steps: {advice}."
