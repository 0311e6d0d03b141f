"""The loop: it learns, it repeats itself bit for bit, and it stops at numbers that are not finite."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from triscale.errors import NumericError, UsageError
from triscale.evaluation import count_correct, top1
from triscale.nn import build
from triscale.spec import Head, Network, Norm, Stage, Stem
from triscale.training import Outcome, Recipe, Trainer, train
from triscale.training.learning.gradient import clip, sow

NETWORK = Network(
    name="tiny",
    resolution=(8, 8),
    stem=Stem(channels=8, stride=1),
    stages=(Stage(operator="mbconv", expand=2, channels=8, repeats=2, stride=2),),
    head=Head(channels=16),
    norm=Norm(momentum=0.1),
    stochastic_depth=0.1,
    classes=2,
)


def pictures(n: int) -> tuple[Tensor, Tensor]:
    """Bright upper half or bright lower half."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(n) % 2
    images = torch.randn(n, 3, 8, 8, generator=generator)
    images[labels == 0, :, :4] += 2
    images[labels == 1, :, 4:] += 2
    return images, labels


class Listed:
    """A feed of 128 of these images, in another order each epoch."""

    steps = 4

    def batches(self, epoch: int, first: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        """Four of 32."""
        images, labels = pictures(128)
        order = torch.randperm(128, generator=torch.Generator().manual_seed(epoch))
        for some in order.reshape(4, 32)[first:]:
            yield images[some], labels[some]

    def names(self, epoch: int, step: int) -> list[str]:
        """Made up."""
        return [f"{epoch}/{step}/{index}.png" for index in range(32)]


def trained(epochs: int = 4, *, checkpointing: bool = False, **recipe: Any) -> tuple[Trainer, Outcome]:
    torch.manual_seed(0)
    engine = Trainer(build(NETWORK), Recipe(epochs=epochs, **recipe), Listed.steps, checkpointing=checkpointing)
    held_out = pictures(64)
    return engine, train(engine, Listed(), lambda model: top1(model, [held_out]))


def test_a_network_learns_to_tell_up_from_down() -> None:
    _, outcome = trained()
    assert outcome.history[-1].validation_top1 > 0.95


def test_the_same_seed_gives_the_same_bits() -> None:
    one, two = (trained(2, mixup=0.2, ema=0.9)[0].learned.state_dict() for _ in range(2))
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_gradient_checkpointing_ends_in_the_same_bits() -> None:
    kept, again = (trained(2, checkpointing=one, mixup=0.2, ema=0.9)[0] for one in (False, True))
    for one, two in ((kept.model, again.model), (kept.learned, again.learned)):
        assert all(torch.equal(one.state_dict()[name], value) for name, value in two.state_dict().items())


def test_gradient_checkpointing_of_other_modules_is_refused() -> None:
    with pytest.raises(UsageError, match="gradient checkpointing"):
        Trainer(torch.nn.Linear(2, 2), Recipe(), 1, checkpointing=True)


def test_history_counts_samples_and_epochs() -> None:
    engine, outcome = trained(3)
    assert [(one.epoch, one.samples) for one in outcome.history] == [(1, 128), (2, 256), (3, 384)]
    assert (engine.step, engine.step_of_epoch, engine.epoch) == (12, 0, 3)


@pytest.mark.parametrize("seed", [0, 7, 2**64 - 1])
def test_what_a_step_draws_is_what_torch_draws_from_its_seed(seed: int) -> None:
    torch.manual_seed(seed)
    expected = torch.rand(5)
    sow(seed, torch.device("cpu"))
    assert torch.equal(torch.rand(5), expected)


def test_after_an_evaluation_all_of_a_model_trains_again() -> None:
    """Also a part that is handed over in evaluation mode."""
    model = build(NETWORK)
    model.stem.eval()
    engine = Trainer(model, Recipe(), Listed.steps)
    for _ in range(2):
        engine.learn(*pictures(32))
        assert all(one.training for one in engine.model.modules())
        top1(engine.model, [pictures(8)])


class Broken(Listed):
    """NaN in one image of the third batch of the second epoch."""

    def batches(self, epoch: int, first: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        """The others are as they should be."""
        for step, (images, labels) in enumerate(super().batches(epoch, first), first):
            if (epoch, step) == (1, 2):
                images[5, 0, 0, 0] = torch.nan
            yield images, labels


def test_a_number_that_is_not_finite_stops_the_training_at_its_step_and_names_the_pictures() -> None:
    torch.manual_seed(0)
    engine = Trainer(build(NETWORK), Recipe(epochs=3), Listed.steps)
    with pytest.raises(NumericError, match=r"in epoch 2 at learning rate .* \(step 7\)") as caught:
        train(engine, Broken(), lambda _: 0.0)
    assert "1/2/0.png" in str(caught.value)
    assert len(str(caught.value).splitlines()) <= 3
    assert engine.step == 6
    assert all(torch.isfinite(one).all() for one in engine.model.parameters()), "the weights are as before the step"


def test_a_gradient_is_clipped_to_its_limit_and_its_norm_is_told() -> None:
    model = torch.nn.Linear(2, 1)
    model(torch.full((1, 2), 30.0)).sum().backward()
    assert clip([*model.parameters()], 1.0) == pytest.approx((2 * 30**2 + 1) ** 0.5)
    assert clip([*model.parameters()], 0.0) == pytest.approx(1.0, abs=1e-6)


def test_a_batch_in_parts_has_the_gradient_of_the_whole() -> None:
    """With batch norm frozen, since its statistics are those of a part; in float64, but for the loss, in float32."""
    gradients = []
    for parts in (1, 4):
        torch.manual_seed(0)
        network = replace(NETWORK, stochastic_depth=0.0, head=replace(NETWORK.head, dropout=0.0))
        engine = Trainer(build(network).double(), Recipe(mixup=0.2), 1)
        engine.parts = parts
        engine.model.eval()
        images, labels = pictures(32)
        engine._backward(images.double(), labels, 32)
        gradients.append([one.grad for one in engine.model.parameters()])
    for whole, pieces in zip(*gradients, strict=True):
        assert whole is not None
        assert pieces is not None
        assert (pieces - whole).norm() <= 1e-6 * whole.norm()


def test_bfloat16_learns_too_and_keeps_float32_weights() -> None:
    engine, outcome = trained(2, precision="bfloat16")
    assert outcome.history[-1].validation_top1 > 0.7
    assert {one.dtype for one in engine.model.parameters()} == {torch.float32}


def test_every_picture_counts_once() -> None:
    images, labels = pictures(50)
    model = build(NETWORK)
    whole = count_correct(model, [(images, labels)])
    parts = count_correct(model, [(images[i : i + 7], labels[i : i + 7]) for i in range(0, 50, 7)])
    assert whole == parts
    assert whole[1] == 50
