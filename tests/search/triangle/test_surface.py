"""The surface: against linear regression in float64, what moves it and what does not, and how often it is right."""

from dataclasses import replace
from itertools import pairwise
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.triangle.rules import spread
from benchmarks.triangle.worlds import Scenario
from tests.search.triangle.tables import KNOWN_NOISE, POINTS, places, results
from triscale.search.coefficients.shares import Shares
from triscale.search.coefficients.triangle.evidence import Place, Result
from triscale.search.coefficients.triangle.posterior import SEED_SDS, covariance
from triscale.search.coefficients.triangle.surface import Surface, networks, surface, why_no_surface
from triscale.search.coefficients.triangle.surface_prior import PRIOR, with_slope


def features(surface: Surface, *, cost: bool, trained: bool) -> np.ndarray:
    """(rows, parameters): level, shares, products, resampling, slope, two seeds, own parts, smooth deviations."""
    at = list(range(len(surface.places)))
    if trained:
        ids = [one.id for one in surface.places]
        at = [ids.index(one.id) for one in surface.results]
    x = np.array([surface.places[i].shares for i in at])
    products = np.stack([x[:, 0] * x[:, 1], x[:, 0] * x[:, 2], x[:, 1] * x[:, 2]], axis=1)
    native = np.array([one.resampled for one in surface.places], dtype=float)
    seeds = np.array([[one.seed == s for s in (0, 1)] for one in surface.results], dtype=float)
    own = np.eye(len(surface.places))[at]
    return np.column_stack(
        [
            np.ones(len(at)), x, products, (native - native.mean())[at],
            [surface.places[i].log_cost * cost for i in at], seeds if trained else np.zeros((len(at), 2)), own, own,
        ]
    )  # fmt: skip


def test_the_surface_is_the_linear_regression_whose_normal_equations_are_solved() -> None:
    """Every part is a parameter with its prior; the smooth deviation is one at each place, with its precision."""
    found = surface(places(), results(), KNOWN_NOISE)
    prior, count = found.fit.prior, len(found.places)
    x = np.array([one.shares for one in found.places])
    smooth = prior.smooth**2 * np.exp(-((x[:, None] - x) ** 2).sum(axis=2) / 2 / prior.length**2)
    sds = [prior.level, *[prior.linear] * 3, *[prior.interaction] * 3, prior.resampling, prior.slope_sd]
    sds += [prior.seed_effect] * 2 + [prior.nugget] * count
    precision = np.zeros((len(sds) + count,) * 2)
    precision[: len(sds), : len(sds)] = np.diag(1 / np.square(sds))
    precision[len(sds) :, len(sds) :] = np.linalg.inv(smooth)
    seen, wanted = features(found, cost=True, trained=True), features(found, cost=False, trained=False)
    y = np.array([100 * one.accuracy for one in found.results]) - prior.slope * seen[:, 8]
    inverse = np.linalg.inv(precision + seen.T @ seen / 0.8**2)
    weights = inverse @ seen.T @ (y - y.mean()) / 0.8**2
    assert found.fit.seed_sd == pytest.approx(0.8, rel=1e-6)
    np.testing.assert_allclose(found.values.mean, y.mean() + wanted @ weights, atol=1e-6)
    np.testing.assert_allclose(found.values.covariance, wanted @ inverse @ wanted.T, atol=1e-6)
    slope, slope_sd = found.slope
    assert (100 * slope, 100 * slope_sd) == pytest.approx((prior.slope + weights[8], inverse[8, 8] ** 0.5), abs=1e-6)
    resampling, resampling_sd = found.resampling
    assert (100 * resampling, 100 * resampling_sd) == pytest.approx((weights[7], inverse[7, 7] ** 0.5), abs=1e-6)


