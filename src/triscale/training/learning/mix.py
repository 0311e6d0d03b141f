"""mixup and CutMix of a batch with its own reverse; what is drawn is a function of (seed, step)."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Mixed:
    """A mixed batch: `share` of each image is its own, the rest that of its mirror place in the batch.

    Attributes:
        pictures: [n, c, h, w].
        others: [n], labels of what was mixed in.
        share: in [0, 1].
    """

    pictures: Tensor
    others: Tensor
    share: float


def mixed(pictures: Tensor, labels: Tensor, mixup: float, cutmix: float, seed: int, step: int) -> Mixed:
    """Mix a batch.

    Args:
        pictures: [n, c, h, w]; not changed.
        labels: [n].
        mixup: alpha of the share's Beta(alpha, alpha) (arXiv 1710.09412); 0: no mixup.
        cutmix: alpha of the share that is not cut (arXiv 1905.04899); 0: no CutMix. With both, one of them by a coin.
        seed: of the training.
        step: counted from the first of the training.
    """
    if not mixup and not cutmix:
        return Mixed(pictures, labels, 1.0)
    draws = np.random.Generator(np.random.Philox(np.random.SeedSequence((seed, step, _STREAM))))
    cut = not mixup or bool(cutmix and draws.random() < 0.5)
    share = float(draws.beta(cutmix, cutmix) if cut else draws.beta(mixup, mixup))
    if not cut:
        return Mixed(torch.lerp(pictures.flip(0), pictures, share), labels.flip(0), share)
    height, width = pictures.shape[-2:]
    rows, columns = _span(height, share, draws), _span(width, share, draws)
    pasted = pictures.clone(memory_format=torch.preserve_format)
    pasted[..., rows, columns] = pictures.flip(0)[..., rows, columns]
    area = (rows.stop - rows.start) * (columns.stop - columns.start)
    return Mixed(pasted, labels.flip(0), 1 - area / (height * width))


_STREAM = 0x6D6978
"""Keeps these draws apart from all others of the same seed."""


def _span(side: int, share: float, draws: np.random.Generator) -> slice:
    """A stretch of sqrt(1 - share) of the side around a place drawn anywhere, cut at the edges."""
    half = side * np.sqrt(1 - share) / 2
    centre = draws.random() * side
    return slice(max(0, round(centre - half)), min(side, round(centre + half)))
