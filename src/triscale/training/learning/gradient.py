"""What a step does to its gradient, and by what seed it draws."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from triscale.training.distributed.processes import ALONE, World


def clip(weights: Sequence[Tensor], most: float, world: World = ALONE) -> float:
    """The norm of the gradient of these weights, which is scaled down to `most` first where that is above 0."""
    norm = world.norm(torch.nn.utils.get_total_norm([one.grad for one in weights if one.grad is not None]))
    if most:
        torch.nn.utils.clip_grads_with_norm_(weights, most, norm)
    return norm.item()


def learning(model: nn.Module) -> list[nn.Parameter]:
    """The weights of a model, in its order, after it was put into training mode."""
    model.train()
    return list(model.parameters())


def sow(seed: int, device: torch.device) -> None:
    """Seed what is drawn on the CPU and on the device of a training, as `torch.manual_seed` does for every device.

    That asks all kinds of devices there are each time; where one was never used, it writes down the call stack.
    """
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda" and torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.default_generators[device.index or 0].manual_seed(seed)
    elif device.type != "cpu":
        torch.manual_seed(seed)


def step_seed(seed: int, step: int, rank: int = 0) -> int:
    """A seed of torch for one step of a training in one of its processes."""
    source = (seed, step, rank) if rank else (seed, step)
    return int(np.random.SeedSequence(source).generate_state(1, np.uint64)[0])
