"""The performance counters of OpenVINO's kernels."""

from collections.abc import Iterator, Sequence

from triscale.costs import Target
from triscale.engines import Floats, OpenvinoEngine, openvino_core
from triscale.latency.predictor.node_times import NodeTimes

GRAIN = 6.0
"""Microseconds to which a run is known: a counter holds the mean of all runs so far, in whole microseconds."""

_NOT_RUN = "NOT_RUN"


def profile_openvino(
    engine: OpenvinoEngine, graph: bytes, target: Target, images: Floats, runs: int
) -> tuple[NodeTimes, ...]:
    """Run a graph with counters on.

    Returns:
        The kernels that ran, each with the wall time of every run; what was fused into another is left out.
    """
    model = openvino_core().read_model(graph)
    request = engine.compiled(model, target.threads, target.precision, counters=True).create_infer_request()
    found = dict[tuple[str, str], list[float]]()
    for _ in range(runs):
        request.infer({0: images}, share_inputs=True)
        for one in request.profiling_info:
            if one.status.name != _NOT_RUN:
                key = one.node_name, one.node_type
                found.setdefault(key, []).append(one.real_time.total_seconds() * 1e6)
    return tuple(NodeTimes(*key, tuple(_single(means))) for key, means in found.items())


def _single(means: Sequence[float]) -> Iterator[float]:
    """From means of the first 1, 2, 3, ... runs to each run."""
    before = 0.0
    for number, mean in enumerate(means, 1):
        yield max(0.0, number * mean - before)
        before = number * mean
