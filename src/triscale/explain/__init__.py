"""What a network looks at, and what it confuses: class activation maps, pictures of a confusion matrix."""

from triscale.explain.cam import class_activation_maps
from triscale.explain.confusion import confusion_picture
from triscale.explain.explanations import Explanation, explanations
from triscale.explain.gradcam import ClassMaps, class_maps, method_for
from triscale.explain.grid import overlay, write_cam_grid

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
