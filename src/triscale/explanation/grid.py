"""The images of a class activation grid: the same originals, one overlay for each network."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from triscale.data import Source
from triscale.data.decode.image import UnreadableError, pillow_warnings_off, upright_rgb
from triscale.data.feed.in_memory import to_tensor
from triscale.data.transforms.eval_crop import fitted
from triscale.errors import InputError
from triscale.explanation.cam import class_activation_maps
from triscale.explanation.focus import scored
from triscale.map_scores import MapScore
from triscale.spec import Preprocessing, Size
from triscale.trials.map_records import FocusRecord, MapRecord, PictureRecord
from triscale.weights import Classifier

_SIDE = 160
"""Shown width and height in pixels; small originals are enlarged without smoothing."""

Named = tuple[str, str, Classifier]
"""Rule, id, and the network with the preprocessing of its weights."""


def write_cam_grid(folder: Path, source: Source, models: Sequence[Named], pictures: int) -> list[PictureRecord]:
    """Write PNGs into `folder/cam` and return them as records.

    The images are the first test images of the classes in turn, so nobody chose them by their maps.

    Args:
        folder: the run folder.
        source: the data set; its test images are shown.
        models: (rule, id, classifier) of each column.
        pictures: how many rows.
    """
    labels = source.labels("test")
    chosen = _in_turn(labels, pictures)
    (folder / "cam").mkdir(exist_ok=True)
    finest = max((one.resolution for _, _, one in models), key=lambda size: size[0] * size[1])
    originals = source.pictures("test", finest)
    maps: list[list[MapRecord]] = [[] for _ in chosen]
    for row, index in enumerate(chosen):
        _enlarged(originals[index]).save(folder / f"cam/{row}.png")
    for rule, network_id, classifier in models:
        overlays, predicted, probability = _overlays(classifier, source, chosen)
        for row in range(len(chosen)):
            file = f"cam/{row}-{network_id[:12]}.png"
            overlays[row].save(folder / file)
            name = source.classes[predicted[row]]
            maps[row].append(
                MapRecord(id=network_id, rule=rule, file=file, predicted=name, probability=probability[row])
            )
    return [
        PictureRecord(label=source.classes[labels[index]], file=f"cam/{row}.png", maps=tuple(maps[row]))
        for row, index in enumerate(chosen)
    ]


def overlay(picture: NDArray[np.uint8], activation: NDArray[np.float32]) -> Image.Image:
    """The image [h, w, 3] darkened where the map [h', w'] is low; red where it is highest."""
    low, high = float(activation.min()), float(activation.max())
    heat = Image.fromarray(((activation - low) / max(high - low, 1e-9) * 255).astype(np.uint8))
    base = _enlarged(picture)
    strength = np.asarray(heat.resize(base.size, Image.Resampling.BICUBIC), np.float32)[..., None] / 255
    colours = np.array([[0.10, 0.10, 0.35], [0.95, 0.75, 0.10], [0.90, 0.10, 0.05]], np.float32)
    place = strength[..., 0] * 2
    low_index = np.minimum(place.astype(np.int64), 1)
    part = (place - low_index)[..., None]
    heat_colours = 255 * (colours[low_index] * (1 - part) + colours[low_index + 1] * part)
    mixed = 0.55 * np.asarray(base, np.float32) + 0.45 * heat_colours
    return Image.fromarray(mixed.astype(np.uint8))


def score_maps(source: Source, models: Sequence[Named], images: int, steps: int) -> list[FocusRecord]:
    """The scores of each network's maps of its own predicted classes, on the same test images.

    Args:
        source: the data set; of its test the first images of the classes in turn are taken, as for the grid.
        models: (rule, id, classifier) of each network.
        images: how many.
        steps: see `triscale.explanation.focus.Scoring`.
    """
    chosen = _in_turn(source.labels("test"), images)
    return [
        FocusRecord(id=network_id, rule=rule, scores=tuple(_scores(classifier, source, chosen, steps)))
        for rule, network_id, classifier in models
    ]


def _scores(classifier: Classifier, source: Source, chosen: Sequence[int], steps: int) -> Iterator[MapScore]:
    how = classifier.preprocessing
    seen = to_tensor(_pixels(source, classifier.resolution, how, chosen), how.mean, how.std)
    for one in seen:
        logits, maps = class_activation_maps(classifier.own_model, one[None])
        index = int(logits[0].argmax())
        yield scored(classifier, one, maps[0, index], index, steps=steps)


def _overlays(
    classifier: Classifier, source: Source, chosen: Sequence[int]
) -> tuple[list[Image.Image], list[int], list[float]]:
    how = classifier.preprocessing
    pixels = _pixels(source, classifier.resolution, how, chosen)
    logits, maps = class_activation_maps(classifier.own_model, to_tensor(pixels, how.mean, how.std))
    predicted = logits.argmax(1)
    rows = torch.arange(len(chosen))
    shown = [overlay(pixels[row], maps[row, predicted[row]].numpy()) for row in rows.tolist()]
    return shown, predicted.tolist(), logits.softmax(1)[rows, predicted].tolist()


def _pixels(source: Source, size: Size, how: Preprocessing, chosen: Sequence[int]) -> NDArray[np.uint8]:
    """The test images as the network takes them, uint8 [n, *size, 3]."""
    if how.exact_pixels:
        return source.pictures("test", size)[list(chosen)]
    part, found = source.parts["test"], []
    with pillow_warnings_off():
        for index in chosen:
            try:
                with part.opened(index) as image:
                    found.append(fitted(upright_rgb(image), size, how))
            except UnreadableError as error:
                raise InputError(f"{part.name(index)} of {source.name} cannot be read any more: {error}.") from None
    return np.stack(found)


def _in_turn(labels: NDArray[np.int64], wanted: int) -> list[int]:
    """Positions of the first image of each class, then of the second of each, until there are `wanted`."""
    by_class = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    longest = max(len(some) for some in by_class)
    return [int(some[turn]) for turn in range(longest) for some in by_class if turn < len(some)][:wanted]


def _enlarged(picture: NDArray[np.uint8]) -> Image.Image:
    image = Image.fromarray(np.ascontiguousarray(picture))
    factor = max(1, round(_SIDE / max(image.size)))
    return image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)
