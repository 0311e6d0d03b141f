"""Weights: the checkpoint format, weights of other libraries both ways, and the classifier that they make."""

from triscale.weights.checkpoint import AnyModel, Checkpoint, load, save
from triscale.weights.classifier import Classifier, classifier_of, finite, load_classifier
from triscale.weights.grow import computed_as, grown, refuse_growth
from triscale.weights.hub import is_hub_id
from triscale.weights.imagenet import imagenet_ids, imagenet_names
from triscale.weights.match.mapping import from_peer, to_peer
from triscale.weights.new_head import begin_with, with_input_channels
from triscale.weights.predictor import Guess, Predictor
from triscale.weights.sources import checkpoint_path, load_weights, require_same
from triscale.weights.write_peer import PEERS_TO_WRITE, write_for_peer

__all__ = [
    "PEERS_TO_WRITE",
    "AnyModel",
    "Checkpoint",
    "Classifier",
    "Guess",
    "Predictor",
    "begin_with",
    "checkpoint_path",
    "classifier_of",
    "computed_as",
    "finite",
    "from_peer",
    "grown",
    "imagenet_ids",
    "imagenet_names",
    "is_hub_id",
    "load",
    "load_classifier",
    "load_weights",
    "refuse_growth",
    "require_same",
    "save",
    "to_peer",
    "with_input_channels",
    "write_for_peer",
]
