"""What a training reports while it runs, and whatever goes wrong in it, once."""

from collections.abc import Mapping
from typing import Protocol

from triscale.data import Source
from triscale.training.engine import Trainer
from triscale.training.feed import Feed
from triscale.training.loop import batch_named

_NAMED = 3


class Callbacks(Protocol):
    """What a training calls while it runs; derive from `Quiet` and override what you want to hear about."""

    def begin(self) -> None:
        """Data and job are known: from here on `stopping` is polled, and stopping saves first."""

    def say(self, text: str) -> None:
        """Something that a user should know, in words."""

    def step(self, engine: Trainer) -> None:
        """A step was made. An exception ends the training here."""

    def epoch(self, engine: Trainer) -> None:
        """An epoch is complete: the last of `engine.history`. An exception ends the training here."""

    def stopping(self) -> bool:
        """Whether to save and stop now; also polled between the batches of an evaluation."""
        ...


class Quiet:
    """Callbacks that hear nothing, and never stop a training."""

    def begin(self) -> None:
        """Nothing."""

    def say(self, text: str) -> None:
        """Nothing."""

    def step(self, engine: Trainer) -> None:
        """Nothing."""

    def epoch(self, engine: Trainer) -> None:
        """Nothing."""

    def stopping(self) -> bool:
        """Never."""
        return False


class Warnings:
    """What went wrong in a training that continues; each image and each epoch is reported once."""

    def __init__(self, callbacks: Callbacks) -> None:
        self._callbacks = callbacks
        self._broken: set[str] = set()

    def epoch(self, engine: Trainer, feed: Feed, broken: Mapping[str, str]) -> None:
        """After an epoch; `broken` holds the images that could not be read any more, each with the reason."""
        if skipped := engine.skipped_in(engine.epoch - 1):
            self._callbacks.say(
                f"warning: {len(skipped)} of {engine.steps} steps of epoch {engine.epoch} were skipped, first step "
                f"{skipped[0] + 1}. {batch_named(feed, engine.steps, skipped[0])}"
            )
        new = [f"{name} ({reason})" for name, reason in broken.items() if name not in self._broken]
        self._broken.update(broken)
        if new:
            more = f" and {len(new) - _NAMED} more" if len(new) > _NAMED else ""
            self._callbacks.say(
                f"warning: after the check {len(new)} images could not be read any more, and were left out: "
                f"{', '.join(new[:_NAMED])}{more}"
            )


def introduce(callbacks: Callbacks, source: Source, left_out: int, engine: Trainer, *, resumed: bool) -> None:
    """What a user should know before the first step."""
    if resumed:
        callbacks.say(f"resuming at step {engine.step} of {engine.steps * engine.recipe.epochs}")
    for note in source.notes:
        callbacks.say(note)
    if left_out:
        callbacks.say(f"each epoch leaves out {left_out} images, others each time, that fill no batch")
    if engine.steps * engine.recipe.epochs == 1 and not engine.recipe.learning_rate_at(0):
        callbacks.say(
            "warning: the training has one step, the first of the warm-up, whose learning rate is 0: nothing is "
            "learned; give more --epochs or a smaller --batch"
        )
