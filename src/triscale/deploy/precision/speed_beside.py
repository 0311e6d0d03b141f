"""The time of a file in a lower precision beside that in float32, in the same rounds."""

from dataclasses import dataclass
from typing import Any

from triscale.intervals import Interval
from triscale.latency.measuring import Measurement, ratio_of


@dataclass(frozen=True, kw_only=True, slots=True)
class SpeedBeside:
    """What came of it.

    Attributes:
        first, second: median milliseconds of a step.
        ratio: second to first, of each round: its median with the 95% interval.
        batch, threads: images in a step, and threads of arithmetic.
        rounds: how many count.
        busy: whether other work disturbed the measurement: then the times are too long, while their ratio, of
            neighbours in time, suffers less.
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


def beside(first: Measurement, second: Measurement) -> SpeedBeside:
    """What the rounds say about one measurement beside another."""
    return SpeedBeside(
        first=first.median_ms,
        second=second.median_ms,
        ratio=ratio_of(second, first),
        batch=second.target.batch,
        threads=second.target.threads,
        rounds=len(second.rounds_ms),
        busy=not (first.clean and second.clean),
    )
