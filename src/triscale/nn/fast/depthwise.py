"""Depthwise convolutions with a backward of their own: the same parameters and values, faster gradients on CPUs.

In torch's CPU libraries the weight gradient of 5x5 kernels and the input gradient at stride 2 are slow, in bfloat16 by
a factor of ten to a hundred. `Depthwise` is any `nn.Conv2d` with one of two other ways to the same gradients: compiled
kernels, or the slow convolutions written as fast ones. Maps are [n, c, h, w], channels-last in memory.
"""

from typing import Any, Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from triscale.nn.fast import native
from triscale.nn.primitives import SameConv2d
from triscale.spec.rounding import pad_side

Way = Literal["stock", "rewritten", "native"]
"""torch's own backward; slow convolutions written as fast ones; compiled kernels."""

KERNELS, STRIDES = (3, 5, 7), (1, 2)
_TYPES = {torch.float32, torch.bfloat16}


class Geometry(NamedTuple):
    """Where the taps of a convolution lie: pixels added before and after in height and width, output in pixels."""

    kernel: int
    stride: int
    vertical: tuple[int, int]
    horizontal: tuple[int, int]
    output: tuple[int, int]

    @property
    def even(self) -> bool:
        """The same padding on all sides, which a convolution does by itself."""
        return len({*self.vertical, *self.horizontal}) == 1


class Depthwise(nn.Conv2d):
    """A depthwise convolution with one of the ways to its gradients.

    Parameters, their names and what comes out are those of the class that it was (`stock`), and where a way does not
    apply (no gradient needed, another device or type, being compiled or exported) that class does the work.
    """

    stock: type[nn.Conv2d]
    way: Way

    def forward(self, x: Tensor) -> Tensor:
        """[n, c, h, w] -> [n, c, h', w']."""
        if not differentiated(x):
            return convolve(x, self.weight, geometry(self, x), self.bias)
        x = as_autocast(x)
        weight = self.weight.to(x.dtype)  # as autocast does
        found = geometry(self, x)
        y: Tensor = (_Native if self.way == "native" else _Rewritten).apply(x, weight, found)
        return y if self.bias is None else y + self.bias.to(x.dtype).view(1, -1, 1, 1)


def is_depthwise(module: nn.Module) -> bool:
    """Whether a module is a depthwise convolution that `Depthwise` can stand for; other classes may pad otherwise."""
    return (
        isinstance(module, nn.Conv2d)
        and (type(module) in {nn.Conv2d, SameConv2d, Depthwise} or type(module).__name__ == "Conv2dSame")
        and 1 < module.groups == module.in_channels == module.out_channels
        and module.kernel_size in {(k, k) for k in KERNELS}
        and module.stride in {(s, s) for s in STRIDES}
        and module.dilation == (1, 1)
        and module.padding_mode == "zeros"
        and not isinstance(module.padding, str)
        and max(module.padding) < module.kernel_size[0]  # beyond it rows of zeros are all there is
    )


def use(conv: nn.Conv2d, way: Way) -> None:
    """Let a depthwise convolution take this way from now on; `stock` makes it what it was."""
    if isinstance(conv, Depthwise):
        change_class(conv, conv.stock)
        del conv.way, conv.stock
    if way != "stock":
        stock = type(conv)
        change_class(conv, Depthwise)
        vars(conv).update(stock=stock, way=way)


def change_class(module: nn.Module, kind: type[nn.Module]) -> None:
    """The same module with the methods of another class: what refers to it or its parameters goes on to."""
    module.__class__ = kind


def differentiated(x: Tensor) -> bool:
    """Whether a way of ours serves: eager training on the CPU in fp32 or bfloat16."""
    return (
        torch.is_grad_enabled()
        and type(x) in {Tensor, nn.Parameter}
        and x.device.type == "cpu"
        and x.dtype in _TYPES
        and (not torch.is_autocast_enabled("cpu") or torch.get_autocast_dtype("cpu") in _TYPES)
        and x.numel() > 0
        and not torch.compiler.is_compiling()
        and not torch._C._get_tracing_state()  # noqa: SLF001  what torch.jit.is_tracing asks
    )


def as_autocast(x: Tensor) -> Tensor:
    """The map in the type in which autocast convolves."""
    return x.to(torch.get_autocast_dtype("cpu")) if torch.is_autocast_enabled("cpu") else x


