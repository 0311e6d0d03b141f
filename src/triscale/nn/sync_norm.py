"""Batch norm over the images of all processes; torch's own does it on GPUs alone."""

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

BatchNorm = nn.BatchNorm2d | nn.SyncBatchNorm
"""A batch norm, torch's synchronised one among them, which is no `nn.BatchNorm2d`."""


class _Sum(torch.autograd.Function):
    """The sum of a tensor over all processes; the gradient of a sum is the sum of the gradients."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:  # noqa: ARG004  torch's signature
        """Add up."""
        total = values.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:  # noqa: ARG004
        """Add up."""
        total = gradient.contiguous().clone()
        dist.all_reduce(total)
        return total


class SyncNorm(nn.BatchNorm2d):
    """`nn.BatchNorm2d` whose mean and variance in training are those of the batches of all processes together."""

    def forward(self, x: Tensor) -> Tensor:
        """[n, c, h, w] -> the same."""
        if not self.training or not dist.is_initialized():
            return super().forward(x)
        here = torch.full((1,), x.numel() / x.shape[1], dtype=torch.float32, device=x.device)
        count = _Sum.apply(here)  # not in bfloat16, which has no 107,217
        if count.item() < 2:
            raise ValueError(f"a batch norm learns from more than one value a channel, and here are {tuple(x.shape)}")
        mean = _Sum.apply(x.float().sum((0, 2, 3))) / count
        centred = x.float() - mean[:, None, None]
        variance = _Sum.apply((centred * centred).sum((0, 2, 3))) / count
        self._follow(mean.detach(), variance.detach() * count / (count - 1))
        scale = self.weight * torch.rsqrt(variance + self.eps)
        answer: Tensor = centred * scale[:, None, None] + self.bias[:, None, None]
        return answer.to(x.dtype)

    def _follow(self, mean: Tensor, variance: Tensor) -> None:
        if self.running_mean is None or self.running_var is None or self.num_batches_tracked is None:
            return
        self.num_batches_tracked.add_(1)
        share = 1 / self.num_batches_tracked.item() if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean, share)
        self.running_var.lerp_(variance, share)


def synchronise_norms(model: nn.Module) -> nn.Module:
    """Let every batch norm of a model see the images of all processes; on GPUs by torch's own. Changes the model.

    Names in its state stay; run it before the optimizer is made.
    """
    if next(model.parameters()).is_cuda:
        converted: nn.Module = nn.SyncBatchNorm.convert_sync_batchnorm(model)  # type: ignore[no-untyped-call]
        return converted
    for one in model.modules():
        if type(one) is nn.BatchNorm2d:
            one.__class__ = SyncNorm
    return model
