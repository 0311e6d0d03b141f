"""Every number of a foreign network at once, with the names that the cost of our own networks has."""

from dataclasses import dataclass
from typing import cast

from triscale.costs import Cost, Precision, Target, TargetPrecision
from triscale.costs.stored import SIZES
from triscale.errors import UsageError
from triscale.foreign.callables import callable_at
from triscale.foreign.counting import How, counted
from triscale.foreign.live_memory import inference_memory, training_memory
from triscale.foreign.signature import sized
from triscale.spec import ForeignNetwork


@dataclass(frozen=True, kw_only=True, slots=True)
class ForeignCost(Cost):
    """What a foreign network costs: counts for one image, memory of tensors in bytes at `batch`; no kernels.

    Attributes:
        classes: outputs.
        counted: where it was counted.
    """

    classes: int
    counted: How


def cost(network: ForeignNetwork, target: Target) -> ForeignCost:
    """Every cost of a foreign network on a target. Its path is imported: only for a network that the user named.

    Raises:
        UsageError: a target whose kernels or recomputation would count: nothing is known of them here.
        InputError: the network cannot be imported, built or run.
    """
    if target.recompute:
        raise UsageError(f"gradient checkpointing needs to know the blocks of a network; {network.path} is other code.")
    given = sized(network, callable_at(network.path))
    found = counted(given)
    return ForeignCost(
        network=given.name,
        resolution=found.network.resolution,
        classes=found.network.classes,
        **found.counts._asdict(),
        inference_memory=inference_memory(found.network, target.batch),
        training_memory=training_memory(
            found.network, target.batch, target.optimizer,
            precision=cast("Precision", target.precision), ema=target.ema,
        ),
        batch=target.batch,
        inference_kernels=0,
        training_kernels=0,
        kernels=None,
        threads=None,
        counted=found.how,
        file_size=file_size(found.network, target.stored),
        weights_precision=target.stored,
    )  # fmt: skip


def file_size(network: ForeignNetwork, precision: TargetPrecision = "float32") -> int:
    """Bytes of all tensors of a checkpoint, see `triscale.costs.file_size`; those of one dimension are not weights."""
    size = SIZES[precision]
    return sum(
        elements * (bytes_each if not is_float else size.weight if dimensions > 1 else size.other)
        for elements, dimensions, is_float, bytes_each in counted(network).tensors
    )
