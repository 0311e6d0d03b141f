"""What a study learned of its baseline before it was planned."""

import msgspec


class CheckpointRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Validation accuracy, in [0, 1], of the averaged weights after so many steps."""

    step: int
    accuracy: float


class PilotRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A training of the baseline at a constant rate, looked at after 16, 32, 64, ... steps.

    Attributes:
        batch: images a step.
        images: of the validation, that the accuracies were measured on.
        checkpoints: in order.
        leaves: steps after which the baseline is better than guessing; None: it never was.
        settles: steps from which on twice as many gain little; None: the pilot ended before.
        seconds: of work that it took.
    """

    batch: int
    images: int
    checkpoints: tuple[CheckpointRecord, ...]
    leaves: int | None
    settles: int | None
    seconds: float

    @property
    def needed(self) -> int:
        """Steps that each training of the study must have: those to settle, or at least all that were tried."""
        return self.settles or max((one.step for one in self.checkpoints), default=0)
