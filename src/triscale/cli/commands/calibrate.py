"""`triscale calibrate`: measure a target once, so that milliseconds can be predicted on it."""

from typing import TYPE_CHECKING, Any

from triscale import units
from triscale.cli.show.output import Flag, print_json, print_text, printable
from triscale.costs import Target, parse_target

if TYPE_CHECKING:
    from triscale.latency.predictor import Calibration


def calibrate(*, target: str, check: Flag = False, json: Flag = False) -> None:
    """Fit a latency predictor to this machine, in a minute or two.

    It measures 41 networks on a target. A calibration that was killed resumes. Run it while nothing else runs.

    Args:
        target: ENGINE:PRECISION:tTHREADS[:bBATCH], such as onnxruntime:float32:t1.
        check: only check, in some seconds, whether the machine is slower or faster than before, and correct for it.
        json: print one JSON document instead of text.
    """
    wanted = parse_target(target)
    found = _checked(wanted) if check else _calibrated(wanted)
    if json:
        print_json(found)
    else:
        print_text(*_text(found))


def _calibrated(target: Target) -> dict[str, Any]:
    from triscale.cli.show.progress.calibration_progress import calibrating  # noqa: PLC0415  loads rich on a terminal
    from triscale.latency.predictor import calibrate as measured  # noqa: PLC0415  loads NumPy

    with calibrating(str(target)) as watch:
        return _document(measured(target, watch=watch), target)


def _document(found: "Calibration", target: Target) -> dict[str, Any]:
    from triscale.latency.predictor import calibration_path  # noqa: PLC0415  loads NumPy

    return {
        "target": found.target,
        "engine_version": found.engine_version,
        "networks": found.networks,
        "seconds": found.seconds,
        "interval_percent": found.interval_percent,
        "file": printable(calibration_path(target)),
    }


def _checked(target: Target) -> dict[str, Any]:
    from triscale.latency.predictor import check_drift  # noqa: PLC0415  loads NumPy

    found = check_drift(target)
    return {"target": str(target), "drift": found.ratio, "anchors": found.anchors}


def _text(found: dict[str, Any]) -> list[str]:
    if "drift" in found:
        return [f"{found['target']} takes {found['drift']:.3f} times as long as when it was calibrated."]
    head = f"{found['target']} ({found['engine_version']}): {found['networks']} networks in "
    tail = f"; predictions are within {found['interval_percent']:.0f}% for 9 in 10 networks"
    return [head + units.duration(found["seconds"]) + tail, f"kept in {found['file']}"]
