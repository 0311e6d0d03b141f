"""A network that is ready to answer: from a run folder or weights to a model, its classes and its preprocessing."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from triscale.errors import InputError, NumericError, UsageError
from triscale.nn import Model, device_of
from triscale.spec import Preprocessing, Size, overridden, refuse_difference, value_text
from triscale.weights.sources import load_weights


@dataclass(frozen=True, kw_only=True, slots=True)
class Classifier:
    """A model in evaluation mode with the names of its classes and the preprocessing it was trained with.

    Attributes:
        model: maps pictures [n, c, h, w] to logits [n, classes].
        classes: names in the order of the logits.
        preprocessing: what a picture goes through first.
        overrides: fields of the preprocessing that were replaced on purpose, each with what the weights had.
        notes: sentences on how sure the preprocessing is.
    """

    model: Model
    classes: tuple[str, ...]
    preprocessing: Preprocessing
    overrides: Mapping[str, object] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.model.eval()
        network = self.model.network
        for what, here, there in (
            ("classes", len(self.classes), network.classes),
            ("channels of mean and std", len(self.preprocessing.mean), network.input_channels),
        ):
            if here != there:
                raise InputError(f"{here} {what} do not fit the network {network.name}, which has {there}.")

    @property
    def resolution(self) -> Size:
        """(height, width) in pixels of the pictures it takes."""
        return self.preprocessing.resolution or self.model.network.resolution

    @torch.inference_mode()
    def logits(self, pictures: Tensor) -> Tensor:
        """Logits [n, classes] on the CPU of normalised pictures [n, c, h, w].

        Raises:
            NumericError: they are not finite.
        """
        return finite(self.model(pictures.to(device_of(self.model))).float().cpu())

    def on(self, device: torch.device) -> "Classifier":
        """The same, with the model moved to a device."""
        return replace(self, model=self.model.to(device))

    def held_to(self, asked: Mapping[str, object], override: Mapping[str, object]) -> "Classifier":
        """The same, after its preprocessing was compared with what is asked, with some fields replaced on purpose.

        Args:
            asked: field of `Preprocessing` to value; must be as in the weights, or be overridden to just that.
            override: field to value; replaces what the weights say, which `overrides` then tells.

        Raises:
            InputError: what is asked differs; no such field; or a value that cannot be.
        """
        locked = replace(self.preprocessing, resolution=self.resolution)
        wanted = overridden(locked, override)
        refuse_difference(wanted, asked)
        changed = {name: getattr(locked, name) for name in override if getattr(locked, name) != getattr(wanted, name)}
        return replace(self, preprocessing=wanted if changed else self.preprocessing, overrides=changed)

    def overrides_document(self) -> dict[str, Any]:
        """For output: each overridden field with what is `used` and what the weights say (`weights`)."""
        return {
            name: {"used": value_text(getattr(self.preprocessing, name)), "weights": value_text(value)}
            for name, value in self.overrides.items()
        }


def finite(logits: Tensor) -> Tensor:
    """The logits themselves; NumericError where one is no number."""
    if not torch.isfinite(logits).all():
        raise NumericError("the network answers what is not a number: its weights are broken.")
    return logits


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
    model = found.model().to(memory_format=torch.channels_last)  # as the pictures are: faster on CPUs and GPUs
    return Classifier(model=model, classes=found.classes, preprocessing=found.preprocessing, notes=found.notes)
