"""How many images a second one GPU trains a small network with, by how many trainings share it at a time.

Each training is a process of its own, as in a study, makes real steps (batch, forward, backward, optimizer) on images
that lie on the GPU, and all of them work side by side. Processes take turns on a GPU unless NVIDIA MPS runs, which the
record says. Run `python -m benchmarks.trainings_at_once` from the root of the repository; it appends a record for each
network and precision.
"""

import argparse
import json
import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Literal

import numpy as np
import torch

from benchmarks import harness
from benchmarks.remote import Prepared, Remote, together
from triscale.data.feed.in_memory import Augmentation
from triscale.data.feed.on_gpu import ImagesOnGpu
from triscale.nn import build, place, synchronize
from triscale.recipes import load_recipe
from triscale.scaling import network
from triscale.training import PictureFeed, Recipe, Trainer

NAME = "trainings_at_once"
IMAGES = 8_192
MEAN, STD = (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)
Precision = Literal["float32", "bfloat16"]


def prepare(name: str, precision: Precision, device: str, steps: int) -> Prepared:
    """A training in its process that makes `steps` steps at a time."""
    where, of = place(device, 1), network(name)
    recipe = Recipe(**{**load_recipe("quick").to_dict(), "precision": precision, "norms": "learn"})
    draws = np.random.default_rng(0)
    images = draws.integers(0, 256, (IMAGES, *of.resolution, 3), dtype=np.uint8)
    labels = np.arange(IMAGES) % of.classes
    feed = PictureFeed(
        images=images, labels=labels, indices=np.arange(IMAGES), batch=recipe.batch, seed=0,
        augmentation=Augmentation(), on_gpu=ImagesOnGpu.of(images, labels, MEAN, STD, where), mean=MEAN, std=STD,
    )  # fmt: skip
    model = build(of).to(where, memory_format=torch.channels_last)  # type: ignore[call-overload]
    engine = Trainer(model, recipe, feed.steps)
    coming = (batch for epoch in range(10_000) for batch in feed.batches(epoch, 0))

    def work() -> None:
        for _ in range(steps):
            engine.step = 1  # the rate of one step: how long it trains does not count
            engine.learn(*next(coming))
        synchronize(where)

    return Prepared(work, {"batch": recipe.batch})


def measured(remotes: list[Remote], rounds: int) -> tuple[list[float], float]:
    """Seconds of each round of all of them side by side, and the median seconds of a core that one of them takes."""
    together(remotes)
    seconds = []
    for _ in range(rounds):
        start = perf_counter()
        together(remotes)
        seconds.append(perf_counter() - start)
    return seconds, median(one for remote in remotes for one in remote.core_seconds[-rounds:])


def compare(
    name: str, precision: Precision, device: str, jobs: list[int], steps: int, rounds: int
) -> dict[str, object]:
    """The record of one network and precision."""
    start = partial(Remote, prepare, name, precision, device, steps)
    with ThreadPoolExecutor(max(jobs)) as pool:  # each loads torch
        remotes = list(pool.map(lambda _: start(), range(max(jobs))))
    batch = remotes[0].facts["batch"]
    found = {number: measured(remotes[:number], rounds) for number in jobs}
    for one in remotes:
        one.end()
    return {
        **harness.provenance(NAME),
        "network": name,
        "precision": precision,
        "batch": batch,
        "steps": steps,
        "device": torch.cuda.get_device_name() if device == "cuda" else device,
        "mps": _has_mps(),
        "torch": str(torch.__version__),
        "n": rounds,
        "seconds": {str(number): seconds for number, (seconds, _) in found.items()},
        "images_per_second": {str(k): k * steps * batch / median(seconds) for k, (seconds, _) in found.items()},
        "core_seconds_per_step": {str(number): core / steps for number, (_, core) in found.items()},
    }


def _has_mps() -> bool:
    """Whether NVIDIA's daemon lets processes compute on a GPU at the same time."""
    return Path(os.environ.get("CUDA_MPS_PIPE_DIRECTORY", "/tmp/nvidia-mps"), "control").exists()  # noqa: S108


def main() -> None:
    """Measure, print and record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cuda")
    parser.add_argument("--networks", nargs="+", default=["smallnet_24"])
    parser.add_argument("--precision", nargs="+", choices=["float32", "bfloat16"], default=["float32", "bfloat16"])
    parser.add_argument("--jobs", type=int, nargs="+", default=[1, 4, 12])
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    if given.device == "cuda" and not torch.cuda.is_available():
        parser.error("there is no GPU that torch can use")
    for name in given.networks:
        for precision in given.precision:
            entry = compare(name, precision, given.device, given.jobs, given.steps, given.rounds)
            print(json.dumps(entry), flush=True)
            harness.append(entry)


if __name__ == "__main__":
    main()
