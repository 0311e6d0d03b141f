"""What an architecture search with several rungs decided and learned: who is trained longer, and how ranks agree."""

import msgspec

from triscale.trials.study_records import Line
from triscale.trials.surface_records import Interval


class RungRecord(Line, frozen=True, kw_only=True, tag="rung"):
    """The networks of a rung, decided once all trials of the rung below have ended.

    Attributes:
        number: of the rung; 1 is the first above the trials of all proposals.
        epochs: of its trainings.
        promoted: ids of the best of the rung below, the best first.
        drawn: ids drawn at random from the others, so that ranks are compared over their whole range.
    """

    number: int
    epochs: int
    promoted: tuple[str, ...]
    drawn: tuple[str, ...] = ()


class RanksRecord(msgspec.Struct, frozen=True, kw_only=True):
    """How well trainings of one length rank networks as longer ones do, by Kendall's tau-b of what is maximised.

    Attributes:
        short, long: epochs.
        n: networks with both.
        drawn: of these, how many were drawn at random and not promoted.
        of: networks of the shorter trainings.
        tau, interval: over all networks of the shorter trainings, as their sample says, and its 95% interval; None
            where that is not known: without drawn ones the best alone have both, whose range is narrower.
        best_tau, best_interval: over the promoted ones alone.
    """

    short: int
    long: int
    n: int
    drawn: int
    of: int
    tau: float | None = None
    interval: Interval | None = None
    best_tau: float | None = None
    best_interval: Interval | None = None
