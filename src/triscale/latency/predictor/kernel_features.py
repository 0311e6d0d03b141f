"""What the time of one kernel depends on: the terms of a convolution as vector kernels run it, a layer at a time.

An engine for CPUs works on blocks of channels (as many as a vector register has floats), on a few blocks at once, and
on a few pixels at once. What does not fill them costs as much as what does, so the terms count padded work. Each term
is at least 0, and the time of a kernel is their sum with coefficients that a calibration finds.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from triscale.spec import Layer

KERNEL_SIDES = (3, 5, 7)
"""Depthwise kernels have coefficients of their own for these sides."""


@dataclass(frozen=True, slots=True)
class Vectors:
    """How an engine's kernels cut a convolution on this processor.

    Attributes:
        block: channels of a block: floats of a vector register.
        pixels: of a row that a convolution works on at once.
        depthwise_pixels: the same of a depthwise convolution.
        narrow: input channels below which a convolution takes them one by one, as that of a stem does.
        blocks: blocks of output channels that it works on at once.
        masked: whether the last channels of a ragged number may cost less than a whole block.
        separate_silu: whether SiLU is a kernel of its own, not the end of a convolution.
        compiled: whether networks are compiled, so that their kernels are the steps of a plan, see `step_kernels`.
    """

    block: int
    pixels: int
    depthwise_pixels: int
    narrow: int
    blocks: int = 4
    masked: bool = False
    separate_silu: bool = False
    compiled: bool = False

    def held(self, channels: int) -> int:
        """Channels of a map in memory."""
        return channels if self.masked else -(-channels // self.block) * self.block


class Kernel(NamedTuple):
    """One kernel: what it is, which layer of the block it runs, its terms by name."""

    kind: str
    role: str
    terms: dict[str, float]


_NEAR_ELEMENTS, _NEAR_BYTES = 1 << 17, 2.5e5
"""What stays in a core's own cache: elements of maps, bytes of weights."""


class _Rows(NamedTuple):
    """Rows of the kernel that lie on the map, over all output rows; pixels of a row at the edges, and inside."""

    kernel_rows: int
    edge: int
    inside: int


@lru_cache(maxsize=1 << 16)
def convolution_kernel(layer: Layer, vectors: Vectors) -> Kernel:
    """The kernel of a convolution, without what follows it."""
    plain = layer._replace(role="", bias=False, norm=False, activation=None, before=None)
    return Kernel(*_convolution(plain, vectors))._replace(role=layer.role)


@lru_cache(maxsize=1 << 16)
def _convolution(layer: Layer, vectors: Vectors) -> tuple[str, str, dict[str, float]]:
    if layer.groups > 1 and layer.groups == layer.in_channels == layer.out_channels:
        side = min(KERNEL_SIDES, key=lambda one: abs(one - layer.kernel))
        return f"depthwise{side}s{min(layer.stride, 2)}", "", _depthwise(layer, vectors)
    if layer.groups > 1:
        return "grouped", "", _grouped(layer, vectors)
    if layer.in_channels < vectors.narrow:
        return "stem", "", _dense(layer, vectors)
    if layer.kernel == 1:
        return "pointwise", "", _pointwise(layer, vectors)
    return "dense", "", _dense(layer, vectors)


