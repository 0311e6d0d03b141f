"""The target of an engine: every word of it known, and calibrated where it has to be."""

from triscale.costs import Target, parse_target
from triscale.costs.allowed_words import require_allowed
from triscale.errors import InputError


def engine_target(text: str) -> Target:
    """The target that `ENGINE:PRECISION:tTHREADS[:bBATCH]` names.

    Raises:
        UsageError: another form, or an unknown engine or precision; the message has the nearest name.
    """
    from triscale.engines import PRECISIONS, engine_named  # noqa: PLC0415  loads NumPy

    found = parse_target(text)
    engine_named(found.runtime)
    require_allowed("precision of an engine", found.precision, PRECISIONS)
    return found


def require_calibrated(target: Target) -> None:
    """InputError where latency cannot be predicted on a target: it cannot run here, or how to calibrate it."""
    from triscale.latency.predictor import calibration, require_able  # noqa: PLC0415  loads NumPy

    try:
        calibration(target)
    except InputError:
        require_able(target)
        raise
