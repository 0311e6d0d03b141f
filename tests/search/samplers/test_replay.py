"""The benchmark of samplers: its worlds are its tables, and its page is its records."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from benchmarks.search.drawing import BEGIN, END, PAGE, PICTURE, marked, picture, read, with_tables
from benchmarks.search.replay import accel, macro
from benchmarks.search.runs import evaluated, regrets, replay, seeing
from benchmarks.search.worlds import block_sums, factors, macro_world, predictor, repeat_noise
from tests.paths import real_data
from triscale.search.samplers import Point
from triscale.search.samplers.pair_process import fit, likeliest


def test_macro_is_seen_as_it_was_trained() -> None:
    table = macro(real_data("nas"))
    assert (len(table.points), table.grid.size) == (6_561, 6_561)
    world = macro_world(table, "accuracy")
    at = table.points.index((0,) * 8)
    assert table.accuracies[at].tolist() == [45.32, 45.33, 45.44]
    look = world.look((0,) * 8)
    assert look.truth == pytest.approx(45.36333)
    seen = {seeing(world, seed)((0,) * 8)[0] for seed in range(40)}
    assert seen == {45.32, 45.33, 45.44}
    assert world.best == table.accuracies.mean(1).max()
    assert evaluated(world, table.points, 0)[-1] < 0.3


def test_the_reward_of_macro_is_the_papers() -> None:
    table = macro(real_data("nas"))
    macs = np.array([1.0, 2.0]) * np.median(table.macs)
    assert factors(table, "reward", macs).tolist() == pytest.approx([1.0, 2**-0.07])
    assert factors(table, "accuracy", macs).tolist() == [1, 1]


def parts(point: Point) -> Iterator[tuple[int, Point]]:
    """The choices of each block of Accel."""
    return ((block, point[4 * block : 4 * block + 4]) for block in range(7))


def test_accels_macs_and_params_are_sums_over_its_blocks() -> None:
    table = accel(real_data("nas"))
    order = np.random.default_rng(0).permutation(5_138)
    for costs in (table.macs, table.params):
        some, rest = order[:4_500], order[4_500:]
        sums = block_sums(tuple(table.points[at] for at in some), costs[some])
        known = [at for at in rest if all(part in sums.blocks[block] for block, part in parts(table.points[at]))]
        assert len(known) > 500
        assert [sums.of(table.points[at]) for at in known] == pytest.approx(costs[known].tolist())
    with pytest.raises(ValueError, match="no sums over blocks"):
        block_sums(table.points, table.accuracies[:, 0])
    assert 0.05 < repeat_noise(table) < 0.3, "thirteen networks stand in it twice"


def test_regret_is_of_the_best_score_seen() -> None:
    """The first of equal ones stays."""
    table = macro(real_data("nas"))
    world = macro_world(table, "accuracy")
    told = [(1.0, 50.0), (3.0, 40.0), (2.0, 90.0), (3.0, 91.0), (4.0, 92.0)]
    assert regrets(world, told) == pytest.approx(world.best - np.array([50.0, 40.0, 40.0, 40.0, 92.0]))


def test_a_replay_is_a_function_of_its_seed() -> None:
    world = macro_world(macro(real_data("nas")), "reward")
    one, again, other = (replay(world, "evolution", seed, 40, lag=3) for seed in (1, 1, 2))
    assert one.tolist() == again.tolist() != other.tolist()
    assert one.min() >= 0


def test_the_page_and_the_picture_are_those_of_the_records() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert with_tables(page, marked()) == page
    assert picture(read()) == PICTURE.read_text(encoding="utf-8")


def test_the_last_record_counts(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    numbers = {"mean": [0.5], "low": [0.4], "high": [0.6]}
    base = {
        "name": "search", "table": "macro", "objective": "reward", "sampler": "tpe", "n": 3, "lag": 1,
        "evaluations": [100],
    }  # fmt: skip
    entries = [
        {**base, "regret": {**numbers, "mean": [0.9]}},
        {**base, "regret": numbers, "gain_on_random": {"mean": [0.2], "low": [-0.1], "high": [0.5]}},
        {**base, "regret": numbers, "lag": 8},
        {"name": "other"},
    ]
    path.write_text("".join(json.dumps(one) + "\n" for one in entries), encoding="utf-8")
    text = marked(path)
    assert "| tpe | - | 0.50 ± 0.10 | - | **does not beat it** (0.20 ± 0.30) | 3 |" in text
    assert with_tables(f"a\n{BEGIN}\nold\n{END}\nb", text) == f"a\n{BEGIN}\n\n{text}\n\n{END}\nb"


def test_the_regression_that_stands_for_accel_is_the_posterior_mean() -> None:
    """Of the same features and prior, on 400 rows."""
    table = accel(real_data("nas"))
    used = np.arange(0, 4_000, 10)
    known = predictor(table, used)
    rows = known.rows(list(table.points))
    values = table.accuracies[used, 0]
    process = fit(rows[used], values, likeliest(rows[used], values - values.mean()))
    some = [0, 777, 5_000]
    expected = process.mean(rows[some])
    assert known.accuracy([table.points[at] for at in some]) == pytest.approx(expected, abs=0.01)
