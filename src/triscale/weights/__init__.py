"""Weights: the checkpoint format, weights of other libraries both ways, and the classifier that they make."""

from triscale.weights.adapt import with_input_channels, with_new_head
from triscale.weights.answering import Answering
from triscale.weights.checkpoint import AnyModel, Checkpoint, load, save, write_atomically
from triscale.weights.classifier import Classifier, finite, load_classifier
from triscale.weights.export import PEERS_TO_WRITE, write_for_peer
from triscale.weights.grow import computed_as, grown, refuse_growth
from triscale.weights.imagenet import imagenet_ids, imagenet_names
from triscale.weights.mapping import from_peer, to_peer
from triscale.weights.sources import checkpoint_path, load_weights

__all__ = [
    "PEERS_TO_WRITE",
    "Answering",
    "AnyModel",
    "Checkpoint",
    "Classifier",
    "checkpoint_path",
    "computed_as",
    "finite",
    "from_peer",
    "grown",
    "imagenet_ids",
    "imagenet_names",
    "load",
    "load_classifier",
    "load_weights",
    "refuse_growth",
    "save",
    "to_peer",
    "with_input_channels",
    "with_new_head",
    "write_atomically",
    "write_for_peer",
]
