"""Samplers by name."""

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType

from triscale.errors import UsageError
from triscale.search.samplers.ask_tell import Feasible, Sampler
from triscale.search.samplers.choice_grid import Choices, HasChoices
from triscale.search.samplers.controller import Controller
from triscale.search.samplers.evolution import Evolution
from triscale.search.samplers.strategy import Make
from triscale.search.samplers.surrogate import Surrogate
from triscale.search.samplers.uniform import Uniform
from triscale.search.samplers.with_optuna import WithOptuna

SAMPLERS: Mapping[str, Make] = MappingProxyType(
    {
        "evolution": Evolution,
        "random": Uniform,
        "controller": Controller,
        "surrogate": Surrogate,
        "nsga2": partial(WithOptuna, name="nsga2"),
        "tpe": partial(WithOptuna, name="tpe"),
        "gp": partial(WithOptuna, name="gp"),
    }
)
"""The first is the default. Other settings: `partial(Evolution, population=50)` in place of a name."""


def sampler(
    name: str | Make, space: HasChoices | Choices, *, seed: int, lag: int = 8, feasible: Feasible | None = None
) -> Sampler:
    """A sampler over the choices of a space, or over a plain mapping of choices to lists of values.

    Args:
        name: `evolution`, `random`, `controller`, `surrogate`, `nsga2`, `tpe` or `gp`; or a strategy with settings of
            its own, such as `partial(Evolution, population=50)`.
        space: a search space, or a mapping such as `{"kernel": [3, 5], "layers": [1, 2, 3]}`.
        seed: of all draws.
        lag: how many trials may be open at a time. Trial k knows the results of trials 0 to k - lag, so any number of
            workers up to the lag gets the same proposals; it is part of the question.
        feasible: says about choices whether they may be proposed.

    Raises:
        UsageError: an unknown name, or a seed or lag out of range.
        InputError: no choices, a choice without values, or a package that is not installed.
    """
    if isinstance(name, str) and name not in SAMPLERS:
        raise UsageError(f"unknown sampler {name!r}; the samplers are {', '.join(SAMPLERS)}.")
    return Sampler(space, SAMPLERS[name] if isinstance(name, str) else name, seed=seed, lag=lag, feasible=feasible)
