"""The grid of a study shows each network images as its weights want them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.nn.networks import randomise
from triscale.data import Source
from triscale.data.feed.in_memory import to_tensor
from triscale.data.readers.flowers import draw, open_flowers
from triscale.data.transforms.eval_crop import fitted
from triscale.explanation import write_cam_grid
from triscale.families import network
from triscale.nn import build
from triscale.spec import TFLITE, Preprocessing
from triscale.weights import Classifier


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return open_flowers(train=24, test=24, cache=tmp_path)


def classifier(source: Source, how: Preprocessing) -> Classifier:
    torch.manual_seed(0)
    model = build(replace(network("smallnet_24"), classes=len(source.classes)))
    randomise(model)
    return Classifier(model=model, classes=source.classes, preprocessing=how)


@pytest.mark.parametrize(
    "how",
    [
        Preprocessing(),
        Preprocessing(resolution=(40, 40)),
        Preprocessing(mean=(0.2, 0.3, 0.8), std=(0.5, 0.5, 0.5)),
        replace(TFLITE, crop=0.5),
    ],
)
def test_the_probabilities_are_those_of_pictures_prepared_by_the_lock(
    source: Source, tmp_path: Path, how: Preprocessing
) -> None:
    one = classifier(source, how)
    (row, _) = write_cam_grid(tmp_path, source, [("width", "0123456789abcdef", one)], 2)
    index = int(np.flatnonzero(source.labels("test") == source.classes.index(row.label))[0])
    seen = fitted(Image.fromarray(draw(0, "test", index)), one.resolution, how)
    expected = one.logits(to_tensor(seen[None], how.mean, how.std)).softmax(1)[0]

    (shown,) = row.maps
    assert shown.predicted == source.classes[int(expected.argmax())]
    assert shown.probability == pytest.approx(float(expected.max()), rel=1e-4)
    with Image.open(tmp_path / shown.file) as drawn:
        assert drawn.size == (drawn.width // one.resolution[1] * one.resolution[1],) * 2
