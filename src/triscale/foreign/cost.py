"""Every number of a foreign network at once, with the names that the cost of our own networks has."""

from dataclasses import dataclass, replace

from triscale.cost import Cost, Optimizer, Precision
from triscale.foreign.callables import callable_at
from triscale.foreign.count import How, counted
from triscale.foreign.memory import inference_memory, training_memory
from triscale.foreign.signature import sized
from triscale.spec import ForeignNetwork, Size


@dataclass(frozen=True, kw_only=True, slots=True)
class ForeignCost(Cost):
    """What a foreign network costs: counts for one image, memory of tensors in bytes at `batch`; no kernels.

    Attributes:
        classes: outputs.
        counted: where it was counted.
    """

    classes: int
    counted: How


def cost(
    network: ForeignNetwork,
    *,
    batch: int = 1,
    resolution: Size | None = None,
    optimizer: Optimizer = "sgd",
    precision: Precision = "float32",
    ema: bool = False,
) -> ForeignCost:
    """Every cost of a foreign network. Its path is imported: only for a network that the user named.

    Args:
        network: its callable and what that is called with.
        batch: images at once; memory alone depends on it.
        resolution: (height, width) in pixels instead of the network's own.
        optimizer, precision, ema: of the training, see `triscale.foreign.training_memory`.

    Raises:
        UsageError: the batch, optimizer or precision cannot be.
        InputError: the network cannot be imported, built or run.
    """
    network = replace(network, resolution=resolution, fingerprint="") if resolution else network
    given = sized(network, callable_at(network.path))
    found = counted(given)
    return ForeignCost(
        network=given.name,
        resolution=found.network.resolution,
        classes=found.network.classes,
        **found.counts._asdict(),
        inference_memory=inference_memory(found.network, batch),
        training_memory=training_memory(found.network, batch, optimizer, precision=precision, ema=ema),
        batch=batch,
        inference_kernels=0,
        training_kernels=0,
        kernels=None,
        threads=None,
        counted=found.how,
    )
