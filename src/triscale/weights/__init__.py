"""Weights on disk: the checkpoint format."""

from triscale.weights.checkpoint import Checkpoint, load, save, write_atomically

__all__ = ["Checkpoint", "load", "save", "write_atomically"]
