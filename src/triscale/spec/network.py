"""A network as data: what could be printed in the paper, and nothing that must be run to be known.

All classes are frozen and keyword-only; a change is a new object (`dataclasses.replace`, `triscale.spec.scale`).
"""

from dataclasses import dataclass
from typing import Literal, get_args

from triscale.notebook_html import ShownInNotebook
from triscale.spec.cell import CELL_DIVISOR, Cell
from triscale.spec.fields import FieldError, later, require_choice, require_integer, require_number, require_odd
from triscale.spec.rounding import Padding, Size

Activation = Literal["relu", "relu6", "silu", "hard_swish"]
Gate = Literal["sigmoid", "hard_sigmoid"]
Operator = Literal["mbconv", "fused_mbconv", "separable", "basic", "bottleneck", "preactivation", "cell"]
Around = Literal["nothing", "activation", "norm", "norm_activation"]
"""What stands between a stem or head and the stages."""

MAX_CHANNELS = 1_000_000
MAX_REPEATS = 100_000
MAX_SIDE = 100_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Norm:
    """Batch norm settings; `momentum` is the weight of the new batch (PyTorch's sense: 0.01 is the paper's 0.99)."""

    eps: float = 1e-3
    momentum: float = 0.01

    def __post_init__(self) -> None:
        require_number("eps", self.eps, 1e-12, 1.0)
        require_number("momentum", self.momentum, 0.0, 1.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class SqueezeExcite:
    """Squeeze-excite: pool, 1x1 convolution, activation, 1x1 back, gate.

    Attributes:
        ratio: squeezed channels as a ratio of the block's input, inner or output channels, by `of`.
        gate: the last activation.
        divisor: squeezed channels are a multiple of it (MobileNetV3: 8); 1 rounds down to a whole number.
        activation: between the two convolutions; None takes the block's.
    """

    ratio: float = 0.25
    of: Literal["input", "inner", "output"] = "input"
    gate: Gate = "sigmoid"
    divisor: int = later(1)
    activation: Activation | None = later(None)

    def __post_init__(self) -> None:
        require_number("ratio", self.ratio, 1e-4, 8.0)
        require_choice("of", self.of, ("input", "inner", "output"))
        require_choice("gate", self.gate, get_args(Gate))
        require_integer("divisor", self.divisor, 1, 1024)
        require_choice("activation", self.activation, (None, *get_args(Activation)))


@dataclass(frozen=True, kw_only=True, slots=True)
class Stem:
    """The first convolution, with norm and activation.

    Attributes:
        channels: its output channels.
        kernel, stride: in pixels.
        pool: adds a 3x3 max pooling of stride 2 (ResNet).
        scales: False keeps the channels under width scaling.
        deep: output channels of convolutions in front of it, all of one kernel; the first has the stride (SENet-154).
        after: what follows the convolution: a network whose blocks begin with norm or activation needs less.
        padding: where it differs from the network's; None takes the network's.
        pool_padding: of the pooling, where it differs from the stem's; None takes the stem's.
    """

    channels: int
    kernel: int = 3
    stride: int = 2
    pool: bool = False
    scales: bool = True
    deep: tuple[int, ...] = later(())
    after: Around = later("norm_activation")
    padding: Padding | None = later(None)
    pool_padding: Padding | None = later(None)

    def __post_init__(self) -> None:
        require_integer("channels", self.channels, 1, MAX_CHANNELS)
        require_odd("kernel", self.kernel, 31)
        require_integer("stride", self.stride, 1, 8)
        require_choice("pool", self.pool, (False, True))
        require_choice("scales", self.scales, (False, True))
        for index, channels in enumerate(self.deep):
            require_integer(f"deep[{index}]", channels, 1, MAX_CHANNELS)
        require_choice("after", self.after, get_args(Around))
        require_choice("padding", self.padding, (None, *get_args(Padding)))
        require_choice("pool_padding", self.pool_padding, (None, *get_args(Padding)))
        if self.pool_padding is not None and not self.pool:
            raise FieldError("pool_padding", self.pool_padding, "null where the stem does not pool")


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """`repeats` blocks of one kind; the first has `stride` and changes the channels.

    Attributes:
        operator: `mbconv` (1x1 expand, depthwise, squeeze-excite, 1x1 project; without squeeze_excite it is
            MobileNetV2's inverted residual), `fused_mbconv` (one full convolution in place of expand and depthwise;
            with expand 1 it is all there is), `separable` (depthwise, 1x1, each with activation: MobileNetV1), `basic`
            and `bottleneck` (ResNet; v1.5: the stride sits on the 3x3 convolution), `preactivation` (a bottleneck with
            norm and activation in front of each convolution, the stride on the first), `cell` (a cell of two inputs).
        repeats: blocks in the stage.
        channels: output channels of every block; of a cell, the channels of each of its states, a multiple of 4.
        kernel: side of the spatial kernel in pixels, odd; a cell's operations have their own.
        stride: of the first block.
        expand: inner channels as a ratio of a block's input (`mbconv`, `fused_mbconv`) or output (`bottleneck`,
            `preactivation`: 0.25); otherwise 1.
        squeeze_excite: settings, or None for none; `mbconv` and `fused_mbconv` have it before the projection, `basic`
            and `bottleneck`, and `fused_mbconv` with expand 1, after their last convolution.
        activation: where it differs from the network's; None takes the network's.
        skip: identity skip where stride is 1 and the channels stay.
        scales_depth: False keeps `repeats` under depth scaling (first and last stage of EfficientNet-Lite).
        expand_of: what `expand` is a ratio of, where it differs from the operator's own (EfficientNet-EdgeTPU).
        groups: of the spatial convolution of a bottleneck (ResNeXt, SENet-154), whose channels in and out are rounded
            to a multiple of it.
        reduce: channels of a bottleneck's first convolution as a ratio of its inner ones (SENet-154: 0.5).
        shortcut_kernel: side of a projecting shortcut's kernel in pixels, odd (SENet-154: 3).
        cell: the operations of a `cell`.
    """

    operator: Operator
    repeats: int
    channels: int
    kernel: int = 3
    stride: int = 1
    expand: float = 1.0
    squeeze_excite: SqueezeExcite | None = None
    activation: Activation | None = None
    skip: bool = True
    scales_depth: bool = True
    expand_of: Literal["input", "output"] | None = later(None)
    groups: int = later(1)
    reduce: float = later(1.0)
    shortcut_kernel: int = later(1)
    cell: Cell | None = later(None)

    def __post_init__(self) -> None:
        require_choice("operator", self.operator, get_args(Operator))
        require_integer("repeats", self.repeats, 1, MAX_REPEATS)
        require_integer("channels", self.channels, 1, MAX_CHANNELS)
        require_odd("kernel", self.kernel, 31)
        require_integer("stride", self.stride, 1, 8)
        require_number("expand", self.expand, 0.01, 64.0)
        require_choice("activation", self.activation, (None, *get_args(Activation)))
        require_choice("skip", self.skip, (False, True))
        require_choice("scales_depth", self.scales_depth, (False, True))
        require_choice("expand_of", self.expand_of, (None, "input", "output"))
        require_integer("groups", self.groups, 1, MAX_CHANNELS)
        require_number("reduce", self.reduce, 0.01, 64.0)
        require_odd("shortcut_kernel", self.shortcut_kernel, 31)
        for field, (plain, operators) in _ONLY_FOR.items():
            if getattr(self, field) != plain and self.operator not in operators:
                raise FieldError(field, getattr(self, field), f"{_shown(plain)} for operator {self.operator}")
        if (self.operator == "cell") != (self.cell is not None):
            raise FieldError("cell", self.cell, "given for operator cell and for no other")
        if self.cell is not None and self.channels % CELL_DIVISOR:
            raise FieldError("channels", self.channels, f"a multiple of {CELL_DIVISOR} for operator cell")
        if self.cell is not None and self.stride > 2:
            raise FieldError("stride", self.stride, "1 or 2 for operator cell")


_ONLY_FOR: dict[str, tuple[object, tuple[Operator, ...]]] = {
    "expand": (1, ("mbconv", "fused_mbconv", "bottleneck", "preactivation")),
    "expand_of": (None, ("mbconv", "fused_mbconv")),
    "squeeze_excite": (None, ("mbconv", "fused_mbconv", "basic", "bottleneck")),
    "kernel": (3, tuple(operator for operator in get_args(Operator) if operator != "cell")),
    "groups": (1, ("bottleneck",)),
    "reduce": (1, ("bottleneck",)),
    "shortcut_kernel": (1, ("basic", "bottleneck")),
}
"""Field of a stage -> the value that it has in all operators but these."""


def _shown(value: object) -> str:
    return "null" if value is None else str(value)


@dataclass(frozen=True, kw_only=True, slots=True)
class Head:
    """1x1 convolution, global average pooling, dropout, linear classifier.

    Attributes:
        channels: of the convolution; None: no such convolution.
        dropout: rate in front of the classifier.
        scales: False keeps the channels under width scaling.
        hidden: channels of a linear layer with activation between pooling and dropout (MobileNetV3).
        before: what stands in front: a network whose blocks begin with norm or activation ends in them.
    """

    channels: int | None
    dropout: float = 0.0
    scales: bool = True
    hidden: int | None = later(None)
    before: Around = later("nothing")

    def __post_init__(self) -> None:
        if self.channels is not None:
            require_integer("channels", self.channels, 1, MAX_CHANNELS)
        require_number("dropout", self.dropout, 0.0, 0.99)
        require_choice("scales", self.scales, (False, True))
        if self.hidden is not None:
            require_integer("hidden", self.hidden, 1, MAX_CHANNELS)
        require_choice("before", self.before, get_args(Around))
        if self.channels is not None and self.before != "nothing":
            raise FieldError("before", self.before, "nothing where the head has a convolution")


@dataclass(frozen=True, kw_only=True, slots=True)
class Network(ShownInNotebook):
    """A whole network. `str(network)` prints it like Table 1 of the paper.

    Attributes:
        name: what people call it; not part of the content hash.
        resolution: input (height, width) in pixels.
        stem, stages, head: the parts, in the order of the data.
        activation, norm, padding: hold in every layer unless a stage says otherwise.
        stochastic_depth: drop rate of the last block; block i of n drops with rate `stochastic_depth * i / n`.
        channel_divisor: scaled widths are multiples of it.
        input_channels, classes: first and last width.
        channel_floor: the least share of the wanted width that rounding may leave (EfficientNetV2 has none: 0).
    """

    name: str
    resolution: Size
    stem: Stem
    stages: tuple[Stage, ...]
    head: Head
    activation: Activation = "silu"
    norm: Norm = Norm()
    padding: Padding = "same"
    stochastic_depth: float = 0.0
    channel_divisor: int = 8
    input_channels: int = 3
    classes: int = 1000
    channel_floor: float = later(0.9)

    def __post_init__(self) -> None:
        if not 1 <= len(self.name) <= 200 or not self.name.isprintable():
            raise FieldError("name", self.name, "1 to 200 printable characters")
        if len(self.resolution) != 2:
            raise FieldError("resolution", self.resolution, "[height, width]")
        for index, side in enumerate(self.resolution):
            require_integer(f"resolution[{index}]", side, 1, MAX_SIDE)
        if not 1 <= len(self.stages) <= 100:
            raise FieldError("stages", self.stages, "1 to 100 stages")
        require_choice("activation", self.activation, get_args(Activation))
        require_choice("padding", self.padding, ("same", "symmetric"))
        require_number("stochastic_depth", self.stochastic_depth, 0.0, 0.99)
        require_integer("channel_divisor", self.channel_divisor, 1, 1024)
        if self.channel_divisor % CELL_DIVISOR and any(stage.cell for stage in self.stages):
            raise FieldError("channel_divisor", self.channel_divisor, f"a multiple of {CELL_DIVISOR} where cells are")
        require_integer("input_channels", self.input_channels, 1, 100_000)
        require_integer("classes", self.classes, 1, 10_000_000)
        require_number("channel_floor", self.channel_floor, 0.0, 1.0)

    def __str__(self) -> str:
        from triscale.spec.network_table import table  # noqa: PLC0415  the table needs resolve, which needs this module

        return table(self)
