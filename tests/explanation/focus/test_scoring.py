"""Scores of real networks: what the curves begin and end with, and the map against a shuffled one."""

from dataclasses import replace

import pytest
import torch

from tests.nn.networks import randomise
from triscale.explanation import class_maps
from triscale.explanation.focus import perturbation_curves, scored
from triscale.explanation.focus.perturbation import blurred
from triscale.explanation.focus.scoring import _on_pixels, _probability
from triscale.families import network
from triscale.nn import build
from triscale.spec import Preprocessing
from triscale.weights import Classifier


@pytest.fixture
def classifier() -> Classifier:
    torch.manual_seed(0)
    model = build(replace(network("smallnet_24"), classes=4))
    randomise(model)
    return Classifier(model=model, classes=("a", "b", "c", "d"), preprocessing=Preprocessing())


def test_the_curves_of_a_network_join_its_answers_to_image_blur_and_grey(classifier: Classifier) -> None:
    image = torch.randn(3, 24, 24, generator=torch.Generator().manual_seed(1))
    found = class_maps(classifier.own_model, image[None], wanted=2)
    probability = _probability(classifier, 2)
    deletion, insertion = perturbation_curves(probability, image, _on_pixels(found.maps[0], image), 6)
    ends = probability(torch.stack([image, torch.zeros_like(image), blurred(image)])).tolist()

    assert deletion.values[[0, -1]] == pytest.approx(ends[:2], rel=1e-4)
    assert insertion.values[[0, -1]] == pytest.approx([ends[2], ends[0]], rel=1e-4)


def test_a_map_of_what_a_network_uses_gains_over_a_shuffled_one(classifier: Classifier) -> None:
    """A network that sees the upper left corner alone: the true map is known without any training."""
    image = torch.randn(3, 24, 24, generator=torch.Generator().manual_seed(1))

    class Corner(Classifier):
        def logits(self, pictures: torch.Tensor) -> torch.Tensor:
            told = 4 * pictures[:, :, :8, :8].abs().mean((1, 2, 3))
            return torch.stack([told, *[torch.ones_like(told)] * 3], 1)

    corner = Corner(model=classifier.model, classes=classifier.classes, preprocessing=classifier.preprocessing)
    activation = torch.zeros(6, 6)
    activation[:2, :2] = 1
    good = scored(corner, image, activation, 0, steps=36)
    bad = scored(corner, image, -activation, 0, steps=36)

    assert good.deletion_gain > 0.05
    assert good.insertion_gain > 0.05
    assert bad.deletion_gain < 0
    assert bad.insertion_gain < 0


def test_scoring_twice_gives_the_same_numbers(classifier: Classifier) -> None:
    image, activation = torch.randn(3, 24, 24), torch.zeros(3, 3)
    assert scored(classifier, image, activation, 1, steps=5) == scored(classifier, image, activation, 1, steps=5)
