"""The layers that torch lacks in the form the papers' code needs: SAME padding at any size, stochastic depth, units.

Tensors are [n, c, h, w]; sizes in pixels.
"""

import math
from collections.abc import Callable
from functools import partial

import torch.nn.functional as F
from torch import Tensor, nn

from triscale.spec import Activation, Gate, Layer, Norm, Padding
from triscale.spec.rounding import pad_side

POOL_KERNEL, POOL_STRIDE = 3, 2
"""The max pooling of ResNet's stem."""


_ACTIVATIONS: dict[Activation | Gate | None, Callable[[], nn.Module]] = {
    "relu": partial(nn.ReLU, inplace=True),
    "relu6": nn.ReLU6,
    "silu": nn.SiLU,
    "hard_swish": nn.Hardswish,
    "sigmoid": nn.Sigmoid,
    "hard_sigmoid": nn.Hardsigmoid,
    None: nn.Identity,
}


def activation(name: Activation | Gate | None, *, keeps_input: bool = False) -> nn.Module:
    """The module of that name. ReLU alone works in place: the others' backward needs what they would overwrite.

    `keeps_input`: not in place, because somebody else needs the map too.
    """
    return nn.ReLU() if keeps_input and name == "relu" else _ACTIVATIONS[name]()


def pads(x: Tensor, kernel: int, stride: int, padding: Padding) -> tuple[tuple[int, int], tuple[int, int]]:
    """((top, bottom), (left, right)) for the size of x; in SAME the extra pixel of an odd total comes after."""
    return pad_side(x.shape[-2], kernel, stride, padding), pad_side(x.shape[-1], kernel, stride, padding)


class SameConv2d(nn.Conv2d):
    """A strided convolution whose SAME padding follows the size of its input; made with `padding=0`."""

    def forward(self, x: Tensor) -> Tensor:
        """[n, c, h, w] -> [n, out, ceil(h / stride), ceil(w / stride)]."""
        (top, bottom), (left, right) = pads(x, self.kernel_size[0], self.stride[0], "same")
        if top == bottom and left == right:  # the convolution pads by itself, without a copy of x
            return F.conv2d(x, self.weight, self.bias, self.stride, (top, left), self.dilation, self.groups)
        return super().forward(F.pad(x, (left, right, top, bottom)))


class MaxPool(nn.Module):
    """3x3 max pooling of stride 2; what is padded never wins, not even over negative pixels."""

    def __init__(self, padding: Padding) -> None:
        super().__init__()
        self.padding = padding

    def forward(self, x: Tensor) -> Tensor:
        """[n, c, h, w] -> [n, c, about h / 2, about w / 2]."""
        (top, bottom), (left, right) = pads(x, POOL_KERNEL, POOL_STRIDE, self.padding)
        if top == bottom and left == right:  # without a copy of x
            return F.max_pool2d(x, POOL_KERNEL, POOL_STRIDE, (top, left))
        return F.max_pool2d(F.pad(x, (left, right, top, bottom), value=-math.inf), POOL_KERNEL, POOL_STRIDE)


class StochasticDepth(nn.Module):
    """Drops a sample's whole branch with probability `rate` while training and scales the others (arXiv 1603.09382)."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, branch: Tensor) -> Tensor:
        """[n, c, h, w] -> the same shape."""
        if not self.training or self.rate == 0:
            return branch
        keep = 1 - self.rate
        return branch * branch.new_empty(branch.shape[0], 1, 1, 1).bernoulli_(keep).div_(keep)

    def extra_repr(self) -> str:
        """Shown by print(model)."""
        return f"rate={self.rate:.4g}"


def convolution(layer: Layer, padding: Padding) -> nn.Conv2d:
    """The convolution of a resolved layer; with stride 1 SAME is the same on both sides at every size."""
    at_run_time = padding == "same" and layer.stride > 1
    kind = SameConv2d if at_run_time else nn.Conv2d
    return kind(
        layer.in_channels, layer.out_channels, layer.kernel, layer.stride,
        padding=0 if at_run_time or padding == "valid" else layer.kernel // 2, groups=layer.groups, bias=layer.bias,
    )  # fmt: skip


class ConvUnit(nn.Module):
    """Convolution, batch norm, activation, as far as the layer has them."""

    def __init__(self, layer: Layer, padding: Padding, norm: Norm) -> None:
        super().__init__()
        self.conv = convolution(layer, padding)
        self.norm = nn.BatchNorm2d(layer.out_channels, norm.eps, norm.momentum) if layer.norm else nn.Identity()
        self.activation = activation(layer.activation)

    def forward(self, x: Tensor) -> Tensor:
        """[n, in, h, w] -> [n, out, h', w']."""
        y: Tensor = self.activation(self.norm(self.conv(x)))
        return y


class NormUnit(nn.Module):
    """Batch norm, activation: the entry of a pre-activation block."""

    def __init__(self, layer: Layer, norm: Norm) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(layer.out_channels, norm.eps, norm.momentum)
        self.activation = activation(layer.activation)

    def forward(self, x: Tensor) -> Tensor:
        """[n, c, h, w] -> the same shape."""
        y: Tensor = self.activation(self.norm(x))
        return y


class SqueezeExcite(nn.Module):
    """Pool, 1x1 convolution down, activation, 1x1 back, gate, multiply (arXiv 1709.01507)."""

    def __init__(self, squeeze: Layer, excite: Layer, padding: Padding) -> None:
        super().__init__()
        self.reduce = convolution(squeeze, padding)
        self.activation = activation(squeeze.activation)
        self.expand = convolution(excite, padding)
        self.gate = activation(excite.activation)

    def forward(self, x: Tensor) -> Tensor:
        """[n, c, h, w] -> the same shape."""
        pooled = x.mean((2, 3), keepdim=True)
        gated: Tensor = x * self.gate(self.expand(self.activation(self.reduce(pooled))))
        return gated
