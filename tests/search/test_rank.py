"""Ranking: the noise against a closed form and simulated runs; what may be best, tied and chosen."""

import math
import random
from statistics import mean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triscale.intervals import t_quantile
from triscale.search.coefficients.rank import Noise, choose, half_warning, is_guessing, paired_noise, ranking

accuracy = st.integers(0, 100).map(lambda n: n / 100)
tables = st.integers(2, 6).flatmap(
    lambda n: st.integers(2, 4).flatmap(
        lambda s: st.lists(st.lists(accuracy, min_size=s, max_size=s), min_size=n, max_size=n)
    )
)
Scores = dict[str, dict[int, float]]


def scores_of(rows: list[list[float]]) -> Scores:
    return {f"n{i}": dict(enumerate(row)) for i, row in enumerate(rows)}


def test_the_noise_of_a_two_way_layout_is_that_worked_out_by_hand() -> None:
    """Residuals are +-0.01: 4 * 0.01^2 over one degree of freedom; a difference has twice the variance."""
    noise = paired_noise({"a": {0: 0.50, 1: 0.62}, "b": {0: 0.54, 1: 0.62}}, 1000)
    assert noise.freedom == 1
    assert noise.sd == pytest.approx(math.sqrt(2 * 4 * 0.01**2))


@settings(max_examples=40, deadline=None)
@given(tables)
def test_with_two_networks_the_noise_matches_the_deviation_of_their_differences(rows: list[list[float]]) -> None:
    differences = [one - two for one, two in zip(rows[0], rows[1], strict=True)]
    centre = mean(differences)
    expected = math.sqrt(sum((d - centre) ** 2 for d in differences) / (len(differences) - 1))
    found = paired_noise(scores_of(rows[:2]), 100)
    assert found.sd == pytest.approx(expected, abs=1e-12)
    assert found.freedom == len(differences) - 1


@settings(max_examples=40, deadline=None)
@given(tables, st.floats(-0.3, 0.3))
def test_what_all_networks_share_in_a_seed_is_no_noise(rows: list[list[float]], shift: float) -> None:
    shifted = [[value + shift * seed for seed, value in enumerate(row)] for row in rows]
    better = [[value + shift * i for value in row] for i, row in enumerate(rows)]
    expected = paired_noise(scores_of(rows), 100).sd
    assert paired_noise(scores_of(shifted), 100).sd == pytest.approx(expected, abs=1e-9)
    assert paired_noise(scores_of(better), 100).sd == pytest.approx(expected, abs=1e-9)


def test_the_noise_of_simulated_runs_is_the_one_they_were_drawn_with() -> None:
    draw = random.Random(1)
    seeds = [draw.gauss(0, 0.05) for _ in range(4)]
    rows = [[0.5 + i / 500 + seed + draw.gauss(0, 0.01) for seed in seeds] for i in range(400)]
    assert paired_noise(scores_of(rows), 100).sd == pytest.approx(math.sqrt(2) * 0.01, rel=0.05)


def test_a_network_with_fewer_seeds_says_nothing_about_the_noise() -> None:
    full = {"a": {0: 0.50, 1: 0.62}, "b": {0: 0.54, 1: 0.62}}
    assert paired_noise({**full, "c": {0: 0.9}}, 1000) == paired_noise(full, 1000)


def test_with_one_seed_the_noise_is_the_sampling_error_of_two_proportions() -> None:
    noise = paired_noise({"a": {0: 0.5}, "b": {0: 0.7}}, 200)
    assert noise == pytest.approx((math.sqrt(2 * 0.6 * 0.4 / 200), 0))
    assert noise.margin(1) == pytest.approx(1.96 * noise.sd)
    assert paired_noise({"a": {0: 1.0}}, 200).sd > 0


def test_the_margin_is_students_and_shrinks_with_the_root_of_the_seeds() -> None:
    assert Noise(0.01, 4).margin(1) == pytest.approx(2.776 * 0.01, rel=1e-3)
    assert Noise(0.01, 4).margin(4) == pytest.approx(t_quantile(4) * 0.005)


@st.composite
def runs(draw: st.DrawFn) -> tuple[Scores, Scores, int]:
    """Scores at full and half length: all networks ran seed 0, some ran all."""
    rows = draw(tables)
    seeds = len(rows[0])
    several = draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows)).filter(any))
    full = {
        f"n{i}": dict(enumerate(row if more else row[:1]))
        for i, (row, more) in enumerate(zip(rows, several, strict=True))
    }
    half = {one: {seed: draw(accuracy) for seed in by_seed} for one, by_seed in full.items()}
    return full, half, seeds


