"""The scores of the class activation maps of a network: how they are made, and of one map."""

from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from triscale.explanation.focus.box_energy import Boxes, box_mask, energy_inside
from triscale.explanation.focus.perturbation import Probability, area_under, perturbation_curves
from triscale.map_scores import MapScore
from triscale.spec import Preprocessing, Size
from triscale.weights import Classifier

STEPS = 50
"""Parts in which pixels are changed; the authors of RISE change 224 pixels at a time, so 224 parts of their images."""
_SEED = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Scoring:
    """How maps are scored.

    Attributes:
        steps: in how many equal parts pixels are changed, at least 1.
        boxes: around the objects, by the name of the image's file; images without one get no energy.
    """

    steps: int = STEPS
    boxes: Boxes = field(default_factory=dict)


def scored(
    classifier: Classifier,
    image: Tensor,
    activation: Tensor,
    index: int,
    *,
    steps: int = STEPS,
    mask: NDArray[np.float32] | None = None,
) -> MapScore:
    """The scores of a map.

    Args:
        classifier: whose map it is.
        image: [c, h, w], normalised.
        activation: [h', w'], the map of the class.
        index: the class.
        steps: see `Scoring`.
        mask: see `box_mask`.
    """
    activation = activation.detach().cpu()
    saliency = _on_pixels(activation, image)

    def areas(one: Tensor) -> tuple[float, float]:
        deletion, insertion = perturbation_curves(_probability(classifier, index), image.cpu(), one, steps)
        return area_under(deletion), area_under(insertion)

    deletion, insertion = areas(saliency)
    shuffled_deletion, shuffled_insertion = areas(_on_pixels(_shuffled(activation), image))
    return MapScore(
        deletion=deletion,
        insertion=insertion,
        shuffled_deletion=shuffled_deletion,
        shuffled_insertion=shuffled_insertion,
        energy=None if mask is None else energy_inside(saliency, mask),
        box_share=None if mask is None else float(mask.mean()),
    )


def mask_of(scoring: Scoring, name: str, original: Size, size: Size, how: Preprocessing) -> NDArray[np.float32] | None:
    """The mask of an image's boxes; None where it has none."""
    boxes = scoring.boxes.get(name)
    return box_mask(boxes, original, size, how) if boxes else None


def _probability(classifier: Classifier, index: int) -> Probability:
    def of(images: Tensor) -> Tensor:
        return classifier.logits(images).double().softmax(1)[:, index]

    return of


def _on_pixels(activation: Tensor, image: Tensor) -> Tensor:
    """A map [h', w'] on the pixels of the image, [h, w], bilinear as in RISE."""
    size = image.shape[-2:]
    return F.interpolate(activation[None, None].float(), size, mode="bilinear", align_corners=False)[0, 0]


def _shuffled(activation: Tensor) -> Tensor:
    drawn = torch.randperm(activation.numel(), generator=torch.Generator().manual_seed(_SEED))
    return activation.flatten()[drawn].reshape(activation.shape)
