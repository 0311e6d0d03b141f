"""The metrics that are counted from the spec, exact on every machine and registered when the room is imported."""

from functools import lru_cache
from typing import cast

from triscale.costs.counts import Counts, count_resolved
from triscale.costs.memory.forecast import Precision, inference_memory, training_memory
from triscale.costs.memory.static_plan import arena
from triscale.costs.metric import Metric, register
from triscale.costs.stored import file_size
from triscale.costs.target import Target
from triscale.quantities import BYTES, COUNT
from triscale.spec import Network, Resolved, resolve


@lru_cache(maxsize=16)
def _resolved(network: Network) -> Resolved:
    """Several metrics of one network resolve it once."""
    return resolve(network)


@lru_cache(maxsize=16)
def _counts(network: Network) -> Counts:
    return count_resolved(_resolved(network))


def _inference_memory(network: Network, target: Target) -> int:
    return inference_memory(_resolved(network), target.batch, kernels=target.kernels)


def _training_memory(network: Network, target: Target) -> int:
    return training_memory(
        _resolved(network), target.batch, target.optimizer,
        precision=cast("Precision", target.precision),  # others are rejected there
        recompute=target.recompute, ema=target.ema, kernels=target.kernels,
    )  # fmt: skip


COUNTED = tuple(
    register(metric)
    for metric in (
        Metric(
            name="macs", unit=COUNT, deterministic=True, monotone=True,
            evaluate=lambda network, _: _counts(network).macs,
        ),
        Metric(
            name="params", unit=COUNT, deterministic=True, monotone=True,
            evaluate=lambda network, _: _counts(network).params,
        ),
        Metric(
            name="activations", unit=COUNT, deterministic=True, monotone=True,
            evaluate=lambda network, _: _counts(network).activations,
        ),
        Metric(
            name="inference_memory", unit=BYTES, deterministic=True, monotone=True,
            evaluate=_inference_memory, needs=frozenset({"kernels"}),
        ),
        Metric(
            name="training_memory", unit=BYTES, deterministic=True, monotone=True,
            evaluate=_training_memory, needs=frozenset({"batch", "kernels"}),
        ),
        Metric(
            name="file_size", unit=BYTES, deterministic=True, monotone=True,
            evaluate=lambda network, target: file_size(_resolved(network), target.stored),
        ),
        Metric(
            name="arena", unit=BYTES, deterministic=True, monotone=True,
            evaluate=lambda network, target: arena(_resolved(network), target.batch, target.stored),
        ),
    )
)  # fmt: skip
"""Macs, params and activations are of one image."""
