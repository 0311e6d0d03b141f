"""The time of each step of a compiled network, by its own clock."""

import numpy as np

from triscale.costs import Target
from triscale.engines import Floats
from triscale.engines.native_code import NativeEngine
from triscale.latency.predictor.node_times import NodeTimes
from triscale.latency.predictor.step_kernels import step_name
from triscale.runtime import best_isa, planned
from triscale.runtime.emission import functions_of
from triscale.spec import Network

CLOCK = 0.05
"""Microseconds that reading the clock takes: how exactly a run of a step is known."""


def profile_native(
    engine: NativeEngine, network: Network, target: Target, images: Floats, runs: int
) -> tuple[NodeTimes, ...]:
    """Run the first image alone in one thread, with the clock read behind each step.

    Returns:
        The steps in their order, each with the wall time of every run.

    Raises:
        InputError: there is no compiler, or the runtime does not know a block.
    """
    opened = engine.opened(network, target)
    microseconds = np.stack([opened.step_times(images[0]) for _ in range(runs)]) / 1e3
    plan = planned(network, best_isa())
    first = np.cumsum([0, *functions_of(plan)])[:-1]
    by_step = np.add.reduceat(microseconds, first, axis=1).T
    return tuple(
        NodeTimes(step_name(number, step), type(step).__name__, tuple(map(float, times)))
        for number, (step, times) in enumerate(zip(plan.steps, by_step, strict=True))
    )
