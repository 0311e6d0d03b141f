"""One trial: a training with its job, its course, and what came out."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from triscale.errors import NumericError
from triscale.notebook_html import ShownInNotebook
from triscale.spec import AnyNetwork, Size
from triscale.trials.job import TrainJob
from triscale.trials.numerics import Numerics

State = Literal["waiting", "running", "done", "failed", "stopped"]
ENDED = ("done", "failed", "stopped")
"""The states of which nothing further comes."""
VALIDATION, TEST, TRAINING = "validation_top1", "test_top1", "training_top1"
"""Names of metrics: of the weights that are kept, on the images drawn for validation and on the test."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Epoch:
    """What one pass over the training images gave.

    Attributes:
        epoch: from 1.
        samples: images seen since the start.
        train_loss: mean over the images of this epoch.
        validation_top1: at its end, as a fraction.
        learning_rate: of the next step.
        gradient_norm: of the last step, before it was clipped.
        parts: into how many a batch was split at its end.
        skipped: steps that changed nothing.
        seconds: since the start, evaluation included.
        resolution: of the training images, where it grows.
    """

    epoch: int
    samples: int
    train_loss: float
    validation_top1: float
    learning_rate: float | None = None
    gradient_norm: float | None = None
    parts: int = 1
    skipped: int = 0
    seconds: float | None = None
    resolution: Size | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Deviation:
    """Where a trial left its job or its numerics, and at which step.

    Attributes:
        step: steps that were made before, from 0.
        kind: `parts` of a batch, or `processes`, which make another training; `numerics`, which change last bits.
        text: what changed, in words.
    """

    step: int
    kind: Literal["parts", "processes", "numerics"]
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial(ShownInNotebook):
    """One trial, self-contained.

    Attributes:
        job: what decides its result.
        state: `waiting`, `running`, `done`, `failed` for a `reason`, or `stopped` for one, after the last epoch of its
            history, since it was hopeless.
        purpose: what a study trained it for.
        history: the epochs that are complete.
        kept_epoch: whose weights were kept.
        metrics: by name, such as `validation_top1`; accuracies are fractions.
        right: which validation images the kept weights are right about, a bit for each in its order, the first of a
            byte highest; None where other weights than the last epoch's are kept, or several processes trained.
        cost: counted, by the name of the metric.
        numerics: on what it computed; None before its first step.
        machine: where, as `triscale.machine.machine` describes it.
        deviations: where it left its job or its numerics.
        losses: how often its worker was lost.
        reason: why it failed, or was stopped.
        failure: name of the error that ended it, or "Lost"; only a `NumericError` would come again.
        checkpoint: path of the weights, below the folder of the store.
        started, finished: UTC, ISO 8601.
    """

    job: TrainJob
    state: State = "waiting"
    purpose: str = ""
    history: tuple[Epoch, ...] = ()
    kept_epoch: int | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    right: bytes | None = None
    cost: Mapping[str, float] = field(default_factory=dict)
    numerics: Numerics | None = None
    machine: Mapping[str, str | int | None] = field(default_factory=dict)
    deviations: tuple[Deviation, ...] = ()
    losses: int = 0
    reason: str | None = None
    failure: str | None = None
    checkpoint: str | None = None
    started: str | None = None
    finished: str | None = None

    def __post_init__(self) -> None:
        numbers = [*self.metrics.values(), *self.cost.values()]
        if not all(map(math.isfinite, numbers)):
            raise NumericError(f"a metric of {self.network.name} is not finite: {dict(self.metrics)}.")

    @property
    def key(self) -> str:
        """Of its job."""
        return self.job.key

    @property
    def network(self) -> AnyNetwork:
        """Of its job."""
        return self.job.network

    @property
    def seed(self) -> int:
        """Of its job."""
        return self.job.seed

    @property
    def epochs(self) -> int:
        """How many its recipe has."""
        return self.job.recipe.epochs

    @property
    def paired(self) -> bool:
        """Whether it is the training that its job names, so that it can be compared seed by seed with others."""
        return all(one.kind == "numerics" for one in self.deviations)

    @property
    def half_top1(self) -> float | None:
        """Validation accuracy at half of its epochs."""
        return self.history[(len(self.history) - 1) // 2].validation_top1 if self.history else None
