"""One replay: a sampler searches a world; after each evaluation stands what the best network that it saw loses."""

from collections.abc import Callable, Sequence

import numpy as np

from benchmarks.search.worlds import World
from triscale.search import sampler
from triscale.search.samplers.ask_tell import Asked
from triscale.search.samplers.choice_grid import Floats, Point
from triscale.search.samplers.strategy import Make


def replay(world: World, name: str | Make, seed: int, evaluations: int, lag: int = 1) -> Floats:
    """The regret after each evaluation, in points: the highest truth less that of the network with the best score seen.

    Args:
        world: what is searched.
        name: of the sampler, or a strategy.
        seed: of the sampler and of what it sees; samplers with equal seeds see the same training of a network.
        evaluations: how many.
        lag: trials that are open at a time: the sampler learns a result once this many are open.
    """
    search = sampler(name, dict(zip(world.grid.names, world.grid.values, strict=True)), seed=seed, lag=lag)
    see = seeing(world, seed)
    waiting: list[Asked] = []
    told: list[tuple[float, float]] = []
    while len(told) < evaluations:
        if search.ready:
            waiting.append(search.ask())
            continue
        asked = waiting.pop(0)
        score, truth = see(world.grid.point(asked))
        search.tell(asked, score)
        told.append((score, truth))
    return regrets(world, told)


def evaluated(world: World, points: Sequence[Point], seed: int) -> Floats:
    """The regret after each of points that are evaluated in this order."""
    see = seeing(world, seed)
    return regrets(world, [see(point) for point in points])


def seeing(world: World, seed: int) -> Callable[[Point], tuple[float, float]]:
    """A function from a network to the score that is seen and the true one; the same network always shows the same."""

    def see(point: Point) -> tuple[float, float]:
        look = world.look(point)
        rng = np.random.default_rng((seed, *point))
        seen = look.seen[int(rng.integers(len(look.seen)))]
        return seen + world.noise * float(rng.normal()), look.truth

    return see


def regrets(world: World, told: Sequence[tuple[float, float]]) -> Floats:
    """What the best score so far loses in truth."""
    truths, holder = [], 0
    for place, (score, _) in enumerate(told):
        holder = place if score > told[holder][0] else holder
        truths.append(told[holder][1])
    return world.best - np.array(truths)
