"""Two runtimes' times for the same images, in turns, so that other work on the machine meets both alike."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import Any

from triscale.deploy.exported import Floats, RunLogits
from triscale.intervals import Interval, interval

ROUNDS, SECONDS, WARM_UP = 200, 3.0, 5


@dataclass(frozen=True, kw_only=True, slots=True)
class SpeedBeside:
    """What came of it.

    Attributes:
        first, second: median milliseconds of a step.
        ratio: second to first, of each round: its median with the 95% interval.
        batch, threads: images in a step, and threads of arithmetic.
        rounds: how many there were.
    """

    first: float
    second: float
    ratio: Interval
    batch: int
    threads: int
    rounds: int

    @property
    def faster(self) -> bool:
        """Whether the second takes less time, beyond what chance explains."""
        return self.ratio.high < 1

    def to_dict(self) -> dict[str, Any]:
        """For output, with `float32` as the first."""
        return {
            "float32_ms": self.first,
            "ms": self.second,
            "ratio": self.ratio.median,
            "ratio_interval": [self.ratio.low, self.ratio.high],
            "faster": self.faster,
            "batch": self.batch,
            "threads": self.threads,
            "rounds": self.rounds,
        }


def times_in_turns(first: RunLogits, second: RunLogits, images: Floats, threads: int) -> SpeedBeside:
    """Time a step of both, one after the other, in up to `ROUNDS` rounds or `SECONDS`.

    Args:
        first, second: what runs a graph.
        images: of one step, [n, c, h, w].
        threads: of both, to be told.
    """
    rounds: list[tuple[float, float]] = []
    for _ in range(WARM_UP):
        first(images), second(images)
    end = perf_counter() + SECONDS
    while len(rounds) < ROUNDS and (perf_counter() < end or len(rounds) < WARM_UP):
        rounds.append((_milliseconds(first, images), _milliseconds(second, images)))
    return SpeedBeside(
        first=median(one for one, _ in rounds),
        second=median(other for _, other in rounds),
        ratio=interval(_ratios(rounds)),
        batch=len(images),
        threads=threads,
        rounds=len(rounds),
    )


def _milliseconds(run: RunLogits, images: Floats) -> float:
    start = perf_counter()
    run(images)
    return 1000 * (perf_counter() - start)


def _ratios(rounds: Sequence[tuple[float, float]]) -> list[float]:
    return [other / one for one, other in rounds]
