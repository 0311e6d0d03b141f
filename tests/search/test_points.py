"""Candidates and family of foreign baselines: points of a grid, at counted cost."""

import math
from functools import partial
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triscale.costs import ANYWHERE, training_target
from triscale.errors import InputError, UsageError
from triscale.foreign import Dimensions, count, count_any, dimensions, known, metrics_any
from triscale.scaling import Coefficients, Factors, factors
from triscale.search.coefficients.baselines import baseline_of
from triscale.search.coefficients.family import family
from triscale.search.coefficients.points import Point, nearest, point, proposals
from triscale.search.coefficients.rivals import USUAL, rivals_of
from triscale.spec import ForeignNetwork

HERE = "tests.foreign.models"
THREE, TWO = f"{HERE}:stack@resolution=48", f"{HERE}:stack@resolution=48,depth="
REAL = ["tests.examples.cifar_resnet:build@resolution=32", "torchvision.models:mobilenet_v2@width=width_mult"]


def searched(text: str) -> tuple[ForeignNetwork, Dimensions]:
    baseline = known(ForeignNetwork.parse(text))
    return baseline, dimensions(baseline)


@pytest.mark.parametrize("text", [THREE, TWO, *(pytest.param(text, marks=pytest.mark.slow) for text in REAL)])
def test_candidates_cost_twice_the_baseline_and_are_distinct(text: str) -> None:
    """Corners first; each is what its factors give, and no two are one network."""
    baseline, scaled = searched(text)
    found = proposals(baseline, scaled, tolerance=0.1)
    assert [one.rule for one in found[: len(scaled.scaled)]] == list(scaled.scaled)
    assert {one.rule for one in found[len(scaled.scaled) :]} == {"grid"}
    assert len({one.identity for one in found}) == len(found) == len({one.id for one in found})
    for one in found:
        assert one.ratio == count(one.network).macs / count(baseline).macs
        assert one.rule != "grid" or one.is_within(2.0, 0.1)
        assert known(baseline.scaled(**one.factors._asdict())) == one.network
        assert all(factor >= 1 for factor in one.factors)
        assert all(getattr(one.factors, name) == 1 for name in scaled.held)


def test_a_narrow_tolerance_keeps_what_lies_within_it() -> None:
    baseline, scaled = searched(TWO)
    found = proposals(baseline, scaled, tolerance=0.012)
    assert 0 < sum(one.rule == "grid" for one in found) < 4
    assert all(one.is_within(2.0, 0.012) for one in found if one.rule == "grid")


def test_two_dimensions_make_a_curve_of_candidates() -> None:
    baseline, scaled = searched(TWO)
    found = sorted(proposals(baseline, scaled), key=lambda one: one.factors.resolution)
    assert len(found) >= 5
    assert all(one.factors.width >= two.factors.width for one, two in pairwise(found))


def test_fewer_candidates_are_a_part_of_more_and_have_shares() -> None:
    baseline, scaled = searched(THREE)
    few, many = (baseline_of(baseline).candidates(2.0, 0.1, most) for most in (5, 8))
    assert [one.id for one in few] == [one.id for one in many[:5]]
    for one in many:
        assert one.shares is not None
        assert sum(one.shares) == pytest.approx(1)
        assert all(getattr(one.shares, name) == 0 for name in scaled.held)
    assert [one.lattice for one in many][:3] == ["depth", "width", "resolution"]


