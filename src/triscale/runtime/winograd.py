"""Dense 3x3 convolutions of stride 1 in fewer multiplications: Winograd's F(2x2, 3x3), where that is faster.

A tile of 4x4 inputs makes 2x2 outputs in 16 multiplications for each input and output channel, not in 36.
Source: A. Lavin and S. Gray, Fast Algorithms for Convolutional Neural Networks, 2016 (arXiv 1509.09308).
"""

import numpy as np

from triscale.layer_weights import Floats
from triscale.runtime.blocking import FLOAT, Widths, panels, widths
from triscale.spec import Layer

MATRICES = 16
"""Of inputs, of weights and of outputs: one for each place of a tile of 4x4."""

_KERNEL = np.array([[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]])
"""What a column of a kernel becomes."""

_CACHE = 256 * 1024
"""Bytes of the matrices of inputs of a block of tiles, and of those of outputs: parts of the second-level cache."""

_FEWEST = {4: 32, 8: 32, 16: 8}
"""Tiles of a block all the same, by the lanes of a register: all weights are fetched again for each block."""

_WEIGHT, _TRANSFORM = 4, 75
"""Multiply-adds that take as long as fetching a weight, as transforming a tile of a panel, in or out."""

_MARGIN = 1.25
"""How many times as fast it must be by this count, so that no processor loses."""

_LINE = 16
"""Floats of a cache line."""


def pays(layer: Layer, lanes: int) -> bool:
    """Whether a convolution of a map in panels is faster so: by multiply-adds of registers, see decision 0061.

    Channels are few, tiles stand out of the map, or weights are used for few pixels: each makes it slower.
    """
    if layer.kind != "conv" or layer.kernel != 3 or layer.stride != 1 or layer.groups != 1:
        return False
    outputs, tiles = panels(layer.out_channels, lanes), tiles_of(layer)
    plain = 9 * layer.in_channels * outputs * (layer.output[0] * layer.output[1] + _WEIGHT)
    products = MATRICES * layer.in_channels * outputs * (tiles + _WEIGHT)
    return plain > _MARGIN * (products + _TRANSFORM * (panels(layer.in_channels, lanes) + outputs) * tiles)


def tiles_of(layer: Layer) -> int:
    """How many tiles its outputs have."""
    height, width = layer.output
    return -(-height // 2) * -(-width // 2)


def widths_of_tiles(layer: Layer, lanes: int) -> Widths:
    """Panels of outputs at a time."""
    return widths(panels(layer.out_channels, lanes), tiles_of(layer))


def room(layer: Layer, blocks: int) -> int:
    """Tiles of a block."""
    return -(-tiles_of(layer) // blocks)


def blocks_for_cache(layer: Layer, lanes: int) -> int:
    """How many blocks of tiles a layer has, so that the matrices of each stay in the cache."""
    each = FLOAT * MATRICES * lanes * max(_sides(layer, lanes))
    return -(-tiles_of(layer) // max(_FEWEST[lanes], _CACHE // each))


def own_floats(layer: Layer, lanes: int, blocks: int) -> int:
    """Floats that a thread needs for a block: the matrices of inputs, and of as many outputs as are made at a time."""
    return MATRICES * sum(_apart(count * room(layer, blocks) * lanes) for count in _sides(layer, lanes))


def _sides(layer: Layer, lanes: int) -> tuple[int, int]:
    """Panels of inputs, and of outputs that are made at a time."""
    return panels(layer.in_channels, lanes), max(widths_of_tiles(layer, lanes))


def _apart(floats: int) -> int:
    """From a matrix to the next: an odd number of lines, as in `winograd.h`."""
    return (-(-floats // _LINE) | 1) * _LINE


def winograd_weights(weight: Floats, bias: Floats, lanes: int, wide: Widths) -> Floats:
    """For each panels of outputs: bias, then [matrix][input][outputs]; transformed in float64.

    Args:
        weight: [out, in, 3, 3].
        bias: [out].
        lanes: channels of a panel of outputs.
        wide: panels of outputs at a time.
    """
    missing = -len(weight) % lanes
    matrices = np.einsum("ki,ocij,lj->klco", _KERNEL, weight.astype(np.float64), _KERNEL, optimize=True)
    matrices = matrices.reshape(MATRICES, *matrices.shape[2:]).astype(np.float32)
    matrices = np.pad(matrices, ((0, 0), (0, 0), (0, missing)))
    shift = np.pad(bias, (0, missing))
    parts: list[Floats] = []
    at, count = 0, wide.first * lanes
    while at < len(shift):
        parts += [shift[at : at + count], matrices[:, :, at : at + count].ravel()]
        at, count = at + count, wide.wide * lanes
    return np.concatenate(parts)
