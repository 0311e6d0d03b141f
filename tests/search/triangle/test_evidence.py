"""Evidence: noise of seeds against the two-way layout, the error of images against cases whose variance is known."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.search.triangle.tables import places, results
from triscale.search.coefficients.rank import paired_noise
from triscale.search.coefficients.triangle.evidence import Repeats, Result, image_variance, repeats, scatter
from triscale.search.coefficients.triangle.optimum import optimum
from triscale.search.coefficients.triangle.surface import surface

IMAGES = 20000


def judged(chances: np.ndarray, seeds: int, seed: int = 0) -> list[Result]:
    """Trainings of networks whose (networks, images) chances of being right are known."""
    random = np.random.default_rng(seed)
    return [
        Result(id=f"n{i}", seed=s, accuracy=float(right.mean()), right=right)
        for i, row in enumerate(chances)
        for s in range(seeds)
        for right in [random.random(len(row)) < row]
    ]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.integers(0, 100), min_size=3, max_size=3), min_size=2, max_size=5))
def test_the_noise_of_repeats_matches_the_two_way_layout_of_paired_differences(rows: list[list[int]]) -> None:
    scores = {f"n{i}": dict(enumerate(value / 100 for value in row)) for i, row in enumerate(rows)}
    found = repeats(Result(id=i, seed=s, accuracy=a) for i, row in scores.items() for s, a in row.items())
    expected = paired_noise(scores, 1000)
    assert found.freedom == expected.freedom
    sd = math.sqrt(2 * found.squares / found.freedom) / 100
    assert sd == pytest.approx(expected.sd, abs=1e-9)


def test_unequal_numbers_of_seeds_count_too_and_single_ones_say_nothing() -> None:
    two = [("a", 0, 0.50), ("a", 1, 0.62), ("b", 0, 0.54), ("b", 1, 0.62), ("c", 0, 0.9)]
    assert repeats(Result(id=i, seed=s, accuracy=a) for i, s, a in two) == pytest.approx((4.0, 1))
    three = repeats(Result(id=i, seed=s, accuracy=a) for i, s, a in [*two, ("a", 2, 0.7), ("c", 2, 0.8)])
    assert three.freedom == 7 - (3 + 3 - 1)
    assert repeats([Result(id="a", seed=0, accuracy=0.5)]) == Repeats(0.0, 0)


def test_the_scatter_of_one_network_is_around_its_own_mean() -> None:
    """Squares of +-1 and +-3 points, one degree of freedom each."""
    pairs = [("a", 0, 0.50), ("a", 1, 0.52), ("b", 0, 0.60), ("b", 2, 0.66), ("c", 0, 0.9)]
    assert scatter(Result(id=i, seed=s, accuracy=a) for i, s, a in pairs) == pytest.approx((20.0, 2))
    assert scatter([]) == Repeats(0.0, 0)


def test_the_persistent_variance_is_that_of_the_chances_over_images() -> None:
    """Two networks: a difference of chances of +-0.4 on half of the images each is what every seed repeats."""
    sign = np.where(np.arange(IMAGES) % 2, 1.0, -1.0)
    found = image_variance(judged(np.array([0.5 + 0.2 * sign, 0.5 - 0.2 * sign]), 3), 0.5)
    assert found == pytest.approx(1e4 * 0.4**2 / IMAGES, rel=0.1)


def test_it_is_pooled_over_pairs_of_networks() -> None:
    random = np.random.default_rng(5)
    chances = random.uniform(0.1, 0.9, (4, IMAGES))
    pairs = [np.var(chances[i] - chances[j]) for i in range(4) for j in range(i)]
    found = image_variance(judged(chances, 2), 0.5)
    assert found == pytest.approx(1e4 * float(np.mean(pairs)) / IMAGES, rel=0.1)


def test_networks_that_only_toss_coins_keep_no_error() -> None:
    """Not even though some images are harder for all: what they share drops out of every difference."""
    hard = np.random.default_rng(2).uniform(0.1, 0.9, IMAGES)
    found = image_variance(judged(np.stack([hard] * 4), 2), 0.5)
    assert found < 0.05 * 1e4 * 2 * 0.25 / IMAGES


def test_single_seeds_give_the_stated_part_of_the_variance_of_a_difference() -> None:
    random = np.random.default_rng(3)
    single = judged(random.uniform(0.1, 0.9, (2, IMAGES)), 1)
    first, second = (one.right for one in single)
    assert first is not None
    assert second is not None
    apart = np.var(first.astype(float) - second.astype(float), ddof=1) / IMAGES
    assert image_variance(single, 0.5) == pytest.approx(0.5 * 1e4 * apart)
    assert image_variance(single, 1.0) == pytest.approx(1e4 * apart)


def test_trainings_without_their_images_tell_nothing_of_them() -> None:
    assert image_variance(results(), 0.5) == 0


def with_images(plain: list[Result], seed: int = 4) -> list[Result]:
    """The same accuracies of networks each of which has its own easy images, in every seed."""
    random = np.random.default_rng(seed)
    easy = {name: random.choice([0.2, 0.9], 2000) for name in sorted({one.id for one in plain})}
    return [replace(one, right=random.random(2000) < easy[one.id]) for one in plain]


def test_the_error_of_images_widens_every_interval_and_moves_no_mean() -> None:
    plain = results()
    kept = with_images(plain)
    before, after = surface(places(), plain), surface(places(), kept)
    np.testing.assert_array_equal(after.expected, before.expected)
    more = image_variance(kept, 0.5) / 2e4
    assert more > 0.1 * float(np.median(before.sd)) ** 2
    np.testing.assert_allclose(after.sd**2, before.sd**2 + more, rtol=1e-9)
    point = np.array([(0.3, 0.4, 0.3)])
    np.testing.assert_allclose(after.smooth(point)[1] ** 2, before.smooth(point)[1] ** 2 + more, rtol=1e-9)
    coins = surface(places(), [one for one in kept if one.seed == 0])
    assert (coins.sd > surface(places(), [one for one in plain if one.seed == 0]).sd).all()


def test_near_networks_share_the_error_of_images_and_far_ones_do_not() -> None:
    """Worked out for two places: half of the variance of a difference each, less what the kernel says they share."""
    found = surface(places(), with_images(results()))
    names = [one.id for one in found.places]
    corner, other = names.index("n0"), names.index("n1")
    mixed, near = names.index("n6"), names.index("n7")
    shared = found.image_covariance / found.image_variance
    np.testing.assert_allclose(np.diagonal(shared), 0.5)
    assert shared[corner, other] < 0.5e-3
    apart = (0.34 - 0.2) ** 2 + (0.33 - 0.3) ** 2 + (0.33 - 0.5) ** 2
    assert shared[mixed, near] == pytest.approx(0.5 * math.exp(-apart / (2 * 0.3**2)))


def test_the_error_of_images_is_in_the_region_of_the_best() -> None:
    plain = [replace(one, accuracy=0.6 + (0.02 if one.id == "n0" else 0.0)) for one in results()]
    sure, doubtful = optimum(surface(places(), plain)), optimum(surface(places(), with_images(plain)))
    assert doubtful.best.max() < sure.best.max()
    assert doubtful.region.sum() > sure.region.sum()
