"""The rules: 2^phi is the nominal cost of each, and the published table follows from the compound one."""

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.paths import ROOT
from tests.scaling.rules_there_are import BOTH_WAYS, towards
from triscale.costs import count
from triscale.errors import InputError, UsageError
from triscale.families import network
from triscale.scaling import PAPER, RULES, Coefficients, Factors, factors, rename, scale_by_rule
from triscale.scaling.published_curves import RESNET_RS_PACE
from triscale.spec import content_hash

phis = st.floats(-20, 20)

# phi, params in millions, MACs in billions: B0 under the formula with the authors' rounding, counted independently.
FORMULA = [
    (0.5, "8.44", "0.731"),
    (1, "9.11", "0.993"),
    (2, "12.26", "1.811"),
    (3, "16.35", "3.251"),
    (4, "25.92", "6.320"),
    (5, "33.73", "11.37"),
    (7, "68.74", "39.66"),
]


def exponent(found: Factors) -> float:
    """log2 of the nominal cost: MACs grow as depth x width^2 x resolution^2."""
    return math.log2(found.depth) + 2 * math.log2(found.width) + 2 * math.log2(found.resolution)


@pytest.mark.parametrize("rule", sorted(set(RULES) - {"compound", "found"}))
@given(phi=phis)
def test_the_nominal_cost_of_a_rule_is_two_to_the_phi(rule: str, phi: float) -> None:
    phi = towards(rule, phi)
    assert math.isclose(exponent(factors(rule, phi)), phi, abs_tol=1e-9)


@given(phis, st.floats(1, 2), st.floats(1, 2))
def test_the_nominal_cost_of_compound_is_two_to_the_phi_where_the_coefficients_are(
    phi: float, a: float, b: float
) -> None:
    gamma = math.sqrt(2 / (a * b * b))
    assert math.isclose(exponent(factors("compound", phi, Coefficients(a, b, gamma))), phi, abs_tol=1e-9)


@given(phis)
def test_the_papers_coefficients_make_it_1_92_to_the_phi(phi: float) -> None:
    assert math.isclose(exponent(factors("compound", phi)), phi * math.log2(1.2 * 1.1**2 * 1.15**2), abs_tol=1e-9)
    assert f"{PAPER.alpha * PAPER.beta**2 * PAPER.gamma**2:.3f}" == "1.920"


def test_each_rule_spends_where_its_name_says() -> None:
    assert factors("depth", 2) == Factors(4, 1, 1)
    assert factors("width", 2) == Factors(1, 2, 1)
    assert factors("resolution", 2) == Factors(1, 1, 2)
    assert factors("compound", 2) == pytest.approx((1.44, 1.21, 1.3225))
    assert factors("uniform", 3) == pytest.approx((2, math.sqrt(2), math.sqrt(2)))
    assert [math.log2(factor) for factor in factors("fast_compound", 10)] == pytest.approx([1, 4, 0.5])
    assert factors("found", 2, Coefficients(1.3, 1.1, 1.05)) == factors("compound", 2, Coefficients(1.3, 1.1, 1.05))


def test_the_older_name_of_a_rule_goes_on_to_work_and_names_its_networks() -> None:
    b0 = network("efficientnet_b0")
    assert factors("fast", 3) == factors("fast_compound", 3)
    assert scale_by_rule(b0, "fast", 1).name == "efficientnet_b0@phi=1,rule=fast"


def test_every_rule_names_a_paper_or_says_what_is_ours() -> None:
    for name, rule in RULES.items():
        assert "arXiv" in rule.source, name
        assert ("by us" in rule.source) == (name in ("resnet_rs_depth", "resnet_rs_width", "tinynet"))


@pytest.mark.parametrize("rule", [*BOTH_WAYS, "tinynet"])
def test_phi_0_is_the_baseline_and_below_0_it_shrinks(rule: str) -> None:
    b0 = network("efficientnet_b0")
    assert factors(rule, 0) == Factors()
    assert content_hash(scale_by_rule(b0, rule, 0)) == content_hash(b0)
    assert count(scale_by_rule(b0, rule, -2)).macs < count(b0).macs


