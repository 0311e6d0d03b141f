"""What a network looks at: exact class activation maps."""

from triscale.explain.cam import class_activation_maps
from triscale.explain.grid import overlay, write_cam_grid

__all__ = ["class_activation_maps", "overlay", "write_cam_grid"]
