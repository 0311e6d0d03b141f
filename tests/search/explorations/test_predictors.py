"""Kendall's tau by hand, as SciPy has it, and its interval; a sampler beside its own random draws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kendalltau, ttest_ind

from triscale.rank_correlation import kendall_tau, tau_interval
from triscale.search.explorations.drawn_at_random import beside_drawn, drawn_first
from triscale.search.explorations.predictors import trivial_predictors
from triscale.search.samplers import sampler

NUMBERS = st.lists(st.tuples(st.integers(0, 5), st.floats(-3, 3, width=16)), min_size=2, max_size=30)


def test_tau_by_hand() -> None:
    assert kendall_tau([1, 2, 3, 4], [1, 2, 3, 4]) == 1
    assert kendall_tau([1, 2, 3, 4], [4, 3, 2, 1]) == -1
    assert kendall_tau([1, 2, 3, 4], [1, 3, 2, 4]) == pytest.approx(4 / 6), "5 pairs agree, 1 does not"
    # One of three pairs is tied in the first row.
    assert kendall_tau([1, 1, 2], [1, 2, 3]) == pytest.approx(2 / (2 * 3) ** 0.5)
    assert kendall_tau([1, 1, 1], [1, 2, 3]) is None


@settings(max_examples=50)
@given(NUMBERS)
def test_tau_is_scipys(pairs: list[tuple[int, float]]) -> None:
    one, other = zip(*pairs, strict=True)
    found, theirs = kendall_tau(one, other), float(kendalltau(one, other).statistic)
    assert (found is None) == np.isnan(theirs)
    assert found is None or found == pytest.approx(theirs)


def test_the_interval_of_tau_holds_it_19_times_in_20() -> None:
    """Of pairs of a normal distribution with correlation 0.6, whose tau is 2 asin(0.6) / pi."""
    dice, true, held = np.random.default_rng(0), 2 * np.arcsin(0.6) / np.pi, 0
    for _ in range(400):
        one, noise = dice.normal(size=(2, 40))
        tau = kendall_tau(one, 0.6 * one + 0.8 * noise)
        low, high = tau_interval(tau or 0.0, 40) or (0.0, 0.0)
        held += low <= true <= high
    assert 0.92 * 400 < held < 0.98 * 400
    assert tau_interval(0.5, 5) is None
    assert tau_interval(1.0, 50) is None


def test_predictors_rank_by_score_and_by_accuracy() -> None:
    size, score, top1 = [1.0, 2, 3, 4, 5, 6], [6.0, 5, 4, 3, 2, 1], [1.0, 2, 3, 4, 5, 6]
    (params,) = trivial_predictors({"params": size}, score, top1)
    assert (params.name, params.tau, params.interval, params.accuracy_tau) == ("params", -1, None, 1)
    (macs,) = trivial_predictors({"macs": [1, 1, 1, 1, 1, 1]}, score, top1)
    assert (macs.tau, macs.interval, macs.accuracy_tau) == (None, None, None)


def test_the_first_proposals_of_evolution_are_those_of_random_search() -> None:
    """20 results make its population, and trial k knows those up to k - 4: 23 are drawn."""
    choices = {f"c{i}": [0, 1, 2, 3] for i in range(8)}
    evolution, proposed = sampler("evolution", choices, seed=5, lag=4), []
    for _ in range(40):
        asked = evolution.ask()
        proposed.append(dict(asked))
        evolution.tell(asked, float(sum(int(str(value)) for value in asked.values())))
    assert drawn_first(proposed, sampler("random", choices, seed=5, lag=40)) == 23
    assert drawn_first(proposed[:9], sampler("random", choices, seed=5, lag=40)) == 9
    assert drawn_first(proposed, sampler("random", choices, seed=6, lag=40)) == 0


def test_chosen_and_drawn_differ_by_welchs_interval() -> None:
    """The example of two samples with unlike variances: t = -2.8355 with 27.7 degrees of freedom, here 27."""
    drawn = [19.8, 20.4, 19.6, 17.8, 18.5, 18.9, 18.3, 18.9, 19.5, 22.0]
    chosen = [
        28.2,
        26.6,
        20.1,
        23.3,
        25.2,
        22.1,
        17.7,
        27.6,
        20.6,
        13.7,
        23.2,
        17.5,
        20.6,
        18.0,
        23.9,
        21.6,
        24.3,
        20.4,
        24.0,
        13.2,
    ]
    found = beside_drawn(drawn, chosen)
    assert found is not None
    theirs = ttest_ind(chosen, drawn, equal_var=False).confidence_interval(0.95)
    assert found.interval == pytest.approx((theirs.low, theirs.high), abs=0.01), "freedom is rounded down"
    assert found.interval[0] <= theirs.low, "so the interval is never too short"
    assert (found.n, found.best, found.chosen, found.chosen_best) == (10, 22.0, 20, 28.2)
    assert beside_drawn(drawn, chosen[:2]) is None
