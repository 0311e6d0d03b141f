"""A study that runs late trains fewer candidates, and no others: worked out by hand."""

from dataclasses import replace
from itertools import islice

import msgspec
import pytest

from tests.search.test_plan import BASE, SHORT, plan
from triscale.search.decisions.late import kept_to_time
from triscale.search.trainings.shared_terms import Training

PLAN = msgspec.structs.replace(plan(replace(SHORT, trainings=6)).record(SHORT, None), search=6, trainings=10)
BASELINE = [Training(BASE, "baseline", seed, 10) for seed in (0, 1)]
SEARCH = [Training(BASE, "search", seed, 10) for seed in range(10, 16)]
FAMILY = [Training(BASE, "family", seed, 10) for seed in (20, 21)]
PREDICTED = dict.fromkeys([*BASELINE, *SEARCH, *FAMILY], 10.0)
"""100 seconds in all."""


def took(seconds: float, done: int = 4) -> dict[Training, float]:
    """The baseline and the first candidates, each so long."""
    return dict.fromkeys(islice(PREDICTED, done), seconds)


def test_a_plan_in_time_stays() -> None:
    assert kept_to_time(PLAN, PREDICTED, took(10.0), 1, 100.0, 2) is None
    assert kept_to_time(PLAN, PREDICTED, took(10.9), 1, 100.0, 2) is None, "within a tenth: noise"


def test_late_trainings_that_still_fit_change_nothing() -> None:
    assert kept_to_time(PLAN, PREDICTED, took(20.0), 1, 200.0, 2) is None


@pytest.mark.parametrize(("seconds", "fewer", "expected"), [(12.0, 2, 96), (13.0, 3, 91), (15.0, 4, 90)])
def test_as_many_fewer_as_bring_it_into_time(seconds: float, fewer: int, expected: int) -> None:
    """Ten trainings of so many seconds, less those that do not fit 100."""
    change = kept_to_time(PLAN, PREDICTED, took(seconds), 1, 100.0, 2)
    assert change is not None
    assert change.plan == msgspec.structs.replace(
        PLAN, search=6 - fewer, trainings=10 - fewer, predicted_seconds=expected
    )
    assert change.text == f"trainings take {seconds / 10:.1f} times as long as predicted: {fewer} fewer of candidates"


def test_what_a_round_has_asked_for_is_trained_whatever_it_takes() -> None:
    change = kept_to_time(PLAN, PREDICTED, took(30.0), 1, 100.0, 4)
    assert change is not None
    assert (change.plan.search, change.plan.predicted_seconds) == (4, 240)
    assert change.text.endswith("2 fewer of candidates, and still 4 min 00 s in all")
    assert kept_to_time(PLAN, PREDICTED, took(30.0), 1, 100.0, 6) is None, "nothing is left to leave out"


def test_trainings_at_a_time_share_the_seconds() -> None:
    assert kept_to_time(PLAN, PREDICTED, took(15.0), 2, 75.0, 2) is None
    change = kept_to_time(PLAN, PREDICTED, took(15.0), 2, 60.0, 2)
    assert change is not None
    assert change.plan.search == 4
