"""The family: nearest networks on each rule's curve, and rivals at equal counted cost."""

import math
from collections.abc import Sequence
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triscale.costs import ANYWHERE, count
from triscale.errors import UsageError
from triscale.families import network
from triscale.foreign import count_any
from triscale.scaling import PAPER, Coefficients, factors
from triscale.search.coefficients.baselines import RIVALS
from triscale.search.coefficients.candidates import candidates
from triscale.search.coefficients.family import NEAR, Member, family, steps
from triscale.search.coefficients.pool import nearest_on_curve
from triscale.search.coefficients.rivals import USUAL, Rival, overfits, rival_names, rivals_of
from triscale.spec import content_hash, scale

BASE = network("smallnet_24")
FOUND = candidates(BASE)
CORNERS = {one.rule: one for one in FOUND if one.rule != "grid"}
CHOSEN = next(one for one in FOUND if one.rule == "grid")
COEFFICIENTS = Coefficients(*CHOSEN.factors)


ALONE = rivals_of(RIVALS)


def members(phi: float, macs: float | None = None, rivals: Sequence[Rival] = ALONE) -> list[Member]:
    return family(BASE, COEFFICIENTS, phi, {} if macs is None else {"macs": macs}, ANYWHERE, CORNERS, CHOSEN, rivals)


def macs_of(member: Member) -> int:
    return count_any(member.network).macs


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from(["compound", "depth", "width", "resolution", "fast_compound", "resnet_rs_depth"]),
    st.floats(0.3, 12),
)
def test_the_nearest_on_a_curve_agrees_with_a_dense_scan(rule: str, ratio: float) -> None:
    wanted = ratio * count(BASE).macs
    where, found = nearest_on_curve(BASE, partial(factors, rule), wanted)
    assert content_hash(scale(BASE, **where._asdict())) == content_hash(found)
    off = abs(math.log(count(found).macs / wanted))
    for step in range(-150, 181, 3):
        there = scale(BASE, **factors(rule, step / 40)._asdict())
        assert off <= abs(math.log(count(there).macs / wanted)) + 1e-12


@given(st.floats(0.01, 10))
def test_the_steps_are_whole_phis_and_phi_itself(phi: float) -> None:
    found = steps(phi)
    assert found[-1] == phi
    assert found[:-1] == [float(n) for n in range(1, len(found))]
    assert all(phi - step >= 0.5 - 1e-6 for step in found[1:-1])
    assert 0 <= phi - (len(found) - 1) < 1.5


def test_a_phi_that_is_whole_but_for_its_last_digit_is_no_further_step() -> None:
    assert steps(2.0) == [1.0, 2.0]
    assert steps(2 + 1e-12) == [1.0, 2 + 1e-12]
    assert steps(2 - 1e-12) == [1.0, 2 - 1e-12]
    assert steps(2.5) == [1.0, 2.0, 2.5]
    assert steps(0.5) == [0.5]


def test_a_whole_step_near_the_last_one_is_left_out_unless_it_is_trained_already() -> None:
    assert steps(4.12) == [1.0, 2.0, 3.0, 4.12]
    assert steps(1.2) == [1.0, 1.2]


def test_at_phi_1_the_family_is_the_chosen_candidate_and_the_corners() -> None:
    for found in (members(1), members(3), members(1, None), members(1, 6 * count(BASE).macs)):
        first = {one.rule: one for one in found if one.phi == 1}
        assert first["compound"].id == CHOSEN.id
        assert {rule: first[rule].id for rule in RIVALS} == {rule: CORNERS[rule].id for rule in RIVALS}


def test_each_phi_has_a_compound_member_and_its_three_rivals() -> None:
    found = members(2.5)
    expected = [("baseline", 0), *((rule, phi) for phi in (1, 2, 2.5) for rule in ("compound", *RIVALS))]
    assert [(one.rule, one.phi) for one in found] == expected
    assert found[0].network == BASE


@pytest.mark.parametrize("phi", [2, 3, 2.5])
def test_a_compound_member_costs_about_2_to_the_phi_and_cost_ratios_are_counted(phi: float) -> None:
    found = {one.rule: one for one in members(phi) if one.phi == phi}
    assert macs_of(found["compound"]) / count(BASE).macs == pytest.approx(2**phi, rel=0.15)
    for one in found.values():
        assert one.cost_ratio == macs_of(one) / macs_of(found["compound"])
        record = one.record(BASE, (24, 24))
        assert record.within == (abs(one.cost_ratio - 1) <= NEAR)
        assert record.ratio == macs_of(one) / count(BASE).macs


