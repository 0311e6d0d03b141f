"""Worlds that a sampler searches, hundreds of times in seconds: a table of trained networks and an objective.

Macro holds all 6,561 networks of its space, trained three times: a search sees one drawn training of each, and regret
is measured on the mean of the three. Accel holds 5,138 networks of a space of 1e11, trained once: a search of the whole
space sees a regression through all of them, plus the noise of the thirteen that stand in it twice, and regret is
measured on the regression, against the best network that a long search of the regression finds.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.search.replay import Table
from triscale.search.objectives.reward import Reward
from triscale.search.samplers.choice_grid import Floats, Grid, Point
from triscale.search.samplers.pair_process import likeliest

OBJECTIVES = ("accuracy", "reward")
_LIKELIHOOD_ROWS, _CLIMBS = 1_000, 200


class Look(NamedTuple):
    """What a world knows of one network, as scores: trainings of which a search sees one, and the truth."""

    seen: tuple[float, ...]
    truth: float


@dataclass(frozen=True, kw_only=True)
class World:
    """A table and an objective.

    Attributes:
        table: the name of the table.
        objective: `accuracy` or `reward`.
        grid: the choices.
        look: at a network.
        noise: standard deviation of what is seen around `Look.seen`, before the factor of the reward.
        best: the highest truth.
    """

    table: str
    objective: str
    grid: Grid
    look: Callable[[Point], Look]
    noise: float
    best: float


def reward_of(table: Table) -> Reward:
    """The paper's reward with w = -0.07 and T the median MACs of the table."""
    return Reward(target=float(np.median(table.macs)))


def factors(table: Table, objective: str, macs: Floats) -> Floats:
    """What accuracies are multiplied by, for networks of these MACs."""
    if objective == "accuracy":
        return np.ones(len(macs))
    reward = reward_of(table)
    return np.array([reward.scores(1.0, {"macs": value}) for value in macs])


def macro_world(table: Table, objective: str) -> World:
    """Every network is in the table."""
    scores = table.accuracies * factors(table, objective, table.macs)[:, None]
    looks = {
        point: Look(tuple(row.tolist()), float(row.mean())) for point, row in zip(table.points, scores, strict=True)
    }
    best = float(scores.mean(1).max())
    return World(table=table.name, objective=objective, grid=table.grid, look=looks.__getitem__, noise=0.0, best=best)


@dataclass(frozen=True, kw_only=True)
class BlockSums:
    """A cost that is a sum over blocks of four choices each."""

    fixed: float
    blocks: tuple[Mapping[Point, float], ...]

    def of(self, point: Point) -> float:
        """The cost of a network."""
        return self.fixed + sum(block[point[4 * at : 4 * at + 4]] for at, block in enumerate(self.blocks))


def block_sums(points: tuple[Point, ...], costs: Floats) -> BlockSums:
    """The sums that costs of rows are; ValueError if they are none."""
    keys = sorted({(at, point[4 * at : 4 * at + 4]) for point in points for at in range(len(point) // 4)})
    column = {key: index for index, key in enumerate(keys)}
    rows = np.zeros((len(points), len(keys)))
    for row, point in zip(rows, points, strict=True):
        row[[column[at, point[4 * at : 4 * at + 4]] for at in range(len(point) // 4)]] = 1
    fixed = float(costs.mean())
    found = np.linalg.lstsq(rows, costs - fixed, rcond=None)[0]
    if np.abs(rows @ found + fixed - costs).max() > 1e-6 * fixed:
        raise ValueError("these costs are no sums over blocks")
    blocks: defaultdict[int, dict[Point, float]] = defaultdict(dict)
    for (at, key), value in zip(keys, found.tolist(), strict=True):
        blocks[at][key] = value
    return BlockSums(fixed=fixed, blocks=tuple(blocks[at] for at in sorted(blocks)))


@dataclass(frozen=True, kw_only=True)
class Predictor:
    """Accuracy of any network of a space: centre + single.z + z' paired z, with z its features and costs."""

    grid: Grid
    macs: BlockSums
    params: BlockSums
    centre: float
    single: Floats
    paired: Floats

    def rows(self, points: list[Point]) -> Floats:
        """Features and costs; the logarithms are of about unit spread over a table of networks."""
        costs = np.log([[self.macs.of(point) / 3.5e8, self.params.of(point) / 3.5e6] for point in points])
        return np.concatenate([self.grid.features(points), costs], axis=1)

    def accuracy(self, points: list[Point]) -> Floats:
        """In percent."""
        rows = self.rows(points)
        predicted: Floats = self.centre + rows @ self.single + np.einsum("ij,ij->i", rows @ self.paired, rows)
        return predicted


def predictor(table: Table, used: NDArray[np.intp] | None = None) -> Predictor:
    """Fit to the rows of a table, or to those `used`."""
    used = np.arange(len(table.points)) if used is None else used
    macs, params = block_sums(table.points, table.macs), block_sums(table.points, table.params)
    zero = np.zeros(0)
    empty = Predictor(grid=table.grid, macs=macs, params=params, centre=0.0, single=zero, paired=zero)
    rows, values = empty.rows([table.points[at] for at in used]), table.accuracies[used, 0]
    some = np.random.default_rng(0).permutation(len(values))[:_LIKELIHOOD_ROWS]
    shares = likeliest(rows[some], values[some] - values[some].mean())
    inner = rows @ rows.T  # solved once: the inverse, which `fit` keeps, would take several times as long
    covariance = inner + shares.pairs * inner * inner + shares.noise * np.eye(len(rows))
    weights = np.linalg.solve(covariance, values - values.mean())
    return Predictor(
        grid=table.grid,
        macs=macs,
        params=params,
        centre=float(values.mean()),
        single=rows.T @ weights,
        paired=shares.pairs * (rows.T * weights) @ rows,
    )


def accel_world(table: Table, objective: str, known: Predictor) -> World:
    """Any network of the space, by the regression."""
    best = max(_climbed(table, objective, known, seed) for seed in range(_CLIMBS))

    def look(point: Point) -> Look:
        truth = float(_truth(table, objective, known, [point])[0])
        return Look((truth,), truth)

    return World(
        table=table.name, objective=objective, grid=table.grid, look=look, noise=repeat_noise(table), best=best
    )


def _truth(table: Table, objective: str, known: Predictor, points: list[Point]) -> Floats:
    macs = np.array([known.macs.of(point) for point in points])
    return known.accuracy(points) * factors(table, objective, macs)


def _climbed(table: Table, objective: str, known: Predictor, seed: int) -> float:
    """The top above a drawn network, one choice at a time."""
    at = table.grid.drawn(np.random.default_rng(seed))
    height = float(_truth(table, objective, known, [at])[0])
    while True:
        near = list(table.grid.neighbours(at))
        heights = _truth(table, objective, known, near)
        if heights.max() <= height:
            return height
        at, height = near[int(heights.argmax())], float(heights.max())


def repeat_noise(table: Table) -> float:
    """The standard deviation of a training, from networks that stand twice in a table."""
    first: dict[Point, float] = {}
    squares = []
    for point, accuracy in zip(table.points, table.accuracies[:, 0].tolist(), strict=True):
        if point in first:
            squares.append((accuracy - first[point]) ** 2 / 2)
        first.setdefault(point, accuracy)
    return float(np.sqrt(np.mean(squares)))