@pytest.mark.parametrize(("phi", "millions", "billions"), FORMULA)
def test_compound_b0_matches_the_independent_count_of_the_formula(phi: float, millions: str, billions: str) -> None:
    counts = count(scale_by_rule(network("efficientnet_b0"), "compound", phi))
    assert f"{counts.params / 1e6:.2f}" == millions
    assert f"{counts.macs / 1e9:.{len(billions.split('.')[1])}f}" == billions


@pytest.mark.parametrize(
    ("which", "factor", "billions"), [("depth", 4, 1.575), ("width", 2, 1.450), ("resolution", 2, 1.538)]
)
def test_the_single_factor_rows_of_table_7_fall_short_of_1_8_billion(which: str, factor: int, billions: float) -> None:
    phi = math.log2(factor) * (1 if which == "depth" else 2)
    assert round(count(scale_by_rule(network("efficientnet_b0"), which, phi)).macs / 1e9, 3) == billions


def test_a_name_holds_only_what_is_not_the_default() -> None:
    b0, own = network("efficientnet_b0"), Coefficients(1.3, 1.05, 1.1)
    assert rename(b0, b0, "compound", 1.5, PAPER).name == "efficientnet_b0@phi=1.5"
    assert rename(b0, b0, "width", -1, own).name == "efficientnet_b0@phi=-1,rule=width"
    assert rename(b0, b0, "compound", 1, own).name == "efficientnet_b0@phi=1,coefficients=1.3/1.05/1.1"


@pytest.mark.parametrize("phi", [float("nan"), float("inf"), -float("inf")])
def test_a_phi_that_is_no_number_is_named(phi: float) -> None:
    with pytest.raises(UsageError, match=rf"^phi is {phi}; give a finite number such as 1.5"):
        factors("compound", phi)


@pytest.mark.parametrize("phi", [1e5, -1e5, 1e300])
@pytest.mark.parametrize("rule", [*BOTH_WAYS, "tinynet"])
def test_a_phi_beyond_all_numbers_is_an_input_error(rule: str, phi: float) -> None:
    with pytest.raises(InputError, match=rf"too far for rule {rule}"):
        factors(rule, towards(rule, phi))


@pytest.mark.parametrize("wrong", [(0, 1, 1), (1, -1, 1), (1, 1, float("nan")), (float("inf"), 1, 1)])
def test_coefficients_that_cannot_be_meant_are_named(wrong: tuple[float, float, float]) -> None:
    with pytest.raises(UsageError, match=r"^coefficients are .*; give three numbers above 0"):
        factors("compound", 1, Coefficients(*wrong))


def test_a_rule_that_lacks_something_says_what() -> None:
    with pytest.raises(UsageError, match=r"^rule found needs the coefficients of a study: add --coefficients"):
        factors("found", 1)
    with pytest.raises(UsageError, match=r"^resnet_rs scales the depth where training overfits, else the width"):
        factors("resnet_rs", 1)
    with pytest.raises(InputError, match=r"^rule tinynet only shrinks a network, and phi is 0.5: give a phi below 0"):
        factors("tinynet", 0.5)


def test_an_unknown_rule_is_answered_with_the_rules() -> None:
    with pytest.raises(
        UsageError, match=r"^unknown rule 'deep'; did you mean depth\? The rules are compound, depth, width"
    ):
        factors("deep", 1)


def test_docs_list_every_rule_with_its_factors_and_its_source() -> None:
    page = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE) == list(RULES)
    for name, rule in RULES.items():
        found: tuple[str, ...] = ("alpha", "beta", "gamma")
        if rule.coefficients != "required":
            found = tuple(f"{factor:.3f}" for factor in factors(name, towards(name, 1)))
        assert f"| `{name}` | {' | '.join(found)} | {rule.source} |" in page
    assert f"by {2**RESNET_RS_PACE:.3f}, which" in page
