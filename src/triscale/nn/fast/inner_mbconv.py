"""What stands between the two 1x1 convolutions of MBConv, as one step forward and backward, by compiled kernels.

Norm, activation, depthwise convolution, norm, activation, squeeze-excite. Kept for backward are the maps that enter the
two norms; the four others are worked out again while the rows pass through the cache. Maps are in channels-last memory.
"""

from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from triscale.nn.blocks import MBConv
from triscale.nn.fast import native
from triscale.nn.fast.depthwise import (
    Geometry,
    as_autocast,
    change_class,
    differentiated,
    empty,
    geometry,
    is_depthwise,
    kind_of,
    laid_out,
    shape_of,
    taps_of,
)
from triscale.nn.fast.norm_activation import (
    NormActivation,
    Statistics,
    batch_statistics,
    code_of,
    coefficients,
    norm_fits,
    pieces,
    statistics,
    sweep,
    through_norm,
)
from triscale.nn.primitives import ConvUnit, SqueezeExcite

_NOTHING, _IDENTITY = 0, 1


class InnerMBConv(MBConv):
    """An MBConv whose inner layers are one step; parameters, buffers and their names stay."""

    def forward(self, x: Tensor) -> Tensor:
        """[n, in, h, w] -> [n, out, h', w']."""
        expand = self.expand if isinstance(self.expand, ConvUnit) else None
        norms = [self.depthwise.norm, *([] if expand is None else [expand.norm])]
        several = len(x) > 1 or x.shape[2] * x.shape[3] > 4  # values of a channel after the stride; torch rejects one
        if not (differentiated(x) and several and all(map(norm_fits, norms))):
            return MBConv.forward(self, x)
        entering = as_autocast(x) if expand is None else expand.conv(x)
        branch: Tensor = self.project(inner(entering, expand, self.depthwise, self.squeeze_excite))
        return branch if self.stochastic_depth is None else x + self.stochastic_depth(branch)


def inner_fits(module: nn.Module) -> bool:
    """Whether `InnerMBConv` can stand for a module; its parts may not be others' inventions."""
    if type(module) not in {MBConv, InnerMBConv} or not isinstance(module, MBConv):
        return False
    units = [module.depthwise, *([module.expand] if isinstance(module.expand, ConvUnit) else [])]
    norms = all(type(unit.norm) in {nn.BatchNorm2d, NormActivation} and _following(unit) for unit in units)
    gate = type(module.squeeze_excite) in {nn.Identity, SqueezeExcite}
    return norms and gate and is_depthwise(module.depthwise.conv) and module.depthwise.conv.bias is None


def use_inner(block: MBConv, *, fused: bool) -> None:
    """Let an MBConv take its inner layers in one step from now on, or not."""
    change_class(block, InnerMBConv if fused else MBConv)


def inner(x: Tensor, before: ConvUnit | None, depthwise: ConvUnit, gate: nn.Module) -> Tensor:
    """The inner layers on the map that the expanding convolution gives; without one, on the block's own input."""
    squeeze = gate if isinstance(gate, SqueezeExcite) else None
    conv, after = depthwise.conv, cast("nn.BatchNorm2d", depthwise.norm)
    entering = None if before is None else cast("nn.BatchNorm2d", before.norm)
    parts = _Parts(entering, _following(before), conv, after, _following(depthwise), squeeze)
    norms = () if before is None else (before.norm.weight, before.norm.bias)
    learned = (conv.weight, after.weight, after.bias, *norms, *(squeeze.parameters() if squeeze else ()))
    y: Tensor = _Inner.apply(x, parts, *learned)
    return y


class _Parts(NamedTuple):
    before: nn.BatchNorm2d | None
    before_code: int
    conv: nn.Conv2d
    after: nn.BatchNorm2d
    after_code: int
    squeeze: SqueezeExcite | None


def _following(unit: ConvUnit | None) -> int:
    """The activation's code; 0 without a unit."""
    if unit is None:
        return _NOTHING
    return code_of(unit.norm.following if isinstance(unit.norm, NormActivation) else unit.activation)


