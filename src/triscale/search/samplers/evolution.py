"""Regularised evolution: the youngest networks compete, and the winner has a child (Real et al. 2019)."""

from collections import deque

from numpy.random import Generator

from triscale.errors import UsageError
from triscale.search.samplers.choice_grid import Grid, Point, at_least
from triscale.search.samplers.strategy import Result, best_of


class Evolution:
    """Aging evolution: a population of the last results; the best of a drawn few changes one choice.

    Until the population is full, points are drawn. A trial that failed has no place in it.

    Args:
        grid: where to search.
        seed: not used; all draws come from the trial's own generator.
        population: how many of the last results live.
        tournament: how many of them are drawn to compete.

    Raises:
        UsageError: a tournament larger than the population, or numbers below 1.
    """

    tries = 50

    def __init__(self, grid: Grid, seed: int, *, population: int = 20, tournament: int = 10) -> None:
        del seed
        if at_least(tournament, 1, "the tournament") > at_least(population, 1, "the population"):
            raise UsageError(f"a tournament of {tournament} needs a population as large, got {population}.")
        self._grid, self._tournament = grid, tournament
        self._living: deque[Result] = deque(maxlen=population)

    def propose(self, number: int, rng: Generator) -> Point:
        """The child of a winner."""
        del number
        if len(self._living) < (self._living.maxlen or 0):
            return self._grid.drawn(rng)
        places = rng.choice(len(self._living), self._tournament, replace=False)
        return self._grid.mutated(best_of([self._living[int(place)] for place in places]).point, rng)

    def learn(self, result: Result) -> None:
        """The oldest gives way."""
        if result.scores is not None:
            self._living.append(result)
