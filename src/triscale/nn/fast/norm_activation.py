"""Batch norm with its activation in one step, forward and backward, by compiled kernels.

What is kept for backward is the input and four numbers a channel; torch keeps the norm's output for the activation too.
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from triscale.nn.fast import native
from triscale.nn.fast.depthwise import differentiated, empty, kind_of, laid_out

_CODES: dict[type[nn.Module], int] = {nn.Identity: 1, nn.ReLU: 2, nn.ReLU6: 3, nn.SiLU: 4, nn.Hardswish: 5}
"""How the kernels name the activations; 0 is a map without a norm."""


class Statistics(NamedTuple):
    """Of a norm in a batch, each [c] in fp32: the norm is x * scale + shift; `inverse` is one over the deviation."""

    mean: Tensor
    inverse: Tensor
    scale: Tensor
    shift: Tensor


class NormCoefficients(NamedTuple):
    """The norm's gradients; that of its input is g * of_g + x * of_x + constant. Each [c] in fp32."""

    weight: Tensor
    bias: Tensor
    of_g: Tensor
    of_x: Tensor
    constant: Tensor


class NormActivation(nn.BatchNorm2d):
    """A batch norm that takes over the activation that follows it; parameters, buffers and their names stay."""

    stock: type[nn.BatchNorm2d]
    following: nn.Module

    def forward(self, x: Tensor) -> Tensor:
        """[n, c, h, w] -> the same shape."""
        if not (differentiated(x) and norm_fits(self) and x.numel() > x.shape[1]):  # torch rejects a single value
            y: Tensor = self.following(nn.BatchNorm2d.forward(self, x))
            return y
        joined: Tensor = _NormActivation.apply(x, self.weight, self.bias, self, code_of(self.following))
        return joined


def code_of(activation: nn.Module) -> int:
    """The kernels' name of an activation; 0 where they have none."""
    return _CODES.get(type(activation), 0)


def norm_fits(norm: nn.Module) -> bool:
    """Whether the kernels can do this norm now: it learns from the batch and is that of one process."""
    return (
        isinstance(norm, nn.BatchNorm2d)
        and type(norm) in {nn.BatchNorm2d, NormActivation}
        and norm.training
        and norm.affine
        and norm.track_running_stats
        and norm.momentum is not None
        and norm.weight.dtype is torch.float32
        and norm.running_var is not None
        and norm.running_var.dtype is torch.float32
    )


def statistics(norm: nn.BatchNorm2d, partial: Tensor, rows: Tensor) -> Statistics:
    """Join the moments of parts of the batch; the norm's running statistics take them in."""
    channels = norm.num_features
    found = Statistics(*torch.empty(4, channels))
    if norm.num_batches_tracked is not None:
        norm.num_batches_tracked.add_(1)
    native.call(
        "norm_prepare", len(rows), channels, rows, partial, norm.weight, norm.bias, norm.eps, norm.momentum or 0.0,
        norm.running_mean, norm.running_var, *found,
    )  # fmt: skip
    return found


def coefficients(norm_weight: Tensor, partial: Tensor, values: int, of: Statistics) -> NormCoefficients:
    """Join the sums of parts; `values`: how many a channel has in the batch."""
    found = NormCoefficients(*torch.empty(5, len(norm_weight)))
    parts = partial.numel() // (2 * len(norm_weight))
    native.call(
        "norm_coefficients", parts, len(norm_weight), float(values), partial, norm_weight, of.mean, of.inverse, *found
    )  # fmt: skip
    return found


def sweep(x: Tensor) -> Any:
    """What the kernels get of a map."""
    return native.longs(x.shape[0], x.shape[2] * x.shape[3], x.shape[1])


def pieces(x: Tensor) -> int:
    """How many pieces the kernels make of an image."""
    return native.call("norm_pieces", sweep(x), None)


def batch_statistics(norm: nn.BatchNorm2d, x: Tensor) -> Statistics:
    """Of a map in channels-last memory."""
    count = len(x) * pieces(x)
    partial, rows = torch.empty(count, 2, x.shape[1]), torch.empty(count)
    native.call("norm_pieces", sweep(x), rows)
    native.call("norm_moments", sweep(x), kind_of(x), x, partial, torch.get_num_threads())
    return statistics(norm, partial, rows)


def through_norm(g: Tensor, x: Tensor, of: NormCoefficients, into: Tensor) -> Tensor:
    """The gradient of the norm's input, written into a map (which may be g)."""
    native.call(
        "norm_affine", sweep(x), kind_of(x), g, x, of.of_g, of.of_x, of.constant, into, torch.get_num_threads()
    )  # fmt: skip
    return into


class _NormActivation(torch.autograd.Function):
    """Norm and activation."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, norm: nn.BatchNorm2d, code: int) -> Tensor:
        """Moments, then both in one pass."""
        del bias
        x = laid_out(x)
        of = batch_statistics(norm, x)
        y = empty(x)
        threads = torch.get_num_threads()
        native.call("norm_apply", sweep(x), kind_of(x), code, x, of.scale, of.shift, None, y, None, threads)
        ctx.save_for_backward(x, weight, *of)
        ctx.code = code
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor, Tensor, Tensor, None, None]:
        """The activation's gradient and its sums, then the norm's."""
        x, weight, *rest = ctx.saved_tensors
        of, dy = Statistics(*rest), laid_out(dy)
        partial = torch.empty(len(x) * pieces(x), 2, x.shape[1])
        g = None if ctx.code == 1 else empty(x)
        native.call(
            "norm_gradient", sweep(x), kind_of(x), ctx.code, x, dy, of.scale, of.shift, of.mean, g, partial,
            torch.get_num_threads(),
        )  # fmt: skip
        found = coefficients(weight, partial, x.numel() // x.shape[1], of)
        into = empty(x) if g is None else g
        return through_norm(dy if g is None else g, x, found, into), found.weight, found.bias, None, None
