"""What a way of sampling does: it proposes a point, and learns results one by one, in the order of their numbers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.random import Generator

from triscale.search.objectives.domination import crowding, fronts
from triscale.search.samplers.choice_grid import Grid, Point


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one trial.

    Attributes:
        number: of the trial.
        point: its choices.
        scores: what is maximised, one number or several; None for a trial that failed.
        costs: by name, as they were told.
        violations: by how much each constraint is broken, by name; at most 0 where it is kept.
    """

    number: int
    point: Point
    scores: tuple[float, ...] | None
    costs: Mapping[str, float]
    violations: Mapping[str, float]

    @property
    def broken(self) -> float:
        """The sum of what is broken; 0 where every constraint is kept."""
        return sum(max(0.0, value) for value in self.violations.values())


class Strategy(Protocol):
    """One way of sampling. It is called in one order only, whatever the number of workers."""

    tries: int
    """Proposals for one trial before the sampler walks from the last of them to a point that may be proposed."""

    def propose(self, number: int, rng: Generator) -> Point:
        """A point for the trial `number`; asked again for the same number, another one."""

    def learn(self, result: Result) -> None:
        """Take in a result; they come in the order of their numbers, failed ones too."""


Make = Callable[[Grid, int], Strategy]
"""From a grid and a seed to a strategy."""


def best_of(results: Sequence[Result]) -> Result:
    """The best of results that have scores: of those that break the constraints least, the highest score.

    Of several scores: the one of the first front that has the most room around it (Deb et al. 2002, NSGA-II).
    """
    if all(len(one.scores or ()) == 1 for one in results):
        return max(results, key=lambda one: (-one.broken, one.scores or ()))
    least = min(one.broken for one in results)
    kept = [one for one in results if one.broken == least]
    scores = np.array([one.scores for one in kept])
    first = fronts(scores)[0]
    return kept[first[int(crowding(scores[first]).argmax())]]
