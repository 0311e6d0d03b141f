"""What batch norms do in a training."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from tests.train.durable import states
from tests.train.pictures import SMALL, class_folders
from tests.train.trainings import RECIPE, Heard, kept, only, request, run
from triscale.errors import UsageError
from triscale.nn import build
from triscale.recipes import Norms
from triscale.train import Engine, Interrupted, Recipe
from triscale.train.norms import chosen, norms_of, take_precise
from triscale.train.optim import make_optimizer, set_learning_rate
from triscale.weights import Checkpoint

PICTURES, LABELS = torch.rand(16, 3, 8, 8), torch.arange(16) % 2


def engine(**fields: Any) -> Engine:
    torch.manual_seed(0)
    return Engine(build(replace(SMALL, classes=2)), replace(Recipe(epochs=1, batch=16), **fields), steps=1)


def statistics(model: nn.Module) -> list[torch.Tensor]:
    return [one.clone() for norm in norms_of(model) for one in (norm.running_mean, norm.running_var) if one is not None]


def test_frozen_norms_keep_their_statistics_and_learn_their_scale() -> None:
    training = engine(norms="freeze", zero_classifier=False, warmup=0.0)
    nn.init.normal_(training.model.get_parameter("classifier.weight"))
    before = statistics(training.model)
    scales = [one.weight.clone() for one in norms_of(training.model)]
    training.learn(PICTURES, LABELS)
    assert all(torch.equal(one, other) for one, other in zip(before, statistics(training.model), strict=True))
    assert any(not torch.equal(one.weight, scale) for one, scale in zip(norms_of(training.model), scales, strict=True))


def test_frozen_norms_answer_a_training_step_as_an_evaluation_does() -> None:
    """Without dropout and stochastic depth, the loss of a step is that of the model in evaluation mode."""
    training = engine(norms="freeze", label_smoothing=0.0)
    still = replace(SMALL, classes=2, stochastic_depth=0.0, head=replace(SMALL.head, dropout=0.0))
    model = build(still)
    model.load_state_dict(training.model.state_dict())
    training = Engine(model, training.recipe, steps=1)
    with torch.no_grad():
        expected = nn.functional.cross_entropy(model.eval()(PICTURES), LABELS)
    training.learn(PICTURES, LABELS)
    assert training.mean_loss == pytest.approx(expected.item(), rel=1e-5)


@pytest.mark.parametrize(("steps", "momentum"), [(1000, 0.01), (200, 0.05), (100, 0.1), (5, 0.1)])
def test_momentum_follows_kornblith(steps: int, momentum: float) -> None:
    """1 - max(1 - 10 / s, 0.9) in torch's sense of the word."""
    model = build(SMALL)
    Engine(model, Recipe(norms="momentum"), steps=steps)
    assert {one.momentum for one in norms_of(model)} == {momentum}


def test_precise_statistics_are_the_means_over_the_batches() -> None:
    """Oracle: numpy on the input of the first norm, which no other norm changes."""
    torch.manual_seed(0)
    model = build(SMALL)
    batches = [(torch.rand(8, 3, 8, 8), LABELS[:8]) for _ in range(3)]
    take_precise(model, batches)
    with torch.no_grad():
        maps = [model.stem.conv(pictures).numpy() for pictures, _ in batches]
    norm = model.stem.norm
    assert isinstance(norm, nn.BatchNorm2d)
    assert norm.running_mean is not None
    assert norm.running_var is not None
    means = np.mean([one.mean((0, 2, 3)) for one in maps], axis=0)
    variances = np.mean([one.transpose(1, 0, 2, 3).reshape(one.shape[1], -1).var(1, ddof=1) for one in maps], axis=0)
    assert np.allclose(norm.running_mean.numpy(), means, atol=1e-6)
    assert np.allclose(norm.running_var.numpy(), variances, rtol=1e-5)


def test_precise_statistics_leave_no_trace_of_chance_or_of_the_statistics_before() -> None:
    model = build(SMALL)
    batches = [(torch.rand(8, 3, 8, 8), LABELS[:8]) for _ in range(2)]
    take_precise(model, batches)
    first = statistics(model)
    torch.manual_seed(5)
    model.train()(PICTURES)
    take_precise(model, batches)
    assert all(torch.equal(one, other) for one, other in zip(first, statistics(model), strict=True))
    assert {one.momentum for one in norms_of(model)} == {SMALL.norm.momentum}