@settings(max_examples=60, deadline=None)
@given(runs(), st.floats(0, 0.1))
def test_the_best_and_the_tied_ran_every_seed_and_the_tied_lie_within_the_noise(
    given_runs: tuple[Scores, Scores, int], sd: float
) -> None:
    scores, half, seeds = given_runs
    noise = Noise(sd, 3)
    rows = ranking(scores, half, noise, seeds)
    assert sorted(row.id for row in rows) == sorted(scores)
    best = rows[0]
    assert (best.n, best.tied, best.difference, best.interval) == (seeds, True, 0, (0, 0))
    for row in rows:
        full = len(scores[row.id]) == seeds
        assert row.mean == mean(scores[row.id].values())
        assert row.half_mean == mean(half[row.id].values())
        assert not full or row.mean <= best.mean
        low, high = row.interval
        assert low <= row.difference <= high
        assert row.tied == (full and low <= 0)
        common = scores[row.id].keys() & scores[best.id].keys()
        paired = mean(scores[best.id][seed] - scores[row.id][seed] for seed in common)
        assert row.difference == pytest.approx(paired)
    ran = [row.n == seeds for row in rows]
    assert ran == sorted(ran, reverse=True)


@settings(max_examples=60, deadline=None)
@given(runs(), st.floats(0, 0.2), st.data())
def test_the_chosen_has_the_best_mean_of_those_that_are_allowed_and_ran_every_seed(
    given_runs: tuple[Scores, Scores, int], sd: float, data: st.DataObject
) -> None:
    scores, half, seeds = given_runs
    rows = ranking(scores, half, Noise(sd, 3), seeds)
    macs = {one: data.draw(st.integers(1, 9)) for one in scores}
    allowed = data.draw(st.lists(st.sampled_from(sorted(scores)), min_size=1, unique=True))
    chosen = choose(rows, macs, allowed)
    full = [one for one in allowed if len(scores[one]) == seeds] or allowed
    best = max(mean(scores[one].values()) for one in full)
    equal = [one for one in full if mean(scores[one].values()) == best]
    assert chosen in equal
    assert macs[chosen] == min(macs[one] for one in equal if len(scores[one]) == len(scores[chosen]))


def test_a_single_lucky_run_does_not_win() -> None:
    scores: Scores = {"steady": {0: 0.6, 1: 0.6}, "lucky": {0: 0.9}, "slow": {0: 0.5, 1: 0.5}}
    rows = ranking(scores, scores, Noise(0.5, 1), 2)
    assert [row.id for row in rows] == ["steady", "slow", "lucky"]
    assert [row.tied for row in rows] == [True, True, False]
    assert choose(rows, {"steady": 3, "lucky": 1, "slow": 2}, scores) == "steady"


def guessing(accuracies: list[float], chance: float, pictures: int) -> bool:
    scores = scores_of([[one] for one in accuracies])
    return is_guessing(ranking(scores, scores, Noise(0.1, 0), 1), chance, pictures)


def test_a_ranking_at_the_level_of_guessing_says_nothing() -> None:
    """Of 400 images a standard error is 1.5 points: one network must be 1.96 of them ahead, of two one 2.24."""
    assert guessing([0.11, 0.09], 0.1, 400)
    assert not guessing([0.2], 0.1, 400)
    assert (guessing([0.129], 0.1, 400), guessing([0.130], 0.1, 400)) == (True, False)
    assert (guessing([0.133, 0.1], 0.1, 400), guessing([0.134, 0.1], 0.1, 400)) == (True, False)


def test_the_best_of_many_that_guess_is_taken_for_more_in_few_studies() -> None:
    draw = random.Random(2)
    studies = [[sum(draw.random() < 0.1 for _ in range(200)) / 200 for _ in range(12)] for _ in range(300)]
    assert mean(guessing(one, 0.1, 200) for one in studies) > 0.93


def test_a_best_at_half_length_that_falls_behind_is_warned_of() -> None:
    full: Scores = {"a": {0: 0.80, 1: 0.80}, "b": {0: 0.70, 1: 0.70}}
    inverted: Scores = {"a": {0: 0.3, 1: 0.3}, "b": {0: 0.4, 1: 0.4}}
    warning = half_warning(ranking(full, inverted, Noise(0.001, 5), 2))
    assert warning is not None
    assert "10.0 points behind" in warning
    assert half_warning(ranking(full, full, Noise(0.001, 5), 2)) is None
    assert half_warning(ranking(full, inverted, Noise(0.5, 5), 2)) is None, "they are tied at full length"


def test_a_network_with_fewer_seeds_does_not_warn() -> None:
    full: Scores = {"a": {0: 0.8, 1: 0.8}, "lucky": {0: 0.7}}
    half: Scores = {"a": {0: 0.3, 1: 0.3}, "lucky": {0: 0.9}}
    assert half_warning(ranking(full, half, Noise(0.001, 5), 2)) is None
