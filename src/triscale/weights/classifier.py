"""A network that is ready to answer: from a run folder or weights to a model, its classes and its preprocessing."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from triscale.errors import NumericError, UsageError
from triscale.nn import Model, device_of
from triscale.spec import AnyNetwork
from triscale.weights.checkpoint import AnyModel
from triscale.weights.predictor import Predictor
from triscale.weights.sources import load_weights


@dataclass(frozen=True, kw_only=True, slots=True)
class Classifier(Predictor):
    """A model in evaluation mode with the names of its classes and the preprocessing it was trained with.

    Attributes:
        model: maps images [n, c, h, w] to logits [n, classes].
        notes: sentences on how sure the preprocessing is.
    """

    model: AnyModel
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        Predictor.__post_init__(self)  # no super(): a dataclass with slots is another class than the one written here
        self.model.eval()

    @property
    def network(self) -> AnyNetwork:
        """What the model was built from."""
        return self.model.network

    @property
    def own_model(self) -> Model:
        """The model, where it must be one of ours: its parts have names.

        Raises:
            UsageError: it is foreign.
        """
        if not isinstance(self.model, Model):
            raise UsageError(f"{self.network.name} is not one of triscale's own networks, whose maps have names.")
        return self.model

    @torch.inference_mode()
    def logits(self, pictures: Tensor) -> Tensor:
        """Logits [n, classes] on the CPU of normalised images [n, c, h, w].

        Raises:
            NumericError: they are not finite.
        """
        return finite(self.model(pictures.to(device_of(self.model))).float().cpu())

    def on(self, device: torch.device) -> "Classifier":
        """The same, with the model moved to a device."""
        return replace(self, model=self.model.to(device))


def finite(logits: Tensor) -> Tensor:
    """The logits themselves; NumericError where one is not a number."""
    if not torch.isfinite(logits).all():
        raise NumericError("the network outputs NaN or infinity: its weights are broken.")
    return logits


def classifier_of(model: AnyModel, classes: Sequence[str] = ()) -> Classifier:
    """The classifier that a model is, by its own preprocessing; it puts the model into evaluation mode.

    Args:
        model: from `triscale.build`, `triscale.load` or a training of one's own.
        classes: names in the order of the logits; by default the model's own, or else their numbers.

    Raises:
        UsageError: more or fewer names than logits.
    """
    names = tuple(classes) or model.classes or tuple(map(str, range(model.num_classes)))
    if len(names) != model.num_classes:
        raise UsageError(f"{len(names)} names are given for the {model.num_classes} classes of the model.")
    return Classifier(model=model, classes=names, preprocessing=model.preprocessing, trained_on=model.trained_on)


def load_classifier(
    source: str | Path | None = None,
    network: str | None = None,
    weights: str | Path | None = None,
    *,
    allow_pth: bool = False,
) -> Classifier:
    """The classifier in a run folder or in weights: the one way in for prediction and evaluation.

    Args:
        source: a run folder (its best network is taken) or weights; instead of `weights`.
        network: the network that the weights must belong to; alone, its weights in an installed package are taken.
        weights: see `triscale.weights.load_weights`; instead of `source`.
        allow_pth: see there.

    Raises:
        UsageError: both of `source` and `weights`, or an unknown name.
        InputError: missing, damaged, hostile, or of another network.
    """
    if source is not None and weights is not None:
        raise UsageError("give a run folder or weights, or --weights, not both.")
    found = load_weights(weights if source is None else source, network, allow_pth=allow_pth)
    model = found.model().to(memory_format=torch.channels_last)  # as the images are: faster on CPUs and GPUs
    return replace(classifier_of(model, found.classes), notes=found.notes)