def test_noise_and_scale_are_weighed_by_the_density_of_the_trainings() -> None:
    """The means over a grid of all pairs, each pair's density worked out from its determinant."""
    found = surface(places(), results(), PRIOR)
    fit, seen = found.fit, found.fit.seen
    y = np.array([100 * one.accuracy for one in found.results]) - PRIOR.slope * seen.log_cost
    y -= y.mean()
    logs, means, spreads = [], [], []
    for scale in PRIOR.scales:
        known = covariance(PRIOR, scale, seen, seen)
        across = covariance(PRIOR, scale, found.points, seen)
        for sd in SEED_SDS:
            whole = known + sd**2 * np.eye(len(y))
            density = -(np.linalg.slogdet(whole)[1] + y @ np.linalg.solve(whole, y)) / 2
            logs.append(density - 4 * np.log(sd) - 4 * 0.8**2 / (2 * sd**2))
            means.append(across @ np.linalg.solve(whole, y))
            prior = covariance(PRIOR, scale, found.points, found.points)
            spreads.append(prior - across @ np.linalg.solve(whole, across.T))
    weights = np.exp(np.array(logs) - max(logs))
    weights /= weights.sum()
    expected = weights @ np.array(means)
    np.testing.assert_allclose(found.values.mean, fit.level + expected, atol=2e-3)
    apart = np.array(means) - expected
    total = np.einsum("g,gij->ij", weights, np.array(spreads)) + np.einsum("g,gi,gj->ij", weights, apart, apart)
    np.testing.assert_allclose(found.values.covariance, total, atol=1e-2)
    assert np.abs(np.einsum("g,gi,gj->ij", weights, apart, apart)).max() > 0.05, "what the mixture adds is not nothing"


@settings(max_examples=15, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(0, 1000))
def test_the_order_of_places_and_results_changes_nothing(random: Random, seed: int) -> None:
    where, what = places(), results(seed)
    expected = surface(where, what)
    random.shuffle(where)
    random.shuffle(what)
    found = surface(where, what)
    assert found.places == expected.places
    np.testing.assert_array_equal(found.expected, expected.expected)
    np.testing.assert_array_equal(found.covariance, expected.covariance)


@settings(max_examples=15, deadline=None)
@given(st.floats(-0.3, 0.3), st.integers(0, 1000))
def test_what_all_trainings_gain_all_places_gain(more: float, seed: int) -> None:
    before = surface(places(), results(seed))
    after = surface(places(), [replace(one, accuracy=one.accuracy + more) for one in results(seed)])
    np.testing.assert_allclose(after.expected, before.expected + more, atol=1e-9)
    np.testing.assert_allclose(after.covariance, before.covariance, atol=1e-9)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 9), st.integers(0, 4), st.floats(0.3, 0.9))
def test_a_further_training_narrows_every_place_where_the_noise_is_known(
    place: int, seed: int, accuracy: float
) -> None:
    before = surface(places(), results(), KNOWN_NOISE)
    extra = Result(id=f"n{place}", seed=seed, accuracy=accuracy)
    known = [one for one in results() if (one.id, one.seed) != (extra.id, extra.seed)]
    after = surface(places(), [*known, extra], KNOWN_NOISE)
    assert (after.sd <= before.sd + 1e-9).all()
    assert after.sd[place] < before.sd[place] or len(known) < len(results())


def test_the_surface_between_networks_is_the_places_without_what_is_their_own() -> None:
    found = surface(places(), results())
    native = np.array([one.resampled for one in found.places]).mean()
    level = surface([replace(one, resampled=False) for one in places()], results())
    np.testing.assert_allclose(level.smooth(np.array(POINTS))[0], level.trend.mean / 100, atol=1e-9)
    assert 0 < native < 1
    smooth, sd = found.smooth(np.array([(0.3, 0.4, 0.3), (1.0, 0.0, 0.0)]))
    assert smooth.shape == sd.shape == (2,)
    plain = surface(places(), results(), replace(PRIOR, nugget=0.0))
    np.testing.assert_allclose(plain.trend.mean, plain.values.mean, atol=1e-9)


def test_networks_that_differ_in_cost_alone_are_equal_at_the_cost_asked_for() -> None:
    """Where the slope is known for sure, nothing is left of what the larger one shows."""
    sure = replace(PRIOR, slope=4.0, slope_sd=1e-6)
    where = [*places(8), Place(id="twin", shares=Shares(0.2, 0.3, 0.5), log_cost=0.29, resampled=True)]
    near = next(one for one in where if one.id == "n7")
    what = [*results(), Result(id="twin", seed=0, accuracy=0.7), Result(id="n7", seed=0, accuracy=0.7 - 0.04 * 0.3)]
    where[where.index(near)] = replace(near, log_cost=-0.01)
    found = surface(where, [one for one in what if one.id != "n7" or one.accuracy > 0.68], sure)
    expected = dict(zip((one.id for one in found.places), found.expected, strict=True))
    assert expected["twin"] == pytest.approx(expected["n7"], abs=1e-6)


def test_repeats_of_the_baseline_speak_of_the_noise_and_of_nothing_else() -> None:
    quiet = [Result(id="baseline", seed=seed, accuracy=0.5) for seed in range(6)]
    loud = [replace(one, accuracy=0.5 + 0.03 * (-1) ** one.seed) for one in quiet]
    few = results(repeated=0)
    assert surface(places(), few + quiet).fit.seed_sd < surface(places(), few).fit.seed_sd
    found = surface(places(), few + loud)
    assert found.fit.seed_sd > 2
    assert {one.id for one in found.results} == {one.id for one in few}


