"""What else the tables say: trivial predictors, how the surrogate ranks, and where B0 lies under the paper's reward."""

from typing import Any

import numpy as np

from benchmarks.search.replay import Table
from benchmarks.search.worlds import Predictor, factors, predictor, repeat_noise
from triscale.intervals import t_quantile
from triscale.rank_correlation import kendall_tau
from triscale.search.samplers.choice_grid import Floats
from triscale.search.samplers.pair_process import fit

B0 = ((1, 3, 1), (6, 3, 2), (6, 5, 2), (6, 3, 3), (6, 5, 3), (6, 5, 4), (6, 3, 1))
"""Expansion, kernel and layers of each block of EfficientNet-B0; all have squeeze-excite."""
_TRAINED, _REPEATS, _RANKED, _HELD = (50, 100, 200, 400), 20, 1_500, 1_000


def taus(table: Table) -> dict[str, float | None]:
    """Kendall's tau of each trivial predictor with the accuracy, over all rows."""
    truth = table.accuracies.mean(1).tolist()
    return {name: kendall_tau(getattr(table, name).tolist(), truth) for name in ("macs", "params", "depth")}


def ranking(table: Table, rows: Floats) -> dict[str, dict[str, float]]:
    """Tau of the surrogate's regression on networks that it has not seen, from so many trained ones that are drawn.

    Args:
        table: the networks.
        rows: features of each.
    """
    rng, found = np.random.default_rng(0), {}
    for count in _TRAINED:
        each = []
        for _ in range(_REPEATS):
            order = rng.permutation(len(rows))
            seen, rest = order[:count], order[count : count + _RANKED]
            expected = fit(rows[seen], table.accuracies[seen, 0]).mean(rows[rest])
            each.append(kendall_tau(expected.tolist(), table.accuracies[rest].mean(1).tolist()) or 0.0)
        half = t_quantile(len(each) - 1) * float(np.std(each, ddof=1)) / len(each) ** 0.5
        found[str(count)] = {"tau": float(np.mean(each)), "half": half}
    return found


def held_out(table: Table) -> dict[str, float]:
    """How well the regression that stands for Accel predicts rows that it was not fitted to."""
    order = np.random.default_rng(1).permutation(len(table.points))
    used, rest = order[_HELD:], order[:_HELD]
    expected = predictor(table, used).accuracy([table.points[at] for at in rest])
    truth = table.accuracies[rest, 0]
    error = float(np.sqrt(np.square(expected - truth).mean()))
    return {"tau": kendall_tau(expected.tolist(), truth.tolist()) or 0.0, "rmse": error, "fitted": len(used)}


def b0(table: Table, known: Predictor, error: float) -> dict[str, Any]:
    """EfficientNet-B0 among the rows of Accel under ACC x (MACs/T)^-0.07, which ranks alike for any T."""
    codes = [value for block in B0 for value in (*block, 1)]
    point = table.grid.point(dict(zip(table.grid.names, codes, strict=True)))
    macs, accuracy = known.macs.of(point), float(known.accuracy([point])[0])
    inside = point in table.points
    if inside:
        accuracy = float(table.accuracies[table.points.index(point), 0])
    rewards = table.accuracies[:, 0] * factors(table, "reward", table.macs)
    own = accuracy * float(factors(table, "reward", np.array([macs]))[0])
    ranks = [
        1 + int((rewards > (accuracy + off) * float(factors(table, "reward", np.array([macs]))[0])).sum())
        for off in (error, 0.0, -error)
    ]
    near = np.abs(table.macs / macs - 1) < 0.05
    return {
        "in_table": inside,
        "macs": macs,
        "params": known.params.of(point),
        "accuracy": accuracy,
        "reward": own,
        "networks": len(rewards),
        "rank": ranks[1],
        "rank_if_off_by_the_error": [ranks[0], ranks[2]],
        "better_accuracy": int((table.accuracies[:, 0] > accuracy).sum()),
        "within_5_percent_of_its_macs": int(near.sum()),
        "better_of_these": int((table.accuracies[near, 0] > accuracy).sum()),
        "best_of_these": float(table.accuracies[near, 0].max()),
    }


def facts(macro: Table, accel: Table, known: Predictor) -> dict[str, Any]:
    """All of it, for a record."""
    held = held_out(accel)
    features = {table.name: table.grid.features(table.points) for table in (macro, accel)}
    return {
        "taus": {table.name: taus(table) for table in (macro, accel)},
        "ranking": {table.name: ranking(table, features[table.name]) for table in (macro, accel)},
        "ranking_with_costs": ranking(accel, known.rows(list(accel.points))),
        "held_out": held,
        "repeat_noise": repeat_noise(accel),
        "b0": b0(accel, known, held["rmse"]),
    }
