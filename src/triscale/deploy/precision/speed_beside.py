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
    rounds = rounds_in_turns([(first, images), (second, images)])
    return beside(rounds, 1, batch=len(images), threads=threads)


def beside(rounds: Sequence[Sequence[float]], index: int, *, batch: int, threads: int) -> SpeedBeside:
    """What rounds say of one step beside the first."""
    return SpeedBeside(
        first=median(one[0] for one in rounds),
        second=median(one[index] for one in rounds),
        ratio=interval([one[index] / one[0] for one in rounds]),
        batch=batch,
        threads=threads,
        rounds=len(rounds),
    )


def rounds_in_turns(steps: Sequence[tuple[RunLogits, Floats]]) -> list[list[float]]:
    """Milliseconds of each step in each round; in every other round they come in the opposite order."""
    rounds: list[list[float]] = []
    for _ in range(WARM_UP):
        for run, images in steps:
            run(images)
    end = perf_counter() + SECONDS
    while len(rounds) < ROUNDS and (perf_counter() < end or len(rounds) < WARM_UP):
        order = range(len(steps)) if len(rounds) % 2 else reversed(range(len(steps)))
        took = {index: _milliseconds(*steps[index]) for index in order}
        rounds.append([took[index] for index in range(len(steps))])
    return rounds


def _milliseconds(run: RunLogits, images: Floats) -> float:
    start = perf_counter()
    run(images)
    return 1000 * (perf_counter() - start)
