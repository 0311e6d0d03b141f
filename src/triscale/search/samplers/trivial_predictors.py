"""What stands beside a search: the trivial predictors, and random search."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import mean

from triscale.intervals import deviation, t_quantile
from triscale.rank_correlation import kendall_tau
from triscale.search.samplers.strategy import Result


def trivial(results: Iterable[Result]) -> dict[str, float | None]:
    """How each cost alone ranks the first score: Kendall's tau by the name of the cost, over trials that have both."""
    scored = [one for one in results if one.scores is not None]
    names = dict.fromkeys(name for one in scored for name in one.costs)
    found = {}
    for name in names:
        pairs = [(one.costs[name], (one.scores or (0.0,))[0]) for one in scored if name in one.costs]
        found[name] = kendall_tau(*zip(*pairs, strict=True))
    return found


@dataclass(frozen=True, kw_only=True)
class AgainstRandom:
    """Mean advantage over random search at as many trials, with the 95% interval of the mean."""

    mean: float
    low: float
    high: float

    @property
    def beats(self) -> bool:
        """Whether the whole interval is above zero."""
        return self.low > 0

    def __str__(self) -> str:
        """As a sentence."""
        interval = f"{self.mean:+.2f} ({self.low:+.2f} to {self.high:+.2f})"
        return f"better than random by {interval}" if self.beats else f"does not beat random: {interval}"


def against_random(sampler: Sequence[float], random: Sequence[float]) -> AgainstRandom:
    """Compare what searches found with what random searches of as many trials found, pair by pair.

    Args:
        sampler: the best score of each search, or its regret with the sign changed; two or more.
        random: the same of random search, with the same seeds in the same order.

    Raises:
        ValueError: fewer than two pairs.
    """
    gains = [a - b for a, b in zip(sampler, random, strict=True)]
    spread = deviation(gains)
    if spread is None:
        raise ValueError("a comparison needs two pairs of searches or more")
    half = t_quantile(len(gains) - 1) * spread / math.sqrt(len(gains))
    return AgainstRandom(mean=mean(gains), low=mean(gains) - half, high=mean(gains) + half)
