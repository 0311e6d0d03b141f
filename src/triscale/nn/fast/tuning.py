"""A short measurement of a model's parts on this machine, and the plan that follows from it."""

import copy
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import nn

from triscale.costs import Precision
from triscale.nn.device import device_of
from triscale.nn.fast import native
from triscale.nn.fast.applied_plan import apply_plan
from triscale.nn.fast.bench import Bench
from triscale.nn.fast.contest import ContestResult, Measure, process_seconds, wall_seconds
from triscale.nn.fast.machine_load import IDLE, Load, LoadWatch
from triscale.speed_plan import SpeedPlan

_SPREAD = 1.25
"""Ends of the interval of a whole step's gain that lie farther apart, as a ratio, make it unsure."""


@dataclass(frozen=True, kw_only=True)
class Tuned:
    """A plan, and how sure it is.

    Attributes:
        plan: what was found; empty where the whole step did not gain.
        step: the whole step with the plan that the parts suggested beside one without; None if they suggested none.
        load: the worst of what other programs took of the machine meanwhile.
    """

    plan: SpeedPlan
    step: ContestResult | None
    load: Load

    @property
    def sure(self) -> bool:
        """Whether it was measured in quiet, and would be found again."""
        return not self.load.crowded and (self.step is None or self.step.spread < _SPREAD)

    def told(self) -> str:
        """In words."""
        loaded = "; other programs kept the machine busy" if self.load.crowded else ""
        if self.step is None:
            return f"no part of the network is faster by other ways than torch's here{loaded}"
        gain = self.step.interval
        ratio = f"a training step is {gain.median:.2f} times as fast ({gain.low:.2f} to {gain.high:.2f}){loaded}"
        if self.plan != SpeedPlan():
            return ratio
        return f"torch's own ways are kept; with the fastest of others {ratio}, and {self.step.gain:g} is required"

    def to_dict(self) -> dict[str, Any]:
        """How it was found, as plain data."""
        step = self.step and {
            "times_faster": asdict(self.step.interval), "gain": self.step.gain, "spread": self.step.spread,
            "rounds": len(self.step.ratios),
        }  # fmt: skip
        return {"sure": self.sure, "step": step, "load": {**self.load._asdict(), "crowded": self.load.crowded}}


def tune(
    model: nn.Module, batch: int, resolution: tuple[int, int], precision: Precision, channels: int = 3
) -> SpeedPlan:
    """The plan that is fastest for training a model here, with the threads that torch has now; see `measured`."""
    return measured(model, batch, resolution, precision, channels).plan


def measured(
    model: nn.Module,
    batch: int,
    resolution: tuple[int, int],
    precision: Precision,
    channels: int = 3,
    *,
    measure: Measure | None = None,
    load: Callable[[], Load] | None = None,
) -> Tuned:
    """The plan that is fastest for training a model here, with the threads that torch has now, and how sure that is.

    Each distinct part (sizes, kernel, stride, activation) is timed forward and backward on random maps of its own size,
    the ways interleaved. Then whole steps with the plan and without it are, and it is kept only if they gain. The model
    is not changed, weights and statistics included. Compiling the kernels, once on a machine, takes about ten seconds
    more.

    Args:
        model: on the CPU; elsewhere the plan is empty, as torch's own ways are fast there.
        batch: images in a step.
        resolution: of the images, [h, w] in pixels.
        precision: `bfloat16` stands for training under autocast.
        channels: of the images.
        measure: takes the time of a way (`STOCK` and others) or of a whole step (`STOCK` and `plan`); by default the
            process's on its cores, and for a whole step on a quiet machine that of the clock.
        load: says what others take of the machine.
    """
    if device_of(model).type != "cpu":
        return Tuned(plan=SpeedPlan(), step=None, load=IDLE)
    native.available()  # the compiler's work is nobody's load
    watch, seen = load or LoadWatch(torch.get_num_threads()), []

    def look() -> Load:
        seen.append(watch())
        return seen[-1]

    look()
    model = copy.deepcopy(model)
    apply_plan(model, SpeedPlan())
    with torch.random.fork_rng(devices=[]):
        bench = Bench(model, batch, resolution, precision, channels, measure or process_seconds, look)
        plan, step = bench.suggested(), None
        if plan != SpeedPlan():
            step = bench.step(plan, measure or (process_seconds if look().crowded else wall_seconds))
    look()
    kept = plan if step and step.won else SpeedPlan()
    return Tuned(plan=kept, step=step, load=max(seen, key=lambda one: one.pressure))
