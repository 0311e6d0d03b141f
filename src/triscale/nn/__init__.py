"""Networks as torch modules, built from the same resolved blocks that `cost` counts."""

from triscale.nn.device import device_name, device_of, devices, place, synchronize
from triscale.nn.model import Model, build, initialise
from triscale.nn.sync_norm import synchronise_norms

__all__ = [
    "Model",
    "build",
    "device_name",
    "device_of",
    "devices",
    "initialise",
    "place",
    "synchronise_norms",
    "synchronize",
]
