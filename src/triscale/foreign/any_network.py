"""What a training or a study must know of a network of either kind; the one place that chooses how it is counted."""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import cast

from triscale import costs
from triscale.costs import Counts, Kernels, Optimizer, Precision, Target, Values
from triscale.costs.memory.forecast import Forecast
from triscale.errors import InputError, UsageError
from triscale.foreign.counting import count as count_foreign
from triscale.foreign.counting import known
from triscale.foreign.foreign_cost import file_size
from triscale.foreign.live_memory import inference_memory, training_memory
from triscale.spec import AnyNetwork, ForeignNetwork

_METRICS: Mapping[str, Callable[[ForeignNetwork, Target], float]] = MappingProxyType(
    {
        "params": lambda network, _: count_foreign(network).params,
        "macs": lambda network, _: count_foreign(network).macs,
        "activations": lambda network, _: count_foreign(network).activations,
        "inference_memory": lambda network, target: inference_memory(network, target.batch),
        "training_memory": lambda network, target: training_memory(
            network, target.batch, target.optimizer, precision=cast("Precision", target.precision), ema=target.ema
        ),
        "file_size": lambda network, target: file_size(network, target.stored),
    }
)
"""Those that torch's own bookkeeping gives."""


def count_any(network: AnyNetwork) -> Counts:
    """Params, MACs and activations for one image; a foreign network is imported."""
    return count_foreign(network) if isinstance(network, ForeignNetwork) else costs.count(network)


def known_any(network: AnyNetwork) -> AnyNetwork:
    """The network with nothing left open: a foreign one is built once, for its size, outputs and fingerprint."""
    return known(network) if isinstance(network, ForeignNetwork) else network


def metrics_any(network: AnyNetwork, names: Iterable[str], target: Target) -> Mapping[str, float]:
    """Metrics by their names in `triscale.costs.registry()`.

    Raises:
        UsageError: one that needs to know the blocks of a foreign network.
    """
    if not isinstance(network, ForeignNetwork):
        return Values(target).of(network, names)
    wanted = tuple(names)
    if unknown := [name for name in wanted if name not in _METRICS]:
        known_ones = ", ".join(_METRICS)
        raise UsageError(f"{unknown[0]} of your own code cannot be limited; the limits there are {known_ones}.")
    return {name: float(_METRICS[name](network, target)) for name in wanted}


def training_forecast_any(
    network: AnyNetwork,
    batch: int,
    optimizer: Optimizer,
    *,
    precision: Precision,
    recompute: bool = False,
    ema: bool = False,
    kernels: Kernels | None = None,
) -> Forecast:
    """Bytes of a training step, see `triscale.costs.training_forecast`; nothing is known of a foreign one's kernels."""
    if isinstance(network, ForeignNetwork):
        return Forecast(training_memory(network, batch, optimizer, precision=precision, ema=ema), 0)
    return costs.training_forecast(
        network, batch, optimizer, precision=precision, recompute=recompute, ema=ema, kernels=kernels
    )


def largest_batch_any(
    network: AnyNetwork,
    limit: int,
    most: int,
    optimizer: Optimizer,
    *,
    precision: Precision,
    recompute: bool = False,
    ema: bool = False,
    kernels: Kernels | None = None,
) -> int:
    """The largest batch up to `most` that trains within `limit` bytes.

    Raises:
        InputError: not even one image fits.
    """
    if not isinstance(network, ForeignNetwork):
        found = costs.largest_batch(
            network, limit, optimizer, precision=precision, recompute=recompute, ema=ema, kernels=kernels
        )
        return min(found, most)

    def fits(batch: int) -> bool:
        return training_memory(network, batch, optimizer, precision=precision, ema=ema) <= limit

    if fits(most):
        return most
    low, high = 0, most
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    if not low:
        raise InputError(f"{network.path} does not fit into {limit:,} bytes: not even a batch of 1 trains there.")
    return low
