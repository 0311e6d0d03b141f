"""Memory before a run, by the liveness of tensors: inference in fp32, training in fp32 or under autocast to bfloat16.

The oracle is the peak of torch's CPU allocator. What the process holds besides (the interpreter, torch's own code,
the data loader) and what a GPU's convolution algorithms ask for in workspace is not in these numbers.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache, partial
from types import MappingProxyType
from typing import Literal, NamedTuple

from triscale.cost.cell_memory import parts
from triscale.cost.count import count_resolved
from triscale.cost.eager import FLOAT
from triscale.cost.footprint import Footprint
from triscale.errors import InputError, UsageError
from triscale.spec import Block, Network, Resolved, resolve

Optimizer = Literal["sgd", "rmsprop", "adam", "adamw"]

Precision = Literal["float32", "bfloat16"]

_ITEMS: Mapping[Precision, int] = MappingProxyType({"float32": FLOAT, "bfloat16": 2})
"""Bytes of an element of a map; weights stay float32."""

_LONG = 8
"""Bytes of a label, and of a norm's count of batches."""


class _State(NamedTuple):
    """Bytes an optimizer keeps per byte of parameters, and what its step allocates per byte of a tensor and of all."""

    kept: int
    transient: int
    of_all: int


_STATES: Mapping[str, _State] = MappingProxyType({
    "sgd": _State(1, 0, 0),  # with momentum
    "rmsprop": _State(2, 0, 3),  # as TensorFlow does it, with momentum and weight decay, all tensors at a time
    "adam": _State(2, 2, 0),
    "adamw": _State(2, 0, 0),  # fused
})  # fmt: skip


def inference_memory(network: Network | Resolved, batch: int = 1) -> int:
    """Peak bytes of inference in fp32: parameters, buffers, the batch of pictures, and the most that lives at once."""
    resolved = _checked(network, batch)
    images = _images(resolved.network, batch)
    peak = held = stage_input = 0
    stage = 0
    for one, repeats, part_stage in parts(resolved, batch, stochastic=False):
        if part_stage != stage:  # whoever calls a stage holds its input until the stage returns
            stage, stage_input = part_stage, held
            peak = max(peak, held + one.inference_peak)
        else:
            peak = max(peak, stage_input + held + one.inference_peak)
        if repeats > 1:
            peak = max(peak, stage_input + one.output + one.inference_peak)
        held = one.output
    return _parameters(resolved) + _buffers(resolved) + images + peak


def training_memory(
    network: Network | Resolved,
    batch: int,
    optimizer: Optimizer = "sgd",
    *,
    precision: Precision = "float32",
    recompute: bool = False,
    ema: bool = False,
) -> int:
    """Peak bytes of training: parameters, optimizer state, buffers, pictures, saved tensors, gradients.

    Args:
        network: spec or resolved network.
        batch: pictures in a step, all at once.
        optimizer: "sgd" and "rmsprop" with momentum, "adam", or "adamw" (fused).
        precision: "float32", or "bfloat16" by autocast: maps in 2 bytes, and copies of the weights, which stay float32.
        recompute: each block of a stage keeps its input alone, and backward runs it again.
        ema: a moving average of parameters and buffers is kept.

    Raises:
        UsageError: the batch, the optimizer or the precision cannot be meant.
    """
    resolved = _checked(network, batch)
    _allowed("optimizer", optimizer, _STATES)
    _allowed("precision", precision, _ITEMS)
    state = _STATES[optimizer]
    parameters, buffers = _parameters(resolved), _buffers(resolved)
    step = parameters * (1 + state.of_all) + state.transient * max(_largest_tensor(run.block) for run in resolved.runs)
    static = parameters * (1 + state.kept) + buffers + _images(resolved.network, batch)
    if ema:
        static += parameters + buffers
    return static + max(_step(resolved, batch, recompute=recompute, item=_ITEMS[precision])[0], step)


def largest_batch(
    network: Network | Resolved,
    limit: int,
    optimizer: Optimizer = "sgd",
    *,
    precision: Precision = "float32",
    recompute: bool = False,
    ema: bool = False,
) -> int:
    """The largest batch whose training memory is at most `limit` bytes; the others as in `training_memory`.

    Raises:
        InputError: not even a batch of one fits.
    """
    resolved = _checked(network, 1)
    takes = partial(training_memory, resolved, optimizer=optimizer, precision=precision, recompute=recompute, ema=ema)
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


def _allowed(what: str, word: str, allowed: Iterable[str]) -> None:
    if word not in allowed:
        raise UsageError(f"unknown {what} {word!r}; allowed: {', '.join(allowed)}")


def _checked(network: Network | Resolved, batch: int) -> Resolved:
    if type(batch) is not int or batch < 1:
        raise UsageError(f"batch is {batch!r}; give a whole number above 0")
    return resolve(network) if isinstance(network, Network) else network


def _step(resolved: Resolved, batch: int, *, recompute: bool = False, item: int = FLOAT) -> tuple[int, int]:
    """What forward and backward add: the most, and what is left at the end (which must be the gradients alone)."""
    prints = _prints(resolved, batch, recompute=recompute, item=item)
    live = peak = 0
    before: Footprint | None = None
    for one in prints:
        peak = max(peak, live + one.forward_peak)
        live += one.forward
        if before and not (before.keeps_output or one.keeps_input):
            live -= before.output
        before = one
    live -= sum(one.cached for one in prints)
    for index in reversed(range(len(prints))):
        one = prints[index]
        peak = max(peak, live + one.backward_peak)
        live += one.backward
        if index and one.keeps_input and not prints[index - 1].keeps_output:
            live -= prints[index - 1].output
    return peak, live


def _prints(resolved: Resolved, batch: int, *, recompute: bool, item: int) -> list[Footprint]:
    stochastic = resolved.network.stochastic_depth > 0
    found = parts(resolved, batch, stochastic=stochastic, recompute=recompute, item=item)
    return [one for one, repeats, _ in found for _ in range(repeats)]


def _parameters(resolved: Resolved) -> int:
    return FLOAT * count_resolved(resolved).params


def _buffers(resolved: Resolved) -> int:
    return sum(_block_buffers(block) * repeats for block, repeats, _ in resolved.runs)


def _images(network: Network, batch: int) -> int:
    height, width = network.resolution
    return FLOAT * batch * network.input_channels * height * width + _LONG * batch


@lru_cache(maxsize=1 << 16)
def _block_buffers(block: Block) -> int:
    """Running mean and variance of each norm, and its count of batches."""
    return sum(2 * FLOAT * layer.out_channels + _LONG for layer in block.layers if layer.norm)


@lru_cache(maxsize=1 << 16)
def _largest_tensor(block: Block) -> int:
    return FLOAT * max(
        layer.out_channels * (layer.in_channels // layer.groups) * layer.kernel**2 for layer in block.layers
    )
