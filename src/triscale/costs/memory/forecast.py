"""Memory before a run: inference in fp32, training in fp32 or under autocast to bfloat16, on channels-last maps.

A forecast has two parts: the tensors that live at once, which are the same on every machine, and what the kernels of a
machine take beside them. What the process holds besides (the interpreter, torch's own code, the data loader) and what a
GPU's convolution algorithms ask for in workspace is not in these numbers.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from types import MappingProxyType
from typing import Literal, NamedTuple

from triscale.costs.allowed_words import require_allowed
from triscale.costs.counts import count_resolved
from triscale.costs.memory.cell_allocations import parts
from triscale.costs.memory.eager import Way
from triscale.costs.memory.footprint import Footprint
from triscale.costs.memory.onednn import FLOAT, Kernels
from triscale.errors import InputError, UsageError
from triscale.spec import Block, Network, Resolved, resolve

Optimizer = Literal["sgd", "rmsprop", "adam", "adamw"]

Precision = Literal["float32", "bfloat16"]

ITEMS: Mapping[Precision, int] = MappingProxyType({"float32": FLOAT, "bfloat16": 2})
"""Bytes of an element of a map; weights stay float32."""

LONG = 8
"""Bytes of a label, and of a norm's count of batches."""


class _State(NamedTuple):
    """Bytes an optimizer keeps per byte of parameters, and what its step allocates per byte of a tensor and of all.

    `copies`: what its kernel copies of the largest channels-last weight.
    """

    kept: int
    transient: int
    of_all: int
    copies: int = 0


STATES: Mapping[str, _State] = MappingProxyType({
    "sgd": _State(1, 0, 0),  # with momentum
    "rmsprop": _State(2, 0, 3),  # as TensorFlow does it, with momentum and weight decay, all tensors at a time
    "adam": _State(2, 2, 0),
    "adamw": _State(2, 0, 0, 1),  # fused
})  # fmt: skip


class Forecast(NamedTuple):
    """Peak bytes in two parts.

    Attributes:
        kept: tensors that live at once: parameters, buffers, images, optimizer state, saved maps, gradients. Exact.
        kernels: what the kernels of a machine raise the peak by; 0 where none were named.
    """

    kept: int
    kernels: int

    @property
    def total(self) -> int:
        """Both."""
        return self.kept + self.kernels


def inference_forecast(network: Network | Resolved, batch: int = 1, *, kernels: Kernels | None = None) -> Forecast:
    """Peak of inference in fp32: parameters, buffers, the batch of images, and the most that lives at once.

    Args:
        network: spec or resolved network.
        batch: images at once.
        kernels: those of the machine; None: tensors alone are counted.

    Raises:
        UsageError: the batch is below 1.
    """
    resolved = _checked(network, batch)
    held = parameter_bytes(resolved) + buffer_bytes(resolved) + _images(resolved.network, batch)
    kept, peak = (_inference_peak(resolved, batch, Way(kernels=one)) for one in (None, kernels))
    return Forecast(held + kept, peak - kept)


def training_forecast(
    network: Network | Resolved,
    batch: int,
    optimizer: Optimizer = "sgd",
    *,
    precision: Precision = "float32",
    recompute: bool = False,
    ema: bool = False,
    kernels: Kernels | None = None,
) -> Forecast:
    """Peak of training: parameters, optimizer state, buffers, images, saved tensors, gradients.

    Args:
        network: spec or resolved network.
        batch: images in a step, all at once.
        optimizer: "sgd" and "rmsprop" with momentum, "adam", or "adamw" (fused).
        precision: "float32", or "bfloat16" by autocast: maps in 2 bytes, and copies of the weights, which stay float32.
        recompute: each block of a stage keeps its input alone, and backward runs it again.
        ema: a moving average of parameters and buffers is kept.
        kernels: those of the machine; None: tensors alone are counted.

    Raises:
        UsageError: an unknown optimizer or precision, or a batch below 1.
    """
    resolved = _checked(network, batch)
    require_allowed("optimizer", optimizer, STATES)
    require_allowed("precision", precision, ITEMS)
    parameters, buffers = parameter_bytes(resolved), buffer_bytes(resolved)
    held = parameters * (1 + STATES[optimizer].kept) + buffers + _images(resolved.network, batch)
    if ema:
        held += parameters + buffers
    ways = (Way(ITEMS[precision], recompute, one) for one in (None, kernels))
    kept, peak = (max(_step(resolved, batch, way)[0], update_bytes(resolved, optimizer, way.kernels)) for way in ways)
    return Forecast(held + kept, peak - kept)


def inference_memory(network: Network | Resolved, batch: int = 1, *, kernels: Kernels | None = None) -> int:
    """Both parts of `inference_forecast` in bytes."""
    return inference_forecast(network, batch, kernels=kernels).total


def training_memory(
    network: Network | Resolved,
    batch: int,
    optimizer: Optimizer = "sgd",
    *,
    precision: Precision = "float32",
    recompute: bool = False,
    ema: bool = False,
    kernels: Kernels | None = None,
) -> int:
    """Both parts of `training_forecast` in bytes."""
    return training_forecast(
        network, batch, optimizer, precision=precision, recompute=recompute, ema=ema, kernels=kernels
    ).total


