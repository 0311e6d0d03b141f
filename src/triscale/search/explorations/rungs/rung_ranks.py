"""Whether short trainings rank networks as longer ones do: Kendall's tau between the rungs of a search.

The best of a rung all have the longer training, of the others only a drawn few. Each pair of networks counts as often
as there are pairs like it (Horvitz and Thompson 1952), so that tau is that of all networks of the rung, and not of a
narrower range. Its interval is that of a simple sample with the effective size of this one (Kish 1965).
"""

from collections.abc import Collection, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from triscale.rank_correlation import kendall_tau, tau_interval
from triscale.search.explorations.finals.finalists import Scores
from triscale.trials.searches.rung_records import RanksRecord

FEWEST = 6
"""Networks with both trainings, below which nothing is said."""


class Sample(NamedTuple):
    """A sample of the networks of a rung: its `best`, all of them, and `drawn` ones of the `rest`."""

    best: int
    drawn: int
    rest: int

    @property
    def pairs(self) -> NDArray[np.float64]:
        """[n, n], how many pairs of networks of the rung each pair stands for; the best come first."""
        each = self.rest / self.drawn if self.drawn else 0.0
        row = np.r_[np.ones(self.best), np.full(self.drawn, each)]
        found = np.outer(row, row)
        if self.drawn > 1:
            found[self.best :, self.best :] = self.rest * (self.rest - 1) / (self.drawn * (self.drawn - 1))
        return found

    @property
    def effective(self) -> float:
        """Networks of a simple sample that would say as much."""
        squares = self.best + (self.rest**2 / self.drawn if self.drawn else 0.0)
        return (self.best + self.rest) ** 2 / squares


class Trained(NamedTuple):
    """The networks of a rung: epochs, scores (of several numbers the first counts), and who is there by chance."""

    epochs: int
    scores: Scores
    drawn: Collection[str] = ()


def rung_ranks(rungs: Sequence[Trained]) -> tuple[RanksRecord, ...]:
    """Between every two neighbouring rungs, the shortest trainings first, where enough networks have both."""
    found = (ranks(short, long) for short, long in pairwise(rungs))
    return tuple(one for one in found if one is not None)


def ranks(short: Trained, long: Trained) -> RanksRecord | None:
    """Between two rungs; None where fewer than 6 networks have both."""
    both = [one for one in short.scores if one in long.scores]
    best = [one for one in both if one not in long.drawn]
    drawn = [one for one in both if one in long.drawn]
    if len(both) < FEWEST:
        return None
    sample = Sample(len(best), len(drawn), len(short.scores) - len(best))
    tau = _tau(short, long, [*best, *drawn], sample.pairs) if drawn or not sample.rest else None
    best_tau = _tau(short, long, best)
    return RanksRecord(
        short=short.epochs, long=long.epochs, n=len(both), drawn=len(drawn), of=len(short.scores),
        tau=tau, interval=None if tau is None else tau_interval(tau, sample.effective),
        best_tau=best_tau, best_interval=None if best_tau is None else tau_interval(best_tau, len(best)),
    )  # fmt: skip


def _tau(short: Trained, long: Trained, ids: Sequence[str], pairs: NDArray[np.float64] | None = None) -> float | None:
    return kendall_tau([short.scores[one][0] for one in ids], [long.scores[one][0] for one in ids], pairs)
