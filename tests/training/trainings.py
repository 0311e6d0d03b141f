"""Trainings of small images in a folder: what is asked, what is heard, and what they leave."""

from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from tests.training.pictures import SMALL
from triscale.training import Recipe, Trainer, TrainRequest, World, numerics_here, resolve, train_request
from triscale.training.distributed.processes import ALONE
from triscale.trials import Epoch, Execution, TrainJob, Trial, read
from triscale.weights import Checkpoint, load

RECIPE = Recipe(epochs=3, batch=16, ema=0.9, mixup=0.2)


class Heard:
    """Callbacks that keep what they hear, and ask to stop after some steps."""

    def __init__(self, stop_after: int = 10**9) -> None:
        self.said: list[str] = []
        self.steps: list[int] = []
        self.stop_after = stop_after

    def begin(self) -> None:
        """Nothing."""

    def say(self, text: str) -> None:
        """Keep it."""
        self.said.append(text)

    def step(self, engine: Trainer) -> None:
        """Keep its number."""
        self.steps.append(engine.step)

    def epoch(self, engine: Trainer) -> None:
        """Nothing."""

    def stopping(self) -> bool:
        """Whether it is time to."""
        return len(self.steps) >= self.stop_after


def request(data: Path, **changed: Any) -> TrainRequest:
    """Small images by a short recipe; some fields may be others."""
    return replace(TrainRequest(network=SMALL, data=str(data), recipe=RECIPE, seed=1), **changed)


def run(
    asked: TrainRequest,
    folder: Path,
    heard: Heard | None = None,
    *,
    threads: int | None = None,
    kernels: bool = True,
    world: World = ALONE,
    **execution: Any,
) -> Trial:
    """Train, or resume; options besides are those of `Execution`."""
    numerics = numerics_here("cpu", threads, kernels=kernels)
    return train_request(asked, folder, numerics, Execution(**execution), heard or Heard(), world)


def job_of(asked: TrainRequest) -> TrainJob:
    """The job of a request, as it is resolved here."""
    return resolve(asked, asked.inputs(), numerics_here("cpu"), Execution(), ALONE, lambda _: None)


def inside(name: str) -> ModuleType:
    """A module of `triscale.training`, to patch."""
    return import_module(f"triscale.training.{name}")


def only(folder: Path) -> Trial:
    """The one trial of a folder."""
    (found,) = read(folder)
    return found


def epochs(folder: Path) -> Sequence[Epoch]:
    """The epochs of the trial of a folder."""
    return only(folder).history


def kept(folder: Path) -> Checkpoint:
    """The checkpoint of the finished trial of a folder."""
    return load(folder / str(only(folder).checkpoint))
