"""How long a step of a training takes here: a training of a few steps, on images that are drawn at random."""

import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from statistics import mean, median
from typing import NamedTuple

import numpy as np
import torch

from triscale.data import Source
from triscale.data.readers.torchvision_sets import MemoryPart
from triscale.foreign import count_any
from triscale.nn import synchronize
from triscale.scaling import factors
from triscale.search.coefficients.baselines import baseline_of
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

_ROUNDS = 3
"""How often each network is timed, in turn with the others."""

_BUSY = 1.25
"""Wall seconds for each second of work from which on other work is worth a word."""


class StepTime(NamedTuple):
    """Median seconds of a training step, an image: on the clock, and of work."""

    wall: float
    work: float


def seconds_per_image(job: TrainJob, numerics: Numerics, steps: int = 3) -> StepTime:
    """Median seconds of one training step, an image, after one step of warm-up; the network is thrown away.

    A step makes its batch too, which on a fast GPU takes longer than the arithmetic. Work is the time of this process
    on its core, which other processes do not lengthen much; it is the wall time where several
    threads or a GPU compute.

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
    wall = median(clock.wall) / batch
    alone = numerics.device == "cpu" and numerics.threads == 1
    return StepTime(wall, min(wall, median(clock.work) / batch) if alone else wall)


class Speed:
    """Seconds of work that an image takes in a training step, on a machine that may be busy with other things.

    The baseline and the networks that scale one dimension alone are timed, in turn, so that a busy moment meets all of
    them; others are estimated by the MACs, at the mean rate of the timed ones that are larger than the baseline.

    Args:
        job: of the baseline.
        numerics: on what is timed.
        corners: finds networks of about the cost of a candidate.
        time_one: times a job; another one in tests.
    """

    def __init__(
        self,
        job: TrainJob,
        numerics: Numerics,
        corners: Callable[[], Sequence[AnyNetwork]] = list,
        time_one: Callable[[TrainJob, Numerics], StepTime] = seconds_per_image,
    ) -> None:
        self._job, self._numerics, self._time_one = job, numerics, time_one
        self._find_corners = corners
        self._known: dict[str, StepTime] = {}

    def __call__(self, network: AnyNetwork) -> float:
        """Of a network; timed if it is the baseline or a corner, else estimated."""
        self._measure()
        found = self._known.get(content_hash(network))
        return found.work if found else count_any(network).macs * self._per_mac

    @property
    def load(self) -> float:
        """Wall seconds for each second of work while it was timed; 1 on a machine that does nothing else."""
        self._measure()
        return median(one.wall / one.work for one in self._known.values())

    @property
    def remark(self) -> str:
        """What a user should know of it; empty: nothing."""
        if self.load < _BUSY:
            return ""
        return (
            f"other work keeps the processor busy (a second of work takes {self.load:.1f} s); the times hold without "
            "it, and a study with a time trains fewer candidates where it runs late"
        )

    @cached_property
    def _corners(self) -> Sequence[AnyNetwork]:
        return self._find_corners()

    @cached_property
    def _per_mac(self) -> float:
        """Seconds a MAC."""
        rates = {one: self._known[one].work / macs for one, macs in self._macs.items() if one in self._known}
        return mean([rate for one, rate in rates.items() if one != content_hash(self._job.network)] or rates.values())

    @cached_property
    def _macs(self) -> dict[str, int]:
        return {content_hash(one): count_any(one).macs for one in (self._job.network, *self._corners)}

    def _measure(self) -> None:
        """Time each network a few times in turn, unless that is done."""
        if self._known:
            return
        job, macs = self._job, self._macs
        first = self._time_one(job, self._numerics)
        near = [one for one in self._corners if macs[content_hash(one)] <= _FAR * count_any(job.network).macs]
        networks = {content_hash(one): one for one in (job.network, *(near if first.work <= _SLOW else ()))}
        times: dict[str, list[StepTime]] = {content_hash(job.network): [first]}
        for index in range(_ROUNDS):
            for key, network in networks.items():
                if index or key not in times:
                    times.setdefault(key, []).append(self._time_one(replace(job, network=network), self._numerics))
        for key, some in times.items():
            self._known[key] = StepTime(median(one.wall for one in some), median(one.work for one in some))


def corners_of(baseline: AnyNetwork, at_phi: float) -> list[AnyNetwork]:
    """The networks of 2^at_phi times the cost that scale one dimension alone."""
    ground, cost = baseline_of(baseline), 2.0**at_phi * count_any(baseline).macs
    return [ground.nearest(partial(factors, rule), cost)[1] for rule in ground.rules]


class _Enough(BaseException):
    """All steps are timed."""


class _Clock(Quiet):
    """Times steps after the first, and ends the training after `steps` of them."""

    def __init__(self, steps: int, device: torch.device) -> None:
        self.wall: list[float] = []
        self.work: list[float] = []
        self._steps, self._device = steps, device
        self._before: tuple[float, float] | None = None

    def step(self, engine: Trainer) -> None:
        """Note the time."""
        del engine
        synchronize(self._device)
        now = time.perf_counter(), time.process_time()
        if self._before is not None:
            self.wall.append(now[0] - self._before[0])
            self.work.append(now[1] - self._before[1])
        if len(self.wall) >= self._steps:
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
