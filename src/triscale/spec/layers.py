"""A block and its layers: what each operator is made of, in the order of the data, with every size filled in."""

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from triscale.spec.cell import Cell
from triscale.spec.cell_layers import CellPlan, Previous, plan_cell
from triscale.spec.layer import Layer, convolution
from triscale.spec.network import Activation, Around, Gate
from triscale.spec.rounding import Padding, Size


class Block(NamedTuple):
    """One block: all that decides its layers.

    `operator` is that of a stage, or "stem", "head" (1x1 convolution, pooling, classifier) or "classifier".
    For the last two, `inner_channels` is the width that is pooled and `out_channels` the classes; in a cell,
    `inner_channels` are those of a state. `around` is what follows a stem or precedes a classifier; `previous` is a
    cell's second input, None in a first cell; `pool_padding` is that of a stem's pooling.
    """

    operator: str
    in_channels: int
    inner_channels: int
    out_channels: int
    squeeze_channels: int
    kernel: int
    stride: int
    activation: Activation
    gate: Gate
    padding: Padding
    skip: bool
    pool: bool
    input: Size
    output: Size
    squeeze_activation: Activation = "relu"
    reduce_channels: int = 0
    groups: int = 1
    shortcut_kernel: int = 1
    hidden_channels: int = 0
    around: Around = "nothing"
    deep: tuple[int, ...] = ()
    cell: Cell | None = None
    previous: Previous | None = None
    pool_padding: Padding = "same"

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers in the order of the data; a projecting shortcut comes last."""
        return block_layers(self)

    @property
    def plan(self) -> CellPlan:
        """What a cell does to each of its states."""
        if self.cell is None:
            raise TypeError(f"a {self.operator} block is not a cell")
        return plan_cell(
            self.cell, channels=self.in_channels, size=self.input, previous=self.previous,
            filters=self.inner_channels, stride=self.stride, activation=self.activation, padding=self.padding,
        )  # fmt: skip


@lru_cache(maxsize=1 << 16)
def block_layers(block: Block) -> tuple[Layer, ...]:
    """The layers of a block."""
    return tuple(_LAYERS[block.operator](block))


def _conv(
    block: Block, role: str, channels: tuple[int, int], size: Size, *,
    kernel: int = 1, stride: int = 1, groups: int = 1, bias: bool = False, norm: bool = True,
    activation: Activation | Gate | None = None,
) -> Layer:  # fmt: skip
    return convolution(
        role, channels, size, block.padding,
        kernel=kernel, stride=stride, groups=groups, bias=bias, norm=norm, activation=activation,
    )  # fmt: skip


def _linear(role: str, channels: tuple[int, int], activation: Activation | None = None) -> Layer:
    one = (1, 1)
    return Layer(role, *channels, 1, 1, 1, True, False, activation, one, one, (0, 0, 0, 0), "linear")


def _norm(b: Block) -> Layer:
    """Norm and activation in front of a block."""
    channels = b.in_channels, b.in_channels
    activation = b.activation if b.operator == "preactivation" or "activation" in b.around else None
    return Layer(
        "entry", *channels, 1, 1, b.in_channels, False, True, activation, b.input, b.input, (0, 0, 0, 0), "norm"
    )


def _stem_layers(b: Block) -> Iterator[Layer]:
    channels, size, stride = b.in_channels, b.input, b.stride
    for index, wider in enumerate(b.deep, 1):
        layer = _conv(
            b, f"deep{index}", (channels, wider), size, kernel=b.kernel, stride=stride, activation=b.activation
        )
        yield layer
        channels, size, stride = wider, layer.output, 1
    activation = b.activation if "activation" in b.around else None
    yield _conv(
        b, "conv", (channels, b.out_channels), size,
        kernel=b.kernel, stride=stride, norm="norm" in b.around, activation=activation,
    )  # fmt: skip


def _mbconv_layers(b: Block) -> Iterator[Layer]:
    if b.inner_channels != b.in_channels:
        yield _conv(b, "expand", (b.in_channels, b.inner_channels), b.input, activation=b.activation)
    inner = (b.inner_channels, b.inner_channels)
    yield _conv(
        b, "depthwise", inner, b.input,
        kernel=b.kernel, stride=b.stride, groups=b.inner_channels, activation=b.activation,
    )  # fmt: skip
    yield from _squeeze_excite(b, b.inner_channels)
    yield _conv(b, "project", (b.inner_channels, b.out_channels), b.output)


def _fused_mbconv_layers(b: Block) -> Iterator[Layer]:
    inner = b.inner_channels or b.out_channels
    yield _conv(b, "conv", (b.in_channels, inner), b.input, kernel=b.kernel, stride=b.stride, activation=b.activation)
    yield from _squeeze_excite(b, inner)
    if b.inner_channels:
        yield _conv(b, "project", (inner, b.out_channels), b.output)


def _squeeze_excite(b: Block, channels: int) -> Iterator[Layer]:
    if b.squeeze_channels:
        one = (1, 1)
        squeeze, excite = (channels, b.squeeze_channels), (b.squeeze_channels, channels)
        yield _conv(b, "squeeze", squeeze, one, bias=True, norm=False, activation=b.squeeze_activation)
        yield _conv(b, "excite", excite, one, bias=True, norm=False, activation=b.gate)


def _separable_layers(b: Block) -> Iterator[Layer]:
    inner = (b.in_channels, b.in_channels)
    yield _conv(
        b, "depthwise", inner, b.input, kernel=b.kernel, stride=b.stride, groups=b.in_channels, activation=b.activation
    )  # fmt: skip
    yield _conv(b, "pointwise", (b.in_channels, b.out_channels), b.output, activation=b.activation)


def _basic_layers(b: Block) -> Iterator[Layer]:
    yield _conv(
        b, "conv1", (b.in_channels, b.out_channels), b.input, kernel=b.kernel, stride=b.stride, activation=b.activation
    )
    yield _conv(b, "conv2", (b.out_channels, b.out_channels), b.output, kernel=b.kernel)
    yield from _squeeze_excite(b, b.out_channels)
    yield from _shortcut(b)


def _bottleneck_layers(b: Block) -> Iterator[Layer]:
    yield _conv(b, "reduce", (b.in_channels, b.reduce_channels), b.input, activation=b.activation)
    yield _conv(
        b, "conv", (b.reduce_channels, b.inner_channels), b.input,
        kernel=b.kernel, stride=b.stride, groups=b.groups, activation=b.activation,
    )  # fmt: skip
    yield _conv(b, "project", (b.inner_channels, b.out_channels), b.output)
    yield from _squeeze_excite(b, b.out_channels)
    yield from _shortcut(b)


def _preactivation_layers(b: Block) -> Iterator[Layer]:
    inner = b.inner_channels
    yield _norm(b)
    yield _conv(b, "reduce", (b.in_channels, inner), b.input, stride=b.stride, activation=b.activation)
    yield _conv(b, "conv", (inner, inner), b.output, kernel=b.kernel, activation=b.activation)
    yield _conv(b, "project", (inner, b.out_channels), b.output, norm=False)
    yield from _shortcut(b, norm=False)


def _cell_layers(b: Block) -> tuple[Layer, ...]:
    return b.plan.layers


def _shortcut(b: Block, *, norm: bool = True) -> Iterator[Layer]:
    if b.skip and (b.stride != 1 or b.in_channels != b.out_channels):
        kernel = b.shortcut_kernel
        yield _conv(b, "shortcut", (b.in_channels, b.out_channels), b.input, kernel=kernel, stride=b.stride, norm=norm)


def _head_layers(b: Block) -> Iterator[Layer]:
    yield _conv(b, "conv", (b.in_channels, b.inner_channels), b.input, activation=b.activation)
    yield from _linear_layers(b)


def _classifier_layers(b: Block) -> Iterator[Layer]:
    if "norm" in b.around:
        yield _norm(b)
    yield from _linear_layers(b)


def _linear_layers(b: Block) -> Iterator[Layer]:
    pooled = b.inner_channels
    if b.hidden_channels:
        yield _linear("hidden", (pooled, b.hidden_channels), b.activation)
    yield _linear("classifier", (b.hidden_channels or pooled, b.out_channels))


_LAYERS: dict[str, Callable[[Block], Iterable[Layer]]] = {
    "stem": _stem_layers,
    "mbconv": _mbconv_layers,
    "fused_mbconv": _fused_mbconv_layers,
    "separable": _separable_layers,
    "basic": _basic_layers,
    "bottleneck": _bottleneck_layers,
    "preactivation": _preactivation_layers,
    "cell": _cell_layers,
    "head": _head_layers,
    "classifier": _classifier_layers,
}
