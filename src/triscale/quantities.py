"""Numbers as people type them: 1.0G, 9M, 8GiB, 30m."""

import math
import re
from collections.abc import Mapping

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


def _parse(text: str, units: Mapping[str, float], what: str, allowed: str) -> float:
    match = _NUMBER.fullmatch(text.strip())
    unit = units.get(match[2].lower()) if match else None
    value = float(match[1]) * unit if match and unit else math.nan
    if not (math.isfinite(value) and value > 0):
        raise UsageError(f"{text!r} is not {what}: write {allowed}.")
    return value
