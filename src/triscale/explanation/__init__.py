"""What a network looks at, and what it confuses: class activation maps, images of a confusion matrix."""

from triscale.explanation.cam import class_activation_maps
from triscale.explanation.confusion import confusion_picture
from triscale.explanation.gradcam import ClassMaps, class_maps, method_for
from triscale.explanation.grid import overlay, write_cam_grid
from triscale.explanation.picture_maps import Explanation, explanations

__all__ = [
    "ClassMaps",
    "Explanation",
    "class_activation_maps",
    "class_maps",
    "confusion_picture",
    "explanations",
    "method_for",
    "overlay",
    "write_cam_grid",
]
