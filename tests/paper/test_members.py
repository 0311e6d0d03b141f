"""B0 to B7 as released beside the formula: figures that others print."""

import math

import pytest

from tests.cli.conftest import Run
from tests.cli.conftest import run as run  # noqa: PLC0414  the fixture
from triscale.paper import members

# Width, depth and pixels in the flags of the authors' repository (tensorflow/tpu, efficientnet_builder.py).
FLAGS = {
    "b0": (1.0, 1.0, 224), "b1": (1.0, 1.1, 240), "b2": (1.1, 1.2, 260), "b3": (1.2, 1.4, 300), "b4": (1.4, 1.8, 380),
    "b5": (1.6, 2.2, 456), "b6": (1.8, 2.6, 528), "b7": (2.0, 3.1, 600),
}  # fmt: skip

MACS = {"b0": 0.39, "b1": 0.70, "b2": 1.0, "b3": 1.8, "b4": 4.2, "b5": 9.9, "b6": 19, "b7": 37}
"""Billions in Table 2 of the paper."""


def test_the_released_factors_and_counts_are_those_that_the_authors_print() -> None:
    for row in members():
        name = row.name.removeprefix("efficientnet_")
        assert (row.given.width, row.given.depth, row.side) == FLAGS[name]
        assert row.macs / 1e9 == pytest.approx(MACS[name], rel=0.06)


def test_the_formula_is_the_papers() -> None:
    for row in members():
        assert row.formula == pytest.approx((1.2**row.phi, 1.1**row.phi, 1.15**row.phi))
        assert row.formula_side == math.floor(224 * 1.15**row.phi + 0.5)
        assert 1.2**row.implied.depth == pytest.approx(row.given.depth)
    assert [row.phi for row in members()] == [0, 0.5, 1, 2, 3.5, 5, 6, 7]


def test_the_command_shows_one_row_a_member(run: Run) -> None:
    lines = run("compare", "--set", "members").out.splitlines()
    (row,) = (line for line in lines if line.startswith("efficientnet_b4 "))
    assert row.split()[1:9] == ["3.5", "1.8", "1.89", "1.4", "1.40", "380", "365", "4.394"]
    found = run("compare", "--set", "members", "--json").json
    assert [one["name"] for one in found["rows"]] == [f"efficientnet_b{number}" for number in range(8)]
    assert found["rows"][7]["given"] == {"depth": 3.1, "width": 2.0, "resolution": 600 / 224}
    assert "the sets are table2, table3, table7, members" in run("compare", "--set", "mine").err
