"""Learning rates as functions of progress: nothing is counted on the way, so nothing needs restoring."""

import math

_NOISE = 1e-9
"""Epochs; a step that falls on the edge of a stair is on the next one, whatever the division left over."""


def cosine(peak: float, progress: float, warmup: float) -> float:
    """After the fraction `progress` in [0, 1] of all steps: linear over `warmup`, then half a cosine to 0."""
    if progress < warmup:
        return peak * progress / warmup
    return peak * 0.5 * (1 + math.cos(math.pi * (progress - warmup) / (1 - warmup)))


def staircase(peak: float, epoch: float, warmup: float, decay: float, every: float) -> float:
    """The peak, times `decay` once more each `every` epochs, counted from step 0; linear below `warmup` epochs.

    As in the authors' code (`efficientnet/utils.py`, `build_learning_rate`): the first stairs lie under the warm-up.
    """
    if epoch < warmup:
        return peak * epoch / warmup
    return peak * decay ** math.floor((epoch + _NOISE) / every)


def growth(epoch: int, epochs: int, stages: int) -> float:
    """How far training has grown in an epoch: from 0 in the first of equally long stages to 1 in the last.

    EfficientNetV2 (arXiv 2104.00298), Algorithm 1. There are no more stages than epochs, so that the last epoch has
    always grown up; where there is one stage, it has.
    """
    stages = min(stages, epochs)
    return 1.0 if stages < 2 else (epoch * stages // epochs) / (stages - 1)
