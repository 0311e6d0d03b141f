"""Deletion and insertion (Petsiuk, Das, Saenko: RISE, BMVC 2018, arXiv 1806.07421, section 4.1).

Deletion replaces the pixels of an image by grey, the most important first by a map, and follows the probability of the
class; insertion puts the pixels of the image into a blurred copy, in the same order. A map that finds what the network
uses makes the first curve fall early (a small area below it) and the second rise early (a large area).

Grey is the mean that the preprocessing takes off, so 0 behind it, as in the authors' code. The blur is theirs too at
224 pixels, 11 by 11 taps with a standard deviation of 5, and grows in proportion above that side.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

_TAPS, _SPREAD, _SIDE = 11, 5.0, 224
_BATCH, _PIXELS = (8, 64), 64 * 64 * 64
_SEED = 0

Probability = Callable[[Tensor], Tensor]
"""Images [n, c, h, w], normalised, to the probability of one class [n]."""


class Curve(NamedTuple):
    """A probability by the fraction of pixels that are changed: `fractions` [k + 1] from 0 to 1, `values` [k + 1]."""

    fractions: NDArray[np.float64]
    values: NDArray[np.float64]


def perturbation_curves(probability: Probability, image: Tensor, saliency: Tensor, steps: int) -> tuple[Curve, Curve]:
    """Deletion and insertion of one image.

    Args:
        probability: of the class that the map is of.
        image: [c, h, w], normalised.
        saliency: [h, w]; pixels of equal value follow in an order that is drawn once for all.
        steps: in how many equal parts the pixels are changed, at least 1.

    Returns:
        the curve of deletion, from the image to grey, and that of insertion, from the blurred image to the image.
    """
    order = _order(saliency)
    counts = np.unique(np.rint(np.linspace(0, order.numel(), steps + 1)).astype(np.int64))
    starts = ((image, torch.zeros_like(image)), (blurred(image), image))
    deletion, insertion = (_followed(probability, before, after, order, counts) for before, after in starts)
    return deletion, insertion


def area_under(curve: Curve) -> float:
    """The area below a curve by the rule of trapezoids: the mean probability over the fractions."""
    return float(np.trapezoid(curve.values, curve.fractions))


def blurred(image: Tensor) -> Tensor:
    """[c, h, w] after a Gaussian blur; the edge is continued outwards."""
    taps = max(_TAPS, 2 * round(_TAPS * max(image.shape[-2:]) / _SIDE / 2 - 0.5) + 1)
    places = torch.arange(taps, dtype=image.dtype, device=image.device) - taps // 2
    weights = torch.exp(-0.5 * (places / (_SPREAD * taps / _TAPS)) ** 2)
    weights = weights / weights.sum()
    wide = F.pad(image[:, None], [taps // 2] * 4, mode="replicate")
    high = F.conv2d(wide, weights[None, None, None, :])
    return F.conv2d(high, weights[None, None, :, None])[:, 0]


def _order(saliency: Tensor) -> Tensor:
    """Indices of the pixels, the highest first."""
    flat = saliency.flatten()
    drawn = torch.randperm(flat.numel(), generator=torch.Generator().manual_seed(_SEED))
    return drawn[torch.argsort(flat[drawn], descending=True, stable=True)]


def _followed(
    probability: Probability, before: Tensor, after: Tensor, order: Tensor, counts: NDArray[np.int64]
) -> Curve:
    values = torch.cat([probability(batch) for batch in _changed(before, after, order, counts)])
    return Curve(counts / order.numel(), values.double().cpu().numpy())


def _changed(before: Tensor, after: Tensor, order: Tensor, counts: NDArray[np.int64]) -> Iterator[Tensor]:
    """Batches [b, c, h, w] of `before` with the first pixels of the order taken from `after`."""
    place = torch.empty_like(order)
    place[order] = torch.arange(order.numel())
    place = place.reshape(before.shape[-2:])
    batch = max(_BATCH[0], min(_BATCH[1], _PIXELS // place.numel()))
    for start in range(0, len(counts), batch):
        limits = torch.from_numpy(counts[start : start + batch])[:, None, None, None]
        yield torch.where((place < limits).to(before.device), after, before)
