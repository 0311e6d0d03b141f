"""Candidates: distinct networks of twice the counted cost, each the centre of the cell that rounds to it."""

import math
from dataclasses import replace
from functools import partial
from statistics import median

import pytest

from triscale.costs import count
from triscale.errors import InputError
from triscale.families import network
from triscale.families.amoebanet import amoebanet
from triscale.foreign import count_any
from triscale.scaling import Factors, factors
from triscale.search.coefficients.candidates import (
    Candidate,
    GridCell,
    candidates,
    cell_of,
    is_upsampled,
    nearest_on_curve,
    recorded,
)
from triscale.spec import AnyNetwork, Network, content_hash, scale

TOLERANCE, MOST = 0.1, 200
CORNERS = ("depth", "width", "resolution")


def off_the_divisor() -> Network:
    """A baseline whose widths are no multiples of its divisor: at a width factor of exactly 1 they are not rounded."""
    base = network("smallnet_24")
    stages = tuple(replace(stage, channels=c) for stage, c in zip(base.stages, (13, 22, 30), strict=True))
    return replace(base, name="off", channel_divisor=8, stages=stages)


BASELINES = [
    network("smallnet_24"),
    network("smallnet_32"),
    replace(network("smallnet_48"), resolution=(24, 36)),
    replace(network("mobilenet_v1"), name="mobile", resolution=(32, 32)),
    off_the_divisor(),
]
FOUND = {baseline.name: (baseline, candidates(baseline, tolerance=TOLERANCE, most=MOST)) for baseline in BASELINES}
each = pytest.mark.parametrize("name", FOUND)
"""Of one baseline, each test looks at all of its candidates."""


def same(one: AnyNetwork, two: AnyNetwork) -> bool:
    return content_hash(one) == content_hash(two)


@each
def test_the_triple_of_a_candidate_makes_its_network_and_lies_in_its_cell(name: str) -> None:
    baseline, found = FOUND[name]
    for one in found:
        assert same(scale(baseline, **one.factors._asdict()), one.network), one.factors
        assert one.cell is not None
        for value, (low, high) in zip(one.factors, one.cell, strict=True):
            assert low <= value <= high, one.factors
            assert value == 1 or value == pytest.approx((low + high) / 2), one.factors


@each
def test_alpha_beta_and_gamma_are_at_least_1(name: str) -> None:
    baseline, found = FOUND[name]
    for one in found:
        assert min(one.factors) >= 1
        assert count(baseline).macs < count_any(one.network).macs, one.factors


@each
def test_the_edges_of_a_cell_round_to_the_network_and_values_just_outside_do_not(name: str) -> None:
    baseline, found = FOUND[name]
    for one in found:
        assert one.cell is not None
        for axis, (low, high) in one.cell._asdict().items():
            for edge, apart in ((low, low * (1 - 1e-6)), (high, high * (1 + 1e-6))):
                inside = scale(baseline, **{**one.factors._asdict(), axis: edge})
                # A factor of exactly 1 rounds nothing, so 1 itself can be a neighbour of the cell.
                outside = 1.0 if 0 < abs(edge - 1) < 1e-12 else apart
                beyond = scale(baseline, **{**one.factors._asdict(), axis: outside})
                assert same(inside, one.network), (one.factors, axis, edge)
                assert not same(beyond, one.network), (one.factors, axis, outside)


@each
def test_the_counted_cost_is_twice_the_baselines_within_the_tolerance_except_at_flagged_corners(name: str) -> None:
    baseline, found = FOUND[name]
    for one in found:
        assert one.ratio == count_any(one.network).macs / count(baseline).macs, one.factors
        assert one.within == (abs(one.ratio - 2) <= TOLERANCE), one.factors
        assert one.within or one.rule in CORNERS, one.factors


