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
from triscale.scaling import Coefficients, Factors, factors
from triscale.search.coefficients.candidates import (
    Candidate,
    candidates,
    corners,
    is_upsampled,
    recorded,
    transferred,
    with_transferred,
)
from triscale.search.coefficients.lattice import LATTICE
from triscale.search.coefficients.pool import nearest_on_curve, pool
from triscale.search.coefficients.rounding_cell import GridCell, cell_of
from triscale.search.coefficients.shares import PAPER_SHARES, Shares, shares
from triscale.spec import AnyNetwork, Network, content_hash, scale

TOLERANCE, MOST = 0.1, 60
CORNERS = ("depth", "width", "resolution")


def off_the_divisor() -> Network:
    """A baseline whose widths are not multiples of its divisor: at a width factor of exactly 1 they are not rounded."""
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


@each
def test_no_network_stands_twice_and_the_lattice_comes_first(name: str) -> None:
    _, found = FOUND[name]
    assert len({one.id for one in found}) == len(found)
    standing = [one.lattice for one in found if one.lattice]
    assert [one.lattice for one in found[: len(standing)]] == standing
    assert standing == [point for point in LATTICE if point in standing]


@each
def test_a_candidate_of_one_dimension_changes_one_factor_only_and_has_all_of_its_share(name: str) -> None:
    _, found = FOUND[name]
    for one in found:
        assert one.shares is not None
        if one.rule in CORNERS:
            assert {which for which, value in one.factors._asdict().items() if value != 1} == {one.rule}
            assert getattr(one.shares, one.rule) == pytest.approx(1)


def test_the_search_is_deterministic_and_a_smaller_one_is_part_of_a_larger() -> None:
    baseline, every = FOUND["smallnet_24"]
    few = candidates(baseline, tolerance=TOLERANCE, most=6)
    assert candidates(baseline, tolerance=TOLERANCE, most=MOST) == every
    assert few == every[:6]
    assert len(every) > 6


def test_a_wider_tolerance_finds_more_in_the_pool() -> None:
    """Up to the three of each depth and side that are kept, which are those of the nearest cost."""
    baseline = network("smallnet_24")
    narrow, wide = (pool(baseline, 2.0, tolerance) for tolerance in (0.1, 0.3))
    assert {content_hash(one.network) for one in narrow} <= {content_hash(one.network) for one in wide}
    assert len(wide) > len(narrow)


def test_beyond_the_lattice_the_picked_lie_far_from_one_another() -> None:
    """The first is farther on the triangle from all of the lattice than most others."""
    found = candidates(network("finenet_24"), most=MOST)
    first = sum(one.lattice is not None for one in found)

    def alone(one: Candidate) -> float:
        assert one.shares is not None
        return min(math.dist(one.shares, two.shares) for two in found[:first] if two.shares is not None)

    assert alone(found[first]) > median(alone(one) for one in found[first:])


def test_a_baseline_that_rounds_too_coarsely_is_refused_in_words() -> None:
    base = network("smallnet_24")
    coarse = replace(base, name="coarse", resolution=(1, 1), channel_divisor=512)
    with pytest.raises(InputError, match=r"^coarse rounds too coarsely: 0 distinct networks at twice") as caught:
        candidates(coarse, tolerance=0.01)
    assert str(caught.value).count("\n") <= 2
    with pytest.raises(InputError, match=r"(?s)at most 24x24 px.*or --tolerance 0\.\d+(, or --enlarge)?\.$") as caught:
        candidates(replace(base, channel_divisor=16), tolerance=0.01, largest=(24, 24))
    assert str(caught.value).count("\n") <= 2


def test_the_first_that_scales_one_dimension_alone_stands_for_it() -> None:
    """Of several it is the lattice's; a corner of the plan, of the rivals and of the surface is one network."""
    found = candidates(network("shallownet_24"), most=40)
    assert sum(one.rule == "width" for one in found) > 1
    assert {name: one.lattice for name, one in corners(found).items()} == dict(zip(CORNERS, CORNERS, strict=True))


def test_where_larger_images_give_enough_networks_the_message_says_so() -> None:
    base = network("smallnet_24")
    assert len(candidates(base, tolerance=0.03)) >= 4
    with pytest.raises(InputError, match=r"(?s): \d distinct networks? of at most 24x24 px.*, or --enlarge\.$"):
        candidates(base, tolerance=0.03, largest=(24, 24))


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

    _, found = nearest_on_curve(cells, partial(factors, "resolution"), wanted=1)

    assert found.resolution == (3, 3)
    assert candidates(replace(cells, resolution=(3, 3)), most=4)


FINE = ("finenet_20", "finenet_22", "finenet_24", "finenet_32", "finenet_48")