def test_cost_ratios_at_phi_1_are_those_of_the_counted_networks() -> None:
    found = [one for one in members(1) if one.phi == 1]
    assert [one.cost_ratio for one in found] == pytest.approx([macs_of(one) / macs_of(found[0]) for one in found])


@pytest.mark.parametrize("ratio", [0.5, 1.7, 3.3, 6.0])
def test_with_a_budget_the_last_compound_member_is_the_largest_that_keeps_it(ratio: float) -> None:
    limit = ratio * count(BASE).macs
    last = [one for one in members(99, limit) if one.rule == "compound"][-1]
    assert macs_of(last) <= limit
    more = scale(BASE, **factors("compound", last.phi + 1e-6, COEFFICIENTS)._asdict())
    assert count(more).macs > limit


def test_a_budget_met_just_below_a_whole_phi_is_still_the_last_member() -> None:
    """Alpha = 2 makes the depth jump at whole phis: the largest phi within the budget is 1 but for its last digits."""
    limit = count(scale(BASE, depth=2)).macs
    found = family(BASE, Coefficients(2, 1, 1), 99, {"macs": limit}, ANYWHERE, CORNERS, CHOSEN, ALONE)
    last = [one for one in found if one.rule == "compound"][-1]
    assert last.phi == pytest.approx(1, abs=1e-6)
    assert macs_of(last) == limit


def test_named_rivals_cost_what_the_compound_member_costs() -> None:
    names = ("depth", "uniform", "fast_compound", "resnet_rs_width", "paper")
    found = members(2, rivals=rivals_of(names))
    for phi, there in ((1, names), (2, names)):
        rules = {one.rule: one for one in found if one.phi == phi}
        assert list(rules) == ["compound", *there]
        for rule in there[1:]:
            assert rules[rule].cost_ratio == macs_of(rules[rule]) / macs_of(rules["compound"])
            assert rules[rule].cost_ratio == pytest.approx(1, abs=0.35)
            assert content_hash(scale(BASE, **rules[rule].factors._asdict())) == rules[rule].id


def test_the_papers_coefficients_are_no_rival_of_themselves() -> None:
    usual = rivals_of(USUAL)
    own = [one.rule for one in family(BASE, PAPER, 2.0, {}, ANYWHERE, CORNERS, CHOSEN, usual) if one.phi == 2]
    assert own == ["compound", *RIVALS]
    assert [one.rule for one in members(2, rivals=usual) if one.phi == 2] == ["compound", *USUAL]


def test_a_rule_that_only_shrinks_is_a_rival_of_smaller_members_alone() -> None:
    rivals = rivals_of(("width", "tinynet"))
    smaller = members(99, 0.4 * count(BASE).macs, rivals)
    assert [one.rule for one in smaller] == ["baseline", "compound", "width", "tinynet"]
    assert smaller[-1].cost_ratio == pytest.approx(1, abs=0.35)
    assert [one.rule for one in members(2, rivals=rivals) if one.phi == 2] == ["compound", "width"]


def test_rivals_are_named_once_in_one_order_and_by_older_names_too() -> None:
    assert rival_names("width, fast,depth,fast-compound,compound") == ("depth", "width", "paper", "fast_compound")
    assert rivals_of(("resnet_rs",), overfitted=True)[0].rule == "resnet_rs_depth"
    assert rivals_of(("resnet_rs",), overfitted=False)[0].rule == "resnet_rs_width"
    assert [one.rule for one in rivals_of(("resnet_rs_width", "resnet_rs"), overfitted=False)] == ["resnet_rs_width"]
    for wrong, why in (("deep", "unknown rival 'deep'"), ("found", "unknown rival 'found'"), (" ,", "no rival given")):
        with pytest.raises(UsageError, match=f"^{why}; the rivals are depth, width, resolution, paper"):
            rival_names(wrong)


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_network_overfits_where_it_makes_more_than_twice_its_errors_on_new_images(one: float, other: float) -> None:
    assert overfits(one, other) == ((1 - other) / 2 > 1 - one)
    assert not overfits(min(one, other), max(one, other))