def _rows(layer: Layer) -> _Rows:
    (height, width), (out_height, out_width) = layer.input, layer.output
    top, _, left, _ = layer.pad
    kernel, stride = layer.kernel, layer.stride
    rows = sum(min(kernel, height + top - y * stride) - max(0, top - y * stride) for y in range(out_height))
    before = min(out_width, -(-left // stride))
    whole = max(0, min(out_width, (width + left - kernel) // stride + 1))  # pixels whose kernel ends on the map
    inside = max(0, whole - before)
    return _Rows(rows, out_width - inside, inside)


def _depthwise(layer: Layer, v: Vectors) -> dict[str, float]:
    rows, blocks = _rows(layer), -(-layer.out_channels // v.block)
    work = rows.kernel_rows * layer.kernel * blocks
    return _maps(layer, v) | {
        "work": work * (rows.inside + rows.edge),
        "tail": work * (rows.inside % v.depthwise_pixels > 0),
        "edge": work * rows.edge,
        "row": layer.output[0] * blocks,
        "kernel_row": rows.kernel_rows * blocks,
        "channel": layer.out_channels,
    }


def _pointwise(layer: Layer, v: Vectors) -> dict[str, float]:
    pixels, blocks = layer.output[0] * layer.output[1], -(-layer.out_channels // v.block)
    sets, rest = divmod(blocks, v.blocks)
    rows, width = (layer.output[0], layer.output[1]) if layer.stride > 1 else (1, pixels)
    parts = -(-layer.in_channels // v.block)
    inner = parts * v.block
    return _maps(layer, v) | {
        "macs": float(pixels * layer.in_channels * layer.out_channels * v.masked),
        "work": float(pixels * inner * blocks),
        **{f"rest{n}": float(pixels * inner * (rest == n)) for n in range(1, v.blocks)},
        "tail": float(rows * (width % v.pixels > 0) * inner * blocks),
        "out_again": pixels * v.held(layer.out_channels) * (-(-layer.in_channels // 128) - 1),
        "in_again": layer.input[0] * layer.input[1] * layer.in_channels * (sets + (rest > 0) - 1),
        "weights": layer.in_channels * layer.out_channels,
        "row": rows * blocks,
        "strided": float(pixels * layer.in_channels * blocks * (layer.stride > 1)),
    }


def _dense(layer: Layer, v: Vectors) -> dict[str, float]:
    pixels, rows, side = layer.output[0] * layer.output[1], _rows(layer), layer.kernel
    blocks = -(-layer.out_channels // v.block)
    sets, rest = divmod(blocks, v.blocks)
    stem = layer.in_channels < v.narrow
    parts = layer.in_channels if stem else -(-layer.in_channels // v.block)
    work = float(rows.kernel_rows * side * (parts if stem else parts * v.block))
    width = rows.inside + rows.edge
    weights = layer.in_channels * layer.out_channels * side**2
    set_bytes = 4 * layer.in_channels * side**2 * v.block * v.blocks
    return _maps(layer, v) | {
        "macs": float(pixels * weights * v.masked),
        "work": work * blocks * width,
        **{f"rest{n}": work * (rest == n) * width for n in range(1, v.blocks)},
        "tail": work * blocks * (rows.inside % v.pixels > 0),
        "edge": work * blocks * rows.edge,
        "out_again": pixels * v.held(layer.out_channels) * (parts - 1),
        "in_again": layer.input[0] * layer.input[1] * layer.in_channels * (sets + (rest > 0) - 1),
        "weights": weights,
        "weights_again": weights * layer.output[0],
        "row": layer.output[0] * blocks * parts,
        "kernel_row": rows.kernel_rows * blocks * parts,
        "strided": (layer.stride > 1) * work * blocks * width,
        "large": max(0.0, set_bytes - _NEAR_BYTES) * layer.output[0] * (sets + rest / v.blocks),
        "side": (side > 3) * work * blocks * width,
    }


def _maps(layer: Layer, v: Vectors) -> dict[str, float]:
    """What every convolution reads and writes at least once, and how much of it no near cache holds."""
    taken = float(layer.input[0] * layer.input[1] * v.held(layer.in_channels))
    left = float(layer.output[0] * layer.output[1] * v.held(layer.out_channels))
    return {"in": taken, "out": left, "far": max(0.0, taken + left - _NEAR_ELEMENTS), "one": 1.0}


def _grouped(layer: Layer, v: Vectors) -> dict[str, float]:
    """The terms of one group's convolution, times the groups."""
    one = layer._replace(
        groups=1, in_channels=layer.in_channels // layer.groups, out_channels=layer.out_channels // layer.groups
    )
    return {name: value * layer.groups for name, value in _dense(one, v).items()}
