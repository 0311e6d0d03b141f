"""What torch's kernels take beside the tensors that a training keeps, as they run convolutions on channels-last maps.

oneDNN copies weights, and the gradients of weights, into blocks of as many channels as a vector has lanes; a group
narrower than a block is padded to one, so that a 5x5 depthwise convolution takes 256 times its weights with 16 lanes.
Where torch leaves oneDNN out, it unfolds the windows of a map into columns. Learned from torch's CPU allocator, one
convolution at a time, and the same in torch 2.10 to 2.14.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType

from triscale.errors import UsageError
from triscale.machine import convolution_isa
from triscale.machine import threads as threads_here
from triscale.spec import Layer

FLOAT = 4
_LEAST_BATCH = 16
"""From here on oneDNN takes a 1x1 convolution of one thread too."""
_LARGE = 20_480
"""Elements of a single image's map above which oneDNN takes it."""


@dataclass(frozen=True, slots=True)
class Scratch:
    """What oneDNN takes for a convolution in one precision.

    Attributes:
        lanes: channels in a block of weights.
        narrow: copies of the blocks where a group is narrower than one.
        short: copies of the weights that each thread takes where a map is smaller than the kernel; 0: none.
        images: copies of one image's maps, in and out, that each thread takes.
    """

    lanes: int
    narrow: int = 1
    short: int = 0
    images: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernels:
    """How the convolutions of a machine run.

    Attributes:
        name: an instruction set of `KNOWN`, or what a measurement was named.
        threads: of arithmetic.
        float32, bfloat16: what oneDNN takes; None: torch leaves it out in this precision.
    """

    name: str
    threads: int
    float32: Scratch | None
    bfloat16: Scratch | None

    def scratch(self, item: int) -> Scratch | None:
        """That of maps with `item` bytes to an element."""
        return self.float32 if item == FLOAT else self.bfloat16


KNOWN: Mapping[str, Kernels] = MappingProxyType({
    one.name: one
    for one in (
        Kernels(name="avx2", threads=1, float32=Scratch(8, short=4), bfloat16=None),
        Kernels(name="avx512", threads=1, float32=Scratch(16), bfloat16=Scratch(16, narrow=3, images=1)),
    )
})  # fmt: skip
"""Instruction sets whose kernels were measured."""


def kernels(name: str, threads: int) -> Kernels:
    """Those of a known instruction set.

    Raises:
        UsageError: it is not known, or there are fewer threads than 1.
    """
    if name not in KNOWN:
        raise UsageError(f"unknown instruction set {name!r}; known are {', '.join(KNOWN)}.")
    if threads < 1:
        raise UsageError(f"threads must be at least 1, got {threads}")
    return replace(KNOWN[name], threads=threads)


def known_here(threads: int | None = None, *, bfloat16: bool = False) -> Kernels | None:
    """Those of this machine, with the threads that torch takes by default; None: its instruction set is not known.

    `bfloat16`: whether maps are in it. Matrix instructions (AMX) have none for float32, so that those of AVX-512 run.
    """
    name = _isa_here()
    if name == "amx" and not bfloat16:
        name = "avx512"
    return kernels(name, threads or threads_here()) if name in KNOWN else None


@cache
def _isa_here() -> str:
    return convolution_isa() or "unknown"


def workspace(layer: Layer, batch: int, of: Kernels, item: int, *, needs_gradient: bool) -> tuple[int, int]:
    """The most bytes that a convolution holds beside its input while it runs, forward and backward, results included.

    Args:
        layer: its sizes; an explicit padding, which differs between the sides, is in the map that it is given.
        batch: images.
        of: the machine's kernels.
        item: bytes of an element of a map.
        needs_gradient: whether its input does.
    """
    area_out = layer.output[0] * layer.output[1]
    x, y = item * layer.in_channels * _area(layer), item * layer.out_channels * area_out
    width = layer.in_channels // layer.groups
    weights = item * layer.kernel**2 * layer.out_channels * width
    results = weights + needs_gradient * batch * x
    scratch = of.scratch(item)
    if scratch is None or not _onednn(layer, batch, of.threads, item):
        columns = 0 if layer.kernel == layer.stride == 1 else item * batch * layer.kernel**2 * width * area_out
        if layer.groups == 1:
            return batch * y + columns, results + columns
        return 2 * batch * y, max(needs_gradient * (2 * batch * x + weights) + weights, 2 * weights + columns)
    return batch * y + weights, results + _backward(layer, scratch, of.threads, weights, x + y)


def _backward(layer: Layer, scratch: Scratch, threads: int, weights: int, maps: int) -> int:
    """Beside the gradients. Depthwise 3x3 kernels have no blocks of their own, unless they reach over the whole map."""
    short = min(layer.input) < layer.kernel and not _padded_before(layer)
    if short and scratch.short:
        return scratch.short * threads * weights
    if layer.groups == layer.in_channels > 1 and layer.kernel <= 3 and not short:
        return 2 * weights
    sides = layer.in_channels // layer.groups, layer.out_channels // layer.groups
    padded = [-(-side // scratch.lanes) * scratch.lanes for side in sides]
    blocks = weights * padded[0] * padded[1] // (sides[0] * sides[1])
    narrow = layer.groups > 1 and min(sides) < scratch.lanes
    return weights + blocks * (scratch.narrow if narrow else 1) + scratch.images * threads * maps


def _onednn(layer: Layer, batch: int, threads: int, item: int) -> bool:
    """Whether torch lets oneDNN run it (`use_mkldnn` in ATen's Convolution.cpp)."""
    if item < FLOAT:
        return True
    fits = layer.stride > 1 or batch >= _LEAST_BATCH or layer.kernel > 1 or threads > 1
    elements = batch * layer.in_channels * _area(layer)
    return fits and (layer.groups > 1 or layer.kernel > 3 or batch > 1 or elements > _LARGE)


def _padded_before(layer: Layer) -> bool:
    """Whether the padding differs between the sides: then the map is padded before the convolution."""
    top, bottom, left, right = layer.pad
    return (top, left) != (bottom, right)


def _area(layer: Layer) -> int:
    """Pixels of the map that the convolution is given."""
    top, bottom, left, right = layer.pad if _padded_before(layer) else (0, 0, 0, 0)
    return (layer.input[0] + top + bottom) * (layer.input[1] + left + right)
