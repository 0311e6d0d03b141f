"""What the service says of one image: its classes, and where the network sees the first of them."""

import io
from base64 import b64encode
from time import perf_counter
from typing import Any

from triscale.data.decode.image import decode
from triscale.data.feed.in_memory import to_tensor
from triscale.explanation import class_maps, method_for, overlay
from triscale.nn import Model
from triscale.prediction import guesses, prediction
from triscale.weights import Classifier, Predictor, finite

_DIGITS = 6


def map_method(classifier: Predictor) -> str | None:
    """How maps are made: `CAM` or `Grad-CAM`; None for an exported file or a foreign network, which have none."""
    if isinstance(classifier, Classifier) and isinstance(classifier.model, Model):
        return method_for(classifier.model)
    return None


def predicted(classifier: Predictor, content: bytes, top: int) -> dict[str, Any]:
    """JSON-ready: `top`, see `Prediction.top`, and the `seconds` that decoding and the network took.

    Raises:
        UnreadableError: the image cannot be read, or its format is not allowed.
        NumericError: the network answers what is not finite.
    """
    start = perf_counter()
    return {"top": prediction(classifier, content, top=top), "seconds": _since(start)}


def explained(classifier: Classifier, content: bytes, top: int) -> dict[str, Any]:
    """The same, and the `map` of the first class: its `class` and `name`, the `method`, and a `png` in base64.

    Raises:
        UnreadableError, NumericError: see `predicted`.
    """
    start = perf_counter()
    how, model = classifier.preprocessing, classifier.own_model
    pixels = decode(content, classifier.resolution, how)
    seen = class_maps(model, to_tensor(pixels[None], how.mean, how.std))
    found = [one.to_dict() for one in guesses(finite(seen.logits), classifier.classes, top)[0]]
    file = io.BytesIO()
    overlay(pixels, seen.maps[0].numpy()).save(file, format="PNG")
    index = int(seen.chosen[0])
    drawn = {"class": index, "name": classifier.classes[index], "method": method_for(model)}
    return {"top": found, "map": {**drawn, "png": b64encode(file.getvalue()).decode()}, "seconds": _since(start)}


def _since(start: float) -> float:
    return round(perf_counter() - start, _DIGITS)
