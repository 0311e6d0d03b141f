"""How many times slower one network is than another on the same target, from rounds in which both ran."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from triscale.costs import Target
from triscale.intervals import Interval, interval
from triscale.latency.measuring.measurement import Measurement


@dataclass(frozen=True, kw_only=True, slots=True)
class LatencyRatio:
    """A ratio of latencies.

    Attributes:
        slower, faster: names of the networks.
        target: where both ran.
        ratio: the median of the ratios within each round.
        interval: what holds the true median with 95%; with fewer than six rounds with less, see `coverage`.
        coverage: how surely it does.
        cpu_ratio: of the processor's times (`Measurement.lowest_cpu_ms`), which other work moves least; in one thread.
        clean: whether both measurements are.
    """

    slower: str
    faster: str
    target: Target
    ratio: float
    interval: tuple[float, float]
    coverage: float
    cpu_ratio: float | None
    clean: bool


def ratios(measurements: Sequence[Measurement], slower: str, faster: str) -> Iterator[LatencyRatio]:
    """The ratio of two networks on each target on which both were measured."""
    found = {(one.network, one.target): one for one in measurements}
    for target in dict.fromkeys(one.target for one in measurements):
        slow, fast = found.get((slower, target)), found.get((faster, target))
        if slow and fast:
            yield _ratio(slow, fast)


def ratio_of(one: Measurement, other: Measurement) -> Interval:
    """The ratio of two latencies within each round: its median with the interval.

    Where memory did not hold both at once they ran in rounds of their own, which are paired in their order.
    """
    return interval([a / b for a, b in zip(one.rounds_ms, other.rounds_ms, strict=False)])


def _ratio(slow: Measurement, fast: Measurement) -> LatencyRatio:
    within = ratio_of(slow, fast)
    return LatencyRatio(
        slower=slow.network,
        faster=fast.network,
        target=slow.target,
        ratio=within.median,
        interval=(within.low, within.high),
        coverage=within.coverage,
        cpu_ratio=slow.lowest_cpu_ms / fast.lowest_cpu_ms if slow.lowest_cpu_ms and fast.lowest_cpu_ms else None,
        clean=slow.clean and fast.clean,
    )
