"""Random search: every point with the same probability (Bergstra and Bengio 2012)."""

from numpy.random import Generator

from triscale.search.samplers.choice_grid import Grid, Point
from triscale.search.samplers.strategy import Result


class Uniform:
    """Draws, and learns nothing."""

    tries = 10_000

    def __init__(self, grid: Grid, seed: int) -> None:
        del seed  # all draws come from the trial's own generator
        self._grid = grid

    def propose(self, number: int, rng: Generator) -> Point:
        """A point, drawn."""
        del number
        return self._grid.drawn(rng)

    def learn(self, result: Result) -> None:
        """Nothing to learn."""
