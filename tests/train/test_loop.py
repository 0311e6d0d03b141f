"""The loop: it learns, it repeats itself bit for bit, and it stops at numbers that are not finite."""

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

from triscale.errors import NumericError
from triscale.evaluate import count_correct, top1
from triscale.nn import build
from triscale.spec import Head, Network, Norm, Stage, Stem
from triscale.train import Recipe, train

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


def batches(epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
    images, labels = pictures(128)
    order = torch.randperm(128, generator=torch.Generator().manual_seed(epoch))
    for some in order.reshape(4, 32):
        yield images[some], labels[some]


def trained(epochs: int = 4) -> tuple[nn.Module, list[float]]:
    torch.manual_seed(0)
    model = build(NETWORK)
    images, labels = pictures(64)
    outcome = train(model, Recipe(epochs=epochs), batches, 4, lambda m: top1(m, [(images, labels)]))
    return model, [epoch.validation_top1 for epoch in outcome.history]


def test_a_network_learns_to_tell_up_from_down() -> None:
    _, history = trained()
    assert history[-1] > 0.95


def test_the_same_seed_gives_the_same_bits() -> None:
    one, two = trained(2)[0].state_dict(), trained(2)[0].state_dict()
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_history_counts_samples_and_epochs() -> None:
    torch.manual_seed(0)
    outcome = train(build(NETWORK), Recipe(epochs=3), batches, 4, lambda _: 0.5)
    assert [(one.epoch, one.samples) for one in outcome.history] == [(1, 128), (2, 256), (3, 384)]


def test_a_loss_that_is_not_finite_stops_the_training() -> None:
    def broken(_: int) -> Iterator[tuple[Tensor, Tensor]]:
        yield torch.full((4, 3, 8, 8), torch.nan), torch.zeros(4, dtype=torch.int64)

    with pytest.raises(NumericError, match="epoch 1 at learning rate"):
        train(build(NETWORK), Recipe(epochs=1), broken, 1, lambda _: 0.0)


def test_every_picture_counts_once() -> None:
    images, labels = pictures(50)
    model = build(NETWORK)
    whole = count_correct(model, [(images, labels)])
    parts = count_correct(model, [(images[i : i + 7], labels[i : i + 7]) for i in range(0, 50, 7)])
    assert whole == parts
    assert whole[1] == 50
