"""How far a study is: trainings done and left, in predicted seconds that the machine's speed corrects."""

from collections.abc import Mapping
from time import monotonic
from typing import NamedTuple

from triscale import units


class Standing(NamedTuple):
    """Where a study stands: seconds `done` of the `whole`, in words, and whether anything is left."""

    done: float
    whole: float
    text: str
    unfinished: bool


class StudyCourse:
    """Sums up what a study reports; its methods are those of `StudyProgress` that move a bar."""

    def __init__(self) -> None:
        self.standing = ""
        """What a search has found so far, in a few words."""
        self._weights: Mapping[str, float] = {}
        self._passed: dict[str, float] = {}
        self._before = (0, 0.0)
        # What was predicted of earlier phases of this run, and what they took: between phases nothing is trained.
        self._predicted = self._took = 0.0
        self._started = self._moved = monotonic()

    def agenda(self, left: Mapping[str, float], done: int, seconds: float) -> None:
        """All that is left to train; what runs keeps its epochs."""
        running = {key: passed for key, passed in self._passed.items() if passed < left.get(key, 0.0)}
        self._predicted += sum(self._passed.values()) - sum(running.values())
        self._took += self._moved - self._started
        self._weights, self._passed = left, running
        self._before = (done, seconds)
        self._started = monotonic()

    def epoch(self, key: str, share: float) -> None:
        """A training has come so far, as a fraction."""
        self._passed[key] = self._weights[key] * share

    def settled(self, key: str) -> None:
        """A training is done, or has failed."""
        self._passed[key] = self._weights[key]

    def now(self) -> Standing:
        """Where it stands."""
        self._moved = monotonic()
        passed, total = sum(self._passed.values()), sum(self._weights.values())
        predicted, took = self._predicted + passed, self._took + self._moved - self._started
        # Until something is done the prediction is all there is; then the machine's speed corrects it.
        left = (total - passed) * (took / predicted if predicted else 1)
        trainings, seconds = self._before
        whole = trainings + sum(1 for key, weight in self._weights.items() if self._passed.get(key) == weight)
        behind = f", {self.standing}" if self.standing else ""
        text = f"{whole}/{trainings + len(self._weights)} trainings, {units.duration(left)} left{behind}"
        return Standing(seconds + passed, seconds + total, text, self._passed != self._weights)
