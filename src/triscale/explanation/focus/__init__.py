"""What a class activation map is worth, as numbers: deletion, insertion, and the energy inside a box."""

from triscale.explanation.focus.box_energy import Boxes, read_boxes
from triscale.explanation.focus.perturbation import Curve, area_under, perturbation_curves
from triscale.explanation.focus.scoring import Scoring, mask_of, scored

__all__ = [
    "Boxes",
    "Curve",
    "Scoring",
    "area_under",
    "mask_of",
    "perturbation_curves",
    "read_boxes",
    "scored",
]
