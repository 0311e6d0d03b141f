"""Contours on a triangular lattice, against areas and lines known in closed form."""

from itertools import pairwise
from math import sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triscale.report.triangle.contours import Loop, Triangle, Vertex, above, lattice, lattice_side, levels, triangles

SIDE = 12
WHOLE = sqrt(3) / 4


def spot(i: float, j: float) -> tuple[float, float]:
    """A point of the triangle with sides of 1, by twelfths of two shares."""
    return i / SIDE + j / SIDE / 2, j / SIDE * sqrt(3) / 2


def grid(values: dict[tuple[int, int], float]) -> list[Triangle]:
    return triangles(SIDE, {key: Vertex(*spot(*key), value) for key, value in values.items()})


def area(loops: list[Loop]) -> float:
    """By the shoelace formula; what turns the other way is a hole."""
    return sum(
        (x * next_y - next_x * y) / 2 for loop in loops for (x, y), (next_x, next_y) in pairwise([*loop, loop[0]])
    )


def test_a_lattice_has_the_square_of_its_side_in_triangles() -> None:
    assert len(triangles(SIDE, {key: Vertex(*spot(*key), 0) for key in lattice(SIDE)})) == SIDE**2
    assert [lattice_side(number) for number in (3, 6, 66, 91)] == [1, 2, 10, 12]
    assert [lattice_side(number) for number in (0, 1, 2, 65, 92)] == [None] * 5


@pytest.mark.parametrize("level", [0.05, 0.25, 0.5, 0.777, 0.99])
def test_above_a_level_of_one_share_lies_a_similar_triangle(level: float) -> None:
    """Of the apex's share: a triangle of sides 1 - level, whose line is level; also where it runs through vertices."""
    loops = above(grid({(i, j): j / SIDE for i, j in lattice(SIDE)}), level)
    assert len(loops) == 1
    assert area(loops) == pytest.approx((1 - level) ** 2 * WHOLE, rel=1e-4)
    assert min(y for _, y in loops[0]) == pytest.approx(level * sqrt(3) / 2, abs=1e-5)


def test_lines_of_a_plane_are_where_the_plane_has_the_level() -> None:
    """60 % at one corner, 64 % at another, 66 % at the third: every point of a line solves the equation."""
    parts = grid({(i, j): 0.60 + 0.04 * i / SIDE + 0.06 * j / SIDE for i, j in lattice(SIDE)})
    for level in (0.61, 0.62, 0.63, 0.64, 0.65):
        (loop,) = above(parts, level)
        heights = [0.60 + 0.04 * (x - y / sqrt(3)) + 0.06 * y / (sqrt(3) / 2) for x, y in loop]
        assert min(heights) == pytest.approx(level, abs=1e-6)
        inside = [(x, y) for x, y in loop if y > 1e-6 and sqrt(3) * x - y > 1e-5 and sqrt(3) * (1 - x) - y > 1e-5]
        known = [0.60 + 0.04 * (x - y / sqrt(3)) + 0.06 * y / (sqrt(3) / 2) for x, y in inside]
        assert known == pytest.approx([level] * len(known), abs=1e-6)


def test_a_valley_is_a_hole() -> None:
    values = dict.fromkeys(lattice(SIDE), 1.0)
    values[4, 4] = 0.0
    loops = above(grid(values), 0.5)
    assert sorted(area([loop]) > 0 for loop in loops) == [False, True]
    hexagon = 6 * WHOLE * (0.5 / SIDE) ** 2
    assert area(loops) == pytest.approx(WHOLE - hexagon, rel=1e-4)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.sampled_from([0.0, 1e-12, -1e-12, 0.5, 1.0, 0.3]), min_size=91, max_size=91))
def test_any_values_give_closed_lines_and_less_above_a_higher_level(values: list[float]) -> None:
    """Ties, and values that differ in their last bit, among them."""
    parts = grid(dict(zip(lattice(SIDE), values, strict=True)))
    assert area(above(parts, -1.0)) == pytest.approx(WHOLE, rel=1e-6)
    areas = [area(above(parts, level)) for level in (-1.0, 0.0, 0.2, 0.5, 0.7, 1.1)]
    assert all(one >= two - 1e-6 for one, two in pairwise(areas))
    assert areas[-1] == 0


@given(st.floats(0, 1), st.floats(0, 1), st.integers(1, 8))
def test_levels_are_few_round_and_strictly_inside(one: float, two: float, most: int) -> None:
    found = levels([one, two], most)
    assert len(found) <= most
    assert all(min(one, two) < level < max(one, two) for level in found)
    assert all(round(1000 * level, 6) == round(1000 * level) for level in found)
    assert len({round(b - a, 6) for a, b in pairwise(found)}) <= 1


def test_levels_are_those_that_a_reader_expects() -> None:
    assert levels([0.601, 0.648], 6) == [0.61, 0.62, 0.63, 0.64]
    assert levels([0.6, 0.66], 6) == [0.61, 0.62, 0.63, 0.64, 0.65]
    assert levels([0.6123, 0.6147], 6) == [0.613, 0.614]
    assert levels([0.5, 0.5], 6) == []
