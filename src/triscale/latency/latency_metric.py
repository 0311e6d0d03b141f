"""The metrics that are of an engine: `latency`, predicted seconds of a step on a calibrated target; `engine_memory`."""

from collections.abc import Iterable

from triscale.costs import Metric, Target, metric_named, needed, offer
from triscale.engine_memory import ENGINE_MEMORY
from triscale.errors import UsageError
from triscale.quantities import SECONDS
from triscale.spec import Network


def _predicted(network: Network, target: Target) -> float:
    from triscale.latency.predictor import predict  # noqa: PLC0415  loads NumPy

    return predict(network, target.engine or target).milliseconds / 1e3


LATENCY = offer(
    Metric(name="latency", unit=SECONDS, evaluate=_predicted, deterministic=True, needs=frozenset({"target"}))
)
"""A step of `target.batch` images; rounded channels may make a larger network faster, so it is not monotone.

Somebody who registers a metric of this name has his own.
"""


OF_AN_ENGINE = (LATENCY, ENGINE_MEMORY)
"""They need a target; both are known wherever limits are read."""


def is_clocked(names: Iterable[str]) -> bool:
    """Whether our own latency is among some metrics, so that an answer is measured."""
    return LATENCY.name in names and metric_named(LATENCY.name) is LATENCY


def require_target(names: Iterable[str], target: object) -> None:
    """UsageError where a metric among `names` is of an engine and no target was given (None)."""
    if (asking := needed(names, "target")) and target is None:
        raise UsageError(
            f"{', '.join(asking)} depends on an engine of this machine: give a target (--target), such as "
            f"onnxruntime:float32:t1{', once `triscale calibrate` has measured it' * (LATENCY.name in asking)}."
        )
