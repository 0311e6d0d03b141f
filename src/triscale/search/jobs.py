"""One training of a study: from a job to a `run` record and a checkpoint."""

import os
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from triscale.cost import count
from triscale.data import Policy, Source, SplitRule, TrainingSplit, open_data
from triscale.data.batches import Augmentation, eval_batches, moved, train_batches
from triscale.errors import NumericError
from triscale.evaluate import count_correct, top1
from triscale.nn import Model, Plan, build, keep_freed_memory, kept_plan, synchronize
from triscale.spec import Network, Preprocessing, content_hash
from triscale.train import Engine, Epoch, Keeper, PictureFeed, Recipe, enough_memory, train, trained_on
from triscale.trained_on import TrainedOn
from triscale.weights import Checkpoint, Classifier, load_classifier, save

PREPROCESSING = Preprocessing()
COLOURS = {"mean": PREPROCESSING.mean, "std": PREPROCESSING.std}
_EVAL_BATCH = 256
_TIMED_MACS = 1_000_000_000
_SAVE_SECONDS = 30.0
_ADVICE = "use a smaller network or fewer workers"
_TUNED_FROM = 1_000
"""Steps of a training from which on a measurement of the kernels, about 30 steps long, is worth its time."""


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
        *,
        kernels: bool = True,
        rule: SplitRule = SplitRule(),  # noqa: B008  frozen
    ) -> None:
        self.folder, self.data, self.seed, self.rule = folder, data, seed, rule
        self.train_size, self.recipe = train_size, recipe
        self.threads, self.device, self.kernels = threads, torch.device(device), kernels

    @cached_property
    def source(self) -> Source:
        """The data set, opened and checked once a process."""
        return open_data(self.data, policy=Policy(split=self.rule))

    @cached_property
    def split(self) -> TrainingSplit:
        """The training and the validation pictures, the same for every job."""
        return self.source.training_split(train_size=self.train_size, seed=self.seed)

    @cached_property
    def trained_on(self) -> TrainedOn:
        """What every job uses of the data, for its checkpoint."""
        return trained_on(self.source, seed=self.seed, train_size=self.train_size)

    def enter(self) -> None:
        """Let this process compute as the study asks for."""
        torch.set_num_threads(self.threads)
        if self.kernels and self.device.type == "cpu":
            keep_freed_memory()

    def ways(self, model: Model, network: Network, steps: int) -> Plan:
        """The fastest ways of a model for a training of so many steps; torch's own for a short one.

        Beside other trainings the machine is never quiet: what was measured once serves all seeds of a network.
        """
        if not self.kernels or self.recipe.compile or steps < _TUNED_FROM:
            return Plan()
        return kept_plan(model, self.recipe.batch, network.resolution, self.recipe.arithmetic, busy=lambda: True)

    def checkpoint(self, key: tuple[str, int, int]) -> Path:
        """Where the weights of a run lie."""
        return self.folder / "runs" / f"{key[0][:12]}-s{key[1]}-e{key[2]}.safetensors"

    def unfinished(self, key: tuple[str, int, int]) -> Path:
        """The folder of the state of a run that is under way."""
        return self.checkpoint(key).with_suffix(".unfinished")

    def forget(self, key: tuple[str, int, int]) -> None:
        """Remove the state of a run that has its record."""
        shutil.rmtree(self.unfinished(key), ignore_errors=True)


def run_job(place: Workplace, job: Job, on_epoch: Callable[[Epoch], None] = lambda _: None) -> dict[str, Any]:
    """Train a network, save its weights, and return the `run` record; a failed training returns a `failed` record."""
    place.enter()
    about = {"id": job.key[0], "phase": job.phase, "seed": job.seed, "epochs": job.epochs}
    try:
        with enough_memory(job.network, place.recipe.batch, _ADVICE):
            return {"kind": "run", **about, **_train(place, job, on_epoch)}
    except NumericError as error:
        return {"kind": "failed", **about, "reason": str(error)}


