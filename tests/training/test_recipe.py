"""The recipe: its schedule and what its optimizers are."""

import math

import pytest
import torch
from torch import nn

from triscale.errors import UsageError
from triscale.training import Recipe
from triscale.training.learning.optim import make_optimizer


def test_learning_rate_rises_linearly_to_its_peak_and_falls_to_zero_along_a_cosine() -> None:
    recipe = Recipe(learning_rate=0.1, warmup=0.2)
    assert recipe.learning_rate_at(0.0) == 0.0
    assert math.isclose(recipe.learning_rate_at(0.1), 0.05)
    assert math.isclose(recipe.learning_rate_at(0.2), 0.1)
    assert math.isclose(recipe.learning_rate_at(0.6), 0.05)
    assert recipe.learning_rate_at(1.0) < 1e-12


@pytest.mark.parametrize("optimizer", ["adamw", "sgd", "rmsprop"])
def test_weight_decay_spares_norms_and_biases(optimizer: str) -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3, bias=False), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, 2))
    made = make_optimizer(model, Recipe(optimizer=optimizer, weight_decay=0.1))  # type: ignore[arg-type]
    decayed, spared = made.param_groups
    assert {tuple(p.shape) for p in decayed["params"]} == {(4, 3, 3, 3), (2, 4)}
    assert {tuple(p.shape) for p in spared["params"]} == {(4,), (2,)}
    assert (decayed["weight_decay"], spared["weight_decay"]) == (0.1, 0.0)


@pytest.mark.parametrize("wrong", [{"epochs": 0}, {"batch": 1}])
def test_senseless_lengths_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(UsageError, match="at least"):
        Recipe(**wrong)  # type: ignore[arg-type]


def test_a_step_of_sgd_matches_torch_by_hand() -> None:
    layer = nn.Linear(2, 1, bias=False)
    before = layer.weight.detach().clone()
    optimizer = make_optimizer(layer, Recipe(optimizer="sgd", learning_rate=0.5, weight_decay=0.0))
    layer(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    # Nesterov's first step with momentum 0.9 moves by lr * (1 + 0.9) * gradient.
    assert torch.allclose(layer.weight, before - 0.5 * 1.9)
