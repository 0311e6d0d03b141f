"""What a network looks at, and what it confuses: class activation maps and their scores, a drawn confusion matrix."""

from triscale.explanation.cam import class_activation_maps
from triscale.explanation.confusion import confusion_picture
from triscale.explanation.focus import Scoring, read_boxes
from triscale.explanation.gradcam import ClassMaps, class_maps, method_for
from triscale.explanation.grid import overlay, score_maps, write_cam_grid
from triscale.explanation.picture_maps import Explanation, explanations

__all__ = [
    "ClassMaps",
    "Explanation",
    "Scoring",
    "class_activation_maps",
    "class_maps",
    "confusion_picture",
    "explanations",
    "method_for",
    "overlay",
    "read_boxes",
    "score_maps",
    "write_cam_grid",
]