def geometry(conv: nn.Conv2d, x: Tensor) -> Geometry:
    """Of a convolution on this map: SAME follows the size of the map."""
    kernel, stride = conv.kernel_size[0], conv.stride[0]
    stock = conv.stock if isinstance(conv, Depthwise) else type(conv)
    if stock is nn.Conv2d:
        pads = tuple((int(one), int(one)) for one in conv.padding)
    else:
        pads = tuple(pad_side(side, kernel, stride, "same") for side in x.shape[2:])
    height, width = ((side + sum(pad) - kernel) // stride + 1 for side, pad in zip(x.shape[2:], pads, strict=True))
    return Geometry(kernel, stride, pads[0], pads[1], (height, width))


def convolve(x: Tensor, weight: Tensor, of: Geometry, bias: Tensor | None = None) -> Tensor:
    """Torch's own depthwise convolution with this geometry."""
    pads = (of.vertical[0], of.horizontal[0])
    if not of.even:
        x, pads = F.pad(x, (*of.horizontal, *of.vertical)), (0, 0)
    return F.conv2d(x, weight, bias, of.stride, pads, 1, len(weight))


def taps_of(weight: Tensor) -> Tensor:
    """[c, 1, k, k] -> [k * k, c] in fp32: what the kernels read."""
    return weight.detach().float().flatten(1).t().contiguous()


def shape_of(x: Tensor, of: Geometry) -> Any:
    """What the kernels get of a convolution."""
    n, c, h, w = x.shape
    return native.longs(n, c, h, w, *of.output, of.kernel, of.stride, of.vertical[0], of.horizontal[0])


def kind_of(x: Tensor) -> int:
    """How the kernels name the type."""
    return int(x.dtype == torch.bfloat16)


def laid_out(x: Tensor) -> Tensor:
    """The map in channels-last memory."""
    return x.contiguous(memory_format=torch.channels_last)


def empty(x: Tensor, *sizes: int) -> Tensor:
    """Room for a map of the type of x, in channels-last memory."""
    return torch.empty(sizes or x.shape, dtype=x.dtype, memory_format=torch.channels_last)


class _Native(torch.autograd.Function):
    """Compiled kernels."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, of: Geometry) -> Tensor:
        """Torch's forward, which is fast; where it would copy x to pad it, ours."""
        x = laid_out(x)
        ctx.save_for_backward(x, weight)
        ctx.of = of
        if of.even:
            return convolve(x, weight, of)
        y = empty(x, len(x), len(weight), *of.output)
        taps, threads = taps_of(weight), torch.get_num_threads()
        native.call(
            "depthwise_forward", shape_of(x, of), kind_of(x), x, 0, None, None, taps, y, None, threads
        )  # fmt: skip
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor, Tensor, None]:
        """Both gradients in one sweep over the map."""
        x, weight = ctx.saved_tensors
        of: Geometry = ctx.of
        dx, g = empty(x), laid_out(dy)
        taps, dtaps = taps_of(weight), torch.empty(len(x), of.kernel**2, len(weight))
        after = (None, 0, *(None,) * 7)  # no norm
        native.call(
            "depthwise_backward", shape_of(x, of), kind_of(x), x, 0, None, None, None, g, *after, taps, dx, dtaps, None,
            torch.get_num_threads(),
        )  # fmt: skip
        return dx, dtaps.sum(0).t().reshape(weight.shape).to(weight.dtype), None


class _Rewritten(torch.autograd.Function):
    """Slow convolutions of the backward written as fast ones, in plain torch."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, of: Geometry) -> Tensor:
        """Torch's forward."""
        ctx.save_for_backward(x, weight)
        ctx.of = of
        return convolve(x, weight, of)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor, Tensor, None]:
        """Input: a convolution of stride 1. Weight: kernels of 3x3 that together cover the taps."""
        x, weight = ctx.saved_tensors
        return _input_gradient(dy, x, weight, ctx.of), _weight_gradient(dy, x, weight, ctx.of), None


def _input_gradient(dy: Tensor, x: Tensor, weight: Tensor, of: Geometry) -> Tensor:
    """The flipped kernel over dy, with zeros between its pixels where the stride is 2."""
    height, width = x.shape[2] + of.kernel - 1, x.shape[3] + of.kernel - 1
    spread = laid_out(dy.new_zeros(*dy.shape[:2], height, width))
    top, left = of.kernel - 1 - of.vertical[0], of.kernel - 1 - of.horizontal[0]
    rows, columns = (of.output[0] - 1) * of.stride + 1, (of.output[1] - 1) * of.stride + 1
    spread[:, :, top : top + rows : of.stride, left : left + columns : of.stride] = dy
    return F.conv2d(spread, weight.flip(2, 3), groups=len(weight))


def _weight_gradient(dy: Tensor, x: Tensor, weight: Tensor, of: Geometry) -> Tensor:
    padded = F.pad(x, (*of.horizontal, *of.vertical))
    rows, columns = ((side - 1) * of.stride + 3 for side in of.output)
    small = weight[:, :, :3, :3].contiguous()
    gradient = torch.zeros_like(weight)
    for i in range(0, of.kernel - 2, 2):
        for j in range(0, of.kernel - 2, 2):
            window = laid_out(padded[:, :, i : i + rows, j : j + columns])
            gradient[:, :, i : i + 3, j : j + 3] = _gradient_3x3(dy, window, small, of.stride)
    return gradient


def _gradient_3x3(dy: Tensor, x: Tensor, weight: Tensor, stride: int) -> Tensor:
    sizes = [stride, stride], [0, 0], [1, 1], False, [0, 0], len(weight)
    found: Tensor = torch.ops.aten.convolution_backward(dy, x, weight, None, *sizes, [False, True, False])[1]
    return found
