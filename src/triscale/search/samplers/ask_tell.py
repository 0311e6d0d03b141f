"""Ask for choices, tell what came of them: proposals that do not depend on who trains them, or when."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence

from numpy.random import Generator, default_rng

from triscale import units
from triscale.errors import InputError, UsageError
from triscale.search.samplers.choice_grid import Choices, HasChoices, Point, Value, at_least, grid_of
from triscale.search.samplers.strategy import Make, Result

Feasible = Callable[[Mapping[str, Value]], bool]
_WALK = 2_000
"""Points that are looked at when a strategy proposes none that is feasible and new."""
_STEPS = 100
"""Of these, how many before the walk goes one step further from where it began."""


class Asked(Mapping[str, Value]):
    """The choices of one trial: a mapping of names to values, with the trial's `number`.

    `repeats` is the number of the first trial with the same choices, or None: a sampler proposes known choices only
    where it finds no others, and then their result need not be trained for again.
    """

    __slots__ = ("_chosen", "number", "repeats")

    def __init__(self, number: int, chosen: Mapping[str, Value], repeats: int | None = None) -> None:
        self.number, self.repeats, self._chosen = number, repeats, dict(chosen)

    def __getitem__(self, name: str) -> Value:
        return self._chosen[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._chosen)

    def __len__(self) -> int:
        return len(self._chosen)

    def __repr__(self) -> str:
        return f"Asked({self.number}, {self._chosen})"


class Sampler:
    """Proposes choices and learns from results.

    Trial k depends on the seed and on the results of trials 0 to k - lag alone, in the order of their numbers. So any
    number of workers up to `lag` gets the same proposals, in whatever order they end; and a search that was stopped
    continues with a new sampler that gets the same calls of `ask` and `tell`.

    Args:
        space: choices and their values, or a space that has them.
        strategy: makes the way of sampling.
        seed: of all draws.
        lag: how many trials may be open at a time, this one included.
        feasible: says about choices whether they may be proposed at all; it must always say the same.
    """

    def __init__(
        self, space: HasChoices | Choices, strategy: Make, *, seed: int, lag: int, feasible: Feasible | None = None
    ) -> None:
        self.grid, self.seed = grid_of(space), at_least(seed, 0, "the seed")
        self.lag = at_least(lag, 1, "the lag")
        self._strategy, self._allowed = strategy(self.grid, seed), feasible
        self._proposed: list[Point] = []
        self._first: dict[Point, int] = {}
        self._results: dict[int, Result] = {}
        self._learned, self._scores = 0, 0
        self._feasible: dict[Point, bool] = {}

    @property
    def waits_for(self) -> tuple[int, ...]:
        """The trials whose results must be told before the next one can be proposed."""
        return tuple(number for number in range(self._learned, self._needed) if number not in self._results)

    @property
    def ready(self) -> bool:
        """Whether the next trial can be proposed."""
        return not self.waits_for

    @property
    def results(self) -> tuple[Result, ...]:
        """What was told so far, in the order of the numbers."""
        return tuple(self._results[number] for number in sorted(self._results))

    @property
    def _needed(self) -> int:
        return max(0, len(self._proposed) - self.lag + 1)

    def ask(self) -> Asked:
        """Propose the next trial.

        Raises:
            UsageError: results of earlier trials are needed first (see `ready`).
            InputError: no feasible choices were found.
        """
        number = len(self._proposed)
        if self.waits_for:
            raise UsageError(
                f"trial {number} needs the result of trial {self.waits_for[0]} first (the lag is {self.lag}).\n"
                "Tell it, or make the sampler with a lag of the number of trials that are open at a time."
            )
        while self._learned < self._needed:
            self._strategy.learn(self._results[self._learned])
            self._learned += 1
        point = self._next(number, default_rng((self.seed, number)))
        self._proposed.append(point)
        repeats = self._first.setdefault(point, number)
        return Asked(number, self.grid.chosen(point), None if repeats == number else repeats)

    def tell(
        self,
        asked: Asked,
        score: float | Sequence[float] | None,
        costs: Mapping[str, float] | None = None,
        violations: Mapping[str, float] | Sequence[float] | float | None = None,
    ) -> None:
        """Say what came of a trial; the same may be said twice.

        Args:
            asked: what `ask` returned.
            score: what is maximised, a number or several; None for a trial that failed.
            costs: of the trial, by name.
            violations: by how much each constraint is broken; 0 or less where it is kept.

        Raises:
            UsageError: no such trial, another result than before, a number that is not finite, or another count of
                scores than before.
        """
        if not 0 <= asked.number < len(self._proposed):
            raise UsageError(f"trial {asked.number} was never proposed; the last was {len(self._proposed) - 1}.")
        point = self.grid.point(asked)
        if point != self._proposed[asked.number]:
            raise UsageError(f"trial {asked.number} has other choices than those that were proposed.")
        result = Result(asked.number, point, _scores(score), dict(costs or {}), _by_name(violations))
        if self._results.get(asked.number, result) != result:
            raise UsageError(f"trial {asked.number} has another result already.")
        self._check(result)
        self._results[asked.number] = result

    def _check(self, result: Result) -> None:
        for number in (*(result.scores or ()), *result.violations.values()):
            if not math.isfinite(number):
                raise UsageError(f"trial {result.number} has {number}; tell None for a trial that failed.")
        if result.scores is not None:
            self._scores = self._scores or len(result.scores)
            if len(result.scores) != self._scores or not result.scores:
                scores = units.counted(len(result.scores), "score")
                raise UsageError(f"trial {result.number} has {scores}, the others {self._scores}.")

    def _next(self, number: int, rng: Generator) -> Point:
        """A feasible point that was not proposed before; a known one where none is found."""
        known: Point | None = None
        for point in self._candidates(number, rng):
            if point in self._first:
                known = known or point
            elif self._may(point):
                return point
        if known is None:
            raise InputError(
                f"{self._strategy.tries + _WALK:,} choices were tried, and none is feasible.\n"
                "Check the limits: the space may hold nothing within them."
            )
        return known

    def _candidates(self, number: int, rng: Generator) -> Iterator[Point]:
        """What the strategy proposes, then a walk away from the last of it."""
        full = len(self._first) == self.grid.size
        for _ in range(1 if full else self._strategy.tries):
            point = self._strategy.propose(number, rng)
            yield point
        for step in range(0 if full else _WALK):
            yield self.grid.mutated(point, rng, 1 + step // _STEPS % len(self.grid.names))

    def _may(self, point: Point) -> bool:
        if self._allowed is None:
            return True
        if point not in self._feasible:
            self._feasible[point] = bool(self._allowed(self.grid.chosen(point)))
        return self._feasible[point]


def _scores(score: float | Sequence[float] | None) -> tuple[float, ...] | None:
    if score is None:
        return None
    return tuple(map(float, score)) if isinstance(score, Sequence) else (float(score),)


def _by_name(violations: Mapping[str, float] | Sequence[float] | float | None) -> dict[str, float]:
    """Violations by name, in the order of the names; the names of plain numbers are their places."""
    if violations is None:
        return {}
    if isinstance(violations, Mapping):
        return {name: float(violations[name]) for name in sorted(violations)}
    numbers = violations if isinstance(violations, Sequence) else [violations]
    return {str(place): float(value) for place, value in enumerate(numbers)}
