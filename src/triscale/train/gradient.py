"""What a step does to its gradient, and by what seed it draws."""

import numpy as np
import torch
from torch import nn

from triscale.train.world import ALONE, World


def clip(model: nn.Module, most: float, world: World = ALONE) -> float:
    """The norm of the gradient, which is scaled down to `most` first where that is above 0."""
    gradients = [one.grad for one in model.parameters() if one.grad is not None]
    norm = world.norm(torch.nn.utils.get_total_norm(gradients))
    if most:
        torch.nn.utils.clip_grads_with_norm_(model.parameters(), most, norm)
    return norm.item()


def step_seed(seed: int, step: int, rank: int = 0) -> int:
    """A seed of torch for one step of a training in one of its processes."""
    source = (seed, step, rank) if rank else (seed, step)
    return int(np.random.SeedSequence(source).generate_state(1, np.uint64)[0])
