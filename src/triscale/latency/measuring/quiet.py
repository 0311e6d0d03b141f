"""Which rounds were disturbed: those beside which the reference work took longer than it can."""

from collections.abc import Sequence
from dataclasses import dataclass

from triscale.latency.measuring.measurement import LEAST_ROUNDS

SHARE = 0.05
"""A round is thrown out where the reference took so much longer than at its best."""

MOST_DISCARDED = 0.5
"""Where more than this share of the rounds is thrown out, the machine was loaded."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """The reference work on the slowest of the cores: milliseconds on the clock, and of the processor."""

    wall: float
    cpu: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Quiet:
    """What the readings say about the rounds.

    Attributes:
        counted: the rounds that count, by number; all of them where the machine was loaded.
        discarded: how many were thrown out.
        loaded: too many were, or the reference never had a core for itself: no figure is clean.
        slowest: the longest reading over the shortest.
    """

    counted: tuple[int, ...]
    discarded: int
    loaded: bool
    slowest: float


def judged(rounds: Sequence[Sequence[Reading]], share: float = SHARE) -> Quiet:
    """Judge rounds by the readings before, within and after each.

    Args:
        rounds: the readings of each round, at least one.
        share: by how much a reading may be longer than the best.
    """
    readings = [reading for one in rounds for reading in one]
    best = min(reading.wall for reading in readings)
    kept = tuple(i for i, one in enumerate(rounds) if max(reading.wall for reading in one) <= (1 + share) * best)
    waited = best > (1 + share) * min(reading.cpu for reading in readings)
    discarded = len(rounds) - len(kept)
    loaded = waited or discarded > MOST_DISCARDED * len(rounds) or len(kept) < min(LEAST_ROUNDS, len(rounds))
    slowest = max(reading.wall for reading in readings) / best
    return Quiet(
        counted=tuple(range(len(rounds))) if loaded else kept, discarded=discarded, loaded=loaded, slowest=slowest
    )
