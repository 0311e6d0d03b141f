"""How much is compared in a row: enough to prove it, in a minute and within 7 GB."""

from dataclasses import replace
from typing import Literal

from benchmarks.parity import pictures
from benchmarks.parity.reference import Plan
from triscale.costs import count
from triscale.spec import Network

DOUBLE_MOST = 250_000_000
"""Params up to which the training step is in float64; above, weights and gradients of both sides would not fit."""

SMALL_ABOVE = 5_000_000_000
"""MACs at the native resolution above which a network is shown the small pictures."""


def whole(of: Network, peer: str) -> Plan:
    """What a row of the ledger needs.

    A deep network of random weights enlarges rounding very much. That shows where the peer's kernels sum in another
    order, as TensorFlow's do: with Keras all is in float64.
    """
    cost = count(of)
    large = cost.macs > SMALL_ABOVE
    return Plan(
        sizes=pictures.SMALL_SIZES if large else pictures.SIZES,
        evaluated=_evaluated(peer),
        trained=pictures.SMALL_TRAINED if large else pictures.TRAINED,
        double=cost.params <= DOUBLE_MOST,
        native=of.resolution,
    )


def quick(of: Network, peer: str) -> Plan:
    """What the default tests prove again: six pictures, all kinds of figures."""
    return replace(whole(of, peer), sizes={(33, 50): 4, (64, 64): 2})


def _evaluated(peer: str) -> Literal["float32", "float64"]:
    return "float64" if peer == "keras" else "float32"


def limits(*, double: bool) -> dict[str, float]:
    """What the figures of a row may reach.

    In float32 the sides may sum in another order, in float64 rounding is a billion times smaller than any fault.
    """
    if double:
        return {"logits": 1e-5, "step": 1e-9, "gradients": 1e-9, "statistics": 1e-9}
    return {"logits": 1e-5, "step": 1e-5, "gradients": 1e-3, "statistics": 1e-5}
