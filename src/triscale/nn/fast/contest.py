"""Which of several ways is faster, measured so that load on the machine cannot make a slower one win.

A round times every way once, and its ratios are what counts: a spike spoils one round, and a drift of the machine meets
all ways of a round alike. A way must win nearly every round, which load in half of them does not bring about; and its
fastest rounds must win over the fastest of the stock way, as load makes nothing faster.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median

from triscale.intervals import Interval, interval

Measure = Callable[[str, Callable[[], object]], float]
"""Calls the subject of that name, and says what it took in seconds."""

STOCK = "stock"
"""The way that needs no proof."""

_EARLY, _MIDDLE, _LATE = 3, 8, 14
_MOST_LOST = 2
"""Rounds after which a way can win: early if it is several times as fast, then if it won all, last if it won all but
`_MOST_LOST`. At a true gain of exactly what is required it passes in 1% of all tries (binomial), and so in fewer at
less. One more lost round, and it has lost."""
_PLAIN, _STEADY = 3.0, 1.5
"""A ratio that needs few rounds, if no way's slowest round takes this many times as long as its fastest."""


@dataclass(frozen=True, kw_only=True)
class ContestResult:
    """A way beside the stock way: the seconds of each, by round, and how many times faster it had to be."""

    stock: tuple[float, ...]
    way: tuple[float, ...]
    gain: float

    @property
    def ratios(self) -> list[float]:
        """How many times faster than stock, by round."""
        return [a / max(b, 1e-9) for a, b in zip(self.stock, self.way, strict=True)]

    @property
    def interval(self) -> Interval:
        """Of the median ratio."""
        return interval(self.ratios)

    @property
    def spread(self) -> float:
        """How far apart the ends of the interval are, as a ratio."""
        return self.interval.high / max(self.interval.low, 1e-9)

    @property
    def won(self) -> bool:
        """Whether the way is faster beyond doubt."""
        rounds, gain = len(self.ratios), self.gain
        best = _best(self.stock) / max(_best(self.way), 1e-9)
        if rounds < _MIDDLE:
            steady = all(max(times) < _STEADY * min(times) for times in (self.stock, self.way))
            return rounds >= _EARLY and steady and min(*self.ratios, best) > max(_PLAIN, gain)
        allowed = _MOST_LOST if rounds >= _LATE else 0
        return self._lost <= allowed and best > gain

    @property
    def over(self) -> bool:
        """Whether another round would change nothing."""
        return self.won or self._lost > _MOST_LOST or len(self.ratios) >= _LATE

    @property
    def _lost(self) -> int:
        return sum(ratio <= self.gain for ratio in self.ratios)


def _best(seconds: Sequence[float]) -> float:
    """The mean of the fastest quarter."""
    return fmean(sorted(seconds)[: max(1, len(seconds) // 4)])


def process_seconds(name: str, subject: Callable[[], object]) -> float:
    """The time that this process spent on its cores: what other programs take is not in it."""
    del name
    return _seconds(subject, time.process_time)


def wall_seconds(name: str, subject: Callable[[], object]) -> float:
    """The time by the clock: on a quiet machine what a user waits for."""
    del name
    return _seconds(subject, time.perf_counter)


def _seconds(subject: Callable[[], object], clock: Callable[[], float]) -> float:
    start = clock()
    subject()
    return clock() - start


def compare(
    subjects: Mapping[str, Callable[[], object]], measure: Measure, gain: Callable[[], float]
) -> dict[str, ContestResult]:
    """Compare ways with the one named `stock` in 3 to 14 rounds, after one that warms up.

    Every second round runs backwards.

    Args:
        subjects: ways by name.
        measure: takes the time of one.
        gain: how many times faster a way must be; asked in every round, as load may begin meanwhile, and the most that
            was ever said counts.

    Returns:
        How each other way did, by name.
    """
    for name, subject in subjects.items():
        measure(name, subject)
    seconds: dict[str, list[float]] = {name: [] for name in subjects}
    found: dict[str, ContestResult] = {}
    running, wanted = [name for name in subjects if name != STOCK], gain()
    while running:
        ways = [STOCK, *running]
        for name in ways[:: -1 if len(seconds[STOCK]) % 2 else 1]:
            seconds[name].append(measure(name, subjects[name]))
        wanted, stock = max(wanted, gain()), tuple(seconds[STOCK])
        found |= {name: ContestResult(stock=stock, way=tuple(seconds[name]), gain=wanted) for name in running}
        running = [name for name in running if not found[name].over]
    return found


def fastest(found: Mapping[str, ContestResult]) -> str:
    """The fastest of the ways that won; the stock way where none did."""
    won = [name for name, one in found.items() if one.won]
    return max(won, key=lambda name: median(found[name].ratios), default=STOCK)
