"""Scaling rules, names such as `efficientnet_b0@phi=1.5`, and the budget solver."""

from triscale.scaling.budget import fit
from triscale.scaling.leftover import fill
from triscale.scaling.limit import Fit, Limit, Point, UnboundedError
from triscale.scaling.lite_rule import lite_form
from triscale.scaling.names import any_network, fixed, network, parse_coefficients, published_twin
from triscale.scaling.network_budget import BudgetFit, fit_budget
from triscale.scaling.notches import scan
from triscale.scaling.roundings import Rounding, explain_rounding
from triscale.scaling.rules import (
    OTHER_NAMES,
    PAPER,
    RULES,
    Coefficients,
    Factors,
    Rule,
    factors,
    rename,
    rule_named,
    scale_by_rule,
)
from triscale.scaling.shorten import scale_shortly, short_factors, short_phi
from triscale.scaling.side_by_side import Ruled, by_rules

__all__ = [
    "OTHER_NAMES", "PAPER", "RULES", "BudgetFit", "Coefficients", "Factors", "Fit", "Limit", "Point", "Rounding",
    "Rule", "Ruled", "UnboundedError", "any_network", "by_rules", "explain_rounding", "factors", "fill", "fit",
    "fit_budget", "fixed", "lite_form", "network", "parse_coefficients", "published_twin", "rename", "rule_named",
    "scale_by_rule", "scale_shortly", "scan", "short_factors", "short_phi",
]  # fmt: skip
