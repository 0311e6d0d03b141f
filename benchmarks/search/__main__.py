"""Replay samplers on tables of trained networks: `python -m benchmarks.search [--seeds 300] [--sampler NAME ...]`.

Each sampler searches each table for accuracy and for the paper's reward, ACC x (MACs/T)^-0.07 with T the median MACs,
with one setting for all. A search is worth what the network with the best score seen loses in truth. Appends one record
for each table, objective and sampler, one of what else the tables say (`--facts`), and draws docs/samplers.svg and the
tables of docs/samplers.md from the records (`--draw` does that alone).
"""

import argparse
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness import append, provenance
from benchmarks.search.drawing import draw
from benchmarks.search.facts import facts
from benchmarks.search.replay import Table, accel, default_folder, macro
from benchmarks.search.runs import evaluated, replay
from benchmarks.search.worlds import OBJECTIVES, World, accel_world, macro_world, predictor
from triscale.intervals import t_quantile
from triscale.search.samplers import SAMPLERS
from triscale.search.samplers.choice_grid import Floats, Point

PREDICTORS = ("params", "macs", "depth")
_STEP, _POOL = 10, 1_000
SLOW = {"gp"}
"""Takes a second or more for a proposal, so it is replayed only where it is named."""


def summary(regrets: Floats) -> dict[str, list[float]]:
    """Means over seeds with their 95% intervals after every tenth evaluation; a row of regrets for each seed."""
    some = regrets[:, _STEP - 1 :: _STEP]
    mean = some.mean(0)
    half = t_quantile(len(some) - 1) * some.std(0, ddof=1) / np.sqrt(len(some))
    numbers = {"mean": mean, "low": mean - half, "high": mean + half}
    return {name: [round(value, 4) for value in values.tolist()] for name, values in numbers.items()}


def in_order(world: World, by: Callable[[list[Point]], Floats], seed: int, evaluations: int) -> Floats:
    """Evaluate drawn networks by falling value of a trivial predictor."""
    pool = list(dict.fromkeys(world.grid.drawn_many(np.random.default_rng(seed), _POOL)))
    order = np.argsort(-by(pool), kind="stable")[:evaluations]
    return evaluated(world, [pool[at] for at in order], seed)


def measure(
    world: World, name: str, run: Callable[[int], Floats], asked: argparse.Namespace, random: Floats | None
) -> Floats:
    """Run all seeds, print and append the record."""
    found = np.array([run(seed) for seed in range(asked.seeds)])
    gains = {} if random is None else {"gain_on_random": summary(random[:, : found.shape[1]] - found)}
    entry = {
        **provenance("search"), "table": world.table, "objective": world.objective, "sampler": name, "n": asked.seeds,
        "lag": asked.lag, "best": world.best, "evaluations": list(range(_STEP, found.shape[1] + 1, _STEP)),
        "regret": summary(found), **gains,
    }  # fmt: skip
    append(entry, asked.records) if asked.records else append(entry)
    shown = ", ".join(f"{at}: {found[:, at - 1].mean():.3f}" for at in (50, 100, 200) if at <= found.shape[1])
    print(f"{world.table} {world.objective} {name}: {shown}", flush=True)
    return found


def predictors(
    table: Table, sums: Mapping[str, Callable[[Point], float]]
) -> dict[str, Callable[[list[Point]], Floats]]:
    """The trivial predictors of a table: functions from networks to values."""
    rows = {point: at for at, point in enumerate(table.points)}

    def of(name: str) -> Callable[[list[Point]], Floats]:
        values: Floats = getattr(table, name)

        def by_row(point: Point) -> float:
            return float(values[rows[point]])

        read = sums.get(name, by_row)
        return lambda points: np.array([read(point) for point in points])

    return {name: of(name) for name in PREDICTORS}


def search(world: World, by: Mapping[str, Callable[[list[Point]], Floats]], asked: argparse.Namespace) -> None:
    """Every sampler in one world; random search first, since the others are compared with it."""

    def searching(name: str) -> Callable[[int], Floats]:
        return lambda seed: replay(world, name, seed, asked.evaluations, asked.lag)

    def ordering(name: str) -> Callable[[int], Floats]:
        return lambda seed: in_order(world, by[name], seed, asked.evaluations)

    if "random" in asked.sampler:
        random = measure(world, "random", searching("random"), asked, None)
    else:
        random = np.array([searching("random")(seed) for seed in range(asked.seeds)])
    for name in asked.sampler:
        if name != "random":
            measure(world, name, ordering(name) if name in by else searching(name), asked, random)


def worlds(asked: argparse.Namespace) -> Iterable[tuple[World, dict[str, Callable[[list[Point]], Floats]]]]:
    """The worlds that the command line names, each with its trivial predictors."""
    if "macro" in asked.table:
        table = macro(asked.data)
        for objective in asked.objective:
            yield macro_world(table, objective), predictors(table, {})
    if "accel" in asked.table:
        table = accel(asked.data)
        known = predictor(table)
        layers = [index for index, name in enumerate(table.grid.names) if name.endswith("layers")]
        sums = {
            "macs": known.macs.of,
            "params": known.params.of,
            "depth": lambda point: sum(point[at] for at in layers),
        }
        for objective in asked.objective:
            yield accel_world(table, objective, known), predictors(table, sums)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    names = [*SAMPLERS, *PREDICTORS]
    usual = [name for name in names if name not in SLOW]
    parser.add_argument("--data", type=Path, default=default_folder(), help="the folder of both tables")
    parser.add_argument("--table", choices=("macro", "accel"), nargs="*", default=["macro", "accel"])
    parser.add_argument("--objective", choices=OBJECTIVES, nargs="*", default=list(OBJECTIVES))
    parser.add_argument("--sampler", choices=names, nargs="*", default=usual, help="samplers and trivial predictors")
    parser.add_argument("--seeds", type=int, default=300, help="searches of each")
    parser.add_argument("--evaluations", type=int, default=200, help="of each search")
    parser.add_argument("--lag", type=int, default=1, help="trials that are open at a time")
    parser.add_argument("--records", type=Path, help="append here instead of benchmarks/records.jsonl")
    parser.add_argument("--facts", action="store_true", help="record what else the tables say, and search nothing")
    parser.add_argument("--draw", action="store_true", help="draw from the records, and search nothing")
    return parser.parse_args()


def table_facts(folder: Path) -> dict[str, Any]:
    """The record of what else the tables say."""
    other = accel(folder)
    return {**provenance("search facts"), **facts(macro(folder), other, predictor(other))}


def main() -> None:
    """Run what the command line names."""
    asked = arguments()
    if asked.facts:
        append(table_facts(asked.data))
    elif not asked.draw:
        import torch

        torch.set_num_threads(1)
        for world, by in worlds(asked):
            search(world, by, asked)
    if not asked.records:
        draw()


if __name__ == "__main__":
    main()
