"""A model of what was seen proposes: ridge regression on choices and pairs of them, drawn from (Thompson 1933)."""

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
from numpy.random import Generator

from triscale.search.samplers.choice_grid import Floats, Grid, Point, at_least
from triscale.search.samplers.pair_process import Shares, fit
from triscale.search.samplers.strategy import Result, best_of

_DRAWN, _CLIMBS = 100, 3
_GROWTH = 1.15
_BROKEN = 1e3
"""What a broken constraint weighs against a score of unit variance."""

Function = Callable[[Floats], Floats]


class Surrogate:
    """Thompson sampling: a function is drawn from the posterior, and its maximum is proposed.

    Ridge regression on single choices and on pairs of them, with the prior that makes the data likeliest; of scores
    below the median only the logarithm counts, since the worst networks say little about the best. Several scores are
    made one by weights drawn for each trial (Knowles 2006, ParEGO). Each constraint has its own regression.

    Args:
        grid: where to search.
        seed: not used; all draws come from the trial's own generator.
        first: how many results come from drawn points.
    """

    tries = 100

    def __init__(self, grid: Grid, seed: int, *, first: int = 10) -> None:
        del seed
        self._grid, self._first = grid, at_least(first, 2, "the number of first points")
        self._results: list[Result] = []
        self._shares: dict[str, tuple[int, Shares]] = {}
        self._best: tuple[int, Iterator[Point]] = -1, iter(())

    def learn(self, result: Result) -> None:
        """Kept for the regressions; of a failed trial, what it says about constraints."""
        self._results.append(result)

    def propose(self, number: int, rng: Generator) -> Point:
        """The maximum of the drawn function; asked again, the next best point that was looked at."""
        scored = [one for one in self._results if one.scores is not None]
        if len(scored) < self._first:
            return self._grid.drawn(rng)
        if self._best[0] != number:
            self._best = number, iter(self._ranked(scored, rng))
        return next(self._best[1], None) or self._grid.drawn(rng)

    def _ranked(self, scored: Sequence[Result], rng: Generator) -> list[Point]:
        """Points by falling value of a drawn function, the result of a search from the best and from drawn points."""
        worth = self._drawn_worth(scored, rng)
        seen: dict[Point, float] = {}

        def look(points: Iterable[Point]) -> None:
            new = [point for point in dict.fromkeys(points) if point not in seen]
            if new:
                seen.update(zip(new, worth(self._grid.features(new)).tolist(), strict=True))

        look([best_of(scored).point, *self._grid.drawn_many(rng, _DRAWN)])
        climbing = sorted(seen, key=seen.__getitem__, reverse=True)[:_CLIMBS]
        while climbing:
            near = [list(self._grid.neighbours(at)) for at in climbing]
            look(point for some in near for point in some)
            tops = [max(some, key=seen.__getitem__, default=at) for some, at in zip(near, climbing, strict=True)]
            climbing = list(dict.fromkeys(top for top, at in zip(tops, climbing, strict=True) if seen[top] > seen[at]))
        return sorted(seen, key=seen.__getitem__, reverse=True)

    def _drawn_worth(self, scored: Sequence[Result], rng: Generator) -> Function:
        """A drawn score, less what drawn constraints say is broken."""
        values = _one_score(np.array([one.scores for one in scored]), rng)
        score = self._drawn("score", scored, _warped(values), rng)
        names = sorted({name for one in self._results for name in one.violations})
        broken = [self._drawn_violation(name, rng) for name in names]
        return lambda rows: score(rows) - _BROKEN * sum(np.maximum(0.0, one(rows)) for one in broken)

    def _drawn_violation(self, name: str, rng: Generator) -> Function:
        known = [one for one in self._results if name in one.violations]
        return self._drawn(name, known, np.array([one.violations[name] for one in known]), rng)

    def _drawn(self, name: str, results: Sequence[Result], values: Floats, rng: Generator) -> Function:
        """A function through values at the points of results; the prior is chosen again as these grow."""
        count, shares = self._shares.get(name, (0, None))
        if len(results) >= _GROWTH * count:
            count, shares = len(results), None
        process = fit(self._grid.features([one.point for one in results]), values, shares)
        self._shares[name] = count, process.shares
        return process.draw(rng)


def _one_score(scores: Floats, rng: Generator) -> Floats:
    """A column of scores as it is; of several, each from 0 to 1, the worst by drawn weights and a little of all."""
    if scores.shape[1] == 1:
        return scores[:, 0]
    low, high = scores.min(0), scores.max(0)
    weighed = rng.dirichlet(np.ones(scores.shape[1])) * (scores - high) / np.where(high > low, high - low, 1.0)
    joined: Floats = weighed.min(1) + 0.05 * weighed.sum(1)
    return joined


def _warped(values: Floats) -> Floats:
    """Values of zero mean and unit variance, in which those below the median fall by the logarithm only."""
    middle = float(np.median(values))
    span = float(values.max()) - middle
    if span > 0:
        values = np.maximum(values, middle) - span * np.log1p(np.maximum(0.0, middle - values) / span)
    spread = float(values.std())
    warped: Floats = (values - values.mean()) / (spread if spread > 0 else 1.0)
    return warped
