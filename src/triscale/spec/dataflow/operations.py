"""The operations that a network is made of, as whoever runs, writes or plans it needs them: norms already folded."""

from typing import Literal, NamedTuple

from triscale.spec.layer import Layer, Pad
from triscale.spec.network import Activation
from triscale.spec.rounding import Size


class Image(NamedTuple):
    """Gives the images."""


class Unit(NamedTuple):
    """A convolution or linear layer with the norm and the activation that follow it.

    `conv` and `norm` are the modules of the built network that have the weights; without a norm the second is empty.
    """

    layer: Layer
    conv: str
    norm: str = ""


class Normalize(NamedTuple):
    """A norm that stands alone, and its layer's activation; `module` has the weights."""

    layer: Layer
    module: str


class Activate(NamedTuple):
    """An activation that stands alone: behind a sum, or in front of several readers."""

    kind: Activation


class Mean(NamedTuple):
    """The mean of each channel: [n, c, 1, 1], or [n, c] where it is `flat`."""

    flat: bool


class Pooling(NamedTuple):
    """The largest or mean pixel under each place of the kernel; what is padded counts for nothing."""

    kind: Literal["max", "avg"]
    kernel: int
    stride: int
    pad: Pad


class Scale(NamedTuple):
    """Multiplies each channel of the first input by the second, a gate."""


class Sum(NamedTuple):
    """Adds two maps: what was kept, and a branch."""


class Concatenate(NamedTuple):
    """The channels of all inputs, one after the other."""


class Shift(NamedTuple):
    """Pixels 1, 3, 5, ... of rows and columns, with zeros (top, bottom, left, right) around them."""

    pad: Pad


Operation = Image | Unit | Normalize | Activate | Mean | Pooling | Scale | Sum | Concatenate | Shift


class Node(NamedTuple):
    """One operation and the map that it makes.

    Attributes:
        operation: what is done.
        inputs: the numbers of the nodes whose maps it reads.
        channels, size: of the map; a vector is a map of one pixel.
        block: the number of its block, in the order of the data; -1: the image.
        module: the name of the block's module in the built network; empty: the root.
        role: of its layer, or what it is for; with the block and the operation it names one node.
    """

    operation: Operation
    inputs: tuple[int, ...]
    channels: int
    size: Size
    block: int
    module: str
    role: str
