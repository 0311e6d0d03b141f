"""Numbers as people type them, each in the unit of what it measures: 1.0G, 8GiB, 10ms, 100/s; and durations: 30m."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from triscale import units
from triscale.errors import UsageError

_PREFIXES = {"": 1.0, "k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12}
_BINARY = {"kib": 2.0**10, "mib": 2.0**20, "gib": 2.0**30, "tib": 2.0**40}
_DURATIONS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_NUMBER = re.compile(r"([0-9]+\.?[0-9]*(?:e[+-]?[0-9]+)?|\.[0-9]+)\s*([a-z\u00b5\u03bc/]*)", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, kw_only=True, slots=True)
class Unit:
    """The unit of a metric: how its values are typed and printed.

    Attributes:
        name: as a JSON document names it.
        suffixes: what may stand behind a number, in lower case, and what it multiplies by.
        example: of what people type, for messages.
        show: a value for people, rounded.
        canonical: the suffix of `write`.
        whole: values are whole numbers, which messages print to the last digit.
    """

    name: str
    suffixes: Mapping[str, float]
    example: str
    show: Callable[[float], str]
    canonical: str = ""
    whole: bool = False

    def read(self, text: str, what: str = "a quantity") -> float:
        """The finite number above 0 that `text` means; UsageError names `what` and shows an example."""
        return _parse(text, self.suffixes, what, f"a number above 0 such as {self.example}")

    def write(self, value: float) -> str:
        """Text that `read` turns into the same number (to 15 digits)."""
        return f"{value:.15g}{self.canonical}"

    def exact(self, value: float) -> str:
        """A value in a message: every digit of a whole number, else as `show`."""
        return f"{value:,.0f}" if self.whole else self.show(value)


COUNT = Unit(name="count", suffixes=MappingProxyType(_PREFIXES), example="1.0G or 9M", show=units.trimmed, whole=True)
"""A number of things; K, M, G and T are decimal."""

BYTES = Unit(
    name="bytes",
    suffixes=MappingProxyType({**_PREFIXES, **_BINARY, **{f"{name}b": size for name, size in _PREFIXES.items()}}),
    example="8GiB or 64MiB",
    show=units.memory,
    whole=True,
)
"""KiB, MiB, GiB and TiB are binary, KB, MB, GB and TB decimal, as are the letters alone."""

SECONDS = Unit(
    name="s",
    suffixes=MappingProxyType({"s": 1.0, "ms": 1e-3, "us": 1e-6, "\u00b5s": 1e-6, "\u03bcs": 1e-6}),
    example="10ms or 0.5s",
    show=units.latency,
    canonical="s",
)
"""A short time, which needs its unit: a plain 10 may mean seconds or milliseconds."""

PER_SECOND = Unit(
    name="1/s",
    suffixes=MappingProxyType({**_PREFIXES, **{f"{name}/s": size for name, size in _PREFIXES.items()}}),
    example="100/s or 1.5k/s",
    show=units.rate,
)
"""A number of things a second."""


def seconds(text: str) -> float:
    """A duration such as 90s, 30m or 1.5h in seconds; a plain number is seconds."""
    return _parse(text, _DURATIONS, "a duration", "such as 90s, 30m or 1.5h")


def _parse(text: str, suffixes: Mapping[str, float], what: str, allowed: str) -> float:
    match = _NUMBER.fullmatch(text.strip())
    factor = suffixes.get(match[2].lower()) if match else None
    value = float(match[1]) * factor if match and factor else math.nan
    if not (math.isfinite(value) and value > 0):
        raise UsageError(f"{text!r} is not {what}: write {allowed}.")
    return value
