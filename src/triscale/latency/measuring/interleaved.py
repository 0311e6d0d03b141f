"""Rounds over networks and engines in an order that changes, with the reference work between them."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Protocol

from triscale.intervals import interval
from triscale.latency.measuring.measurement import LEAST_ROUNDS, Visit, is_narrow, medians_of
from triscale.latency.measuring.quiet import Quiet, Reading, judged

BETWEEN_READINGS = 0.5
"""Seconds of measuring after which the reference runs again within a round."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """When rounds end.

    Attributes:
        seconds: after which no further round begins.
        rounds: exactly so many, whatever their spread; None: until every interval is narrow, or the time is up.
        width: an interval is narrow when it is at most this share of its median wide.
    """

    seconds: float = 60.0
    rounds: int | None = None
    width: float = 0.02


class Bench(Protocol):
    """Where networks are open: each is visited by its number, and the reference runs on the same cores."""

    def visit(self, number: int) -> Visit:
        """Run a network some times."""

    def reading(self) -> Reading:
        """Run the reference."""


@dataclass(kw_only=True)
class Rounds:
    """What was measured so far: visits by network and round, and the readings that belong to each round."""

    visits: list[list[Visit]]
    readings: list[list[Reading]] = field(default_factory=list)
    out_of_time: bool = False

    def quiet(self) -> Quiet:
        """Which rounds count."""
        return judged(self.readings)

    def narrow(self, width: float) -> bool:
        """Whether every interval is narrow enough."""
        counted = self.quiet().counted
        return all(is_narrow(interval(medians_of([visits[i] for i in counted])), width) for visits in self.visits)


def interleave(bench: Bench, number: int, limits: Limits, watch: Callable[[Rounds], None]) -> Rounds:
    """Visit networks 0, 1, .. in rounds, each round in an order of its own, until the limits end it.

    Args:
        bench: where they are open.
        number: of networks.
        limits: when to end.
        watch: is called after each round.
    """
    found = Rounds(visits=[[] for _ in range(number)])
    begun = monotonic()
    while not _ended(found, limits, monotonic() - begun):
        _round(bench, found, _order(number, len(found.readings)))
        watch(found)
    return found


def _order(number: int, index: int) -> Sequence[int]:
    """A shuffle that the round's index decides."""
    return random.Random(index).sample(range(number), number)  # noqa: S311  no secret


def _round(bench: Bench, found: Rounds, order: Sequence[int]) -> None:
    readings, read = [bench.reading()], monotonic()
    for number in order:
        if monotonic() - read > BETWEEN_READINGS:
            readings.append(bench.reading())
            read = monotonic()
        found.visits[number].append(bench.visit(number))
    found.readings.append([*readings, bench.reading()])


def _ended(found: Rounds, limits: Limits, passed: float) -> bool:
    done = len(found.readings)
    if limits.rounds is not None:
        return done >= limits.rounds
    if done and passed >= limits.seconds:
        found.out_of_time = not found.narrow(limits.width)
        return True
    return done >= LEAST_ROUNDS and found.narrow(limits.width)
