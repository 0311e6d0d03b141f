"""Where each map lies, with room for the zeros around it: in one arena, where maps of different times share memory.

A ring lies in memory that each thread has of its own.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from triscale.runtime.blocking import FLOAT, Place, panels, ring_widths
from triscale.runtime.cutting import TILE, Cut, cut_of
from triscale.runtime.drafting import steps_of
from triscale.runtime.fusing import fused
from triscale.runtime.steps import NO_PAD, Convolve, Depthwise, Map, Ring, Step, framed, read, written
from triscale.runtime.winograd import own_floats
from triscale.spec import Network
from triscale.spec.layer import Pad

_LINE = 16
"""Floats of a cache line: everything begins on one."""
_PAGE = 1024
"""Floats of 4 KiB: what lies a multiple of it apart meets in few places of a cache."""


class Plan(NamedTuple):
    """All that decides the code of a network but its weights.

    Attributes:
        network: whose steps they are.
        lanes: floats of a register, which are the channels of a panel.
        steps, maps: see `triscale.runtime.steps`.
        frames: the zeros (top, bottom, left, right) around each map.
        places: where each map lies.
        lives: the first and last step that uses each map.
        cuts: how threads share each step.
        floats: of the arena.
        own: floats of the memory that each thread has for rings and transformed tiles.
        tile: multiply-adds of a tile, about.
    """

    network: Network
    lanes: int
    steps: tuple[Step, ...]
    maps: tuple[Map, ...]
    frames: tuple[Pad, ...]
    places: tuple[Place, ...]
    lives: tuple[tuple[int, int], ...]
    cuts: tuple[Cut, ...]
    floats: int
    own: int
    tile: int


def plan(network: Network, lanes: int, *, fuse: bool = True, tile: int = TILE) -> Plan:
    """The steps of a network and the places of its maps.

    Args:
        network: the spec; its resolution is the plan's.
        lanes: floats of a register: 4, 8 or 16.
        fuse: join steps that go faster together; without, there is one for each layer.
        tile: multiply-adds of what a thread does at once, about; the logits' last bits depend on it.

    Raises:
        InputError: the network has a block that the runtime does not know.
    """
    steps, maps = fused(steps_of(network), lanes) if fuse else steps_of(network)
    frames = _frames(steps, len(maps))
    lives = _lives(steps, len(maps))
    shapes = [_shape(one, frame, lanes) for one, frame in zip(maps, frames, strict=True)]
    cuts = tuple(cut_of(step, maps, shapes, lanes, tile) for step in steps)
    for step, cut in zip(steps, cuts, strict=True):
        if (mean := mean_of(step)) is not None and cut.blocks > 1:
            shapes[mean] = _with_sums(shapes[mean], cut.blocks)
    whole = [number for number, one in enumerate(maps) if not one.ring]
    offsets = placed([shapes[number].floats for number in whole], [lives[number] for number in whole])
    for number, offset in zip(whole, offsets, strict=True):
        shapes[number] = shapes[number]._replace(offset=offset)
    floats = max(shapes[number].offset + shapes[number].floats for number in whole)
    rings = [shapes[number].floats for number, one in enumerate(maps) if one.ring]
    own = max([*rings, *(_tiles(step, cut, lanes) for step, cut in zip(steps, cuts, strict=True))])
    return Plan(network, lanes, steps, maps, frames, tuple(shapes), lives, cuts, floats, own, tile)


def mean_of(step: Step) -> int | None:
    """The mean that a step takes on the way."""
    match step:
        case Ring(second=second):
            return second.mean
        case Depthwise(mean=mean):
            return mean
        case _:
            return None


def _tiles(step: Step, cut: Cut, lanes: int) -> int:
    """Floats of the transformed tiles of a step."""
    if not isinstance(step, Convolve) or not step.winograd:
        return 0
    return own_floats(step.layer, lanes, cut.blocks)


def _with_sums(mean: Place, blocks: int) -> Place:
    """With room behind the means for the sums of each block of rows."""
    return mean._replace(floats=whole_lines(mean.floats + blocks * mean.floats))


def _frames(steps: Sequence[Step], count: int) -> tuple[Pad, ...]:
    """Around each map, what the step that wants most of it reads there."""
    found = [NO_PAD] * count
    for step in steps:
        for x, pad in framed(step):
            top, bottom, left, right = map(max, zip(found[x], pad, strict=True))
            found[x] = (top, bottom, left, right)
    return tuple(found)


def _lives(steps: Sequence[Step], count: int) -> tuple[tuple[int, int], ...]:
    users = defaultdict[int, list[int]](list)
    for number, step in enumerate(steps):
        for one in (*written(step), *read(step)):
            users[one].append(number)
    return tuple((min(users[one]), max(users[one])) for one in range(count))


def _shape(one: Map, frame: Pad, lanes: int) -> Place:
    """A place without its offset."""
    block = 1 if one.planes else lanes
    top, bottom, left, right = frame
    row = (one.size[1] + left + right) * block
    panel = (one.ring or one.size[0] + top + bottom) * row
    if not one.planes:
        panel += _LINE if panel % _PAGE == 0 else 0
    count = panels(one.channels, block)
    count = max(ring_widths(count, panel * FLOAT)) if one.ring else count
    floats = whole_lines(count * panel)
    return Place(0, block, top * row + left * block, row, panel, floats)


def whole_lines(floats: int) -> int:
    """So many floats up to the end of a cache line."""
    return -(-floats // _LINE) * _LINE


def placed(sizes: Sequence[int], lives: Sequence[tuple[int, int]]) -> tuple[int, ...]:
    """Offsets at which no two that live at once overlap: the largest first, each in the lowest gap that holds it.

    Args:
        sizes: of each, multiples of what offsets shall be multiples of.
        lives: (first, last) of each, both included.
    """
    offsets = [0] * len(sizes)
    done: list[int] = []
    for one in sorted(range(len(sizes)), key=lambda index: -sizes[index]):
        first, last = lives[one]
        busy = sorted(
            (offsets[other], offsets[other] + sizes[other])
            for other in done
            if lives[other][0] <= last and first <= lives[other][1]
        )
        at = 0
        for low, high in busy:
            if at + sizes[one] <= low:
                break
            at = max(at, high)
        offsets[one] = at
        done.append(one)
    return tuple(offsets)
