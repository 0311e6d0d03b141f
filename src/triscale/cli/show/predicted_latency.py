"""`--target` of `triscale cost`: the milliseconds that a calibrated predictor gives a network."""

from pathlib import Path
from typing import Any

from triscale import units
from triscale.costs import Target
from triscale.errors import UsageError
from triscale.latency.engine_target import engine_target, require_calibrated
from triscale.spec import Network


def calibrated_target(target: str | None, calibration: Path | None) -> Target | None:
    """The target to predict for; None where none was given.

    Raises:
        UsageError: it has another form, an unknown engine or precision, or a calibration was given without one.
    """
    if target is None:
        if calibration is not None:
            raise UsageError("--calibration is for a prediction; give --target too, such as onnxruntime:float32:t1.")
        return None
    return engine_target(target)


def predicted_latency(network: Network, target: Target, calibration: Path | None) -> dict[str, Any]:
    """What JSON says about a prediction.

    Raises:
        InputError: the target is not calibrated; the message has the line that does it, or why it cannot be.
    """
    from triscale.latency.predictor import calibration as calibration_of  # noqa: PLC0415  loads NumPy

    if calibration is None:
        require_calibrated(target)
    kept = calibration_of(target, calibration)
    found = kept.predict(network)
    return {
        "target": kept.target,
        "predicted_ms": found.milliseconds,
        "interval_ms": [found.low, found.high],
        "cpu": kept.machine["cpu"],
        "calibrated": kept.made,
    }


def latency_line(found: dict[str, Any]) -> str:
    """A prediction in a line."""
    middle, low, high = (units.latency(value / 1e3) for value in (found["predicted_ms"], *found["interval_ms"]))
    when = f"calibrated {found['calibrated'][:10]}"
    return f"latency on {found['target']}: {middle} predicted ({low} to {high} for 9 in 10 networks), {when}"
