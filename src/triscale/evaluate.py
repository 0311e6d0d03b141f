"""Accuracy of a model on pictures."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn


@torch.inference_mode()
def count_correct(model: nn.Module, batches: Iterable[tuple[Tensor, Tensor]]) -> tuple[int, int]:
    """(correct, all) pictures by top-1 in evaluation mode; every picture counts once."""
    model.eval()
    correct = total = 0
    for pictures, labels in batches:
        correct += int((model(pictures).argmax(1) == labels).sum())
        total += len(labels)
    return correct, total


def top1(model: nn.Module, batches: Iterable[tuple[Tensor, Tensor]]) -> float:
    """Top-1 accuracy in [0, 1]."""
    correct, total = count_correct(model, batches)
    return correct / total
