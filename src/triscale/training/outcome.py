"""The trial of a training: how it begins, and what came out."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import torch

from triscale.foreign import count_any
from triscale.machine import machine
from triscale.nn import device_name
from triscale.training.loop import Outcome
from triscale.training.mismatch import refuse_another
from triscale.trials import RECORDS, VALIDATION, Epoch, Stored, TrainJob, Trial, read


def begun(job: TrainJob, device: torch.device) -> Trial:
    """The trial of a job that begins here."""
    where = {**machine(), "gpu": device_name(device)}
    return Trial(job=job, state="running", cost=count_any(job.network)._asdict(), machine=where)


def known_in(store: Stored | None, folder: Path, job: TrainJob) -> Trial | None:
    """The trial of a folder, read there where no store is open; InputError if it is another training."""
    if store is None:
        store = read(folder) if (folder / RECORDS).exists() else Stored()
    trials = list(store)
    for trial in trials:
        refuse_another(folder, trial.job, job)
    return trials[0] if trials else None


def metrics_of(kept: Epoch, outcome: Outcome) -> dict[str, float]:
    """The metrics of a finished training; accuracy and loss are those of the epoch whose weights are kept."""
    return {
        VALIDATION: kept.validation_top1,
        "train_loss": kept.train_loss,
        "samples": float(outcome.history[-1].samples),
        "seconds": outcome.seconds,
        "images_per_second": outcome.images_per_second,
    }


def best_of(history: Sequence[Epoch]) -> Epoch:
    """The first of the epochs with the highest validation accuracy."""
    return max(history, key=lambda one: (one.validation_top1, -one.epoch))


def now() -> str:
    """The time in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