def largest_batch(
    network: Network | Resolved,
    limit: int,
    optimizer: Optimizer = "sgd",
    *,
    precision: Precision = "float32",
    recompute: bool = False,
    ema: bool = False,
    kernels: Kernels | None = None,
) -> int:
    """The largest batch whose training memory is at most `limit` bytes; the others as in `training_memory`.

    Raises:
        InputError: not even a batch of one fits.
    """
    resolved = _checked(network, 1)
    takes = partial(
        training_memory, resolved,
        optimizer=optimizer, precision=precision, recompute=recompute, ema=ema, kernels=kernels,
    )  # fmt: skip
    if (least := takes(1)) > limit:
        raise InputError(
            f"{resolved.network.name} does not fit into {limit:,} bytes:\n"
            f"training with a batch of 1 and {optimizer} takes {least:,} bytes."
        )
    low, high = 1, 2
    while takes(high) <= limit:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if takes(middle) <= limit else (low, middle)
    return low


def _checked(network: Network | Resolved, batch: int) -> Resolved:
    if type(batch) is not int or batch < 1:
        raise UsageError(f"batch is {batch!r}; give a whole number above 0")
    return resolve(network) if isinstance(network, Network) else network


def _inference_peak(resolved: Resolved, batch: int, way: Way) -> int:
    """The most that lives during a pass, beside what lives before and after it."""
    peak = held = stage_input = 0
    stage = 0
    for one, repeats, part_stage in parts(resolved, batch, way, stochastic=False):
        if part_stage != stage:  # whoever calls a stage holds its input until the stage returns
            stage, stage_input = part_stage, held
            peak = max(peak, held + one.inference_peak)
        else:
            peak = max(peak, stage_input + held + one.inference_peak)
        if repeats > 1:
            peak = max(peak, stage_input + one.output + one.inference_peak)
        held = one.output
    return peak


def _step(resolved: Resolved, batch: int, way: Way) -> tuple[int, int]:
    """What forward and backward add: the most, and what is left at the end (which must be the gradients alone)."""
    prints, stages = block_prints(resolved, batch, way)
    forward_peak, saved = forward_pass(prints, stages)
    backward_peak, change = backward_pass(prints)
    return max(forward_peak, saved + backward_peak), saved + change


def forward_pass(prints: Sequence[Footprint], stages: Sequence[int]) -> tuple[int, int]:
    """The most that lives during a forward pass, and what lives after it; above what lived before.

    `stages`: that of each block. Whoever calls a stage holds its input until the stage returns.
    """
    live = peak = held = 0
    before: Footprint | None = None
    for index, one in enumerate(prints):
        enters = index > 0 and stages[index] != stages[index - 1]
        if enters:
            live, held = live - held, 0
        peak = max(peak, live + one.forward_peak)
        live += one.forward
        if before and not (before.keeps_output or one.keeps_input):
            held += before.output if enters else 0
            live -= 0 if enters else before.output
        before = one
    return peak, live - held - sum(one.cached for one in prints)


def backward_pass(prints: Sequence[Footprint], *, again: bool = False) -> tuple[int, int]:
    """The most that lives during a backward pass, and what lives after it; above what lived before.

    `again`: the gradients of weights are there already, and new ones are added to them.
    """
    live = peak = 0
    for index in reversed(range(len(prints))):
        one = prints[index]
        peak = max(peak, live + (one.again_peak if again else one.backward_peak))
        live += one.backward - (one.gradients if again else 0)
        if index and one.keeps_input and not prints[index - 1].keeps_output:
            live -= prints[index - 1].output
    return peak, live


def block_prints(resolved: Resolved, batch: int, way: Way) -> tuple[list[Footprint], list[int]]:
    """The live bytes and the stage of each block in the order of the data; of cells in a row, as one."""
    stochastic = resolved.network.stochastic_depth > 0
    found = [
        (one, stage)
        for one, repeats, stage in parts(resolved, batch, way, stochastic=stochastic)
        for _ in range(repeats)
    ]
    return [one for one, _ in found], [stage for _, stage in found]


def update_bytes(resolved: Resolved, optimizer: Optimizer, kernels: Kernels | None = None) -> int:
    """What lives in the optimizer's step beside weights and its state: gradients, and what it allocates."""
    state = STATES[optimizer]
    largest = max(_largest_tensor(run.block) for run in resolved.runs)
    spatial = max(_largest_tensor(run.block, 2) for run in resolved.runs) if kernels else 0
    return parameter_bytes(resolved) * (1 + state.of_all) + state.transient * largest + state.copies * spatial


def parameter_bytes(resolved: Resolved) -> int:
    """Of the parameters in fp32."""
    return FLOAT * count_resolved(resolved).params


def buffer_bytes(resolved: Resolved) -> int:
    """Of what norms keep beside them."""
    return sum(_block_buffers(block) * repeats for block, repeats, _ in resolved.runs)


def _images(network: Network, batch: int) -> int:
    height, width = network.resolution
    return FLOAT * batch * network.input_channels * height * width + LONG * batch


@lru_cache(maxsize=1 << 16)
def _block_buffers(block: Block) -> int:
    """Running mean and variance of each norm, and its count of batches."""
    return sum(2 * FLOAT * layer.out_channels + LONG for layer in block.layers if layer.norm)


@lru_cache(maxsize=1 << 16)
def _largest_tensor(block: Block, kernel: int = 1) -> int:
    """Bytes of the largest weight whose kernel has at least that side."""
    sizes = (
        layer.out_channels * (layer.in_channels // layer.groups) * layer.kernel**2
        for layer in block.layers
        if layer.kernel >= kernel
    )
    return FLOAT * max(sizes, default=0)
