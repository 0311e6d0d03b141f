"""Numbers as people type them: `1.0G`, `8GiB`, `64x96`, `30m`."""

import math
import re
from collections.abc import Mapping, Sequence

from triscale.errors import UsageError

_UNITS = {"": 1, "k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12, "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40}
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_NUMBER = re.compile(r"([0-9]+\.?[0-9]*(?:e[+-]?[0-9]+)?|\.[0-9]+)\s*([a-z]*)", re.IGNORECASE | re.ASCII)


def quantity(text: str, what: str = "a quantity") -> float:
    """A finite number above 0 with a unit: K, M, G, T are decimal, KiB, MiB, GiB, TiB binary."""
    return _parse(text, _UNITS, what, "a number above 0 such as 1.0G, 9M or 8GiB")


def seconds(text: str) -> float:
    """A duration such as 90s, 30m or 1.5h in seconds; a plain number is seconds."""
    return _parse(text, _SECONDS, "a duration", "such as 90s, 30m or 1.5h")


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


def _parse(text: str, units: Mapping[str, float], what: str, allowed: str) -> float:
    match = _NUMBER.fullmatch(text.strip())
    unit = units.get(match[2].lower()) if match else None
    value = float(match[1]) * unit if match and unit else math.nan
    if not (math.isfinite(value) and value > 0):
        raise UsageError(f"{text!r} is not {what}: write {allowed}.")
    return value
