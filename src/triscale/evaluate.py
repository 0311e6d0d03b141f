"""Accuracy of a model on pictures."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from triscale.data.batches import moved
from triscale.nn import device_of


@torch.inference_mode()
def count_correct(model: nn.Module, batches: Iterable[tuple[Tensor, Tensor]]) -> tuple[int, int]:
    """(correct, all) pictures by top-1 in evaluation mode, where the model lies; every picture counts once."""
    model.eval()
    device, total = device_of(model), 0
    correct = torch.zeros((), dtype=torch.int64, device=device)  # read once, since each reading waits for a GPU
    for pictures, labels in moved(batches, device):
        correct += (model(pictures).argmax(1) == labels).sum()
        total += len(labels)
    return int(correct), total


def top1(model: nn.Module, batches: Iterable[tuple[Tensor, Tensor]]) -> float:
    """Top-1 accuracy in [0, 1]."""
    correct, total = count_correct(model, batches)
    return correct / total
