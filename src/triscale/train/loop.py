"""The training loop: one screen, no options inside."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from triscale.data.batches import moved
from triscale.errors import NumericError
from triscale.nn import device_of
from triscale.train.optim import make_optimizer, set_learning_rate
from triscale.train.recipe import Recipe

Batch = tuple[Tensor, Tensor]


@dataclass(frozen=True, kw_only=True, slots=True)
class Epoch:
    """What one pass gave: `samples` seen since the start, mean training loss, top-1 on the validation pictures."""

    epoch: int
    samples: int
    train_loss: float
    validation_top1: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """A finished training: its history and the seconds it took, evaluation included."""

    history: Sequence[Epoch]
    seconds: float
    images_per_second: float


def train(
    model: nn.Module,
    recipe: Recipe,
    batches: Callable[[int], Iterable[Batch]],
    steps: int,
    evaluate: Callable[[nn.Module], float],
    on_epoch: Callable[[Epoch], None] = lambda _: None,
) -> Outcome:
    """Train `model` in place, on the device where it lies.

    Args:
        model: maps pictures [n, c, h, w] to logits [n, classes].
        recipe: see `Recipe`.
        batches: epoch number (from 0) -> its batches of (pictures float32, labels int64).
        steps: batches in one epoch.
        evaluate: top-1 of the model on pictures it was not trained on.
        on_epoch: told after every epoch.

    Raises:
        NumericError: the loss is not finite.
    """
    optimizer, device = make_optimizer(model, recipe), device_of(model)
    history: list[Epoch] = []
    samples, seen_before, started = 0, 0, time.perf_counter()
    training_seconds = 0.0
    for epoch in range(recipe.epochs):
        model.train()
        epoch_started, total = time.perf_counter(), torch.zeros((), device=device)
        for step, (pictures, labels) in enumerate(moved(batches(epoch), device)):
            set_learning_rate(optimizer, recipe.learning_rate_at((epoch * steps + step) / (recipe.epochs * steps)))
            loss = F.cross_entropy(model(pictures), labels, label_smoothing=recipe.label_smoothing)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            total += loss.detach() * len(labels)
            samples += len(labels)
        mean_loss = total.item() / max(1, samples - seen_before)  # waits for a GPU, so before the clock is read
        training_seconds += time.perf_counter() - epoch_started
        seen_before = samples
        if not torch.isfinite(total):
            rate = optimizer.param_groups[0]["lr"]
            raise NumericError(
                f"the loss is {mean_loss} in epoch {epoch + 1} at learning rate {rate:.3g}; use a smaller one."
            )
        history.append(Epoch(epoch=epoch + 1, samples=samples, train_loss=mean_loss, validation_top1=evaluate(model)))
        on_epoch(history[-1])
    return Outcome(
        history=history,
        seconds=time.perf_counter() - started,
        images_per_second=samples / training_seconds,
    )
