"""One training of a study: from a job to a `run` record and a checkpoint."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from triscale.cost import count
from triscale.data import Source, open_data, split_validation
from triscale.data.batches import Augmentation, eval_batches, moved, train_batches
from triscale.errors import NumericError, OutOfMemoryError
from triscale.evaluate import count_correct, top1
from triscale.nn import Model, build, synchronize
from triscale.spec import Network, Preprocessing, content_hash
from triscale.train import Epoch, Recipe, train
from triscale.weights import Checkpoint, load, save

PREPROCESSING = Preprocessing()
_EVAL_BATCH = 256
_TIMED_MACS = 1_000_000_000


class Job(NamedTuple):
    """A network to train with one seed for a number of epochs; `phase` says what for."""

    network: Network
    phase: str
    seed: int
    epochs: int

    @property
    def key(self) -> tuple[str, int, int]:
        """What makes a training the same training: content hash, seed, epochs."""
        return content_hash(self.network), self.seed, self.epochs


class Workplace:
    """What all jobs of a study share: its pictures, their split, the recipe, the folder, and where torch computes."""

    def __init__(
        self,
        folder: Path,
        data: str,
        seed: int,
        train_size: int | None,
        recipe: Recipe,
        threads: int = 1,
        device: torch.device | str = "cpu",
    ) -> None:
        self.folder, self.data, self.seed = folder, data, seed
        self.train_size, self.recipe = train_size, recipe
        self.threads, self.device = threads, torch.device(device)

    @cached_property
    def source(self) -> Source:
        """The data set, opened and checked once a process."""
        return open_data(self.data)

    @cached_property
    def split(self) -> tuple[np.ndarray[Any, np.dtype[np.int64]], np.ndarray[Any, np.dtype[np.int64]]]:
        """Positions of the training and of the validation pictures, the same for every job."""
        return split_validation(self.source.labels("train"), train_size=self.train_size, seed=self.seed)

    def checkpoint(self, key: tuple[str, int, int]) -> Path:
        """Where the weights of a run lie."""
        return self.folder / "runs" / f"{key[0][:12]}-s{key[1]}-e{key[2]}.safetensors"


def run_job(place: Workplace, job: Job, on_epoch: Callable[[Epoch], None] = lambda _: None) -> dict[str, Any]:
    """Train a network, save its weights, and return the `run` record; a failed training returns a `failed` record."""
    torch.set_num_threads(place.threads)
    about = {"id": job.key[0], "phase": job.phase, "seed": job.seed, "epochs": job.epochs}
    try:
        with _enough_memory(job.network, place.recipe.batch):
            return {"kind": "run", **about, **_train(place, job, on_epoch)}
    except NumericError as error:
        return {"kind": "failed", **about, "reason": str(error)}


def _train(place: Workplace, job: Job, on_epoch: Callable[[Epoch], None]) -> dict[str, Any]:
    torch.manual_seed(job.seed)
    model = build(job.network).to(place.device).to(memory_format=torch.channels_last)
    if place.recipe.zero_classifier:
        torch.nn.init.zeros_(model.classifier.weight)
    images, labels = place.source.pictures("train", job.network.resolution), place.source.labels("train")
    training, validation = place.split
    recipe, colours = place.recipe, asdict(PREPROCESSING)

    def batches(epoch: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        augmentation = Augmentation(flip=recipe.flip, shift=recipe.shift)
        drawn = {"batch": recipe.batch, "seed": job.seed, "epoch": epoch, "augmentation": augmentation}
        return train_batches(images, labels, training, **drawn, **colours)  # type: ignore[arg-type]

    def evaluate(model: torch.nn.Module) -> float:
        return top1(model, eval_batches(images, labels, validation, batch=_EVAL_BATCH, **colours))

    steps = max(1, len(training) // recipe.batch)
    longer = Recipe(**{**asdict(recipe), "epochs": job.epochs})
    outcome = train(model, longer, batches, steps, evaluate, on_epoch)
    path = place.checkpoint(job.key)
    classes = place.source.classes
    save(path, Checkpoint(network=job.network, state=model.state_dict(), classes=classes, preprocessing=PREPROCESSING))
    history = [asdict(epoch) for epoch in outcome.history]
    return {
        "samples": outcome.history[-1].samples,
        "history": history,
        "validation_top1": outcome.history[-1].validation_top1,
        "half_top1": outcome.history[(len(history) - 1) // 2].validation_top1,
        "train_loss": outcome.history[-1].train_loss,
        "seconds": outcome.seconds,
        "images_per_second": outcome.images_per_second,
        "device": str(place.device),
        "threads": place.threads,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def trained(place: Workplace, key: tuple[str, int, int]) -> Model:
    """The model of a finished run, in evaluation mode, where the study computes."""
    return load(place.checkpoint(key)).model().to(place.device).to(memory_format=torch.channels_last)


def test_run(place: Workplace, key: tuple[str, int, int]) -> dict[str, Any]:
    """The `test` record of a finished run: top-1 on every test picture."""
    model = trained(place, key)
    images, labels = place.source.pictures("test", model.network.resolution), place.source.labels("test")
    everything = np.arange(len(labels))
    correct, n = count_correct(
        model, eval_batches(images, labels, everything, batch=_EVAL_BATCH, **asdict(PREPROCESSING))
    )
    return {
        "kind": "test",
        "id": key[0],
        "seed": key[1],
        "epochs": key[2],
        "n": n,
        "correct": correct,
        "top1": correct / n,
    }


def seconds_per_picture(place: Workplace, network: Network, steps: int = 3) -> float:
    """Median seconds of one training step, a picture, after one step of warm-up; the model is thrown away.

    A step makes its batch too, which on a fast GPU takes longer than the arithmetic.

    Networks of many MACs are timed on smaller batches, which keep a core as busy.
    """
    torch.set_num_threads(place.threads)
    batch = min(place.recipe.batch, max(8, _TIMED_MACS // count(network).macs))
    with _enough_memory(network, batch):
        seconds = _step_seconds(place, network, batch, steps)
    return float(np.median(seconds[1:])) / batch


def _step_seconds(place: Workplace, network: Network, batch: int, steps: int) -> list[float]:
    model = build(network).to(place.device).to(memory_format=torch.channels_last).train()
    images = np.random.default_rng(0).integers(0, 256, (batch, *network.resolution, 3), dtype=np.uint8)
    everything = np.arange(batch)
    augmentation = Augmentation(flip=place.recipe.flip, shift=place.recipe.shift)
    drawn = {"batch": batch, "seed": 0, "augmentation": augmentation, **asdict(PREPROCESSING)}
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    seconds = []
    for step in range(steps + 1):
        started = time.perf_counter()
        batches = train_batches(images, np.zeros(batch, np.int64), everything, epoch=step, **drawn)
        pictures, labels = next(moved(batches, place.device))
        optimizer.zero_grad(set_to_none=True)
        torch.nn.functional.cross_entropy(model(pictures), labels).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        synchronize(place.device)
        seconds.append(time.perf_counter() - started)
    return seconds


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def _enough_memory(network: Network, batch: int) -> Iterator[None]:
    """Torch says that memory ran out by a RuntimeError; here it becomes an error with an exit code."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and not _is_memory(error):
            raise
        raise OutOfMemoryError(
            f"not enough memory to train {network.name} at batch {batch}; use a smaller network or fewer workers."
        ) from None


def _is_memory(error: RuntimeError) -> bool:
    text = str(error)
    return any(
        sign in text for sign in ("DefaultCPUAllocator", "could not create a primitive", "out of memory", "bad_alloc")
    )
