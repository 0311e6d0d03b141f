"""The training loop: one screen, no options inside."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import nn

from triscale.data.feed.in_memory import moved
from triscale.errors import NumericError
from triscale.training.engine import Trainer
from triscale.training.feed import Feed
from triscale.trials import Epoch
from triscale.units import some

_SHOWN = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """A finished training: its history and the seconds it took, evaluation included."""

    history: Sequence[Epoch]
    seconds: float
    images_per_second: float


def _nothing(_: Trainer) -> None:
    return


def train(
    engine: Trainer,
    feed: Feed,
    evaluate: Callable[[nn.Module], float],
    *,
    on_step: Callable[[Trainer], None] = _nothing,
    on_epoch: Callable[[Trainer], None] = _nothing,
) -> Outcome:
    """Train to the end from wherever the engine stands, in the middle of an epoch too.

    Args:
        engine: the training under way; changed in place.
        feed: where its batches come from; what comes at a step must not depend on where the training began.
        evaluate: top-1 of a model on images it was not trained on.
        on_step: told after every step; may raise to stop here.
        on_epoch: told after every epoch, the last of `engine.history`; may raise to stop here.

    Raises:
        NumericError: a loss or a gradient is not finite; the message names the step, the rate and the images. Or a
            weight is not, at the end of an epoch; the epoch and the rate are named.
    """
    while engine.epoch < engine.recipe.epochs:
        clock = Clock(engine)
        for pictures, labels in moved(feed.batches(engine.epoch, engine.step_of_epoch), engine.entrance):
            try:
                engine.learn(pictures, labels)
            except NumericError as error:
                batch = batch_named(feed, engine.steps, engine.step)
                raise NumericError(f"{error}; use a smaller one.\n{batch}") from None
            clock.tick(training=True)
            on_step(engine)
        engine.require_finite()
        top1 = evaluate(engine.evaluated)
        engine.close_epoch(top1)
        clock.tick(training=False)
        on_epoch(engine)
    speed = engine.samples / engine.training_seconds if engine.training_seconds else 0.0
    return Outcome(history=engine.history, seconds=engine.seconds, images_per_second=speed)


class Clock:
    """Adds to the engine the seconds since it was last looked at."""

    def __init__(self, engine: Trainer) -> None:
        self._engine, self._before = engine, time.perf_counter()

    def tick(self, *, training: bool) -> None:
        """The time since the last tick was spent on a step, or else on an evaluation."""
        now = time.perf_counter()
        self._engine.seconds += now - self._before
        if training:
            self._engine.training_seconds += now - self._before
        self._before = now


def batch_named(feed: Feed, steps: int, step: int) -> str:
    """The first images of the batch of a step, counted from 0 over epochs of so many steps."""
    names = feed.names(step // steps, step % steps)
    return f"The batch: {some(names, _SHOWN)}."
