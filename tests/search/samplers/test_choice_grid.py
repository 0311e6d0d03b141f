"""Choices as whole numbers: there and back, near ones, and features whose products are shares that agree."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import default_rng

from tests.search.samplers.playing import CHOICES
from triscale.errors import InputError
from triscale.search.samplers.choice_grid import Point, grid_of

GRID = grid_of(CHOICES)
POINTS = st.tuples(*(st.integers(0, len(values) - 1) for values in CHOICES.values()))


@given(POINTS)
def test_a_point_is_its_choices(point: Point) -> None:
    assert GRID.point(GRID.chosen(point)) == point


@given(POINTS, st.integers(0, 99))
def test_a_mutation_is_a_neighbour(point: Point, seed: int) -> None:
    near = list(GRID.neighbours(point))
    assert len(near) == len(set(near)) == sum(len(values) - 1 for values in CHOICES.values())
    assert GRID.mutated(point, default_rng(seed)) in near


def test_all_mutations_and_points_are_drawn_alike() -> None:
    """Chi-squared over 3,000 draws, at one in a thousand."""
    rng, point = default_rng(1), (0, 0, 0, 0, 0)
    small = grid_of({"a": [1, 2, 3], "b": [1, 2], "c": [5]})
    draws = [small.drawn(rng) for _ in range(3_000)]
    counts = [draws.count((a, b, 0)) for a in range(3) for b in range(2)]
    assert sum((count - 500) ** 2 / 500 for count in counts) < 20.5
    places = [next(at for at, value in enumerate(GRID.mutated(point, rng)) if value) for _ in range(3_000)]
    assert sum((places.count(at) - 600) ** 2 / 600 for at in range(5)) < 18.5


@given(POINTS, POINTS)
def test_the_product_of_features_is_the_share_of_choices_that_agree(one: Point, other: Point) -> None:
    """Rising numbers agree in part: layers 1 and 2 of 1 to 4 by two thirds, expansions 1 and 6 not at all."""
    layers, expansions = 1 - abs(one[2] - other[2]) / 3, 1 - abs(one[4] - other[4]) / 2
    expected = (sum(one[at] == other[at] for at in (0, 1, 3)) + layers + expansions) / 5
    first, second = GRID.features([one, other])
    assert float(first @ second) == pytest.approx(expected)


def test_a_choice_without_an_alternative_stays() -> None:
    fixed = grid_of({"a": ["x"], "b": [1]})
    assert fixed.size == 1
    assert fixed.mutated((0, 0), default_rng(0)) == (0, 0)
    assert list(fixed.neighbours((0, 0))) == []
    assert np.isfinite(fixed.features([(0, 0)])).all()


def test_choices_of_another_space_are_named() -> None:
    good = GRID.chosen((0, 0, 0, 0, 0))
    with pytest.raises(InputError, match=r"missing or unknown: stride\."):
        GRID.point({**good, "stride": 2})
    with pytest.raises(InputError, match=r"7 is not a value of the choice 'kernel'; it has \[3, 5\]\."):
        GRID.point({**good, "kernel": 7})