@pytest.mark.parametrize("text", [THREE, TWO, *(pytest.param(text, marks=pytest.mark.slow) for text in REAL)])
def test_a_family_costs_what_its_phi_says_and_its_rivals_cost_the_same(text: str) -> None:
    baseline, scaled = searched(text)
    found = baseline_of(baseline).candidates(2.0, 0.1, 5)
    corners, chosen = {one.rule: one for one in found if one.rule != "grid"}, found[-1]
    members = family(baseline, Coefficients(*chosen.factors), 2.0, {}, ANYWHERE, corners, chosen, rivals_of(USUAL))
    rules = ("compound", *scaled.scaled, *(("paper",) if len(scaled.scaled) == 3 else ()))
    assert [(one.phi, one.rule) for one in members[1:]] == [(phi, rule) for phi in (1.0, 2.0) for rule in rules]
    assert [one.network for one in members[1:] if one.phi == 1 and one.rule != "paper"] == [
        chosen.network,
        *(one.network for one in corners.values()),
    ]
    for one in members[1:]:
        assert count_any(one.network).macs / count(baseline).macs == pytest.approx(2**one.phi, rel=0.12)


def test_a_budget_bounds_the_last_member_whatever_metric_it_names() -> None:
    baseline, _ = searched(TWO)
    ground, target = baseline_of(baseline), training_target(batch=4)
    own = metrics_any(baseline, ["macs", "params", "training_memory"], target)
    for name, value in own.items():
        phi, (_, network) = ground.largest({name: 3 * value}, Coefficients(1.2, 1.2, 1.15), target)
        assert phi > 0
        assert 2 * value < metrics_any(network, [name], target)[name] <= 3 * value
        assert isinstance(network, ForeignNetwork)
        assert network.depth == 1, "a dimension that stays is not moved"
    with pytest.raises(UsageError, match="unknown limit 'speed'"):
        ground.largest({"speed": 1.0}, Coefficients(1.2, 1.2, 1.15), target)


@pytest.fixture(scope="module")
def curves() -> dict[str, list[Point]]:
    """Some hundred points of each curve."""
    baseline, _ = searched(TWO)
    return {
        rule: [point(baseline, rule, factors(rule, phi / 50)) for phi in range(-60, 120)]
        for rule in ("width", "resolution")
    }


@settings(deadline=None)
@given(ratio=st.floats(0.6, 4), rule=st.sampled_from(["width", "resolution"]))
def test_the_nearest_point_of_a_curve_is_nearer_than_any_other(
    curves: dict[str, list[Point]], ratio: float, rule: str
) -> None:
    """Brute force over the whole curve."""
    found = nearest(searched(TWO)[0], rule, partial(factors, rule), ratio)
    best = min(abs(math.log(one.ratio / ratio)) for one in curves[rule])
    assert abs(math.log(found.ratio / ratio)) <= best + 1e-9


def test_coefficients_from_another_cost_move_only_what_is_scaled() -> None:
    baseline, _ = searched(TWO)
    found = baseline_of(baseline).transferred(Coefficients(1.2, 1.1, 1.15), 2.0, 0.1)
    assert (found.factors.depth, getattr(found.network, "depth", None)) == (1, 1)
    assert found.within
    with pytest.raises(InputError, match=r"scale nothing of .*:stack, scaled in width, resolution"):
        baseline_of(baseline).transferred(Coefficients(1.2, 1.0, 1.0), 2.0, 0.1)


def test_a_point_lies_on_the_grid() -> None:
    baseline, _ = searched(TWO)
    one = point(baseline, "grid", Factors(1.0, 1.234567, 1.09))
    assert isinstance(one, Point)
    assert (one.factors.width, one.network.resolution) == (1.23, (52, 52))
    assert one.factors.resolution == 52 / 48


def test_a_baseline_of_the_size_of_the_originals_that_scales_width_alone_has_nothing_to_compare() -> None:
    baseline, scaled = searched(f"{HERE}:tiny@resolution=10")
    with pytest.raises(InputError, match=r"(?s)1 network of at most 10x10 px, .*nothing to compare\.\n.*--enlarge\.$"):
        proposals(baseline, scaled, largest=(10, 10))
    assert len(proposals(baseline, scaled)) > 1


def test_a_baseline_that_rounds_too_coarsely_is_rejected() -> None:
    coarse = known(ForeignNetwork.parse(f"{HERE}:coarse"))
    with pytest.raises(InputError, match="rounds too coarsely"):
        proposals(coarse, dimensions(coarse), tolerance=0.05)
