"""From the runs of candidates to a tied set: what the noise between seeds allows to say, and no more."""

import math
from collections.abc import Iterable, Mapping, Sequence
from statistics import NormalDist, mean
from typing import NamedTuple

from triscale.intervals import t_quantile
from triscale.trials.study_records import Ranked

Scores = Mapping[str, Mapping[int, float]]
"""id -> seed -> accuracy."""


class Noise(NamedTuple):
    """Standard deviation of the difference of two networks in one seed; degrees of freedom (0: sampling error only)."""

    sd: float
    freedom: int

    def margin(self, seeds: int) -> float:
        """Half the width of the 95% interval of a mean difference over `seeds` paired seeds."""
        quantile = t_quantile(self.freedom) if self.freedom else 1.96
        return quantile * self.sd / math.sqrt(seeds)


def paired_noise(scores: Scores, pictures: int) -> Noise:
    """Noise of a paired difference, from the residuals of network + seed over all networks that ran every seed.

    With fewer than two seeds the noise between seeds is unknown; what is left is the sampling error of `pictures`, a
    lower bound.
    """
    several = [set(by_seed) for by_seed in scores.values() if len(by_seed) > 1]
    seeds = set.intersection(*several) if several else set()
    rows = [[by_seed[seed] for seed in sorted(seeds)] for by_seed in scores.values() if seeds and seeds <= set(by_seed)]
    if len(seeds) < 2 or len(rows) < 2:
        rate = mean(value for by_seed in scores.values() for value in by_seed.values())
        return Noise(math.sqrt(2 * max(rate * (1 - rate), 1e-6) / pictures), 0)
    columns = [mean(column) for column in zip(*rows, strict=True)]
    whole = mean(columns)
    squares = sum(
        (value - mean(row) - column + whole) ** 2 for row in rows for value, column in zip(row, columns, strict=True)
    )
    freedom = (len(rows) - 1) * (len(columns) - 1)
    return Noise(math.sqrt(2 * squares / freedom), freedom)


def ranking(scores: Scores, half: Scores, noise: Noise, seeds: int) -> list[Ranked]:
    """Every network, best mean first, with its paired difference to the best and whether the noise can tell them apart.

    Only networks that ran all `seeds` can be best or tied: a single lucky run must not win.
    """
    order = sorted(scores, key=lambda one: (len(scores[one]) >= seeds, mean(scores[one].values())), reverse=True)
    best = order[0]
    return [_row(scores, half, noise, best, one, full=len(scores[one]) >= seeds) for one in order]


def _row(scores: Scores, half: Scores, noise: Noise, best: str, one: str, *, full: bool) -> Ranked:
    common = sorted(scores[best].keys() & scores[one].keys())
    difference = mean(scores[best][seed] - scores[one][seed] for seed in common)
    margin = 0.0 if one == best else noise.margin(len(common))
    return Ranked(
        id=one,
        n=len(scores[one]),
        mean=mean(scores[one].values()),
        half_mean=mean(half[one].values()),
        difference=difference,
        interval=(difference - margin, difference + margin),
        tied=full and difference - margin <= 0,
    )


RULE = "best_mean"
"""What a `choice` record calls the rule of `choose`; the records of older studies name none and took the cheapest of
the tied."""


def choose(rows: Sequence[Ranked], costs: Mapping[str, float], allowed: Iterable[str]) -> str:
    """The best network of a ranking that is allowed (in the tolerance); of equal means the cheapest."""
    allowed = set(allowed)
    possible = [row for row in rows if row.id in allowed]
    best = [row for row in possible if (row.mean, row.n) == (possible[0].mean, possible[0].n)]
    return min((row.id for row in best), key=lambda one: costs[one])


def is_guessing(rows: Sequence[Ranked], chance: float, pictures: int) -> bool:
    """Whether even the best network may only guess: such a ranking says nothing.

    The best of many is ahead by luck, so the standard errors that it must be above chance grow with their number
    (Bonferroni's correction of a one-sided test at 2.5%).

    Args:
        rows: the ranking.
        chance: what guessing gets right, a fraction.
        pictures: that accuracies were measured on.
    """
    errors = NormalDist().inv_cdf(1 - 0.025 / len(rows))
    return max(row.mean for row in rows) <= chance + errors * math.sqrt(chance * (1 - chance) / pictures)


def half_warning(rows: Sequence[Ranked]) -> str | None:
    """A warning where the best at half the training length is not among the tied at full length."""
    compared = [row for row in rows if row.n == rows[0].n]
    best_half = max(compared, key=lambda row: row.half_mean)
    if best_half.tied:
        return None
    return (
        f"The ranking changed between half and full training length: the best at half length is now "
        f"{100 * best_half.difference:.1f} points behind. Longer trainings may change it again."
    )
