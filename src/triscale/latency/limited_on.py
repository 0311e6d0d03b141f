"""What limits and costs are of: the engine that somebody named, beside a training."""

from collections.abc import Iterable
from dataclasses import replace

from triscale.costs import ANYWHERE, Target, needed
from triscale.errors import UsageError
from triscale.latency.engine_target import engine_target, require_calibrated
from triscale.latency.latency_metric import is_clocked, require_target


def limited_on(
    names: Iterable[str], target: str | None, training: Target = ANYWHERE, *, calibrated: bool = True
) -> Target:
    """The target of limits and costs by these names.

    Args:
        names: metrics.
        target: of an engine, as text; None: no metric is of one.
        training: what the other metrics are of.
        calibrated: whether latency must be known on the target already.

    Raises:
        UsageError: a metric is of an engine and none was named, or one was named for nothing; another form of target,
            or an unknown engine or precision.
        InputError: latency is among the metrics, and the target must be calibrated and is not.
    """
    asked = list(names)
    require_target(asked, target)
    if target is None:
        return training
    if not needed(asked, "target"):
        raise UsageError("--target is for a limit or a cost that depends on an engine, such as --budget latency=8ms.")
    engine = engine_target(target)
    if calibrated and is_clocked(asked):
        require_calibrated(engine)
    return replace(training, engine=engine)
