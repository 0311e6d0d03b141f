"""Dominance, fronts, crowding and hypervolume against closed forms and brute force."""

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from triscale.report.pareto import pareto_front
from triscale.search.objectives import crowding, dominates, fronts, hypervolume

ROWS = st.integers(1, 3).flatmap(
    lambda width: st.lists(st.tuples(*[st.integers(0, 5)] * width), min_size=1, max_size=9)
)


def test_one_dominates_where_it_is_nowhere_worse_and_somewhere_better() -> None:
    assert dominates((1, 2), (1, 1))
    assert not dominates((1, 1), (1, 1))
    assert not dominates((2, 0), (1, 1))


@given(ROWS)
def test_fronts_are_peeled_off_by_their_definition(rows: list[tuple[int, ...]]) -> None:
    left = list(range(len(rows)))
    for front in fronts(rows):
        assert front == [one for one in left if not any(dominates(rows[other], rows[one]) for other in left)]
        left = [one for one in left if one not in front]
    assert not left


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=9))
def test_the_first_front_is_that_of_the_report(rows: list[tuple[int, int]]) -> None:
    """Which sorts by cost; here less cost is more."""
    assert sorted(pareto_front(rows)) == fronts([(-cost, accuracy) for cost, accuracy in rows])[0]


def test_crowding_is_half_the_girth_of_the_box_between_neighbours() -> None:
    """Four points on a line; each number is divided by its range, and the ends are infinitely far from others."""
    assert crowding([(0, 40), (1, 30), (3, 10), (4, 0)]).tolist() == pytest.approx([math.inf, 1.5, 1.5, math.inf])
    assert crowding([(1, 1)]).tolist() == [math.inf]


@given(ROWS)
def test_hypervolume_is_that_of_inclusion_and_exclusion(rows: list[tuple[int, ...]]) -> None:
    """Boxes of whole sides: the volume of their union by the signed volumes of all intersections."""
    exact = sum(
        (-1) ** (count + 1) * math.prod(map(min, zip(*some, strict=True)))
        for count in range(1, len(rows) + 1)
        for some in combinations(rows, count)
    )
    assert hypervolume(rows, [0] * len(rows[0])) == pytest.approx(exact)


def test_hypervolume_counts_from_the_reference_only() -> None:
    assert hypervolume([(3, 3), (0, 9)], (1, 1)) == 4
    assert hypervolume(np.zeros((0, 2)), (0, 0)) == 0
