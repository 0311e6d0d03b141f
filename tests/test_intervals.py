"""Intervals against closed forms and printed tables."""

import math
import statistics

import pytest
from hypothesis import given, settings
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


@pytest.mark.parametrize(
    ("lost", "gained", "total", "printed"), [(6, 16, 161, (-0.1240, -0.0054)), (1, 7, 21, (-0.5172, -0.0260))]
)
def test_paired_drops_match_the_r_package_contingencytables(
    lost: int, gained: int, total: int, printed: tuple[float, float]
) -> None:
    """Its Tango interval of the tables of Cavo et al. 2012 and Bentur et al. 2009, as it prints them."""
    assert intervals.paired_drop(lost, gained, total) == pytest.approx(printed, abs=6e-5)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 400))
def test_paired_drops_solve_the_score_equation(lost: int, gained: int, same: int) -> None:
    """At each end the counts are z standard errors away, at the truth that makes them likeliest among its drop.

    That truth is found here by trying all shares of gained images, and not in closed form.
    """
    total = lost + gained + same
    if not total:
        return
    low, high = intervals.paired_drop(lost, gained, total)
    assert -1 <= low <= (lost - gained) / total <= high <= 1
    assert intervals.paired_drop(gained, lost, total) == pytest.approx((-high, -low), abs=1e-12)
    if not 0.01 < high < 0.99:
        return
    shares = [i / 2_000 * (1 - high) / 2 for i in range(2_001)]

    def likelihood(gain: float) -> float:
        parts = ((gain, gained), (gain + high, lost), (1 - 2 * gain - high, same))
        return sum(count * math.log(max(part, 1e-300)) for part, count in parts if count)

    best = max(shares, key=likelihood)
    spread = math.sqrt(total * (2 * best + high * (1 - high)))
    assert (total * high - lost + gained) / spread == pytest.approx(1.96, abs=0.02)


def test_paired_drops_bound_the_true_drop_as_often_as_they_say() -> None:
    """Every outcome of 200 images, by its probability: the upper end is below the truth in at most 2.8% of cases."""
    n = 200
    logs = [math.lgamma(k + 1) for k in range(n + 1)]
    for loses, gains in ((0.02, 0.0), (0.03, 0.01), (0.05, 0.05), (0.1, 0.02)):
        missed = 0.0
        for lost in range(41):
            for gained in range(31 if gains else 1):
                same = n - lost - gained
                if intervals.paired_drop(lost, gained, n)[1] < loses - gains:
                    chance = logs[n] - logs[lost] - logs[gained] - logs[same] + lost * math.log(loses)
                    chance += (gained * math.log(gains) if gains else 0.0) + same * math.log(1 - loses - gains)
                    missed += math.exp(chance)
        assert missed < 0.028, f"lost {loses}, gained {gains}: {missed:.4f}"


def test_no_change_still_has_an_upper_end() -> None:
    """Above the exact bound of no event among n, whose chance is 2.5% there."""
    for n in (50, 341, 10_000):
        z = statistics.NormalDist().inv_cdf(0.975)
        low, high = intervals.paired_drop(0, 0, n)
        assert high == pytest.approx(z * z / (n + z * z), rel=1e-6)
        assert high == -low
        assert high > 1 - 0.025 ** (1 / n)
