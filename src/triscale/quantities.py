"""Numbers as people type them, each in the unit of what it measures: 1.0G, 8GiB, 10ms, 100/s; and durations: 30m."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from triscale import units
from triscale.errors import UsageError

_PREFIXES = {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
_BINARY = {"KiB": 2.0**10, "MiB": 2.0**20, "GiB": 2.0**30, "TiB": 2.0**40}
_DURATIONS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DIGITS = 3
"""Of a bound in a message."""
_NUMBER = re.compile(r"([0-9]+\.?[0-9]*(?:e[+-]?[0-9]+)?|\.[0-9]+)\s*([a-z\u00b5\u03bc/]*)", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, kw_only=True, slots=True)
class Unit:
    """The unit of a metric: how its values are typed and printed.

    Attributes:
        name: as a JSON document names it.
        suffixes: what may stand behind a number, in any case, and what it multiplies by; written ones first.
        example: of what people type, for messages.
        show: a value for people, rounded.
        canonical: the suffix of what `write` cannot write exactly in a short way.
        whole: values are whole numbers, which messages print to the last digit.
        read_alone: suffixes that are read and never written.
    """

    name: str
    suffixes: Mapping[str, float]
    example: str
    show: Callable[[float], str]
    canonical: str = ""
    whole: bool = False
    read_alone: frozenset[str] = frozenset()

    def read(self, text: str, what: str = "a quantity") -> float:
        """The finite number above 0 that `text` means; UsageError names `what` and shows an example."""
        return _parse(text, self.suffixes, what, f"a number above 0 such as {self.example}")

    def write(self, value: float) -> str:
        """The shortest text that `read` turns into the same number (to 15 digits): 25000000 -> "25M"."""
        suffix = self._suffix(value)
        return f"{value:.15g}{self.canonical}" if suffix is None else f"{value / self.suffixes[suffix]:.15g}{suffix}"

    def enough(self, value: float, like: float, *, at_least: bool = False) -> str:
        """A bound that a value keeps, in three digits: 7184320 -> "7.19M".

        Args:
            value: that keeps the bound, which is rounded away from it.
            like: a bound as people typed it, which decides between binary and decimal prefixes.
            at_least: it is a bound from below.
        """
        binary = (self._suffix(like) or "").endswith("iB")
        sizes = {one: size for one, size in self._written().items() if one.endswith("iB") == binary or size == 1}
        suffix = max(
            (one for one in sizes if sizes[one] <= value),
            key=sizes.__getitem__,
            default=min(sizes, key=sizes.__getitem__),
        )
        number = max(value, math.ulp(0.0)) / sizes[suffix]
        step = 10.0 ** (math.floor(math.log10(number)) + 1 - _DIGITS)
        steps = math.floor(number / step + 1e-9) if at_least else math.ceil(number / step - 1e-9)
        return f"{steps * step:.12g}{suffix}"

    def _suffix(self, value: float) -> str | None:
        """That of the shortest exact text; None where none is exact."""
        texts = {one: f"{value / size:.15g}" for one, size in self._written().items()}
        exact = [one for one, text in texts.items() if "e" not in text and float(text) * self.suffixes[one] == value]
        return min(exact, key=lambda one: (len(texts[one]), -self.suffixes[one]), default=None)

    def _written(self) -> dict[str, float]:
        return {one: size for one, size in self.suffixes.items() if one not in self.read_alone}

    def exact(self, value: float) -> str:
        """A value in a message: every digit of a whole number, else as `show`."""
        return f"{value:,.0f}" if self.whole else self.show(value)


COUNT = Unit(name="count", suffixes=MappingProxyType(_PREFIXES), example="1.0G or 9M", show=units.trimmed, whole=True)
"""A number of things; K, M, G and T are decimal."""

BYTES = Unit(
    name="bytes",
    suffixes=MappingProxyType(
        {"": 1.0, **{f"{name}B": size for name, size in _PREFIXES.items()}, **_BINARY, **_PREFIXES}
    ),
    example="8GiB or 64MiB",
    show=units.memory,
    whole=True,
    read_alone=frozenset({"", "k", "M", "G", "T"}),
)
"""KiB, MiB, GiB and TiB are binary, KB, MB, GB and TB decimal, as are the letters alone."""

SECONDS = Unit(
    name="s",
    suffixes=MappingProxyType({"s": 1.0, "ms": 1e-3, "us": 1e-6, "\u00b5s": 1e-6, "\u03bcs": 1e-6}),
    example="10ms or 0.5s",
    show=units.latency,
    canonical="s",
    read_alone=frozenset({"\u00b5s", "\u03bcs"}),
)
"""A short time, which needs its unit: a plain 10 may mean seconds or milliseconds."""

PER_SECOND = Unit(
    name="1/s",
    suffixes=MappingProxyType({**{f"{name}/s": size for name, size in _PREFIXES.items()}, **_PREFIXES}),
    example="100/s or 1.5k/s",
    show=units.rate,
    read_alone=frozenset(_PREFIXES),
)
"""A number of things a second."""

DURATION = Unit(
    name="s",
    suffixes=MappingProxyType(_DURATIONS),
    example="90s, 30m or 1.5h",
    show=units.duration,
    canonical="s",
)
"""How long a work takes, which needs its unit: a plain 5 may mean seconds or minutes."""


def seconds(text: str) -> float:
    """A duration such as 90s, 30m or 1.5h in seconds.

    Raises:
        UsageError: it is none, or lacks its unit.
    """
    bare = text.strip()
    if (found := _NUMBER.fullmatch(bare)) and not found[2]:
        raise UsageError(f"the duration {bare} has no unit: write {bare}m for minutes, or {bare}s for seconds.")
    return _parse(text, DURATION.suffixes, "a duration", DURATION.example)


def _parse(text: str, suffixes: Mapping[str, float], what: str, allowed: str) -> float:
    match = _NUMBER.fullmatch(text.strip())
    factor = {name.lower(): size for name, size in suffixes.items()}.get(match[2].lower()) if match else None
    value = float(match[1]) * factor if match and factor else math.nan
    if not (math.isfinite(value) and value > 0):
        raise UsageError(f"{text!r} is not {what}: write {allowed}.")
    return value
