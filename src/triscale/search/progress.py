"""What a study tells while it works."""

from collections.abc import Sequence
from typing import Any, Protocol

from triscale.search.jobs import Job
from triscale.train import Epoch


class Progress(Protocol):
    """What a study tells while it works."""

    def say(self, text: str) -> None:
        """A step begins."""

    def going_on(self, done: int, whole: int) -> None:
        """The records already hold some of all trainings."""

    def agenda(self, waiting: Sequence[tuple[Job, float]], done: int, seconds: float) -> None:
        """All that is left to train, each with its share of the predicted time; what is done, and the time it took."""

    def epoch(self, job: Job, epoch: Epoch) -> None:
        """A training finished an epoch."""

    def done(self, job: Job, record: dict[str, Any]) -> None:
        """A training ended."""
