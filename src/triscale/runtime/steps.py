"""What a network does to its maps, one typed step after the other; maps are named by their number."""

from dataclasses import dataclass
from typing import NamedTuple

from triscale.spec import Activation, Gate, Layer, Size
from triscale.spec.layer import Pad

NO_PAD: Pad = (0, 0, 0, 0)


class Map(NamedTuple):
    """Channels of one image, `size` (height, width) each; a vector is a map of one pixel.

    `planes`: one channel after the other, as images come; else in panels of as many channels as a register has lanes.
    """

    name: str
    channels: int
    size: Size
    planes: bool = False


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
    """

    name: str
    x: int
    y: int
    layer: Layer
    conv: str
    norm: str
    residual: int | None = None
    activation: Activation | Gate | None = None


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


Step = Enter | Convolve | Depthwise | MaxPool | Mean | Combine | Leave


def written(step: Step) -> tuple[int, ...]:
    """The maps that a step writes."""
    match step:
        case Leave():
            return ()
        case Depthwise(mean=int(mean)):
            return (step.y, mean)
        case _:
            return (step.y,)


def read(step: Step) -> tuple[int, ...]:
    """The maps that a step reads."""
    match step:
        case Enter():
            return ()
        case Convolve():
            found: tuple[int | None, ...] = (step.x, step.residual)
        case Combine():
            found = (step.x, step.gate, step.residual)
        case _:
            found = (step.x,)
    return tuple(one for one in found if one is not None)


def around(step: Step) -> Pad:
    """The zeros (top, bottom, left, right) that a step reads around its `x`."""
    match step:
        case Convolve() | Depthwise():
            return step.layer.pad
        case _:
            return NO_PAD
