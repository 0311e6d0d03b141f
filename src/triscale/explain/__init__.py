"""What a network looks at, and what it confuses: exact class activation maps, pictures of a confusion matrix."""

from triscale.explain.cam import class_activation_maps
from triscale.explain.confusion import confusion_picture
from triscale.explain.grid import overlay, write_cam_grid

__all__ = ["class_activation_maps", "confusion_picture", "overlay", "write_cam_grid"]
