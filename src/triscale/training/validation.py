"""Validation at the end of an epoch: top-1 of what a training keeps, over all of its processes."""

from collections.abc import Callable, Iterator
from itertools import islice

import numpy as np
from torch import nn

from triscale.evaluation import right_answers
from triscale.training.engine import Trainer
from triscale.training.feed import Batch
from triscale.training.learning.norms import PRECISE, take_precise
from triscale.training.supply import TrainingFeed, Validation, grown_up

_AT_ONCE = 256
"""Images of a batch."""


class Validator:
    """Gives the validation accuracy of a model, in [0, 1].

    Args:
        engine: the training under way.
        feed: of its training, for norms whose statistics are taken again.
        validation: the images.
        check: called between batches; saves and raises if the training is to stop.

    Attributes:
        right: whether the last answers were right, a bit for each image in its order, the first of a byte highest; None
            before the first evaluation, and where several processes share the images.
    """

    def __init__(
        self, engine: Trainer, feed: TrainingFeed, validation: Validation, check: Callable[[Trainer], None]
    ) -> None:
        self._engine, self._feed, self._validation, self._check = engine, feed, validation, check
        self.right: bytes | None = None

    def __call__(self, model: nn.Module) -> float:
        """Of the images of all processes, each is counted by one of them; or by each, which leaves the fraction."""
        engine, world = self._engine, self._engine.world
        if engine.recipe.norms == "precise":
            self._renew_statistics(model)
        batches = self._validation(self._at_once)
        if world.size == 1:  # several agree on stopping, which they cannot between unequal numbers of batches
            batches = self._interruptible(batches)
        right = right_answers(model, batches)
        if world.size == 1:
            self.right = np.packbits(right.cpu().numpy()).tobytes()
        return world.total(int(right.sum())) / world.total(len(right))

    def right_at_end(self) -> bytes | None:
        """`right` of the last epoch, also of a training that resumed after its last step."""
        if self.right is None and self._engine.world.size == 1:
            self(self._engine.evaluated)
        return self.right

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
