"""Params, MACs and activations, counted on resolved blocks: closed form, exact to the unit, no torch.

MACs are the multiply-adds of convolutions and linear layers (the paper's "FLOPS"); squeeze-excite counts its two 1x1
convolutions. Biases, norms, activations, pooling and additions are not counted.
"""

from functools import lru_cache
from typing import NamedTuple

from triscale.errors import InputError
from triscale.spec import Block, Layer, Network, Resolved, resolve

MAX_MACS = 10**15


class Counts(NamedTuple):
    """Trainable parameters; multiply-adds; elements of convolution outputs; all for one image."""

    params: int
    macs: int
    activations: int


def count_layer(layer: Layer) -> Counts:
    """The counts of a layer, its bias or norm (two parameters a channel) included."""
    extra = (layer.bias + 2 * layer.norm) * layer.out_channels
    if layer.kind == "norm":
        return Counts(extra, 0, 0)
    weights = layer.out_channels * (layer.in_channels // layer.groups) * layer.kernel**2
    pixels = layer.output[0] * layer.output[1]
    return Counts(weights + extra, weights * pixels, layer.out_channels * pixels if layer.kind == "conv" else 0)


@lru_cache(maxsize=1 << 16)
def count_block(block: Block) -> Counts:
    """The counts of one block."""
    params = macs = activations = 0
    for layer in block.layers:
        counts = count_layer(layer)
        params += counts.params
        macs += counts.macs
        activations += counts.activations
    return Counts(params, macs, activations)


def count_resolved(resolved: Resolved) -> Counts:
    """The counts of a resolved network.

    Raises:
        InputError: above 1e15 MACs.
    """
    params = macs = activations = 0
    for block, repeats, _ in resolved.runs:
        one = count_block(block)
        params += one.params * repeats
        macs += one.macs * repeats
        activations += one.activations * repeats
    if macs > MAX_MACS:
        raise InputError(
            f"{resolved.network.name} needs {macs:.3g} MACs, the most is {MAX_MACS:.0e}; use a smaller phi or factor."
        )
    return Counts(params, macs, activations)


def count(network: Network) -> Counts:
    """The counts of a network for one image at its resolution."""
    return count_resolved(resolve(network))
