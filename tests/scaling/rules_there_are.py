"""Which rules the property tests run on."""

from triscale.scaling import RULES

BOTH_WAYS = [name for name, rule in RULES.items() if not rule.shrinks and rule.coefficients != "required"]
"""Rules that need nothing else and have networks on either side of the baseline."""


def towards(rule: str, phi: float) -> float:
    """phi, or below 0 where the rule only shrinks."""
    return -abs(phi) if RULES[rule].shrinks else phi
