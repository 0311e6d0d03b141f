"""Which steps a training makes, told by the engine itself."""

import pytest
from torch import Tensor

from triscale.training import Trainer


def counted_steps(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The steps, counted from 0, that this process makes from now on; it grows while they are made."""
    steps: list[int] = []
    learn = Trainer.learn

    def counted(self: Trainer, *batch: Tensor) -> None:
        steps.append(self.step)
        learn(self, *batch)

    monkeypatch.setattr(Trainer, "learn", counted)
    return steps
