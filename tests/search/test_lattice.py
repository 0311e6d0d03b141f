"""The design: which network stands for which point of the lattice, and which ones are taken beside them."""

import math

from triscale.search.coefficients.lattice import FAR, LATTICE, OUTSIDE, assign, design, spread
from triscale.search.coefficients.shares import Shares


def near(point: str, by: float) -> Shares:
    """A place at a distance from a point of the lattice, towards the centroid."""
    at, centre = LATTICE[point], LATTICE["centroid"]
    part = by / math.dist(at, centre)
    return Shares(*(a + part * (c - a) for a, c in zip(at, centre, strict=True)))


def stands(places: dict[str, Shares], within: set[str] | None = None) -> dict[str, str]:
    return assign(list(places), places.__getitem__, lambda one: within is None or one in within)


def test_the_nearest_network_stands_for_a_point_and_none_for_two() -> None:
    found = stands({"a": near("depth", 0.1), "b": near("depth", 0.05), "c": near("width", 0.2)})
    assert (found["depth"], found["width"]) == ("b", "c")
    assert len(set(found.values())) == len(found)
    assert math.dist(LATTICE["centroid"], LATTICE["paper"]) < FAR
    assert stands({"a": LATTICE["centroid"]}) == {"centroid": "a"}, "it is near the paper's point too"


def test_a_network_outside_the_tolerance_stands_for_a_point_only_where_all_others_are_farther() -> None:
    for apart, expected in ((0.9 * OUTSIDE, "inside"), (1.1 * OUTSIDE, "outside")):
        places = {"outside": near("width", 0.0), "inside": near("width", apart)}
        assert stands(places, {"inside"})["width"] == expected


def test_a_point_that_all_networks_are_far_from_has_none() -> None:
    assert stands({"a": near("depth", 0.9 * FAR)}) == {"depth": "a"}
    assert "depth" not in stands({"a": near("depth", 1.1 * FAR)})


def test_beside_the_lattice_those_are_taken_that_lie_farthest_from_all_others() -> None:
    """On an edge from 0 to 1 with both ends taken: the middle, then the middles of the halves."""
    at = [k / 8 for k in range(9)]
    taken = spread([0.0, 1.0], at, lambda one: Shares(one, 1 - one, 0.0), 5)
    assert (taken[:3], set(taken[3:])) == ([0.0, 1.0, 0.5], {0.25, 0.75})


def test_a_design_of_few_is_the_beginning_of_the_lattice_and_none_outside_the_tolerance_fills_it_up() -> None:
    places = LATTICE | {
        "far": Shares(0.75, 0.25, 0.0),
        "out": Shares(0.0, 0.75, 0.25),
    }
    whole = design(list(places), places.__getitem__, lambda one: one != "out", 20)
    assert [name for name, _ in whole] == [*LATTICE, "far"]
    assert [point for _, point in whole] == [*LATTICE, None]
    assert design(list(places), places.__getitem__, lambda one: one != "out", 4) == whole[:4]
