"""What people type for options: resolutions `64x96`, limits `macs=1.0G`, and the quantities in them."""

from collections.abc import Sequence
from typing import Annotated

from cyclopts import Parameter

from triscale.errors import UsageError
from triscale.quantities import quantity, seconds

__all__ = ["Signed", "limits", "pixels", "quantity", "seconds"]

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
        if not (name and value):
            raise UsageError(f"cannot read the budget {text!r}; write NAME=LIMIT such as macs=1.0G.")
        name = name.replace("-", "_")
        if name in found:
            raise UsageError(f"the limit {name} is given twice.")
        if value.lower().endswith("b") and not name.endswith("memory"):
            raise UsageError(f"{value!r} is bytes, but {name} is a count: write {name}=1.0G or {name}=9M.")
        found[name] = quantity(value, f"the limit {name}")
    return found
