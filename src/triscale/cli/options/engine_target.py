"""`--target`: the engine that a limit on latency is of."""

from collections.abc import Iterable

from triscale.costs import Target, needed, parse_target
from triscale.errors import UsageError
from triscale.latency.latency_metric import require_target

FORM = "ENGINE:PRECISION:tTHREADS[:bBATCH]"


def engine_target(names: Iterable[str], text: str | None) -> Target | None:
    """The target of `--target`, for limits or metrics of these names; None where none was given or is needed.

    Raises:
        UsageError: a limit needs one, or none does; or the text has another form.
    """
    asked = list(names)
    require_target(asked, text)
    if text is None:
        return None
    if not needed(asked, "target"):
        raise UsageError("--target is for a limit on latency: give --budget latency=8ms or the like.")
    return parse_target(text)
