"""A network as data: what could be printed in the paper, and nothing that must be run to be known.

All classes are frozen and keyword-only; a change is a new object (`dataclasses.replace`, `triscale.spec.scale`).
"""

from dataclasses import dataclass
from typing import Literal, get_args

from triscale.spec.fields import FieldError, require_choice, require_integer, require_number, require_odd
from triscale.spec.rounding import Padding, Size

Activation = Literal["relu", "relu6", "silu", "hard_swish"]
Gate = Literal["sigmoid", "hard_sigmoid"]
Operator = Literal["mbconv", "separable", "basic", "bottleneck"]

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
    """Squeeze-excite: pool, 1x1 convolution, activation, 1x1 back, gate; `ratio` is of the input or inner channels."""

    ratio: float = 0.25
    of: Literal["input", "inner"] = "input"
    gate: Gate = "sigmoid"

    def __post_init__(self) -> None:
        require_number("ratio", self.ratio, 1e-4, 8.0)
        require_choice("of", self.of, ("input", "inner"))
        require_choice("gate", self.gate, get_args(Gate))


@dataclass(frozen=True, kw_only=True, slots=True)
class Stem:
    """The first convolution (with norm and activation); `pool` adds a 3x3 max pooling of stride 2 (ResNet)."""

    channels: int
    kernel: int = 3
    stride: int = 2
    pool: bool = False
    scales: bool = True

    def __post_init__(self) -> None:
        require_integer("channels", self.channels, 1, MAX_CHANNELS)
        require_odd("kernel", self.kernel, 31)
        require_integer("stride", self.stride, 1, 8)
        require_choice("pool", self.pool, (False, True))
        require_choice("scales", self.scales, (False, True))


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """`repeats` blocks of one kind; the first has `stride` and changes the channels.

    Attributes:
        operator: `mbconv` (1x1 expand, depthwise, squeeze-excite, 1x1 project; without squeeze_excite it is
            MobileNetV2's inverted residual), `separable` (depthwise, 1x1, each with activation: MobileNetV1), `basic`
            and `bottleneck` (ResNet; v1.5: the stride sits on the 3x3 convolution).
        repeats: blocks in the stage.
        channels: output channels of every block.
        kernel: side of the spatial kernel in pixels, odd.
        stride: of the first block.
        expand: inner channels as a ratio of a block's input (`mbconv`) or output (`bottleneck`: 0.25); otherwise 1.
        squeeze_excite: settings, or None for none; `mbconv` only.
        activation: where it differs from the network's; None takes the network's.
        skip: identity skip where stride is 1 and the channels stay.
        scales_depth: False keeps `repeats` under depth scaling (first and last stage of EfficientNet-Lite).
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
        if self.operator in ("separable", "basic") and self.expand != 1:
            raise FieldError("expand", self.expand, f"1 for operator {self.operator}")
        if self.operator != "mbconv" and self.squeeze_excite is not None:
            raise FieldError("squeeze_excite", self.squeeze_excite, f"null for operator {self.operator}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Head:
    """1x1 convolution to `channels` (None: no such convolution), global average pooling, dropout, linear classifier."""

    channels: int | None
    dropout: float = 0.0
    scales: bool = True

    def __post_init__(self) -> None:
        if self.channels is not None:
            require_integer("channels", self.channels, 1, MAX_CHANNELS)
        require_number("dropout", self.dropout, 0.0, 0.99)
        require_choice("scales", self.scales, (False, True))


@dataclass(frozen=True, kw_only=True, slots=True)
class Network:
    """A whole network. `str(network)` prints it like Table 1 of the paper.

    Attributes:
        name: what people call it; not part of the content hash.
        resolution: input (height, width) in pixels.
        stem, stages, head: the parts, in the order of the data.
        activation, norm, padding: hold in every layer unless a stage says otherwise.
        stochastic_depth: drop rate of the last block; block i of n drops with rate `stochastic_depth * i / n`.
        channel_divisor: scaled widths are multiples of it.
        input_channels, classes: first and last width.
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
        require_choice("padding", self.padding, get_args(Padding))
        require_number("stochastic_depth", self.stochastic_depth, 0.0, 0.99)
        require_integer("channel_divisor", self.channel_divisor, 1, 1024)
        require_integer("input_channels", self.input_channels, 1, 100_000)
        require_integer("classes", self.classes, 1, 10_000_000)

    def __str__(self) -> str:
        from triscale.spec.table import table  # noqa: PLC0415  the table needs resolve, which needs this module

        return table(self)
