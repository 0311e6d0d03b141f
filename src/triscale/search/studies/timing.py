"""How long a step of a training takes here: a training of a few steps, on images that are drawn at random."""

import tempfile
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from statistics import median

import numpy as np
import torch

from triscale.data import Source
from triscale.data.readers.torchvision_sets import MemoryPart
from triscale.foreign import count_any
from triscale.nn import synchronize
from triscale.spec import AnyNetwork, content_hash
from triscale.speed_plan import SpeedPlan
from triscale.training import Inputs, Quiet, Trainer, data_use, fit
from triscale.trials import Execution, Numerics, TrainJob

_TIMED_MACS = 1_000_000_000
"""MACs of a batch that keep a core busy: networks of many are timed on smaller batches."""


_SLOW = 0.02
"""Seconds an image beyond which only the baseline is timed."""
_FAR = 2.5
"""Times the baseline's MACs beyond which a network is not timed."""


def seconds_per_image(job: TrainJob, numerics: Numerics, steps: int = 3) -> float:
    """Median seconds of one training step, an image, after one step of warm-up; the network is thrown away.

    A step makes its batch too, which on a fast GPU takes longer than the arithmetic.

    Args:
        job: whose network and recipe are timed.
        numerics: on what; torch's own kernels are timed.
        steps: that are timed.

    Raises:
        OutOfMemoryError: it does not fit.
    """
    batch = min(job.recipe.batch, max(8, _TIMED_MACS // count_any(job.network).macs))
    clock = _Clock(steps, torch.device(numerics.device))
    with tempfile.TemporaryDirectory(prefix="triscale-") as name:
        source = _random_images(job.network, batch * (steps + 2), Path(name))
        recipe = replace(job.recipe, batch=batch, epochs=max(job.recipe.epochs, 2), class_weights="none")
        timed = replace(job, data=data_use(source, seed=0), recipe=recipe)
        execution = Execution(loader_workers=0, save_every=3600.0)
        with suppress(_Enough):
            fit(
                timed, Path(name) / "run", replace(numerics, plan=SpeedPlan()), execution, clock,
                inputs=Inputs(source=source),
            )  # fmt: skip
    return median(clock.seconds) / batch


class Speed:
    """Seconds that an image takes in a training step: measured, or extrapolated by MACs.

    Args:
        job: of the baseline.
        numerics: on what is timed.
    """

    def __init__(self, job: TrainJob, numerics: Numerics) -> None:
        self._job, self._numerics = job, numerics
        self._known: dict[str, float] = {}

    def __call__(self, network: AnyNetwork) -> float:
        """Of a network; those that are large or would be slow to time are extrapolated from the baseline."""
        key = content_hash(network)
        if key not in self._known:
            baseline = self._job.network
            ratio = count_any(network).macs / count_any(baseline).macs
            if ratio > _FAR or (ratio != 1 and self(baseline) > _SLOW):
                self._known[key] = ratio * self(baseline)
            else:
                self._known[key] = seconds_per_image(replace(self._job, network=network), self._numerics)
        return self._known[key]


class _Enough(BaseException):
    """All steps are timed."""


class _Clock(Quiet):
    """Times steps after the first, and ends the training after `steps` of them."""

    def __init__(self, steps: int, device: torch.device) -> None:
        self.seconds: list[float] = []
        self._steps, self._device = steps, device
        self._before: float | None = None

    def step(self, engine: Trainer) -> None:
        """Note the time."""
        del engine
        synchronize(self._device)
        now = time.perf_counter()
        if self._before is not None:
            self.seconds.append(now - self._before)
        if len(self.seconds) >= self._steps:
            raise _Enough
        self._before = now


def _random_images(network: AnyNetwork, images: int, cache: Path) -> Source:
    """Images of the network's size and classes; a few more stand for the validation that is never reached."""
    draws = np.random.default_rng(0)

    def part(n: int, split: str) -> MemoryPart:
        pixels = draws.integers(0, 256, (n, *network.resolution, 3), dtype=np.uint8)
        return MemoryPart(pixels, np.arange(n) % network.classes, split)

    return Source(
        name="random images",
        classes=tuple(map(str, range(network.classes))),
        native=network.resolution,
        fingerprint="random",
        test_from="test",
        parts={"train": part(images, "train"), "val": part(4, "val"), "test": part(4, "test")},
        cache=cache,
    )
