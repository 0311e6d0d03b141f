"""Where the best lies: probabilities against the normal distribution, and the difference a study could have seen."""

from dataclasses import replace
from statistics import NormalDist

import msgspec
import numpy as np
import pytest

from tests.search.triangle.tables import places, results
from triscale.search.coefficients.shares import Shares
from triscale.search.coefficients.triangle.evidence import Place, Result
from triscale.search.coefficients.triangle.optimum import Optimum, optimum, smallest_difference
from triscale.search.coefficients.triangle.surface import surface
from triscale.search.coefficients.triangle.surface_record import to_record
from triscale.trials.surface_records import SurfaceRecord

TWO = [Place(id="a", shares=Shares(1.0, 0.0, 0.0)), Place(id="b", shares=Shares(0.0, 0.0, 1.0))]
TRAINED = [Result(id="a", seed=0, accuracy=0.60), Result(id="b", seed=0, accuracy=0.61)]


def test_of_two_places_the_probabilities_are_those_of_a_normal_difference() -> None:
    found = surface(TWO, TRAINED)
    mean, spread = found.trend
    apart = NormalDist(mean[1] - mean[0], (spread[0, 0] + spread[1, 1] - 2 * spread[0, 1]) ** 0.5)
    drawn = optimum(found, draws=40000)
    assert drawn.best[0] == pytest.approx(apart.cdf(0), abs=0.01)
    assert drawn.within(0.005)[0] == pytest.approx(apart.cdf(0.5), abs=0.01)
    assert drawn.loss(1) > 0


def test_the_region_is_the_fewest_places_that_reach_95_percent() -> None:
    wins = np.repeat([0, 1, 2, 3], [60, 30, 6, 4])
    drawn = Optimum(draws=np.eye(4)[wins])
    assert drawn.best.tolist() == [0.6, 0.3, 0.06, 0.04]
    assert drawn.region.tolist() == [True, True, True, False]
    assert drawn.loss(0) == pytest.approx(0.4)
    assert drawn.within(0.0).tolist() == pytest.approx([0.6, 0.3, 0.06, 0.04])


def test_draws_are_the_same_each_time_and_hold_no_place_outside_the_tolerance() -> None:
    found = surface(places(), results())
    np.testing.assert_array_equal(optimum(found).draws, optimum(found).draws)
    outside = [Place(id=one.id, shares=one.shares, within=one.id != "n2") for one in places()]
    drawn = optimum(surface(outside, results()))
    assert drawn.best[2] == 0
    assert drawn.within(1.0)[2] == 0
    assert drawn.best.sum() == pytest.approx(1)


def test_the_smallest_difference_is_found_in_four_of_five_studies() -> None:
    found = surface(TWO, TRAINED)
    spread = found.covariance
    sd = (spread[0, 0] + spread[1, 1] - 2 * spread[0, 1]) ** 0.5
    test = NormalDist(smallest_difference(found), sd)
    seen = 1 - test.cdf(1.959964 * sd) + test.cdf(-1.959964 * sd)
    assert seen == pytest.approx(0.8, abs=1e-4)


def test_the_record_holds_all_places_best_first_and_comes_back_from_json() -> None:
    found = surface(places(), results())
    record = to_record(found, depth="n0", width="n1", resolution="n2")
    assert msgspec.json.decode(msgspec.json.encode(record), type=SurfaceRecord) == record
    expected = [one.expected for one in record.places]
    assert expected == sorted(expected, reverse=True)
    assert record.chosen == record.places[0].id == found.chosen.id
    assert sum(one.best for one in record.places) == pytest.approx(1)
    assert record.area == sum(one.in_region for one in record.places) / len(places())
    assert [one.n for one in sorted(record.places, key=lambda one: one.id)] == [2] * 3 + [1] * 5 + [0] * 2
    assert record.within_half_a_point.paper is None
    assert 0 <= (record.within_half_a_point.depth or -1) <= 1
    assert record.prior["linear"] == 3.0
    assert record.expected_loss is not None
    assert record.expected_loss >= 0


def test_no_interval_leaves_what_an_accuracy_can_be() -> None:
    for value in (0.0, 1.0):
        record = to_record(surface(TWO, [replace(one, accuracy=value) for one in TRAINED]))
        assert all(0 <= low < high <= 1 for low, high in (one.interval for one in record.places))


def test_the_contour_is_a_lattice_of_the_triangle_or_of_its_edge() -> None:
    whole = to_record(surface(places(), results())).contour
    assert len(whole) == 91
    for one in whole:
        assert one.shares.depth + one.shares.width + one.shares.resolution == pytest.approx(1)
    edge = to_record(surface(TWO, TRAINED)).contour
    assert [one.shares.width for one in edge] == [0.0] * 13


def test_the_loss_of_a_transfer_is_the_difference_that_is_expected_also_outside_the_tolerance() -> None:
    found = surface(TWO, TRAINED)
    assert found.chosen.id == "b"
    moved = to_record(found, transferred="a").transfer
    assert moved is not None
    expected = {one.id: one.expected for one in to_record(found).places}
    assert moved.loss == pytest.approx(expected["b"] - expected["a"])
    spread = found.covariance
    sd = (spread[0, 0] + spread[1, 1] - 2 * spread[0, 1]) ** 0.5
    assert moved.interval == pytest.approx((moved.loss - 1.959964 * sd, moved.loss + 1.959964 * sd))
    itself = to_record(found, transferred="b").transfer
    assert itself is not None
    assert (itself.loss, itself.interval) == (0.0, (0.0, 0.0))
    elsewhere = to_record(surface([replace(TWO[0], within=False), TWO[1]], TRAINED), transferred="a").transfer
    assert elsewhere is not None
    assert elsewhere.loss == pytest.approx(moved.loss)
