"""Optuna's samplers by name: NSGA-II, TPE and a Gaussian process, driven through its ask and tell."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from numpy.random import Generator

from triscale.errors import InputError
from triscale.search.samplers.choice_grid import Grid, Point
from triscale.search.samplers.strategy import Result

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler
    from optuna.study import Study
    from optuna.trial import Trial

Named = Literal["nsga2", "tpe", "gp"]
_POPULATION = 20
"""Of NSGA-II; with Optuna's 50, a search of a hundred trials is two generations, and no better than random."""


class WithOptuna:
    """A sampler of Optuna in a study of its own, in memory.

    A choice of rising numbers is a whole number to Optuna, any other one a category. Until a first result says how many
    scores there are, points are drawn. A point that Optuna did not choose is told to it as one that was enqueued.

    Args:
        grid: where to search.
        seed: of Optuna's sampler.
        name: `nsga2`, `tpe` or `gp`.

    Raises:
        InputError: Optuna is not installed.
    """

    tries = 5

    def __init__(self, grid: Grid, seed: int, *, name: Named) -> None:
        self._grid, self._sampler = grid, _made(name, seed)
        self._study: Study | None = None
        self._open: dict[int, tuple[Trial, Point]] = {}

    def propose(self, number: int, rng: Generator) -> Point:
        """What Optuna suggests; asked again, its last suggestion has failed."""
        if self._study is None:
            return self._grid.drawn(rng)
        self._fail(self._study, number)
        self._open[number] = self._suggested(self._study)
        return self._open[number][1]

    def learn(self, result: Result) -> None:
        """Tell the study."""
        if self._study is None and result.scores is not None:
            self._study = _study(self._sampler, len(result.scores))
        if self._study is None:
            return
        trial, point = self._open.get(result.number, (None, None))
        if trial is None or point != result.point:
            self._fail(self._study, result.number)
            trial = self._enqueued(self._study, result.point)
        self._open.pop(result.number, None)
        with _quiet():
            for name, value in result.violations.items():
                trial.set_constraint(name, value)
        _tell(self._study, trial, result.scores)

    def _fail(self, study: "Study", number: int) -> None:
        if number in self._open:
            _tell(study, self._open.pop(number)[0], None)

    def _enqueued(self, study: "Study", point: Point) -> "Trial":
        study.enqueue_trial(dict(zip(self._grid.names, point, strict=True)))
        return self._suggested(study)[0]

    def _suggested(self, study: "Study") -> tuple["Trial", Point]:
        with _quiet():
            trial = study.ask()
            return trial, tuple(self._index(trial, at) for at in range(len(self._grid.names)))

    def _index(self, trial: "Trial", at: int) -> int:
        name, count = self._grid.names[at], len(self._grid.values[at])
        if self._grid.ordered[at]:
            return trial.suggest_int(name, 0, count - 1)
        return trial.suggest_categorical(name, range(count))


def _made(name: Named, seed: int) -> "BaseSampler":
    """A sampler of Optuna by name, with its own settings where nothing is said."""
    try:
        from optuna import samplers  # noqa: PLC0415  an extra
    except ImportError:
        raise InputError(f"the sampler {name} is Optuna's: pip install 'triscale[optuna]'.") from None
    with _quiet():
        if name == "nsga2":
            return samplers.NSGAIISampler(seed=seed, population_size=_POPULATION)
        return samplers.TPESampler(seed=seed) if name == "tpe" else samplers.GPSampler(seed=seed)


def _study(sampler: "BaseSampler", scores: int) -> "Study":
    import optuna  # noqa: PLC0415  an extra

    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)  # a study tells of its creation
    try:
        return optuna.create_study(directions=["maximize"] * scores, sampler=sampler)
    finally:
        optuna.logging.set_verbosity(before)


def _tell(study: "Study", trial: "Trial", scores: tuple[float, ...] | None) -> None:
    from optuna.trial import TrialState  # noqa: PLC0415  an extra

    with _quiet():
        if scores is None:
            study.tell(trial, state=TrialState.FAIL)
        else:
            study.tell(trial, list(scores))


@contextmanager
def _quiet() -> Iterator[None]:
    """What Optuna calls experimental is what this module is for."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
