"""Bytes of a network's weights in a file: parameters and buffers, without the header."""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from triscale.costs.counts import count_block
from triscale.costs.memory.forecast import LONG
from triscale.costs.target import TargetPrecision
from triscale.spec import Block, Network, Resolved, resolve


class _Bytes(NamedTuple):
    """Of an element of a weight (of a convolution or linear layer), and of all else that is a float."""

    weight: int
    other: int


SIZES: Mapping[TargetPrecision, _Bytes] = MappingProxyType({
    "float32": _Bytes(4, 4), "float16": _Bytes(2, 2), "bfloat16": _Bytes(2, 2), "int8": _Bytes(1, 4),
})  # fmt: skip
"""Where weights are int8, biases, norms and their statistics stay float32; scales of the integers are not counted."""


def file_size(network: Network | Resolved, precision: TargetPrecision = "float32") -> int:
    """Bytes of all tensors of a checkpoint: weights, biases, norms with their statistics and counts of batches.

    A safetensors file is as long, but for its header. An engine's int8 file has scales and descriptions of layers in
    place of norms: docs/memory.md has the lengths of some beside this count.

    Args:
        network: spec or resolved network.
        precision: of the stored weights. Counts of batches are 8 bytes in each.
    """
    resolved = network if isinstance(network, Resolved) else resolve(network)
    size, total = SIZES[precision], 0
    for block, repeats, _ in resolved.runs:
        weights, others, counts = _elements(block)
        total += repeats * (size.weight * weights + size.other * others + LONG * counts)
    return total


@lru_cache(maxsize=1 << 16)
def _elements(block: Block) -> tuple[int, int, int]:
    """Elements of weights; of biases, norms and their statistics; and how many counts of batches."""
    weights = sum(
        layer.out_channels * (layer.in_channels // layer.groups) * layer.kernel**2
        for layer in block.layers
        if layer.kind != "norm"
    )
    statistics = sum(2 * layer.out_channels for layer in block.layers if layer.norm)
    return weights, count_block(block).params - weights + statistics, sum(layer.norm for layer in block.layers)