class _Inner(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, parts: _Parts, *learned: Tensor) -> Tensor:
        """Moments of x, the convolution with the moments of what it gives, the gate, the product."""
        x = laid_out(x)
        conv, threads = parts.conv, torch.get_num_threads()
        of = geometry(conv, x)
        first = None if parts.before is None else batch_statistics(parts.before, x)
        taps = taps_of(conv.weight.to(x.dtype))
        y = empty(x, len(x), len(conv.weight), *of.output)
        partial = torch.empty(len(x), 2, y.shape[1])
        by, plus = (None, None) if first is None else (first.scale, first.shift)
        native.call(
            "depthwise_forward", shape_of(x, of), kind_of(x), x, parts.before_code, by, plus, taps, y, partial, threads
        )  # fmt: skip
        second = statistics(parts.after, partial, torch.full((len(x),), float(of.output[0] * of.output[1])))
        ctx.gate = _Gate(parts.squeeze, y, second, parts.after_code) if parts.squeeze else None
        factor = ctx.gate.value if ctx.gate else None
        out = empty(y)
        native.call(
            "norm_apply", sweep(y), kind_of(y), parts.after_code, y, second.scale, second.shift, factor, out, None,
            threads,
        )  # fmt: skip
        ctx.save_for_backward(x, y, taps, learned[1], *second, *((learned[3], *first) if first else ()))
        ctx.of, ctx.codes, ctx.weight = of, (parts.before_code, parts.after_code), conv.weight.shape
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
        """From the product back to x; the second norm's gradient is worked out as the convolution reads it."""
        x, y, taps, weight, *rest = ctx.saved_tensors
        second, dy = Statistics(*rest[:4]), laid_out(dy)
        gates, pools, partial, squeezed = ctx.gate.backward(y, dy, second) if ctx.gate else _plain(ctx, y, dy, second)
        after = coefficients(weight, partial, y.numel() // y.shape[1], second)
        given = (dy, y, ctx.codes[1], second.scale, second.shift, gates, pools, after.of_g, after.of_x, after.constant)
        first = Statistics(*rest[5:]) if ctx.codes[0] else None
        dx, dtaps, sums = _convolution(ctx, x, given, taps, first)
        dweight = dtaps.sum(0).t().reshape(ctx.weight)
        norms: tuple[Tensor, ...] = ()
        if first is not None:
            before = coefficients(rest[4], sums, x.numel() // x.shape[1], first)
            through_norm(dx, x, before, dx)
            norms = before.weight, before.bias
        return dx, None, dweight, after.weight, after.bias, *norms, *squeezed


def _plain(ctx: Any, y: Tensor, dy: Tensor, of: Statistics) -> tuple[None, None, Tensor, tuple[()]]:
    """Without a gate: the sums that the second norm needs."""
    partial = torch.empty(len(y) * pieces(y), 2, y.shape[1])
    native.call(
        "norm_gradient", sweep(y), kind_of(y), ctx.codes[1], y, dy, of.scale, of.shift, of.mean, None, partial,
        torch.get_num_threads(),
    )  # fmt: skip
    return None, None, partial, ()


def _convolution(
    ctx: Any, x: Tensor, given: tuple[Any, ...], taps: Tensor, first: Statistics | None
) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
    """Gradient before the first norm, that of the taps for each image, the sums that the first norm needs."""
    of: Geometry = ctx.of
    dx, dtaps, sums = empty(x), torch.empty(len(x), of.kernel**2, x.shape[1]), torch.empty(len(x), 2, x.shape[1])
    before = (None, None, None) if first is None else (first.scale, first.shift, first.mean)
    native.call(
        "depthwise_backward", shape_of(x, of), kind_of(x), x, ctx.codes[0], *before, *given, taps, dx, dtaps, sums,
        torch.get_num_threads(),
    )  # fmt: skip
    return dx, dtaps, sums


class _Gate:
    """The squeeze-excite gate of a batch, with the little graph of its two convolutions."""

    def __init__(self, squeeze: SqueezeExcite, y: Tensor, of: Statistics, code: int) -> None:
        partial = torch.empty(len(y), pieces(y), y.shape[1])
        threads = torch.get_num_threads()
        native.call("norm_apply", sweep(y), kind_of(y), code, y, of.scale, of.shift, None, None, partial, threads)
        self.code, self.area = code, y.shape[2] * y.shape[3]
        self.pooled = (partial.sum(1) / self.area).to(y.dtype)[:, :, None, None].requires_grad_()
        self.learned = list(squeeze.parameters())
        with torch.enable_grad():
            self.gated = squeeze.gate(squeeze.expand(squeeze.activation(squeeze.reduce(self.pooled))))
        self.value = self.gated.detach().float().flatten(1).contiguous()

    def backward(
        self, y: Tensor, dy: Tensor, of: Statistics
    ) -> tuple[Tensor, Tensor, Tensor, tuple[Tensor, ...]]:  # fmt: skip
        """The gate and a pixel's gradient by way of the pooling, [n, c]; the second norm's sums, [n, 2, c]; gradients.

        That of a pixel is (dy * gate + pooled) * slope. The kernel sums what stands beside `gate` and `pooled`, so
        that one pass serves the gate and the norm.
        """
        partial = torch.empty(len(y), pieces(y), 5, y.shape[1])
        native.call(
            "norm_gated_sums", sweep(y), kind_of(y), self.code, y, dy, of.scale, of.shift, of.mean, partial,
            torch.get_num_threads(),
        )  # fmt: skip
        of_gate, *given, slopes, products = partial.sum(1).unbind(1)
        pooled, *learned = torch.autograd.grad(
            self.gated, [self.pooled, *self.learned], of_gate.view_as(self.gated).to(self.gated.dtype)
        )
        pools = (pooled.float().flatten(1) / self.area).contiguous()
        sums = torch.stack([self.value * given[0] + pools * slopes, self.value * given[1] + pools * products], 1)
        return self.value, pools, sums, tuple(learned)
