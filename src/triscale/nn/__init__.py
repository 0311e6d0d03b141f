"""Networks as torch modules, built from the same resolved blocks that `cost` counts."""

from triscale.nn.device import device_name, devices, place
from triscale.nn.model import Model, build, initialise

__all__ = ["Model", "build", "device_name", "devices", "initialise", "place"]
