"""What limits and costs are of: the engine that somebody named, beside a training."""

from collections.abc import Iterable
from dataclasses import replace

from triscale.costs import ANYWHERE, Target, needed, parse_target
from triscale.errors import UsageError
from triscale.latency.latency_metric import is_clocked, require_target


def limited_on(names: Iterable[str], target: str | None, training: Target = ANYWHERE) -> Target:
    """The target of limits and costs by these names.

    Args:
        names: metrics.
        target: of an engine, as text; None: no metric is of one.
        training: what the other metrics are of.

    Raises:
        UsageError: a metric is of an engine and none was named, or one was named for nothing; or another form.
    """
    asked = list(names)
    require_target(asked, target)
    if target is None:
        return training
    if not needed(asked, "target"):
        raise UsageError("--target is for a limit or a cost that depends on an engine, such as --budget latency=8ms.")
    return replace(training, engine=parse_target(target))


def require_calibrated(names: Iterable[str], target: Target) -> None:
    """InputError where latency is among some metrics and the target's engine is not calibrated on this machine."""
    if is_clocked(tuple(names)):
        from triscale.latency.predictor import calibration  # noqa: PLC0415  loads NumPy

        calibration(target.engine or target)
