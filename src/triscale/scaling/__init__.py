"""Scaling rules, names such as `efficientnet_b0@phi=1.5`, and the budget solver."""

from triscale.scaling.budget import Fit, Point, fill, fit
from triscale.scaling.explain import Rounding, explain_rounding
from triscale.scaling.names import network, parse_coefficients
from triscale.scaling.rules import PAPER, RULES, Coefficients, Factors, factors, rename, scale_by_rule

__all__ = [
    "PAPER", "RULES", "Coefficients", "Factors", "Fit", "Point", "Rounding", "explain_rounding", "factors", "fill", "fit",
    "network", "parse_coefficients", "rename", "scale_by_rule",
]  # fmt: skip
