"""Weights on disk: the checkpoint format."""

from triscale.weights.checkpoint import Checkpoint, load, save

__all__ = ["Checkpoint", "load", "save"]
