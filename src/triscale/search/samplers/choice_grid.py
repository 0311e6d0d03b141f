"""Choices and their values as a grid of whole numbers, on which samplers move."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Protocol

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from triscale.errors import InputError, UsageError

Value = str | int | float | bool | None
Choices = Mapping[str, Sequence[Value]]
Point = tuple[int, ...]
"""For each choice the index of its value."""
Floats = NDArray[np.float64]


class HasChoices(Protocol):
    """A search space: anything with choices."""

    @property
    def choices(self) -> Choices:
        """The values of each choice, by its name."""


@dataclass(frozen=True)
class Grid:
    """The choices of a search and their values, in the order in which they were given."""

    names: tuple[str, ...]
    values: tuple[tuple[Value, ...], ...]

    @cached_property
    def free(self) -> tuple[int, ...]:
        """The choices that have more than one value."""
        return tuple(index for index, values in enumerate(self.values) if len(values) > 1)

    @property
    def size(self) -> int:
        """How many points there are."""
        return math.prod(map(len, self.values))

    @cached_property
    def ordered(self) -> tuple[bool, ...]:
        """Whether the values of each choice are three or more rising numbers, so that near ones are alike."""
        return tuple(_rising(values) for values in self.values)

    def chosen(self, point: Point) -> dict[str, Value]:
        """The choices of a point by name."""
        return {name: values[at] for name, values, at in zip(self.names, self.values, point, strict=True)}

    def point(self, chosen: Mapping[str, Value]) -> Point:
        """The point of choices by name; InputError names a choice or value that is not of this grid."""
        if set(chosen) != set(self.names):
            odd = ", ".join(sorted(set(chosen) ^ set(self.names)))
            raise InputError(f"these choices are not those of the space; missing or unknown: {odd}.")
        return tuple(_place(name, values, chosen[name]) for name, values in zip(self.names, self.values, strict=True))

    def drawn(self, rng: Generator) -> Point:
        """A point, each with the same probability."""
        return self.drawn_many(rng, 1)[0]

    def drawn_many(self, rng: Generator, count: int) -> list[Point]:
        """So many points, each drawn by itself."""
        sizes = [len(values) for values in self.values]
        return list(map(tuple, rng.integers(sizes, size=(count, len(sizes))).tolist()))

    def mutated(self, point: Point, rng: Generator, times: int = 1) -> Point:
        """A point in which one free choice has another value, so many times over."""
        moved = list(point)
        for _ in range(times if self.free else 0):
            at = self.free[int(rng.integers(len(self.free)))]
            moved[at] = (moved[at] + 1 + int(rng.integers(len(self.values[at]) - 1))) % len(self.values[at])
        return tuple(moved)

    def neighbours(self, point: Point) -> Iterator[Point]:
        """All points that differ in one choice."""
        for at in self.free:
            for value in range(len(self.values[at])):
                if value != point[at]:
                    yield (*point[:at], value, *point[at + 1 :])

    def features(self, points: Sequence[Point]) -> Floats:
        """Rows whose inner product is the share of choices that agree: one for a point with itself.

        One-hot for values without an order. Values of rising numbers agree in part: by the share of the steps between
        the first and the last value that do not lie between the two (a thermometer and its complement).

        Returns:
            An array of one row a point and two or more columns a choice.
        """
        at = np.asarray(points, dtype=np.intp).reshape(len(points), len(self.names))
        return np.concatenate([table[at[:, i]] for i, table in enumerate(self._tables)], axis=1)

    @cached_property
    def _tables(self) -> tuple[Floats, ...]:
        scale = 1 / math.sqrt(len(self.names))
        pairs = zip(self.values, self.ordered, strict=True)
        return tuple(scale * (_thermometer(len(values)) if rising else np.eye(len(values))) for values, rising in pairs)


def grid_of(space: HasChoices | Choices) -> Grid:
    """The grid of a space or of a plain mapping of choices to their values.

    Raises:
        InputError: no choice, a choice without a value, or one with two equal values.
    """
    choices = space if isinstance(space, Mapping) else space.choices
    if not choices:
        raise InputError("a search needs at least one choice; the space has none.")
    for name, values in choices.items():
        if isinstance(values, str) or not values or not all(isinstance(one, Value | None) for one in values):
            raise InputError(
                f"the choice {name!r} needs a list of texts, numbers, true, false or null, got {values!r}."
            )
        if len(set(values)) < len(values):
            raise InputError(f"the choice {name!r} has two equal values: {list(values)}.")
    return Grid(tuple(choices), tuple(tuple(values) for values in choices.values()))


def at_least(value: int, least: int, what: str) -> int:
    """A setting of a sampler, checked; UsageError."""
    if value < least:
        raise UsageError(f"{what} must be at least {least}, got {value}.")
    return value


def _place(name: str, values: tuple[Value, ...], value: Value) -> int:
    if value not in values:
        raise InputError(f"{value!r} is not a value of the choice {name!r}; it has {list(values)}.")
    return values.index(value)


def _rising(values: tuple[Value, ...]) -> bool:
    numbers = [float(value) for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    return len(numbers) == len(values) > 2 and all(a < b for a, b in pairwise(numbers))


def _thermometer(levels: int) -> Floats:
    passed = np.tril(np.ones((levels, levels - 1)), -1)
    return np.concatenate([passed, 1 - passed], axis=1) / math.sqrt(levels - 1)