def _train(place: Workplace, job: Job, on_epoch: Callable[[Epoch], None]) -> dict[str, Any]:
    torch.manual_seed(job.seed)
    model = build(job.network).to(place.device).to(memory_format=torch.channels_last)
    if place.recipe.zero_classifier:
        torch.nn.init.zeros_(model.classifier.weight)
    images, labels = place.source.pictures("train", job.network.resolution), place.source.labels("train")
    split = place.split
    recipe = replace(place.recipe, epochs=job.epochs)
    feed = PictureFeed(
        images=images,
        labels=labels,
        indices=split.training,
        batch=recipe.batch,
        seed=job.seed,
        augmentation=Augmentation(flip=recipe.flip, shift=recipe.shift),
        mean=PREPROCESSING.mean,
        std=PREPROCESSING.std,
    )

    seen, known = place.source.pictures(split.held, job.network.resolution), place.source.labels(split.held)

    def evaluate(model: torch.nn.Module) -> float:
        return top1(model, eval_batches(seen, known, split.validation, batch=_EVAL_BATCH, **COLOURS))

    engine = Engine(model, recipe, feed.steps, seed=job.seed)
    keeper = _keeper(place, job)
    if not keeper.restore(engine):
        engine.take(place.ways(model, job.network, recipe.epochs * feed.steps))

    def after_epoch(engine: Engine) -> None:
        keeper.after_step(engine)
        on_epoch(engine.history[-1])

    outcome = train(engine, feed, evaluate, on_step=keeper.after_step, on_epoch=after_epoch)
    path = place.checkpoint(job.key)
    classes = place.source.classes
    save(
        path,
        Checkpoint(
            network=job.network,
            state=engine.learned.state_dict(),
            classes=classes,
            preprocessing=PREPROCESSING,
            trained_on=place.trained_on,
        ),
    )
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
        "kernels": engine.plan.build,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _keeper(place: Workplace, job: Job) -> Keeper:
    """What saves the training now and then: when it is killed, the same command goes on in its middle."""
    folder = place.unfinished(job.key)
    folder.mkdir(parents=True, exist_ok=True)
    identity = {
        "key": list(job.key),
        "data": place.source.fingerprint,
        "train_size": place.train_size,
        "seed": place.seed,
        "recipe": place.recipe.document(),
        **({"split": rule} if (rule := place.source.rule.document()) else {}),
    }
    return Keeper(folder, identity, every=_SAVE_SECONDS)


def trained(place: Workplace, key: tuple[str, int, int]) -> Classifier:
    """The network of a finished run with its preprocessing, in evaluation mode, where the study computes."""
    return load_classifier(place.checkpoint(key)).on(place.device)


def test_run(place: Workplace, key: tuple[str, int, int]) -> dict[str, Any]:
    """The `test` record of a finished run: top-1 on every test picture."""
    found = trained(place, key)
    images, labels = place.source.pictures("test", found.resolution), place.source.labels("test")
    everything = np.arange(len(labels))
    correct, n = count_correct(found.model, eval_batches(images, labels, everything, batch=_EVAL_BATCH, **COLOURS))
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
    place.enter()
    batch = min(place.recipe.batch, max(8, _TIMED_MACS // count(network).macs))
    with enough_memory(network, batch, _ADVICE):
        seconds = _step_seconds(place, network, batch, steps)
    return float(np.median(seconds[1:])) / batch


def _step_seconds(place: Workplace, network: Network, batch: int, steps: int) -> list[float]:
    model = build(network).to(place.device).to(memory_format=torch.channels_last).train()
    images = np.random.default_rng(0).integers(0, 256, (batch, *network.resolution, 3), dtype=np.uint8)
    everything = np.arange(batch)
    augmentation = Augmentation(flip=place.recipe.flip, shift=place.recipe.shift)
    drawn: dict[str, Any] = {"batch": batch, "seed": 0, "augmentation": augmentation, **COLOURS}
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
