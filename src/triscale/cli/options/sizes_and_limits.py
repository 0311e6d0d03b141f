"""What people type for options: resolutions `64x96`, limits `macs=1.0G`, names of metrics."""

import re
from collections.abc import Iterable, Sequence
from typing import Annotated

from cyclopts import Parameter

from triscale.costs import known_metrics, metric_named, needed, read_limit
from triscale.errors import UsageError
from triscale.quantities import seconds

__all__ = ["Signed", "budget_help", "limits", "metric_names", "pixels", "require_batch", "seconds"]

_SEPARATED = re.compile(r"([a-z][a-z_-]*)\s*(?:[:<>]=?|\s|)\s*([0-9.].*)", re.IGNORECASE)
"""A name and a number with another separator than = between them, or with none."""

Signed = Annotated[str, Parameter(allow_leading_hyphen=True)]
"""Text in which -8GiB is a wrong number, not an unknown option."""


def pixels(text: str) -> tuple[int, int]:
    """Height and width from `64` or `64x96`."""
    sides = text.lower().split("x")
    if not (len(sides) <= 2 and all(side.isascii() and side.isdecimal() and int(side) > 0 for side in sides)):
        raise UsageError(f"{text!r} is not a resolution in pixels; write 64, or height x width such as 64x96.")
    return int(sides[0]), int(sides[-1])


def limits(texts: Sequence[str]) -> dict[str, float]:
    """Limits from `macs=1.0G` and the like; several may stand behind one another with commas."""
    found: dict[str, float] = {}
    for text in ",".join(texts).split(",") if texts else ():
        name, _, value = (part.strip() for part in text.partition("="))
        if not (name and value) or name[-1] in "<>:":
            raise UsageError(f"cannot read the budget {text!r};{_meant(text)}")
        name = name.replace("-", "_")
        if name in found:
            raise UsageError(f"the limit {name} is given twice.")
        found[name] = read_limit(name, value)
    return found


def _meant(text: str) -> str:
    """The budget that was probably meant where something else than = stands between name and limit."""
    found = _SEPARATED.fullmatch(text.strip())
    return " write NAME=LIMIT such as macs=1.0G." if found is None else f" did you mean {found[1]}={found[2]}?"


def require_batch(names: Iterable[str], batch: int | None) -> None:
    """UsageError where a metric among `names` means nothing without a batch, and none was given."""
    if batch is None and (asking := needed(names, "batch")):
        raise UsageError(f"{', '.join(asking)} depends on the images a step: give --batch.")


def metric_names(texts: Sequence[str]) -> tuple[str, ...]:
    """Names of metrics, each known; several may stand behind one another with commas."""
    names = (part.strip().replace("-", "_") for text in texts for part in text.split(","))
    return tuple(metric_named(name).name for name in dict.fromkeys(names))


def budget_help(what: str) -> str:
    """The help of `--budget`, with every metric that there is."""
    examples: dict[str, list[str]] = {}
    for name, metric in known_metrics().items():
        examples.setdefault(metric.unit.example, []).append(name)
    kinds = "; ".join(f"{', '.join(names)} (such as {example})" for example, names in examples.items())
    return f"{what}; may be repeated. The limits are {kinds}."
