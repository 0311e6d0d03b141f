"""What a training tells while it goes on, and whatever goes wrong in it, once."""

from collections.abc import Mapping
from typing import Protocol

from triscale.train.engine import Engine
from triscale.train.feed import Feed
from triscale.train.loop import batch_named

_NAMED = 3


class Watch(Protocol):
    """What a training tells while it goes on."""

    def say(self, text: str) -> None:
        """Something that a user should know."""

    def step(self, engine: Engine) -> None:
        """A step was made."""

    def epoch(self, engine: Engine) -> None:
        """An epoch is complete: the last of `engine.history`."""


class Warnings:
    """What went wrong in a training that goes on all the same; each picture and each epoch is told once."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._broken: set[str] = set()

    def epoch(self, engine: Engine, feed: Feed, broken: Mapping[str, str]) -> None:
        """After an epoch; `broken` holds the pictures that could not be read any more, each with the reason."""
        if skipped := engine.skipped_in(engine.epoch - 1):
            self._watch.say(
                f"warning: {len(skipped)} of {engine.steps} steps of epoch {engine.epoch} were skipped, first step "
                f"{skipped[0] + 1}. {batch_named(feed, engine.steps, skipped[0])}"
            )
        new = [f"{name} ({reason})" for name, reason in broken.items() if name not in self._broken]
        self._broken.update(broken)
        if new:
            more = f" and {len(new) - _NAMED} more" if len(new) > _NAMED else ""
            self._watch.say(
                f"warning: after the check {len(new)} pictures could not be read any more, and were left out: "
                f"{', '.join(new[:_NAMED])}{more}"
            )
