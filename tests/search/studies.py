"""Small studies in this process, and what is left of them."""

from collections.abc import Collection
from pathlib import Path

import safetensors

from triscale.search.studies.question import Question
from triscale.search.studies.study import Study
from triscale.search.trainings.workers import LOCAL, Engine
from triscale.training import numerics_here
from triscale.trials import Trial, read

SMALL = Question(
    data="flowers:240", network="smallnet_24@resolution=0.34", phi=1, candidates=4, seeds=1, epochs=2, train_size=40
)


def study(question: Question = SMALL, folder: Path | None = None, *, jobs: int = 1, engine: Engine = LOCAL) -> Study:
    """A study on one thread of the CPU."""
    return Study(question, folder, jobs=jobs, numerics=numerics_here("cpu", 1), engine=engine)


def outcome(folder: Path, only: Collection[str] | None = None) -> dict[str, tuple[str, str, dict[str, float], bytes]]:
    """Of each trial, or of some, by its key: state, purpose, metrics that last, and the bytes of its weights."""
    return {
        trial.key: (trial.state, trial.purpose, lasting(trial), tensors(folder / str(trial.checkpoint)))
        for trial in read(folder)
        if only is None or trial.key in only
    }


def lasting(trial: Trial) -> dict[str, float]:
    """Metrics without what differs from run to run."""
    return {name: value for name, value in trial.metrics.items() if name not in ("seconds", "images_per_second")}


def tensors(path: Path) -> bytes:
    """Every tensor of a checkpoint, in the order of their names, as bytes."""
    with safetensors.safe_open(path, framework="pt") as file:
        return b"".join(file.get_tensor(name).numpy().tobytes() for name in sorted(file.keys()))
