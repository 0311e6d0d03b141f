"""What was measured, as values: of each network on each target, with how far it can be believed."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median, quantiles

from triscale.costs import Target
from triscale.intervals import LEVEL, Interval

LEAST_ROUNDS = 6
"""With fewer rounds no interval between order statistics holds the median with 95%."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Visit:
    """The runs of a network in one round: milliseconds on the clock and of the processor."""

    wall: tuple[float, ...]
    cpu: tuple[float, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Opening:
    """What opening a network showed, in a process that loads this one alone.

    Attributes:
        seconds: that it took, a compilation included.
        file_size: bytes of what the engine read.
        version: of the engine's library.
        memory_before: resident bytes of the process with the library, before the network was loaded.
        counted_growth: bytes by which the process should have grown at most (`triscale.engine_memory`); None where
            nothing is known of the engine.
        resident_memory: resident bytes of the process after some steps.
        peak_memory: the most resident bytes of the process, after some steps; None where the system does not say.
    """

    seconds: float
    file_size: int
    version: str
    memory_before: int | None = None
    counted_growth: int | None = None
    resident_memory: int | None = None
    peak_memory: int | None = None

    @property
    def growth(self) -> int | None:
        """Bytes by which the process grew at most."""
        if self.peak_memory is None or self.memory_before is None:
            return None
        return self.peak_memory - self.memory_before


@dataclass(frozen=True, kw_only=True, slots=True)
class Measurement:
    """One network on one target.

    Attributes:
        network: its name.
        target: engine, precision, threads and images of a step.
        median_ms: milliseconds of a step, on the clock: the median over the rounds that count.
        interval_ms: what holds the true median with 95%, between order statistics; with fewer than six rounds with
            less, see `coverage`.
        coverage: how surely it does.
        cpu_ms: milliseconds of the processor, in one thread; None for more.
        lowest_cpu_ms: their 5th percentile over all runs, which other work on the machine moves least.
        rounds_ms: the median of each round that counts; networks on one target have the same rounds.
        discarded: rounds that do not, since the machine was disturbed.
        clean: whether the machine was quiet in the rounds that count.
        narrow: whether the interval is as narrow as was wanted.
        opening: what opening it showed.
    """

    network: str
    target: Target
    median_ms: float
    interval_ms: tuple[float, float]
    coverage: float
    cpu_ms: float | None
    lowest_cpu_ms: float | None
    rounds_ms: tuple[float, ...]
    discarded: int
    clean: bool
    narrow: bool
    opening: Opening

    def to_dict(self) -> dict[str, object]:
        """As `triscale benchmark --json` prints it."""
        return {
            "network": self.network,
            "engine": self.target.runtime,
            "engine_version": self.opening.version,
            "precision": self.target.precision,
            "threads": self.target.threads,
            "batch": self.target.batch,
            "target": str(self.target),
            "median_ms": self.median_ms,
            "interval_ms": list(self.interval_ms),
            "coverage": self.coverage,
            "cpu_ms": self.cpu_ms,
            "lowest_cpu_ms": self.lowest_cpu_ms,
            "rounds": len(self.rounds_ms),
            "discarded_rounds": self.discarded,
            "rounds_ms": list(self.rounds_ms),
            "clean": self.clean,
            "narrow": self.narrow,
            "opening_seconds": self.opening.seconds,
            "memory_before": self.opening.memory_before,
            "resident_memory": self.opening.resident_memory,
            "peak_memory": self.opening.peak_memory,
            "memory_growth": self.opening.growth,
            "counted_growth": self.opening.counted_growth,
            "file_size": self.opening.file_size,
        }


def medians_of(visits: Sequence[Visit]) -> tuple[float, ...]:
    """The median of each round, on the clock."""
    return tuple(median(visit.wall) for visit in visits)


def is_narrow(found: Interval, width: float) -> bool:
    """Whether the interval is at most this share of the median wide, and holds it with 95%."""
    return found.coverage >= LEVEL and found.high - found.low <= width * found.median


def lowest(visits: Sequence[Visit]) -> float:
    """The 5th percentile of the processor's time over all runs, in milliseconds."""
    runs = [run for visit in visits for run in visit.cpu]
    return quantiles(runs, n=20, method="inclusive")[0] if len(runs) > 1 else runs[0]
