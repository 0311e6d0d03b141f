"""Optimizer, moving average and schedules against timm's RMSpropTF and closed forms."""

import math
from dataclasses import replace

import pytest
import timm.optim
import torch
from torch import Tensor, nn

from triscale.training import Recipe, load_recipe
from triscale.training.learning.ema import Ema, ramp
from triscale.training.learning.optim import RMSPropTF, make_optimizer, set_learning_rate


def layers() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.SiLU(), nn.Flatten(), nn.Linear(16, 2))


def loss(model: nn.Module, step: int) -> Tensor:
    x = torch.randn(8, 3, 4, 4, generator=torch.Generator().manual_seed(step))
    found: Tensor = (model(x) - 1).square().mean()
    return found


@pytest.mark.parametrize("weight_decay", [0.0, 1e-2])
def test_rmsprop_matches_timm_rmsprop_tf(weight_decay: float) -> None:
    """Fifty steps with a falling rate, which the two ways of momentum treat differently."""
    ours, theirs = layers(), layers()
    one = RMSPropTF(ours.parameters(), lr=0.02, weight_decay=weight_decay)
    other = timm.optim.RMSpropTF(
        theirs.parameters(), lr=0.02, alpha=0.9, momentum=0.9, eps=1e-3, weight_decay=weight_decay
    )
    for step in range(50):
        for model, optimizer in ((ours, one), (theirs, other)):
            set_learning_rate(optimizer, 0.02 * 0.97**step)
            optimizer.zero_grad()
            loss(model, step).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)


def test_rmsprop_matches_its_closed_form() -> None:
    """With a gradient of 1 throughout the mean square stays at the 1 where it starts."""
    weight = nn.Parameter(torch.zeros(1))
    optimizer = RMSPropTF([weight], lr=0.5)
    for _ in range(3):
        weight.grad = torch.ones(1)
        optimizer.step()
    one = 0.5 / math.sqrt(1 + 1e-3)
    assert weight.item() == pytest.approx(-one * (1 + 1.9 + 2.71), rel=1e-6)


def test_the_mean_square_starts_at_one_and_eps_stands_under_the_root() -> None:
    weight = nn.Parameter(torch.zeros(1))
    optimizer = RMSPropTF([weight], lr=1.0, momentum=0.0)
    weight.grad = torch.full((1,), 0.01)
    optimizer.step()
    assert weight.item() == pytest.approx(-0.01 / math.sqrt(0.9 + 0.1 * 1e-4 + 1e-3), rel=1e-6)


def test_the_paper_decays_all_but_norms() -> None:
    decayed, spared = make_optimizer(layers(), load_recipe("efficientnet")).param_groups
    assert {tuple(one.shape) for one in decayed["params"]} == {(4, 3, 3, 3), (4,), (2, 16), (2,)}
    assert [tuple(one.shape) for one in spared["params"]] == [(4,), (4,)]
    assert (decayed["weight_decay"], spared["weight_decay"]) == (1e-5, 0.0)


def test_the_average_of_a_constant_step_matches_its_closed_form() -> None:
    """A weight that is n after step n: the error of the average is a product of ramps."""
    model = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(model.weight)
    ema, expected = Ema(model, 0.5), 0.0
    for n in range(1, 40):
        nn.init.constant_(model.weight, n)
        ema.update(model, n)
        decay = min(0.5, (1 + n) / (10 + n))
        expected = decay * expected + (1 - decay) * n
    assert ema.model.get_parameter("weight").item() == pytest.approx(expected, rel=1e-5)
    assert expected == pytest.approx(39 - 1, abs=0.01), "in the end it lags by decay / (1 - decay) steps"


def test_the_ramp_is_that_of_tensorflow() -> None:
    assert [ramp(0.9999, n) for n in (0, 1, 90)] == [0.1, 2 / 11, 0.91]
    assert ramp(0.9999, 10**6) == 0.9999


def test_the_average_covers_the_statistics_of_norms() -> None:
    model = nn.Sequential(nn.BatchNorm2d(2))
    ema = Ema(model, 0.9)
    model(torch.randn(4, 2, 3, 3) + 5)
    ema.update(model, 1)
    mean = model[0].running_mean
    assert isinstance(mean, Tensor)
    torch.testing.assert_close(ema.model.get_buffer("0.running_mean"), mean * 9 / 11)
    assert ema.model.get_buffer("0.num_batches_tracked") == 1


def test_the_staircase_of_the_paper() -> None:
    """x0.97 each 2.4 epochs counted from step 0, under a linear warm-up of 5 epochs."""
    recipe = load_recipe("efficientnet")

    def rate(epoch: float) -> float:
        return recipe.learning_rate_at(epoch / 350)

    assert rate(0) == 0
    assert rate(2.5) == pytest.approx(0.128)
    assert rate(5) == pytest.approx(0.256 * 0.97**2), "two stairs have passed under the warm-up"
    assert rate(7.19) == pytest.approx(0.256 * 0.97**2)
    assert rate(7.2) == pytest.approx(0.256 * 0.97**3)
    assert rate(349.9) == pytest.approx(0.256 * 0.97**145)


def test_every_stair_begins_at_its_step() -> None:
    recipe, steps = load_recipe("efficientnet"), 5  # 12 steps a stair
    found = [recipe.learning_rate_at(step / (350 * steps)) for step in range(350 * steps)]
    wanted = [0.256 * (step / 25 if step < 25 else 0.97 ** (step // 12)) for step in range(350 * steps)]
    assert found == pytest.approx(wanted)


def test_the_rate_is_scaled_linearly_with_the_batch() -> None:
    assert load_recipe("efficientnet").peak_rate == 0.256
    assert Recipe(learning_rate=0.256, reference_batch=4096, batch=256).peak_rate == pytest.approx(0.016)


def test_the_rate_of_modern_goes_with_the_root_of_the_batch_as_timm_scales_it_for_adam() -> None:
    modern = load_recipe("modern")
    assert modern.peak_rate == 2e-3
    assert replace(modern, batch=256).peak_rate == pytest.approx(1e-3)
    assert replace(modern, batch=4096).peak_rate == pytest.approx(4e-3)


def test_a_warm_up_in_epochs_is_a_fraction_of_them() -> None:
    one, other = Recipe(warmup=0.0, warmup_epochs=2, epochs=10), Recipe(warmup=0.2, epochs=10)
    assert [one.learning_rate_at(k / 10) for k in range(11)] == [other.learning_rate_at(k / 10) for k in range(11)]
