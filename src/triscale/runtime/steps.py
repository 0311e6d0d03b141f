"""What a network does to its maps, one typed step after the other; maps are named by their number."""

from dataclasses import dataclass
from typing import NamedTuple

from triscale.spec import Activation, Gate, Layer, Size
from triscale.spec.layer import Pad

NO_PAD: Pad = (0, 0, 0, 0)


class Map(NamedTuple):
    """Channels of one image, `size` (height, width) each; a vector is a map of one pixel.

    `planes`: one channel after the other, as images come; else in panels of as many channels as a register has lanes.
    `ring`: of this map there are never more rows than so many, and few panels; 0: it is whole.
    """

    name: str
    channels: int
    size: Size
    planes: bool = False
    ring: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Enter:
    """Copies an image into planes, with room around them."""

    name: str
    y: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Convolve:
    """A convolution or linear layer with its folded norm, then `residual` is added, then the activation.

    Attributes:
        conv, norm: names of the modules that have the weights.
        gate: a vector that the inputs are multiplied by: the weights are, into `gated`.
        winograd: by the products of transformed tiles, see `triscale.runtime.winograd`.
    """

    name: str
    x: int
    y: int
    layer: Layer
    conv: str
    norm: str
    residual: int | None = None
    activation: Activation | Gate | None = None
    gate: int | None = None
    gated: int | None = None
    winograd: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Depthwise:
    """A convolution of each channel by itself, norm and activation; the mean of every map goes to `mean`."""

    name: str
    x: int
    y: int
    layer: Layer
    conv: str
    norm: str
    mean: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Ring:
    """A convolution and the depthwise one behind it; the map between them is a ring of rows."""

    name: str
    first: Convolve
    second: Depthwise


@dataclass(frozen=True, kw_only=True, slots=True)
class MaxPool:
    """The largest pixel under each place of the kernel; what is padded never wins."""

    name: str
    x: int
    y: int
    kernel: int
    stride: int
    pad: Pad


@dataclass(frozen=True, kw_only=True, slots=True)
class Mean:
    """The mean of each channel."""

    name: str
    x: int
    y: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Combine:
    """`activation(x * gate + residual)`, or a norm that stands alone in place of the gate.

    Attributes:
        gate: a vector; None: 1.
        norm: name of a norm's module, and `layer` its layer.
    """

    name: str
    x: int
    y: int
    gate: int | None = None
    residual: int | None = None
    norm: str | None = None
    layer: Layer | None = None
    activation: Activation | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Leave:
    """Copies the logits out."""

    name: str
    x: int


Step = Enter | Convolve | Depthwise | Ring | MaxPool | Mean | Combine | Leave


def written(step: Step) -> tuple[int, ...]:
    """The maps that a step writes."""
    match step:
        case Leave():
            found: tuple[int | None, ...] = ()
        case Ring():
            found = (*written(step.first), *written(step.second))
        case Depthwise():
            found = (step.y, step.mean)
        case Convolve():
            found = (step.y, step.gated)
        case _:
            found = (step.y,)
    return tuple(one for one in found if one is not None)


def read(step: Step) -> tuple[int, ...]:
    """The maps that a step reads and does not write."""
    match step:
        case Enter():
            found: tuple[int | None, ...] = ()
        case Ring():
            found = read(step.first)
        case Convolve():
            found = (step.x, step.residual, step.gate)
        case Combine():
            found = (step.x, step.gate, step.residual)
        case _:
            found = (step.x,)
    return tuple(one for one in found if one is not None)


def framed(step: Step) -> tuple[tuple[int, Pad], ...]:
    """The zeros (top, bottom, left, right) that a step reads around each map: a depthwise one leaves out rows."""
    match step:
        case Ring():
            return (*framed(step.first), *framed(step.second))
        case Convolve(layer=Layer(pad=(top, bottom, left, right), output=(height, width)), winograd=True):
            return ((step.x, (top, bottom + height % 2, left, right + width % 2)),)  # whole tiles
        case Convolve():
            return ((step.x, step.layer.pad),)
        case Depthwise(layer=Layer(pad=(_, _, left, right))):
            return ((step.x, (0, 0, left, right)),)
        case _:
            return ()


def shown(layer: Layer) -> str:
    """The sizes of a layer, for readers of the code."""
    return f"{layer.in_channels} -> {layer.out_channels}, {layer.kernel}x{layer.kernel}, stride {layer.stride}"
