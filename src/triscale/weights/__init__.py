"""Weights on disk: the checkpoint format, and the classifier that is in a run folder or a checkpoint."""

from triscale.weights.checkpoint import Checkpoint, load, save, write_atomically
from triscale.weights.classifier import Classifier, checkpoint_path, load_classifier
from triscale.weights.imagenet import imagenet_ids, imagenet_names

__all__ = [
    "Checkpoint",
    "Classifier",
    "checkpoint_path",
    "imagenet_ids",
    "imagenet_names",
    "load",
    "load_classifier",
    "save",
    "write_atomically",
]
