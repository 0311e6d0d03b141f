"""One layer of a block with every size filled in."""

from typing import Literal, NamedTuple

from triscale.spec.network import Activation, Gate
from triscale.spec.rounding import Padding, Size, output_side, pad_side

Pad = tuple[int, int, int, int]
"""Pixels added at (top, bottom, left, right); a negative number cuts some away."""


class Layer(NamedTuple):
    """A convolution, a linear layer or a norm alone (`kind`), and what follows it: bias or norm, then an activation.

    `pad` is (top, bottom, left, right) in pixels; sizes are (height, width); `before` is an activation of the input.
    """

    role: str
    in_channels: int
    out_channels: int
    kernel: int
    stride: int
    groups: int
    bias: bool
    norm: bool
    activation: Activation | Gate | None
    input: Size
    output: Size
    pad: Pad
    kind: Literal["conv", "linear", "norm"] = "conv"
    before: Activation | None = None


def convolved(size: Size, kernel: int, stride: int, padding: Padding) -> Size:
    """The size that a convolution leaves."""
    return output_side(size[0], kernel, stride, padding), output_side(size[1], kernel, stride, padding)


def pads(size: Size, kernel: int, stride: int, padding: Padding) -> Pad:
    """What a convolution or pooling adds around a map."""
    return (*pad_side(size[0], kernel, stride, padding), *pad_side(size[1], kernel, stride, padding))


def convolution(
    role: str, channels: tuple[int, int], size: Size, padding: Padding, *,
    kernel: int = 1, stride: int = 1, groups: int = 1, bias: bool = False, norm: bool = True,
    activation: Activation | Gate | None = None, before: Activation | None = None,
) -> Layer:  # fmt: skip
    """The convolution of (input, output) channels on a map of `size`."""
    if stride == 1 and padding != "valid":  # an odd kernel keeps the size, and most layers are of this kind
        side = kernel // 2
        output, pad = size, (side, side, side, side)
    else:
        output, pad = convolved(size, kernel, stride, padding), pads(size, kernel, stride, padding)
    return Layer(role, *channels, kernel, stride, groups, bias, norm, activation, size, output, pad, "conv", before)
