"""An exponential moving average of all that a network learns."""

import copy

import torch
from torch import Tensor, nn


class Ema:
    """A copy of a model that follows it, as `tf.train.ExponentialMovingAverage` with `num_updates` does.

    Parameters and the moving statistics of norms are averaged (the authors' `get_ema_vars` names both); whole numbers,
    such as a norm's count of batches, are copied.

    Attributes:
        model: the average, in evaluation mode.
        decay: what is kept in a step, once many steps were made.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.model = copy.deepcopy(model).eval().requires_grad_(requires_grad=False)
        self.decay = decay

    @torch.no_grad()
    def update(self, model: nn.Module, updates: int) -> None:
        """Take in the model after `updates` steps."""
        ours, theirs = list(self.model.state_dict().values()), list(model.state_dict().values())
        averaged = [(one, other) for one, other in zip(ours, theirs, strict=True) if one.is_floating_point()]
        first, second = _columns(averaged)
        torch._foreach_lerp_(first, second, 1 - ramp(self.decay, updates))
        for one, other in zip(ours, theirs, strict=True):
            if not one.is_floating_point():
                one.copy_(other)


def ramp(decay: float, updates: int) -> float:
    """The decay after `updates` steps, smaller in the beginning: an average of few steps must not hold to the first."""
    return min(decay, (1 + updates) / (10 + updates))


def _columns(pairs: list[tuple[Tensor, Tensor]]) -> tuple[list[Tensor], list[Tensor]]:
    return [one for one, _ in pairs], [other for _, other in pairs]
