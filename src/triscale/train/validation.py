"""Validation at the end of an epoch: top-1 of what a training keeps, over all of its processes."""

from collections.abc import Callable, Iterator
from itertools import islice

from torch import nn

from triscale.evaluate import count_correct
from triscale.train.engine import Engine
from triscale.train.feed import Batch
from triscale.train.norms import PRECISE, take_precise
from triscale.train.supply import TrainingFeed, Validation, grown_up

_AT_ONCE = 256
"""Images of a batch."""


class Validator:
    """Gives the validation accuracy of a model, in [0, 1].

    Args:
        engine: the training under way.
        feed: of its training, for norms whose statistics are taken anew.
        validation: the images.
        check: called between batches; saves and raises if the training is to stop.
    """

    def __init__(
        self, engine: Engine, feed: TrainingFeed, validation: Validation, check: Callable[[Engine], None]
    ) -> None:
        self._engine, self._feed, self._validation, self._check = engine, feed, validation, check

    def __call__(self, model: nn.Module) -> float:
        """Of the images of all processes, each is counted by one of them; or by each, which leaves the fraction."""
        engine, world = self._engine, self._engine.world
        if engine.recipe.norms == "precise":
            self._renew_statistics(model)
        batches = self._validation(self._at_once)
        if world.size == 1:  # several agree on stopping, which they cannot between unequal numbers of batches
            batches = self._interruptible(batches)
        correct, seen = count_correct(model, batches)
        return world.total(correct) / world.total(seen)

    @property
    def _at_once(self) -> int:
        """As many as the memory of a training in parts allows."""
        parts, batch = self._engine.parts, self._engine.recipe.batch
        return max(2, min(_AT_ONCE, batch // parts)) if parts > 1 else _AT_ONCE

    def _renew_statistics(self, model: nn.Module) -> None:
        engine = self._engine
        some = -(-PRECISE // engine.recipe.batch)
        whole = grown_up(self._feed)
        take_precise(model, islice(whole.batches(engine.epoch, max(0, self._feed.steps - some)), some))
        engine.world.average_statistics(model)

    def _interruptible(self, batches: Iterator[Batch]) -> Iterator[Batch]:
        for batch in batches:
            self._check(self._engine)
            yield batch
