"""What is measured of a torch module, whoever wrote it."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.parity.pictures import Size, evaluated
from benchmarks.parity.reference import Counted, Plan, Shapes


@contextmanager
def _shapes(model: nn.Module) -> Iterator[Shapes]:
    found: Shapes = []

    def note(_module: nn.Module, _inputs: object, output: Tensor) -> None:
        channels, *size = output.shape[1:]
        found.append((channels, *(size or (1, 1))))

    layers = [module for module in model.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    handles = [layer.register_forward_hook(note) for layer in layers]
    try:
        yield found
    finally:
        for handle in handles:
            handle.remove()


def counted(model: nn.Module, size: Size) -> Counted:
    """Params, half of what PyTorch's FLOP counter says, and all shapes; `model` is on the meta device, in eval mode."""
    with torch.no_grad(), _shapes(model) as shapes, FlopCounterMode(display=False) as counter:
        model(torch.empty(1, 3, *size, device="meta", dtype=next(model.parameters()).dtype))
    return Counted(
        params=sum(p.numel() for p in model.parameters() if p.requires_grad),
        macs=counter.get_total_flops() // 2,
        shapes=shapes,
    )


def logits_of(model: nn.Module, pictures: Tensor) -> Tensor:
    """[n, classes] in evaluation mode."""
    model.eval()
    with torch.inference_mode():
        logits: Tensor = model(pictures)
    return logits


def evaluate(model: nn.Module, plan: Plan) -> list[Tensor]:
    """Logits in evaluation mode, one tensor a size; the model is left in the plan's type of numbers."""
    dtype = {"float32": torch.float32, "float64": torch.float64}[plan.evaluated]
    model.to(dtype)
    return [logits_of(model, torch.from_numpy(part).to(dtype)) for part in evaluated(plan.sizes)]


def loss_of(model: nn.Module, pictures: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Logits of a pass in training mode, and their cross-entropy, which awaits its backward pass."""
    model.train()
    logits: Tensor = model(pictures)
    return logits.detach(), nn.functional.cross_entropy(logits, labels)
