"""Networks as torch modules, built from the same resolved blocks that `cost` counts."""

from triscale.nn.model import Model, build, initialise

__all__ = ["Model", "build", "initialise"]
