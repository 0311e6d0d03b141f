"""What a study reports while it works."""

from collections.abc import Mapping
from typing import Protocol

from triscale.trials import Trial


class StudyProgress(Protocol):
    """What a study reports while it works; derive from `Quiet` and override what you want to hear about."""

    def say(self, text: str) -> None:
        """A step begins, or something that a user should know."""

    def resumed(self, done: int, lost: int, whole: int) -> None:
        """Some of all trainings are done; further ones were, but weights that are needed are gone."""

    def agenda(self, left: Mapping[str, float], done: int, seconds: float) -> None:
        """All that is left to train, by key with its predicted seconds; what is done, and the time it took."""

    def epoch(self, key: str, share: float) -> None:
        """A training has come so far, as a fraction."""

    def settled(self, trial: Trial) -> None:
        """A training is done, or has failed."""

    def standing(self, text: str) -> None:
        """What a search has found so far, in a few words."""


class Quiet:
    """Progress that hears nothing."""

    def say(self, text: str) -> None:
        """Nothing."""

    def resumed(self, done: int, lost: int, whole: int) -> None:
        """Nothing."""

    def agenda(self, left: Mapping[str, float], done: int, seconds: float) -> None:
        """Nothing."""

    def epoch(self, key: str, share: float) -> None:
        """Nothing."""

    def settled(self, trial: Trial) -> None:
        """Nothing."""

    def standing(self, text: str) -> None:
        """Nothing."""
