"""Published tables of trained networks, as choices and numbers.

Macro is NAS-Bench-Macro (Su et al. 2021, arXiv 2103.11922), Accel is Accel-NASBench (2024, arXiv 2404.08005).
"""

import csv
import gzip
import os
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.harness import ROOT
from triscale.search.samplers.choice_grid import Choices, Floats, Grid, Point, grid_of

_OPERATORS = {"0": "identity", "1": "e3k3", "2": "e6k5"}
_BLOCK = re.compile(r"e(\d)k(\d)l(\d)s(\d)")
_PARTS = ("expansion", "kernel", "layers", "se")


@dataclass(frozen=True, kw_only=True)
class Table:
    """Networks with what was measured of them.

    Attributes:
        name: of the table.
        grid: its choices.
        points: one for each row.
        accuracies: in percent; one column for each training.
        macs: of each row.
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
    rows = _rows(folder / "nas_bench_macro.csv.gz")
    choices: Choices = {f"layer{at}": list(_OPERATORS.values()) for at in range(1, 9)}
    points = tuple(tuple(map(int, row["architecture"])) for row in rows)
    return Table(
        name="macro",
        grid=grid_of(choices),
        points=points,
        accuracies=np.array([[float(row[f"test_top1_{seed}"]) for seed in "abc"] for row in rows]),
        macs=_column(rows, "macs"),
        params=_column(rows, "params"),
        depth=np.array([sum(at > 0 for at in point) for point in points], dtype=float),
    )


def accel(folder: Path) -> Table:
    """Accel-NASBench: seven blocks, each with its expansion, kernel, layers and squeeze-excite."""
    rows = _rows(folder / "accel_nasbench.csv.gz")
    codes = [[int(digit) for block in _BLOCK.findall(row["architecture"]) for digit in block] for row in rows]
    names = [f"block{block}.{part}" for block in range(1, 8) for part in _PARTS]
    grid = grid_of({name: sorted(set(column)) for name, column in zip(names, zip(*codes, strict=True), strict=True)})
    return Table(
        name="accel",
        grid=grid,
        points=tuple(grid.point(dict(zip(names, code, strict=True))) for code in codes),
        accuracies=_column(rows, "val_top1")[:, None],
        macs=_column(rows, "macs"),
        params=_column(rows, "params"),
        depth=np.array([sum(code[2::4]) for code in codes], dtype=float),
    )


def _rows(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _column(rows: list[dict[str, str]], name: str) -> Floats:
    return np.array([float(row[name]) for row in rows])