@pytest.mark.parametrize("name", FINE)
def test_a_fine_baseline_has_networks_at_every_point_of_the_lattice_and_on_at_least_8_depths(name: str) -> None:
    """Within 0.06 of twice the cost, as the scan in docs/LOG.md found them."""
    every = pool(network(name), 2.0, 0.06)
    assert len(every) >= 80
    assert len({tuple(stage.repeats for stage in one.network.stages) for one in every}) >= 8
    found = candidates(network(name), tolerance=0.06, most=8)
    standing = {one.lattice: one for one in found if one.lattice}
    assert standing.keys() == LATTICE.keys()
    for point, one in standing.items():
        assert one.shares is not None
        assert max(abs(a - b) for a, b in zip(one.shares, LATTICE[point], strict=True)) <= 0.1, (point, one.shares)


def test_the_pool_is_what_trying_every_triple_finds() -> None:
    """The oracle scales by a fine grid of triples and keeps what costs twice as much."""
    baseline, tolerance = network("finenet_24"), 0.03
    base, walked = count(baseline).macs, pool(baseline, 2.0, 0.03)
    tried = {
        content_hash(one)
        for depth in (1.0, 1.2, 1.25, 4 / 3, 1.4, 1.5, 1.6, 5 / 3, 1.75, 1.8, 2.0)
        for side in range(24, 36)
        for width in range(1000, 1500, 4)
        if abs(count(one := scale(baseline, depth=depth, width=width / 1000, resolution=side / 24)).macs / base - 2)
        <= tolerance
    }
    shallow = [one for one in walked if one.inside.depth <= 2]
    assert {content_hash(one.network) for one in shallow} <= tried
    assert len(shallow) >= 0.5 * len(tried)
    assert all(abs(one.ratio - 2) <= tolerance for one in walked)


def test_no_network_goes_beyond_the_originals_but_the_baseline_stays() -> None:
    found = candidates(network("finenet_24"), most=40, largest=(32, 32))
    assert max(one.network.resolution for one in found) == (32, 32)
    larger = candidates(network("finenet_24"), most=40, largest=(20, 20))
    assert {one.network.resolution for one in larger} == {(24, 24)}


def test_at_a_larger_phi_candidates_cost_as_much_as_asked() -> None:
    found = candidates(network("finenet_22"), target=4.0, most=20, largest=(32, 32))
    assert all(abs(one.ratio - 4) <= TOLERANCE for one in found if one.within)
    assert len(found) == 20


def test_shares_are_each_dimensions_part_of_the_counted_cost_averaged_over_the_six_orders() -> None:
    """Where nothing rounds, depth x width^2 x resolution^2 gives them; an interaction is split evenly by hand."""
    ideal = shares(lambda at: at.depth * at.width**2 * at.resolution**2, Factors(1.2, 1.1, 1.15))
    assert ideal == pytest.approx(PAPER_SHARES)
    joined = shares(lambda at: 4.0 if at.depth > 1 and at.width > 1 else 1.0 + (at.width > 1), Factors(2, 2, 1))
    assert joined == pytest.approx(Shares(0.25, 0.75, 0))  # depth adds 0 or 1 doubling, width 1 or 2
    with pytest.raises(ValueError, match="adds no cost"):
        shares(lambda _: 1.0, Factors())


def test_shares_sum_to_1_and_a_dimension_that_stays_has_none() -> None:
    base = network("efficientnet_b0")
    for where in (Factors(1.2, 1.1, 1.15), Factors(1.8, 1.0, 1.1), Factors(1.0, 1.37, 1.0)):
        found = shares(lambda at: count(scale(base, **at._asdict())).macs, where)
        assert sum(found) == pytest.approx(1)
        assert all((share == 0) == (factor == 1) for share, factor in zip(found, where, strict=True))
        assert min(found) >= 0


def test_coefficients_of_another_cost_give_the_network_of_their_curve_at_this_cost() -> None:
    base = network("finenet_24")
    found = Coefficients(1.0, 1.2, 1.15)
    one = transferred(base, found, 4.0, TOLERANCE)
    inside, wanted = nearest_on_curve(base, partial(factors, "compound", coefficients=found), 4 * count(base).macs)
    assert same(one.network, wanted)
    assert one.lattice == "transferred"
    assert one.within == (abs(one.ratio - 4) <= TOLERANCE)
    assert one.cell is not None
    assert all(low <= value <= high for value, (low, high) in zip(inside, one.cell, strict=True))
    every = candidates(base, target=4.0, tolerance=TOLERANCE, most=12)
    assert with_transferred(every, one) == [*every, one]
    again = with_transferred(every, every[-1]._replace(lattice="transferred"))
    assert [other.lattice for other in again] == [*(other.lattice for other in every[:-1]), "transferred"]
    assert with_transferred(every, every[0]._replace(lattice="transferred")) == every, "a corner stays a corner"
