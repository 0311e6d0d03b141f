"""Which of several files is taken: the fastest, and of those that are as fast the one that loses least."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from triscale.costs import Target
from triscale.deploy.precision.accuracy_gate import AccuracyDrop
from triscale.engines import PRECISIONS
from triscale.errors import InputError
from triscale.latency.measuring import Measurement, ratio_of

TIE = 1.02
"""A file that takes at most so many times as long, and not surely longer, is as fast."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Contender:
    """A form in which the network could be exported.

    Attributes:
        target: engine, precision, threads and images of a step.
        suffix: of its file's name.
        file_size: bytes of its file; None: there is none.
        accuracy: what its precision changes, shown to be within what was allowed; None in float32.
        measurement: of its time; None: there is none.
        reason: why it cannot be taken; "": it can.
    """

    target: Target
    suffix: str
    file_size: int | None = None
    accuracy: AccuracyDrop | None = None
    measurement: Measurement | None = None
    reason: str = ""

    @property
    def label(self) -> str:
        """Engine and precision."""
        return f"{self.target.runtime} in {self.target.precision}"

    def to_dict(self) -> dict[str, Any]:
        """For output."""
        took = self.measurement
        return {
            "engine": self.target.runtime,
            "precision": self.target.precision,
            "target": str(self.target),
            "suffix": self.suffix,
            "file_size": self.file_size,
            "accuracy": self.accuracy and self.accuracy.to_dict(),
            "median_ms": took and took.median_ms,
            "interval_ms": took and list(took.interval_ms),
            "rounds": took and len(took.rounds_ms),
            "clean": took and took.clean,
            "peak_memory": took and took.opening.peak_memory,
            "reason": self.reason or None,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """The contenders, and the one that is taken.

    Attributes:
        contenders: in the order in which they were made.
        taken: one of them.
        why: in a sentence.
    """

    contenders: tuple[Contender, ...]
    taken: Contender
    why: str

    @property
    def clean(self) -> bool:
        """Whether the machine was quiet."""
        return all(one.measurement.clean for one in self.contenders if one.measurement)

    def to_dict(self) -> dict[str, Any]:
        """For output."""
        return {
            "target": str(self.taken.target),
            "why": self.why,
            "clean": self.clean,
            "candidates": [one.to_dict() for one in self.contenders],
        }


def choose(contenders: Sequence[Contender]) -> Choice:
    """Take one of those that were measured.

    Raises:
        InputError: none was.
    """
    ranked = sorted((one for one in contenders if one.measurement), key=_milliseconds)
    if not ranked:
        reasons = "\n".join(f"{one.label}: {one.reason}" for one in contenders[:2])
        raise InputError(f"no engine runs this network here:\n{reasons}")
    tied = [one for one in ranked if _is_as_fast(one, ranked[0])]
    taken = min(tied, key=lambda one: (PRECISIONS.index(one.target.precision), _milliseconds(one)))
    return Choice(contenders=tuple(contenders), taken=taken, why=_why(taken, ranked))


def _milliseconds(one: Contender) -> float:
    return one.measurement.median_ms if one.measurement else float("inf")


def _is_as_fast(one: Contender, fastest: Contender) -> bool:
    assert one.measurement is not None  # noqa: S101  only what was measured is ranked
    assert fastest.measurement is not None  # noqa: S101
    found = ratio_of(one.measurement, fastest.measurement)
    return one is fastest or (found.median <= TIE and found.low <= 1)


def _why(taken: Contender, ranked: Sequence[Contender]) -> str:
    if taken is not ranked[0]:
        return f"{taken.label} is as fast as {ranked[0].label}, within the noise, and loses less"
    if len(ranked) == 1:
        return f"{taken.label} is the only one that runs here"
    following = ranked[1]
    assert following.measurement is not None  # noqa: S101  see above
    assert taken.measurement is not None  # noqa: S101
    found = ratio_of(following.measurement, taken.measurement)
    return (
        f"{taken.label} is the fastest; {following.label} takes {found.median:.2f} times as long "
        f"({found.low:.2f} to {found.high:.2f})"
    )
