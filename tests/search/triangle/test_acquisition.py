"""The next round: the knowledge gradient against its closed form, and where noise or ignorance send trainings."""

from dataclasses import replace
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.search.triangle.tables import KNOWN_NOISE, places, results
from triscale.search.coefficients.shares import Shares
from triscale.search.coefficients.triangle.acquisition import gains, is_small, next_round
from triscale.search.coefficients.triangle.evidence import Place, Result
from triscale.search.coefficients.triangle.optimum import optimum
from triscale.search.coefficients.triangle.surface import surface

SEEDS = (7, 3, 5)


@settings(max_examples=30, deadline=None)
@given(st.floats(0, 1.5), st.floats(0.3, 3))
def test_of_two_places_the_gain_matches_the_closed_form(gap: float, moved: float) -> None:
    """Frazier, Powell & Dayanik 2009: s (z cdf(z) + pdf(z)) with z = -gap / s."""
    normal, z = NormalDist(), -gap / moved
    expected = moved * (z * normal.cdf(z) + normal.pdf(z))
    found = gains(np.array([gap, 0.0]), np.array([[0.0, moved], [0.0, 0.0]]))
    assert found[0] == pytest.approx(expected, abs=0.06 * moved)
    assert found[1] == pytest.approx(0, abs=1e-12)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 500), st.integers(1, 12))
def test_a_round_is_of_new_trainings_each_in_the_next_seed_of_its_place(number: int, size: int) -> None:
    found = surface(places(), [replace(one, seed=SEEDS[one.seed]) for one in results(number)])
    chosen = next_round(found, size, SEEDS)
    assert len(chosen) == len(set(chosen)) == size
    assert chosen == next_round(found, size, SEEDS)
    assert chosen[: size // 2] == next_round(found, size // 2, SEEDS)
    for place in places():
        had = {one.seed for one in found.results if one.id == place.id}
        new = [one.seed for one in chosen if one.id == place.id]
        assert new == [seed for seed in SEEDS if seed not in had][: len(new)]


def test_trainings_that_run_or_failed_are_not_proposed_and_none_is_left_at_the_end() -> None:
    found = surface(places(2), [Result(id="n0", seed=0, accuracy=0.5)])
    assert next_round(found, 9, (0, 1), taken=[("n1", 0)]) in ([("n1", 1), ("n0", 1)], [("n0", 1), ("n1", 1)])
    assert next_round(found, 9, (0, 1), taken=[("n1", 0), ("n1", 1), ("n0", 1)]) == []


def test_more_seeds_come_where_noise_rules_and_new_places_where_it_does_not() -> None:
    """Two places far apart were equal once and a third lies between them: what noise hides is asked of them again."""
    where = [
        Place(id="left", shares=Shares(1.0, 0.0, 0.0)),
        Place(id="right", shares=Shares(0.0, 1.0, 0.0)),
        Place(id="top", shares=Shares(0.0, 0.0, 1.0)),
    ]
    once = [Result(id="left", seed=0, accuracy=0.6), Result(id="right", seed=0, accuracy=0.6)]
    quiet = surface(where, once, replace(KNOWN_NOISE, seed_sd=0.2))
    assert next_round(quiet, 1, SEEDS)[0].id == "top"
    low = [*once, Result(id="top", seed=0, accuracy=0.5)]
    loud = surface(where, low, replace(KNOWN_NOISE, seed_sd=1.6))
    assert {one.id for one in next_round(loud, 2, SEEDS)} == {"left", "right"}


def test_what_cannot_be_chosen_gains_nothing_by_being_best() -> None:
    what = [*results(), *(Result(id="n0", seed=s, accuracy=0.9) for s in (2, 3, 4))]
    outside = [replace(one, within=one.id != "n0") for one in places()]
    assert "n0" not in {one.id for one in next_round(surface(outside, what), 3, range(9))}


def test_a_study_is_over_when_the_best_is_plain_and_not_before() -> None:
    few = surface(places(), results())
    assert not is_small(few, optimum(few))
    many = [
        Result(id=one.id, seed=seed, accuracy=0.5 + 0.1 * one.shares.width) for one in places() for seed in range(8)
    ]
    done = surface(places(), many)
    assert is_small(done, optimum(done))


def test_networks_that_were_equal_once_are_no_end() -> None:
    once = surface(places(), [Result(id=one.id, seed=0, accuracy=0.5) for one in places()[:8]])
    found = optimum(once)
    assert np.ptp(once.trend.mean[found.region]) < 0.5
    assert not is_small(once, found)
