"""What batch norms do in a training: few images a step, or few steps, leave poor statistics for the evaluation."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from triscale.nn import BatchNorm, device_of
from triscale.recipes import Norms

FEW = 64
"""Images below which mean and variance of a batch are too noisy to learn from."""
PRECISE = 2048
"""Images that precise statistics are taken of."""


def chosen(norms: Norms, together: int, *, begun: bool, grown: bool = False) -> Norms:
    """What `auto` means: a function of how many images a norm sees together and of whether weights begin it.

    Weights bring statistics of a million images, so few of ours do not replace them; enough of ours do, quickly.
    A network that has grown has new norms too, which have none to keep.
    """
    if norms != "auto":
        return norms
    if begun:
        return "momentum" if together >= FEW else "precise" if grown else "freeze"
    return "learn" if together >= FEW else "precise"


REASONS = {
    "learn": "they learn as the network says",
    "freeze": f"their statistics stay those of the weights, since a batch of below {FEW} images has poor ones",
    "momentum": "their running statistics follow the new images within an epoch",
    "precise": f"their statistics are taken again, of up to {PRECISE:,} images, before each evaluation",
}
"""Why, for a person."""


def set_momentum(model: nn.Module, steps: int) -> None:
    """Let running statistics take min(10 / steps of an epoch, 0.1) of each batch: 1 - max(1 - 10 / s, 0.9).

    So did Kornblith et al. (arXiv 1805.08974, appendix A.5), whose settings the paper transfers with (section 5.3).
    """
    for one in norms_of(model):
        one.momentum = min(10 / steps, 0.1)


def freeze(model: nn.Module) -> None:
    """Let norms use and keep the statistics that they have; scale and shift go on learning."""
    for one in norms_of(model):
        one.eval()


@torch.no_grad()
def take_precise(model: nn.Module, batches: Iterable[tuple[Tensor, Tensor]]) -> None:
    """Take the statistics again as plain means over the batches, with dropout and stochastic depth off.

    Precise batch norm, as in arXiv 2105.07576, section 3.
    """
    norms, place = norms_of(model), device_of(model)
    model.eval()
    for one in norms:
        one.reset_running_stats()
        one.train()
    before = [one.momentum for one in norms]
    for one in norms:
        one.momentum = None  # the mean of all batches
    for pictures, _ in batches:
        model(pictures.to(place))
    for one, momentum in zip(norms, before, strict=True):
        one.momentum = momentum
    model.eval()


def norms_of(model: nn.Module) -> list[BatchNorm]:
    """Its batch norms that keep statistics."""
    return [one for one in model.modules() if isinstance(one, BatchNorm) and one.track_running_stats]
