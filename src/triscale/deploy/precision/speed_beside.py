"""Two runtimes' times for the same images, in turns, so that other work on the machine meets both alike."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter, process_time
from typing import Any

from triscale.deploy.exported import Floats, RunLogits
from triscale.intervals import Interval, interval

ROUNDS, SECONDS, WARM_UP, MOST_AWAY = 200, 3.0, 5, 0.8


@dataclass(frozen=True, kw_only=True, slots=True)
class SpeedBeside:
    """What came of it.

    Attributes:
        first, second: median milliseconds of a step.
        ratio: second to first, of each round: its median with the 95% interval.
        batch, threads: images in a step, and threads of arithmetic.
        rounds: how many there were.
        busy: whether this process was kept from the processor for more than a fifth of the time: then the times are too
            long, while their ratio, of neighbours in time, suffers less.
    """

    first: float
    second: float
    ratio: Interval
    batch: int
    threads: int
    rounds: int
    busy: bool

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
            "busy": self.busy,
        }


def times_in_turns(first: RunLogits, second: RunLogits, images: Floats, threads: int) -> SpeedBeside:
    """Time a step of both, one after the other, in up to `ROUNDS` rounds or `SECONDS`.

    Args:
        first, second: what runs a graph.
        images: of one step, [n, c, h, w].
        threads: of both; reported.
    """
    rounds = rounds_in_turns([(first, images), (second, images)])
    return beside(rounds, 1, batch=len(images), threads=threads)


@dataclass(frozen=True, kw_only=True, slots=True)
class Rounds:
    """Milliseconds of each step in each round, and whether the machine was busy, see `SpeedBeside`."""

    times: Sequence[Sequence[float]]
    busy: bool


def beside(rounds: Rounds, index: int, *, batch: int, threads: int) -> SpeedBeside:
    """What rounds say about one step beside the first."""
    return SpeedBeside(
        first=median(one[0] for one in rounds.times),
        second=median(one[index] for one in rounds.times),
        ratio=interval([one[index] / one[0] for one in rounds.times]),
        batch=batch,
        threads=threads,
        rounds=len(rounds.times),
        busy=rounds.busy,
    )


def rounds_in_turns(steps: Sequence[tuple[RunLogits, Floats]]) -> Rounds:
    """Time each step in each round; in every other round they come in the opposite order."""
    rounds: list[list[float]] = []
    for _ in range(WARM_UP):
        for run, images in steps:
            run(images)
    start, computed = perf_counter(), process_time()
    end = start + SECONDS
    while len(rounds) < ROUNDS and (perf_counter() < end or len(rounds) < WARM_UP):
        order = range(len(steps)) if len(rounds) % 2 else reversed(range(len(steps)))
        took = {index: _milliseconds(*steps[index]) for index in order}
        rounds.append([took[index] for index in range(len(steps))])
    busy = process_time() - computed < (perf_counter() - start) * MOST_AWAY
    return Rounds(times=rounds, busy=busy)


def _milliseconds(run: RunLogits, images: Floats) -> float:
    start = perf_counter()
    run(images)
    return 1000 * (perf_counter() - start)
