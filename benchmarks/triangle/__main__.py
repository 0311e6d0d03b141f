"""Try rules in simulated studies: `python -m benchmarks.triangle [--worlds 400] [--table STUDY ...]`.

Prints for each scenario and rule the mean regret to the smooth truth, in points, after 8, 12 and 18 trainings, and how
often and how small the 95% region of the best is; and appends all that as one record. Without tables, random surfaces.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.harness import append, provenance
from benchmarks.triangle.rules import RULES, Said
from benchmarks.triangle.worlds import Scenario, Table, World, from_store

BUDGETS = (8, 12, 18)
SCENARIOS = {
    "noise 0.6": Scenario(noise=0.6),
    "noise 1": Scenario(),
    "noise 2, span 10": Scenario(noise=2.0, span=10.0),
    "span 1.5": Scenario(span=1.5),
    "span 15": Scenario(span=15.0),
    "own 0.6": Scenario(own=0.6),
    "bumps 0.5": Scenario(bumps=0.5),
    "optimum on an edge": Scenario(edge=True),
    "nearly a plane": Scenario(bend=1.0),
    "slope 8": Scenario(slope=8.0),
    "shares off by 0.05": Scenario(jitter=0.05),
    "seeds share 1": Scenario(seed_effect=1.0),
    "80 networks": Scenario(places=80),
}
"""Noise 1, span 5, an own part of 0.3 and 31 networks where nothing else is said."""


class Outcome(NamedTuple):
    """Over all worlds: regret in points with its standard error, and of the region coverage and share of the places."""

    regret: float
    error: float
    coverage: float | None
    area: float | None


def outcome(worlds: list[World], said: list[Said]) -> Outcome:
    """Compare what was said in each world with its truth."""
    regrets = np.array([world.regret(one.place) for world, one in zip(worlds, said, strict=True)])
    regions = [one.region for one in said if one.region is not None]
    covered = [int(world.smooth.argmax()) in region for world, region in zip(worlds, regions, strict=False)]
    areas = [len(region) / len(world.places) for world, region in zip(worlds, regions, strict=False)]
    return Outcome(
        float(regrets.mean()),
        float(regrets.std(ddof=1) / np.sqrt(len(regrets))),
        float(np.mean(covered)) if regions else None,
        float(np.mean(areas)) if regions else None,
    )


def try_rules(source: Scenario | Table, count: int) -> dict[str, dict[int, Outcome]]:
    """Every rule in the same worlds."""
    worlds = [source.draw(number) for number in range(count)]
    found = {}
    for name, rule in RULES.items():
        said = [rule(world, BUDGETS) for world in worlds]
        found[name] = {most: outcome(worlds, [one[most] for one in said]) for most in BUDGETS}
    return found


def show(name: str, found: Mapping[str, Mapping[int, Outcome]]) -> None:
    """Print a table."""
    print(f"\n{name}: regret in points (standard error), coverage and area of the 95% region")
    print(f"{'trainings':24}" + "".join(f"{most:>28}" for most in BUDGETS))
    for rule, by_budget in found.items():
        cells = [
            f"{one.regret:.2f} ({one.error:.2f})"
            + ("" if one.coverage is None or one.area is None else f" {one.coverage:4.0%} {one.area:4.0%}")
            for one in by_budget.values()
        ]
        print(f"{rule:24}" + "".join(f"{cell:>28}" for cell in cells), flush=True)


def main() -> None:
    """Run what the command line names."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--worlds", type=int, default=400, help="random worlds of each scenario")
    parser.add_argument("--table", type=Path, nargs="*", default=[], help="folders of studies to draw worlds from")
    parser.add_argument("--scenario", choices=SCENARIOS, nargs="*", default=list(SCENARIOS), help="which of them")
    asked = parser.parse_args()
    sources: dict[str, Scenario | Table] = {folder.name: from_store(folder) for folder in asked.table}
    if not sources:
        sources.update((name, SCENARIOS[name]) for name in asked.scenario)
    results = {}
    for name, source in sources.items():
        results[name] = try_rules(source, asked.worlds)
        show(name, results[name])
    plain = {
        name: {rule: {str(most): one._asdict() for most, one in row.items()} for rule, row in found.items()}
        for name, found in results.items()
    }
    append({**provenance("triangle"), "n": asked.worlds, "results": plain})


if __name__ == "__main__":
    main()
