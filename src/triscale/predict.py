"""What a trained network says of picture files."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from triscale.data import load_picture
from triscale.data.batches import eval_batches
from triscale.errors import NumericError
from triscale.nn import Model
from triscale.spec import Preprocessing
from triscale.weights import load


@dataclass(frozen=True, kw_only=True, slots=True)
class Classifier:
    """A model in evaluation mode with the names of its classes and the preprocessing it was trained with."""

    model: Model
    classes: tuple[str, ...]
    preprocessing: Preprocessing

    @torch.inference_mode()
    def __call__(self, image: Path) -> list[dict[str, Any]]:
        """Every class as `{class, name, probability}`, most probable first; `class` is its index.

        Raises:
            InputError: the picture cannot be read.
            NumericError: the probabilities are not finite.
        """
        pixels = load_picture(image, self.model.network.resolution)[None]
        nothing, first = np.zeros(1, np.int64), np.arange(1)
        batch, _ = next(eval_batches(pixels, nothing, first, batch=1, **asdict(self.preprocessing)))
        probabilities = self.model(batch)[0].softmax(0)
        if not torch.isfinite(probabilities).all():
            raise NumericError(f"the network says of {image} what is not a number: its weights are broken.")
        order = torch.argsort(probabilities, descending=True, stable=True).tolist()
        return [
            {"class": index, "name": self.classes[index], "probability": float(probabilities[index])} for index in order
        ]


def load_classifier(checkpoint: Path) -> Classifier:
    """The classifier in a checkpoint file.

    Raises:
        InputError: missing, not a checkpoint, or damaged.
    """
    found = load(checkpoint)
    return Classifier(model=found.model(), classes=found.classes, preprocessing=found.preprocessing)