def test_the_sd_of_a_training_is_learnt_from_repeats() -> None:
    """The prior says 0.8 points; forty repeated trainings say otherwise."""
    random = np.random.default_rng(0)
    for true in (0.3, 2.0):
        draws = 0.6 + true / 100 * random.standard_normal((10, 5))
        what = [Result(id=f"n{i}", seed=s, accuracy=float(draws[i, s])) for i in range(10) for s in range(5)]
        assert surface(places(), what).fit.seed_sd == pytest.approx(true, rel=0.3)


def test_the_slope_comes_from_the_baseline_in_the_seeds_of_both() -> None:
    baseline = [Result(id="b", seed=0, accuracy=0.50), Result(id="b", seed=5, accuracy=0.9)]
    larger = [Result(id="x", seed=0, accuracy=0.53), Result(id="y", seed=0, accuracy=0.55)]
    assert with_slope(PRIOR, baseline, larger).slope == pytest.approx(4.0)
    assert with_slope(PRIOR, baseline, larger).slope_sd == pytest.approx(2.0)
    assert with_slope(PRIOR, baseline, larger, doublings=2).slope == pytest.approx(2.0)
    assert with_slope(PRIOR, baseline[:1], [replace(larger[0], accuracy=0.5)]).slope_sd == 0.5
    assert with_slope(PRIOR, baseline[1:], larger) is PRIOR


def test_two_dimensions_are_an_edge_of_the_triangle() -> None:
    where = [Place(id=f"e{i}", shares=Shares(i / 5, 1 - i / 5, 0.0)) for i in range(6)]
    what = [Result(id=f"e{i}", seed=0, accuracy=0.5 + 0.02 * i) for i in range(6)]
    assert why_no_surface(where, what) is None
    found = surface(where, what)
    assert found.chosen.id == "e5"
    assert all(a < b for a, b in pairwise(found.expected))


def test_too_few_networks_are_no_surface_and_the_reason_names_the_number() -> None:
    assert why_no_surface(places(), results()) is None
    assert why_no_surface(places(), []) == "the trained networks differ in fewer than two dimensions"
    few = [one for one in results(repeated=0) if one.id in ("n0", "n1", "n2", "n3", "n4")]
    assert why_no_surface(places(), few) == (
        "5 networks are trained; a surface over depth, width and resolution needs 6"
    )
    edge = [one for one in results(repeated=0) if one.id in ("n0", "n1", "n3")]
    assert why_no_surface(places(), edge) == "3 networks are trained; a surface over depth and width needs 4"


def test_nothing_trained_and_nothing_to_choose_are_rejected() -> None:
    with pytest.raises(ValueError, match="none may be chosen"):
        surface(places(), [])
    with pytest.raises(ValueError, match="none may be chosen"):
        surface([replace(one, within=False) for one in places()], results())


def test_a_place_outside_the_tolerance_is_never_chosen() -> None:
    what = [replace(one, accuracy=0.8 if one.id == "n0" else one.accuracy) for one in results()]
    assert surface(places(), what).chosen.id == "n0"
    assert surface([replace(one, within=one.id != "n0") for one in places()], what).chosen.id != "n0"


def test_intervals_hold_the_truth_and_regions_the_best_in_simulated_studies() -> None:
    """The network's own part counts as truth for intervals; 95% are meant, of 60 studies of 12 trainings."""
    covered, inside = [], []
    for number in range(60):
        world = Scenario(own=0.3, seed_effect=0.0).draw(number)
        region = spread(world, (12,))[12].region
        assert region is not None
        covered.append(int(world.smooth.argmax()) in region)
        found = surface(world.places, world.results([(at, 0) for at in range(12)]), world.prior)
        truth = (50 + world.smooth) / 100
        inside.append(
            np.abs(found.trend.mean / 100 - truth) < 1.96 * np.sqrt(np.diagonal(found.trend.covariance)) / 100
        )
    assert np.mean(covered) >= 0.9
    assert 0.9 <= np.mean(inside) <= 0.995


def test_points_of_networks_are_their_own_cost_and_the_mean_over_seeds() -> None:
    points = networks(places())
    assert points.log_cost.tolist() == [one.log_cost for one in places()]
    assert points.resampled.sum() == pytest.approx(0)
    assert (points.seed == -1).all()
