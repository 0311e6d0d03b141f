"""Rules that say where a doubling should go: each trains in a world as often as it may, then names a place."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import mean

import numpy as np

from benchmarks.triangle.worlds import CENTROID, CORNERS, LATTICE, World
from triscale.search.coefficients.rank import choose, paired_noise, ranking
from triscale.search.coefficients.shares import PAPER_SHARES
from triscale.search.coefficients.triangle.acquisition import next_round
from triscale.search.coefficients.triangle.evidence import Result
from triscale.search.coefficients.triangle.optimum import optimum
from triscale.search.coefficients.triangle.surface import Surface, surface
from triscale.trials.study_records import Ranked

ROUND = 2
"""Trainings of an adaptive round."""

SEEDS = range(24)
LEADERS = 3
IMAGES = 5000


@dataclass(frozen=True, kw_only=True)
class Said:
    """What a rule says after some trainings: a place, and, if it has one, the 95% region of the best."""

    place: int
    region: frozenset[int] | None = None


Rule = Callable[[World, Sequence[int]], Mapping[int, Said]]
"""What is said after each of some numbers of trainings, in growing order."""


def paper(world: World, budgets: Sequence[int]) -> Mapping[int, Said]:
    """Always the paper's point."""
    return dict.fromkeys(budgets, Said(place=world.nearest(np.array([PAPER_SHARES]))[0]))


def resolution(world: World, budgets: Sequence[int]) -> Mapping[int, Said]:
    """Always the most resolution."""
    return dict.fromkeys(budgets, Said(place=int(np.argmax(world.shares[:, 2]))))


def best_mean(world: World, budgets: Sequence[int]) -> Mapping[int, Said]:
    """The lattice once, then further seeds for the three best of it; the best mean of these."""
    return {most: Said(place=_of_leaders(world, most, _best)) for most in budgets}


def cheapest_of_tied(world: World, budgets: Sequence[int]) -> Mapping[int, Said]:
    """The same trainings; of those that the noise cannot tell from the best, the cheapest."""
    return {most: Said(place=_of_leaders(world, most, _cheapest)) for most in budgets}


def star(world: World, budgets: Sequence[int]) -> Mapping[int, Said]:
    """One dimension at a time: evenly along the three lines from the centroid to a corner; the best accuracy."""
    return {most: Said(place=_best_of(world, [(at, 0) for at in _rays(world, most)])) for most in budgets}


def halving(world: World, budgets: Sequence[int]) -> Mapping[int, Said]:
    """Successive halving: each better half gets another seed, until one is left."""
    return {most: Said(place=_halved(world, most)) for most in budgets}


def spread(world: World, budgets: Sequence[int]) -> Mapping[int, Said]:
    """The surface of the lattice and of the places that lie farthest from all others, each once."""
    order = _spread(world)
    return {most: _surface_says(world, _surface(world, [(at, 0) for at in order[:most]])) for most in budgets}


def adaptive(world: World, budgets: Sequence[int]) -> Mapping[int, Said]:
    """The surface, and trainings where it says that they tell most."""
    index = {one.id: at for at, one in enumerate(world.places)}
    trained = [(at, 0) for at in world.nearest(LATTICE)]
    said = {}
    for most in budgets:
        while len(trained) < most:
            size = min(ROUND, most - len(trained))
            trained += [(index[one.id], one.seed) for one in next_round(_surface(world, trained), size, SEEDS)]
        said[most] = _surface_says(world, _surface(world, trained))
    return said


RULES: Mapping[str, Rule] = {
    "paper's point": paper,
    "most resolution": resolution,
    "star": star,
    "successive halving": halving,
    "cheapest of the tied": cheapest_of_tied,
    "best mean": best_mean,
    "surface, spread": spread,
    "surface, adaptive": adaptive,
}


def _surface(world: World, trained: Iterable[tuple[int, int]]) -> Surface:
    return surface(world.places, world.results(list(trained)), world.prior)


def _surface_says(world: World, found: Surface) -> Said:
    index = {one.id: at for at, one in enumerate(world.places)}
    region = optimum(found, draws=1000).region
    inside = frozenset(index[one.id] for one, within in zip(found.places, region, strict=True) if within)
    return Said(place=index[found.chosen.id], region=inside)


def _of_leaders(world: World, most: int, pick: Callable[[World, list[Ranked]], str]) -> int:
    lattice = world.nearest(LATTICE)[:most]
    leaders = sorted(lattice, key=lambda at: -world.shown[at, 0])[:LEADERS]
    more = [(leaders[k % LEADERS], 1 + k // LEADERS) for k in range(most - len(lattice))]
    scores: dict[str, dict[int, float]] = {}
    for one in world.results([(at, 0) for at in lattice] + more):
        scores.setdefault(one.id, {})[one.seed] = one.accuracy
    rows = ranking(scores, scores, paired_noise(scores, IMAGES), 1 + len(more) // LEADERS)
    return next(at for at, one in enumerate(world.places) if one.id == pick(world, rows))


def _best(world: World, rows: list[Ranked]) -> str:
    return choose(rows, {one.id: 0 for one in world.places}, [row.id for row in rows])


def _cheapest(world: World, rows: list[Ranked]) -> str:
    costs = {one.id: one.log_cost for one in world.places}
    return min((row.id for row in rows if row.tied), key=lambda one: costs[one])


def _rays(world: World, most: int) -> list[int]:
    """The centroid, then outwards on all three lines at once."""
    steps = -(-(most - 1) // 3)
    outwards = [CENTROID + (k + 1) / steps * (corner - CENTROID) for k in range(steps) for corner in CORNERS]
    return world.nearest(np.array([CENTROID, *outwards])[:most])


def _halved(world: World, most: int) -> int:
    """With as many places at first as all rounds together allow; what is left of the budget goes to the last two."""
    count = next(k for k in range(most, 0, -1) if sum(_rungs(k)) <= most)
    rungs = _rungs(count)
    alive = _spread(world)[:count]
    for seed in range(len(rungs)):
        seen = world.shown[:, : seed + 1].mean(axis=1)
        alive = sorted(alive, key=lambda at: -seen[at])[: rungs[seed + 1] if seed + 1 < len(rungs) else 1]
    return alive[0]


def _rungs(count: int) -> list[int]:
    found = [count]
    while found[-1] > 2:
        found.append(-(-found[-1] // 2))
    return found


def _spread(world: World) -> list[int]:
    """The lattice, then whatever lies farthest from all before."""
    order = world.nearest(LATTICE)
    while len(order) < len(world.places):
        apart = np.min(np.sum((world.shares[:, None] - world.shares[order]) ** 2, axis=2), axis=1)
        order.append(int(np.argmax(apart)))
    return order


def _best_of(world: World, trained: Sequence[tuple[int, int]]) -> int:
    found: dict[str, list[float]] = {}
    for one in world.results(trained):
        _add(found, one)
    best = max(found, key=lambda name: mean(found[name]))
    return next(at for at, one in enumerate(world.places) if one.id == best)


def _add(found: dict[str, list[float]], one: Result) -> None:
    found.setdefault(one.id, []).append(one.accuracy)
