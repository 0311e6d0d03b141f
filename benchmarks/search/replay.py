"""Published tables of trained networks (`benchmarks.search.tables`) as samplers see them: a grid and numbers."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.harness import ROOT
from benchmarks.search import tables
from triscale.search.samplers.choice_grid import Floats, Grid, Point, grid_of

_PARTS = ("expand", "kernel", "repeats", "squeeze_excite")
"""The order of the choices of a stage of Accel in the grid, on which the draws of the committed records depend."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """Networks with what was measured of them.

    Attributes:
        name: of the table.
        grid: its choices.
        points: one for each row.
        accuracies: in percent; one column for each training.
        macs: of each row, as printed.
        params: of each row.
        depth: layers with weights of their own choice, of each row.
    """

    name: str
    grid: Grid
    points: tuple[Point, ...]
    accuracies: Floats
    macs: Floats
    params: Floats
    depth: Floats


def default_folder() -> Path:
    """Where the tables lie: `TRISCALE_TEST_DATA`, or beside the repository."""
    return Path(os.environ.get("TRISCALE_TEST_DATA", ROOT.parent / "shared" / "data")) / "nas"


def macro(folder: Path) -> Table:
    """NAS-Bench-Macro: eight layers of three operators each."""
    table = tables.macro(folder)
    return _table("macro", table, tuple(table.choices), [sum(digit != "0" for digit in one.code) for one in table.rows])


def accel(folder: Path) -> Table:
    """Accel-NASBench: seven blocks, each with its expansion, kernel, layers and squeeze-excite."""
    table = tables.accel(folder)
    names = [f"stage{stage}.{part}" for stage in range(1, 8) for part in _PARTS]
    layers = [name for name in names if name.endswith("repeats")]
    return _table("accel", table, names, [sum(int(str(one.chosen[name])) for name in layers) for one in table.rows])


def _table(name: str, table: tables.Table, names: Sequence[str], depth: Sequence[int]) -> Table:
    seen = {one: {row.chosen[one] for row in table.rows} for one in names}  # nothing is known of the other values
    grid = grid_of({one: [value for value in table.choices[one] if value in seen[one]] for one in names})
    return Table(
        name=name,
        grid=grid,
        points=tuple(grid.point(one.chosen) for one in table.rows),
        accuracies=np.array([one.accuracies for one in table.rows]),
        macs=np.array([float(one.macs) for one in table.rows]),
        params=np.array([float(one.params) for one in table.rows]),
        depth=np.array(depth, dtype=float),
    )