@pytest.mark.parametrize("name", FOUND)
def test_no_network_stands_twice_and_the_corners_come_first(name: str) -> None:
    _, found = FOUND[name]
    assert len({one.id for one in found}) == len(found)
    assert tuple(one.rule for one in found[:3]) == CORNERS
    assert {one.rule for one in found[3:]} <= {"grid"}


@pytest.mark.parametrize("name", FOUND)
def test_a_corner_changes_one_factor_only(name: str) -> None:
    _, found = FOUND[name]
    for one in found[:3]:
        assert {which for which, value in one.factors._asdict().items() if value != 1} == {one.rule}


def test_the_search_is_deterministic_and_a_smaller_one_is_part_of_a_larger() -> None:
    baseline, every = FOUND["smallnet_24"]
    few = candidates(baseline, tolerance=TOLERANCE, most=6)
    assert candidates(baseline, tolerance=TOLERANCE, most=MOST) == every
    assert few == every[:6]
    assert len(every) > 6


def test_a_wider_tolerance_finds_more_and_none_is_lost_to_the_corners() -> None:
    baseline, narrow = FOUND["smallnet_24"]
    wide = candidates(baseline, tolerance=0.3, most=MOST)
    assert {one.id for one in narrow} <= {one.id for one in wide}
    assert len(wide) > len(narrow)


def test_the_picked_lie_far_from_one_another() -> None:
    """The fourth is farther from all corners than most others, in the exponents of cost."""
    _, found = FOUND["smallnet_48"]

    def place(one: Candidate) -> tuple[float, float, float]:
        return math.log2(one.factors.depth), 2 * math.log2(one.factors.width), 2 * math.log2(one.factors.resolution)

    def alone(one: Candidate) -> float:
        return min(math.dist(place(one), place(corner)) for corner in found[:3])

    assert alone(found[3]) > median(alone(one) for one in found[3:])


def test_merged_counts_the_grid_points_that_rounded_to_the_network() -> None:
    assert all(one.merged >= 1 for _, found in FOUND.values() for one in found)
    assert any(one.merged > 1 for _, found in FOUND.values() for one in found)


def test_a_baseline_that_rounds_too_coarsely_is_refused_in_words() -> None:
    base = network("smallnet_24")
    coarse = replace(base, name="coarse", resolution=(1, 1), channel_divisor=512)
    with pytest.raises(InputError, match=r"^no network within 0\.01 of twice the cost of coarse") as caught:
        candidates(coarse, tolerance=0.01)
    assert str(caught.value).count("\n") <= 2


def test_the_centre_of_a_cell_is_1_where_it_holds_1() -> None:
    assert GridCell((0.9, 1.2), (1.0, 1.5), (1.2, 1.4)).centre() == pytest.approx(Factors(1, 1, 1.3))


def test_the_cell_of_the_baseline_holds_the_factors_of_1() -> None:
    base = network("smallnet_24")
    for low, high in cell_of(base, base, Factors()):
        assert low <= 1 <= high


def test_the_record_of_a_candidate_says_all_of_it() -> None:
    _, found = FOUND["smallnet_24"]
    record = found[0].record((24, 24))
    assert recorded(record, found[0].network) == found[0]
    assert record.id == found[0].id
    assert record.cost["macs"] == count_any(found[0].network).macs


def test_only_more_pixels_than_the_originals_have_are_upsampled() -> None:
    net = replace(network("smallnet_24"), resolution=(32, 40))
    assert not is_upsampled(net, None)
    assert not is_upsampled(net, (32, 40))
    assert is_upsampled(net, (31, 40))
    assert is_upsampled(net, (32, 39))


def test_on_a_curve_down_to_images_that_are_too_small_the_nearest_network_that_runs_is_taken() -> None:
    """Its stem has no padding and needs 3 px."""
    cells = amoebanet("cells", cells=1, filters=16, side=6)

    _, found = nearest_on_curve(cells, partial(factors, "resolution"), macs=1)

    assert found.resolution == (3, 3)
    assert candidates(replace(cells, resolution=(3, 3)), most=4)
