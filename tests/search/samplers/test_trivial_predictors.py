"""What stands beside a search: rankings by costs, and random search."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kendalltau, ttest_rel

from triscale.rank_correlation import kendall_tau
from triscale.search.samplers import Result
from triscale.search.samplers.trivial_predictors import against_random, trivial


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=2, max_size=30))
def test_kendalls_tau_is_that_of_scipy(pairs: list[tuple[int, int]]) -> None:
    one, other = zip(*pairs, strict=True)
    expected = float(kendalltau(one, other).statistic)
    found = kendall_tau(one, other)
    assert (found is None) == (expected != expected)  # noqa: PLR0124  scipy says NaN for constant values
    assert found is None or found == pytest.approx(expected)


def test_each_cost_has_a_tau_over_the_trials_that_have_it() -> None:
    results = [
        Result(0, (0,), (0.1,), {"macs": 1, "params": 9}, {}),
        Result(1, (1,), (0.2,), {"macs": 2, "params": 9}, {}),
        Result(2, (2,), (0.3,), {"macs": 3}, {}),
        Result(3, (3,), None, {"macs": 0}, {}),
    ]
    assert trivial(results) == {"macs": 1.0, "params": None}
    assert trivial([]) == {}


def test_an_advantage_is_one_where_a_paired_t_test_says_so() -> None:
    one, random = [0.9, 0.8, 0.85, 0.95, 0.7], [0.6, 0.7, 0.65, 0.8, 0.68]
    found = against_random(one, random)
    interval = ttest_rel(one, random).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    assert found.beats
    assert str(found) == "better than random by +0.15 (+0.02 to +0.28)"


def test_a_sampler_that_does_not_beat_random_is_said_not_to() -> None:
    found = against_random([0.5, 0.9], [0.6, 0.7])
    assert not found.beats
    assert str(found).startswith("does not beat random: +0.05 (")
    with pytest.raises(ValueError, match="two pairs"):
        against_random([1.0], [0.5])
