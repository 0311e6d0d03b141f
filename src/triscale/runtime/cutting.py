"""How a step is cut into tiles that threads share: by the network and the registers, not by the number of threads."""

from collections.abc import Sequence
from typing import NamedTuple

from triscale.runtime.blocking import FLOAT, Place, is_gathered, panels, ring_widths, widths
from triscale.runtime.steps import Combine, Convolve, Depthwise, Enter, Map, MaxPool, Mean, Ring, Step
from triscale.runtime.winograd import blocks_for_cache, tiles_of, widths_of_tiles
from triscale.spec import Layer

TILE = 50_000
"""Multiply-adds of a tile: about a microsecond; several are claimed at once while there are many."""
_MOST = 64
"""Tiles of a step: enough that threads end together."""
_RINGS, _AGAIN = 8, 4
"""Tiles of a ring, and rows of a block for each that is made again where another thread made the block before."""
_BLOCKS, _ROOM = 8, 12
"""Parts of a convolution by transformed tiles, if it has enough work, and transformed tiles of a block: where there are
fewer, weights are fetched and inputs transformed too often."""
_PIXELS = 24
"""Pixels of the longest run in registers."""

_OUTPUT, _WEIGHT, _MOVE = 12, 4, 8
"""Multiply-adds that take as long as an activation with its store, as fetching a weight, as copying a number."""


class Cut(NamedTuple):
    """Tiles of a step: `spans` of its panels of outputs, and `blocks` of rows of each."""

    spans: int
    blocks: int

    @property
    def tiles(self) -> int:
        """How many there are."""
        return self.spans * self.blocks


WHOLE = Cut(1, 1)


def cut_of(step: Step, maps: Sequence[Map], places: Sequence[Place], lanes: int, tile: int) -> Cut:
    """How a step is cut.

    Args:
        step: of the network.
        maps: the sizes of what it reads and writes.
        places: and how they lie.
        lanes: floats of a register.
        tile: multiply-adds of a tile.
    """
    match step:
        case Convolve(winograd=True):
            found = winograd_cut_of(step.layer, lanes, tile)
        case Convolve():
            found = _of_convolution(step, places, lanes, tile)
        case Ring():
            found = _of_ring(step, places, lanes, tile)
        case Depthwise(layer=layer):
            found = _cut(panels(layer.out_channels, lanes), layer.output[0], _work(layer, lanes), tile)
        case Enter(y=y):
            found = _cut(maps[y].channels, maps[y].size[0], _MOVE * _numbers(maps[y], 1), tile)
        case MaxPool(y=y, kernel=kernel):
            found = _cut(panels(maps[y].channels, lanes), maps[y].size[0], kernel**2 * _numbers(maps[y], lanes), tile)
        case Mean(x=x):
            found = _cut(panels(maps[x].channels, lanes), 1, _numbers(maps[x], lanes), tile)
        case Combine(y=y):
            found = _cut(panels(maps[y].channels, lanes), maps[y].size[0], _OUTPUT * _numbers(maps[y], lanes), tile)
        case _:
            found = WHOLE
    return found


def gate_cut_of(step: Convolve, lanes: int, tile: int) -> Cut:
    """How a gate times weights is cut."""
    layer = step.layer
    outputs = panels(layer.out_channels, lanes)
    chunks = widths(outputs, layer.output[0] * layer.output[1]).chunks(outputs)
    return _cut(chunks, 1, _MOVE * layer.in_channels * outputs * lanes, tile)


def _of_convolution(step: Convolve, places: Sequence[Place], lanes: int, tile: int) -> Cut:
    layer, (height, width) = step.layer, step.layer.output
    if is_gathered(layer, lanes):
        return _cut(panels(layer.out_channels, lanes), height, lanes * _work(layer, lanes), tile)
    outputs = panels(layer.out_channels // layer.groups, lanes)
    chunks = layer.groups * widths(outputs, height * width).chunks(outputs)
    used = [places[one] for one in (step.x, step.y, step.residual) if one is not None]
    is_flat = layer.kernel == layer.stride == 1 and all(place.row == width * place.block for place in used)
    return _cut(chunks, -(-height * width // _PIXELS) if is_flat else height, _work(layer, lanes), tile)


def winograd_cut_of(layer: Layer, lanes: int, tile: int) -> Cut:
    """Spans of outputs of blocks of tiles: blocks that fit into the cache, more where there are too few outputs."""
    chunks = widths_of_tiles(layer, lanes).chunks(panels(layer.out_channels, lanes))
    wanted = min(_MOST, max(1, _work(layer, lanes) // tile))
    blocks = max(blocks_for_cache(layer, lanes), min(wanted, tiles_of(layer) // _ROOM, -(-_BLOCKS // chunks)))
    blocks = -(-tiles_of(layer) // -(-tiles_of(layer) // blocks))
    return Cut(min(chunks, max(1, wanted // blocks)), blocks)


def _of_ring(step: Ring, places: Sequence[Place], lanes: int, tile: int) -> Cut:
    first, second = step.first, step.second.layer
    outputs = panels(first.layer.out_channels, lanes)
    chunks = ring_widths(outputs, places[first.y].panel * FLOAT).chunks(outputs)
    rows = second.output[0] // (_AGAIN * max(1, second.kernel - second.stride))
    return _cut(chunks, max(1, rows), _work(first.layer, lanes) + _work(second, lanes), tile, most=max(chunks, _RINGS))


def _cut(units: int, rows: int, work: int, tile: int, *, most: int = _MOST) -> Cut:
    """Spans of whole units; blocks of rows where there are too few of them."""
    wanted = min(most, max(1, work // tile))
    spans = -(-units // max(1, units // wanted))
    return Cut(spans, min(rows, max(1, round(wanted / spans))))


def _work(layer: Layer, lanes: int) -> int:
    """Multiply-adds of a layer, and what else takes its time."""
    pixels, outputs = layer.output[0] * layer.output[1], panels(layer.out_channels, lanes) * lanes
    weights = layer.in_channels // layer.groups * layer.kernel**2 * outputs
    return weights * (pixels + _WEIGHT) + _OUTPUT * pixels * outputs


def _numbers(one: Map, lanes: int) -> int:
    return panels(one.channels, lanes) * lanes * one.size[0] * one.size[1]