@pytest.mark.parametrize(("batch", "begun", "expected"), [
    (8, True, "freeze"), (63, True, "freeze"), (64, True, "momentum"), (8, False, "precise"), (64, False, "learn"),
])  # fmt: skip
def test_auto_depends_on_the_batch_and_on_the_beginning(batch: int, begun: bool, expected: str) -> None:
    assert chosen("auto", batch, begun=begun) == expected
    assert chosen("learn", batch, begun=begun) == "learn"


@pytest.mark.parametrize(("batch", "expected"), [(64, "momentum"), (8, "precise")])
def test_a_grown_network_has_new_norms_whose_statistics_are_not_kept(batch: int, expected: str) -> None:
    assert chosen("auto", batch, begun=True, grown=True) == expected


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TRISCALE_CACHE", str(tmp_path / "cache"))
    return class_folders(tmp_path / "data")


@pytest.mark.parametrize("norms", ["freeze", "momentum", "precise"])
@pytest.mark.parametrize("stop", [1, 4])
def test_a_stopped_training_resumes_to_the_same_bits(tmp_path: Path, data: Path, norms: Norms, stop: int) -> None:
    """In the middle of an epoch, and between its last step and its evaluation."""
    recipe = replace(RECIPE, norms=norms, ema=0.9, layer_decay=0.5)
    weights = None
    if norms == "freeze":
        run(request(data, recipe=replace(RECIPE, epochs=1)), tmp_path / "first")
        weights = kept(tmp_path / "first")
    wanted = request(data, recipe=recipe, weights=weights)
    run(wanted, tmp_path / "whole")
    with pytest.raises(Interrupted):
        run(wanted, tmp_path / "run", Heard(stop))
    run(wanted, tmp_path / "run")
    assert states(tmp_path / "run") == states(tmp_path / "whole")


def test_statistics_that_no_weights_have_are_not_frozen(data: Path) -> None:
    with pytest.raises(UsageError, match="keeps the statistics of weights"):
        request(data, recipe=replace(RECIPE, norms="freeze"))


def test_what_auto_chose_is_told_and_recorded(tmp_path: Path, data: Path) -> None:
    run(request(data, recipe=replace(RECIPE, epochs=1)), tmp_path / "first")
    weights = kept(tmp_path / "first")
    heard = Heard(10**6)
    run(request(data, weights=weights, recipe=replace(RECIPE, norms="auto", epochs=1)), tmp_path / "run", heard)
    assert any(text.startswith("batch norms: freeze") for text in heard.said)
    assert only(tmp_path / "run").job.recipe.norms == "freeze"


def test_rates_fall_from_the_classifier_to_the_stem() -> None:
    """By the factor from part to part; every weight is in one group, and what decays is as without the factor."""
    model = build(SMALL)
    recipe = Recipe(layer_decay=0.5)
    optimizer = make_optimizer(model, recipe)
    set_learning_rate(optimizer, 1.0)
    rates = {id(one): group["lr"] for group in optimizer.param_groups for one in group["params"]}
    parts = 3 + len(SMALL.stages)
    assert rates[id(model.classifier.weight)] == 1.0
    assert rates[id(model.stem.conv.weight)] == 0.5 ** (parts - 1)
    assert [rates[id(next(stage.parameters()))] for stage in model.stages] == [
        0.5 ** (parts - 2 - index) for index in range(len(SMALL.stages))
    ]
    grouped = [id(one) for group in optimizer.param_groups for one in group["params"]]
    assert sorted(grouped) == sorted(id(one) for one in model.parameters())

    def decayed(one: torch.optim.Optimizer) -> set[int]:
        return {id(weight) for group in one.param_groups if group["weight_decay"] for weight in group["params"]}

    assert decayed(optimizer) == decayed(make_optimizer(model, Recipe()))


def test_a_checkpoint_has_one_digest_however_it_lies_on_disk(tmp_path: Path, data: Path) -> None:
    run(request(data, recipe=replace(RECIPE, epochs=1)), tmp_path / "run")
    found = kept(tmp_path / "run")
    again = Checkpoint(
        network=found.network,
        state={name: found.state[name] for name in sorted(found.state, reverse=True)},
        classes=found.classes,
        preprocessing=found.preprocessing,
    )
    assert again.digest == found.digest
    assert replace(again, classes=("x", "y")).digest != found.digest
