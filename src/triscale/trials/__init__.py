"""Trials: what is trained, what came out, and the store that keeps both."""

from triscale.trials.job import DataUse, FirstWeights, Keep, Pipeline, TrainJob
from triscale.trials.numerics import Execution, Numerics
from triscale.trials.store import RECORDS, Stored, TrialStore, read
from triscale.trials.trial import ENDED, TEST, TRAINING, VALIDATION, Deviation, Epoch, State, Trial

__all__ = [
    "ENDED", "RECORDS", "TEST", "TRAINING", "VALIDATION",
    "DataUse", "Deviation", "Epoch", "Execution", "FirstWeights", "Keep", "Numerics", "Pipeline", "State", "Stored",
    "TrainJob", "Trial", "TrialStore",
    "read",
]  # fmt: skip
