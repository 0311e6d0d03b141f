"""Steps that are skipped: they change nothing, are counted, and too many of them end the training."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils.hooks import RemovableHandle

from tests.training.durable import states
from tests.training.pictures import class_folders
from tests.training.test_loop import NETWORK, Listed, pictures
from tests.training.test_saved import keeper
from tests.training.trainings import Heard, epochs, request, run
from triscale.errors import NumericError, UsageError
from triscale.nn import build
from triscale.training import Interrupted, Recipe, Trainer, train
from triscale.training.learning.gradient import clip
from triscale.training.saved import tensors_of


def engine(steps: int = 4, **recipe: Any) -> Trainer:
    torch.manual_seed(0)
    return Trainer(build(NETWORK), Recipe(epochs=4, ema=0.9, **recipe), steps)


def nan_in_the_pictures(_: Trainer, images: Tensor) -> None:
    images[5, 0, 0, 0] = torch.nan


def infinity_in_the_pictures(_: Trainer, images: Tensor) -> None:
    images[5, 0, 0, 0] = torch.inf


def nan_in_the_gradient(one: Trainer, _: Tensor) -> None:
    """Of one weight, while the loss is finite."""
    weight = one.model.get_parameter("classifier.weight")
    met: list[RemovableHandle] = []

    def broken(gradient: Tensor) -> Tensor:
        met.pop().remove()
        return gradient * torch.nan

    met.append(weight.register_hook(broken))  # type: ignore[no-untyped-call]


WRONG = [nan_in_the_pictures, infinity_in_the_pictures, nan_in_the_gradient]


@pytest.mark.parametrize("wrong", WRONG)
def test_a_skipped_step_leaves_weights_optimizer_average_and_norms_bit_for_bit(wrong: Any) -> None:
    one = engine(not_finite="skip", optimizer="rmsprop", clip=1.0)
    one.learn(*pictures(32))
    before, counted = {name: value.clone() for name, value in tensors_of(one).items()}, (one.norm, one.samples)
    images, labels = pictures(32)
    wrong(one, images)
    one.learn(images, labels)
    after = tensors_of(one)
    assert any("running_mean" in name for name in before), "the statistics of norms are among them"
    assert [name for name in before if not torch.equal(before[name], after[name])] == []
    assert (one.step, one.skipped, one.skipped_in(0), one.skipped_in(1)) == (2, [1], [1], [])
    assert (one.norm, one.samples) == counted
    one.learn(*pictures(32))
    changed = tensors_of(one)
    assert not torch.equal(before["model.classifier.weight"], changed["model.classifier.weight"]), "it goes on"
    assert all(torch.isfinite(value).all() for value in changed.values())


@pytest.mark.parametrize("wrong", WRONG)
def test_by_default_it_stops_within_the_step_with_the_weights_as_before(wrong: Any) -> None:
    one = engine()
    weights = [value.clone() for value in one.model.parameters()]
    images, labels = pictures(32)
    wrong(one, images)
    with pytest.raises(NumericError, match=r"in epoch 1 at learning rate .* \(step 1\)"):
        one.learn(images, labels)
    assert all(torch.equal(a, b) for a, b in zip(weights, one.model.parameters(), strict=True))


def test_weights_that_the_last_step_broke_are_not_evaluated() -> None:
    """No loss has looked at them."""

    def overflow(one: Trainer) -> None:
        if one.step == Listed.steps:
            one.model.get_parameter("classifier.weight").data[0, 0] = torch.inf

    with pytest.raises(NumericError, match=r"weight is not finite after epoch 1\.\nUse a learning rate below 0\.008"):
        train(engine(), Listed(), lambda _: pytest.fail("it was evaluated"), on_step=overflow)


class Bad(Listed):
    """Every second batch of epoch 1 (counted from 0) is NaN."""

    steps = 40

    def batches(self, epoch: int, first: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        """Forty of 4."""
        images, labels = pictures(160)
        for step in range(first, self.steps):
            some = images[4 * step : 4 * step + 4].clone()
            if epoch == 1 and step % 2:
                some[0] = torch.nan
            yield some, labels[4 * step : 4 * step + 4]


def test_too_many_skipped_steps_in_an_epoch_end_the_training() -> None:
    """More than ten, and more than one in a hundred."""
    one = engine(Bad.steps, not_finite="skip")
    one.step = Bad.steps
    one.close_epoch(0.0)
    with pytest.raises(NumericError, match=r"after 10 skipped steps in this epoch .* \(step 62\)") as caught:
        train(one, Bad(), lambda _: 0.0)
    assert "1/21/0.png" in str(caught.value)
    assert len(str(caught.value).splitlines()) <= 3
    assert len(one.skipped_in(1)) == 10
    many = engine(5000, not_finite="skip")
    images = torch.full((2, 3, 8, 8), torch.nan)
    many.step, many.skipped = 49, list(range(49))
    many.learn(images, torch.zeros(2, dtype=torch.int64))
    with pytest.raises(NumericError, match="after 50"):
        many.learn(images, torch.zeros(2, dtype=torch.int64))


def test_an_epoch_in_which_nothing_is_learned_is_none() -> None:
    one = engine(2, not_finite="skip")
    images, labels = pictures(32)
    one.learn(images * torch.nan, labels)
    with pytest.raises(NumericError, match="after 1 skipped"):
        one.learn(images * torch.nan, labels)


def test_a_skipped_step_is_part_of_the_state(tmp_path: Path) -> None:
    one = engine(not_finite="skip")
    images, labels = pictures(32)
    one.learn(images * torch.nan, labels)
    keeper(tmp_path).save(one)
    again = engine(not_finite="skip")
    assert keeper(tmp_path).restore(again)
    assert (again.step, again.skipped) == (1, [0])


def loud(scale: float) -> tuple[Tensor, Tensor]:
    """Images whose loss is many times the usual one."""
    images, labels = pictures(32)
    return images * scale, 1 - labels


def test_the_norm_of_a_spike_is_told_and_clipped() -> None:
    one = engine(clip=1.0)
    one.learn(*pictures(32))
    usual = one.norm
    classifier = one.model.get_parameter("classifier.weight")
    with torch.no_grad():
        classifier.mul_(1000)
    one.learn(*loud(1.0))
    assert one.norm > 100 * usual
    assert clip(list(one.model.parameters()), 0.0) <= 1.0 + 1e-6


def test_a_spike_of_the_loss_is_skipped_where_that_is_asked_for() -> None:
    one = engine(spike=5.0)
    for _ in range(2):
        one.learn(*pictures(32))
    handle = one.model.register_forward_hook(lambda *told: told[2] * 1000)
    before = {name: value.clone() for name, value in tensors_of(one).items()}
    one.learn(*loud(1.0))
    handle.remove()
    assert one.skipped == [2]
    assert [name for name, value in tensors_of(one).items() if not torch.equal(before[name], value)] == []
    one.learn(*pictures(32))
    assert one.skipped == [2], "an ordinary loss is none"
    one.close_epoch(0.0)
    one.model.register_forward_hook(lambda *told: told[2] * 1000)
    one.learn(*loud(1.0))
    assert one.skipped == [2, 4], "at the beginning of an epoch the last one tells what is usual"


def test_a_spike_at_or_below_the_mean_is_refused() -> None:
    with pytest.raises(UsageError, match="spike is 1"):
        Recipe(spike=1.0)
    with pytest.raises(UsageError, match="not_finite"):
        Recipe(not_finite="ignore")  # type: ignore[arg-type]


@pytest.mark.parametrize("stop", [2, 3])
def test_a_training_that_skips_tells_it_once_an_epoch_and_resumes_to_the_same_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: int
) -> None:
    """The third batch is broken; the training is stopped before it or behind it."""
    monkeypatch.setenv("TRISCALE_CACHE", str(tmp_path / "cache"))
    learn = Trainer.learn

    def broken(self: Trainer, images: Tensor, labels: Tensor) -> None:
        learn(self, images * torch.nan if self.step == 2 else images, labels)

    monkeypatch.setattr(Trainer, "learn", broken)
    question = request(class_folders(tmp_path / "data"), recipe=Recipe(epochs=2, batch=16, ema=0.9, not_finite="skip"))
    heard = Heard()
    run(question, tmp_path / "whole", heard)
    told = [text for text in heard.said if "skipped" in text]
    assert len(told) == 1
    assert "1 of 4 steps of epoch 1 were skipped, first step 3. The batch: " in told[0]
    assert ".png" in told[0]
    assert [one.skipped for one in epochs(tmp_path / "whole")] == [1, 0]
    with pytest.raises(Interrupted):
        run(question, tmp_path / "run", Heard(stop))
    run(question, tmp_path / "run")
    assert states(tmp_path / "run") == states(tmp_path / "whole")
