"""Intervals against closed forms and printed tables."""

import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triscale import intervals


@pytest.mark.parametrize(
    ("freedom", "printed"),
    [(1, 12.706), (2, 4.303), (3, 3.182), (4, 2.776), (9, 2.262), (10, 2.228), (30, 2.042), (120, 1.980)],
)
def test_t_quantiles_match_the_printed_table(freedom: int, printed: float) -> None:
    assert intervals.t_quantile(freedom) == pytest.approx(printed, abs=6e-4)


@given(st.floats(0.01, 0.995))
def test_t_quantiles_match_their_closed_forms_at_one_and_two_degrees(level: float) -> None:
    assert intervals.t_quantile(1, level) == pytest.approx(math.tan(math.pi * level / 2), rel=1e-9)
    assert intervals.t_quantile(2, level) == pytest.approx(level * math.sqrt(2 / (1 - level**2)), rel=1e-9)


@given(st.integers(0, 200), st.integers(0, 200))
def test_wilson_bounds_solve_the_score_equation(right: int, wrong: int) -> None:
    """At each bound p, |rate - p| is z standard errors of p: the definition of the interval."""
    total = right + wrong
    if total == 0:
        return
    z = statistics.NormalDist().inv_cdf(0.975)
    for bound in intervals.wilson(right, total):
        assert 0 <= bound <= 1
        assert (right / total - bound) ** 2 == pytest.approx(z * z * bound * (1 - bound) / total, abs=1e-12)


def test_wilson_matches_its_closed_form_when_nothing_is_right() -> None:
    z = statistics.NormalDist().inv_cdf(0.975)
    low, high = intervals.wilson(0, 50)
    assert low == 0
    assert high == pytest.approx(z * z / (50 + z * z))


@given(st.lists(st.floats(0, 1), min_size=2, max_size=6))
def test_the_deviation_matches_the_standard_library(values: list[float]) -> None:
    assert intervals.deviation(values) == pytest.approx(statistics.stdev(values), abs=1e-12)


def test_one_value_has_no_deviation_and_pools_nothing() -> None:
    assert intervals.deviation([0.5]) is None
    assert intervals.pooled_deviation([[0.5], [0.7], []]) is None


def test_pooling_weighs_groups_by_their_degrees_of_freedom() -> None:
    # Squares about the means: 2 * 0.01^2 with one degree, 2 * 0.02^2 with two.
    pooled = intervals.pooled_deviation([[0.50, 0.52], [0.60, 0.62, 0.64], [0.9]])
    assert pooled is not None
    assert pooled[0] == pytest.approx(math.sqrt((2e-4 + 8e-4) / 3))
    assert pooled[1] == 3


def test_the_margin_of_a_mean_is_t_standard_errors() -> None:
    assert intervals.seed_margin((0.01, 9), seeds=4) == pytest.approx(2.262 * 0.005, rel=1e-3)
