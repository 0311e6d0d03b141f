"""Run tasks on workers and never lose one: in this process, on processes of this machine, on a Ray cluster."""

from triscale.trials.executor.attempt import importable
from triscale.trials.executor.events import (
    Ended,
    Event,
    Executor,
    Failed,
    GivenUp,
    Lost,
    Settled,
    Task,
    Tell,
    Told,
    Work,
)
from triscale.trials.executor.inline import InlineExecutor
from triscale.trials.executor.local import LocalExecutor, local_executor
from triscale.trials.executor.settle import RETRIES, SILENCE, settle, settle_in_batches

__all__ = [
    "RETRIES",
    "SILENCE",
    "Ended",
    "Event",
    "Executor",
    "Failed",
    "GivenUp",
    "InlineExecutor",
    "LocalExecutor",
    "Lost",
    "Settled",
    "Task",
    "Tell",
    "Told",
    "Work",
    "importable",
    "local_executor",
    "settle",
    "settle_in_batches",
]
