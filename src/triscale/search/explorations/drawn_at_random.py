"""A sampler beside the proposals that it drew at random before it knew anything: the comparison that costs nothing."""

import math
from collections.abc import Mapping, Sequence
from statistics import mean, variance

from triscale.intervals import t_quantile
from triscale.search.samplers import Sampler
from triscale.trials.searches.worth_records import DrawnRecord, Value

_FEWEST = 3
"""Trials of each kind."""


def drawn_first(proposed: Sequence[Mapping[str, Value]], random: Sampler) -> int:
    """How many of the first proposals are those of random sampling with the same seed.

    Args:
        proposed: in the order of their numbers.
        random: a sampler that draws at random, with that seed and those limits, whose lag is the number of trials.
    """
    for number, chosen in enumerate(proposed):
        if dict(random.ask()) != dict(chosen):
            return number
    return len(proposed)


def beside_drawn(drawn: Sequence[float], chosen: Sequence[float]) -> DrawnRecord | None:
    """Scores of proposals that were chosen beside those of proposals that were drawn; None below three of either.

    The interval of the difference of the means is Welch's (1947), with the degrees of freedom rounded down. A sampler
    that follows what it found proposes networks that are alike, so the two kinds have variances of their own.
    """
    if len(drawn) < _FEWEST or len(chosen) < _FEWEST:
        return None
    difference = mean(chosen) - mean(drawn)
    margin = _welch(variance(drawn) / len(drawn), len(drawn), variance(chosen) / len(chosen), len(chosen))
    return DrawnRecord(
        n=len(drawn), best=max(drawn), mean=mean(drawn), chosen=len(chosen), chosen_best=max(chosen),
        chosen_mean=mean(chosen), difference=difference, interval=(difference - margin, difference + margin),
    )  # fmt: skip


def _welch(one: float, n: int, other: float, m: int) -> float:
    """The 95% margin of a difference of means, from the squared standard errors of both."""
    if one + other == 0:
        return 0.0
    freedom = (one + other) ** 2 / (one**2 / (n - 1) + other**2 / (m - 1))
    return t_quantile(max(1, math.floor(freedom))) * math.sqrt(one + other)
