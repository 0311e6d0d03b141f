"""Speeds: the baseline and the corners are timed in turn, others are worked out; other work does not change them."""

import math
from collections import Counter

import pytest

from tests.search.studies import study
from tests.search.test_plan import BASE
from triscale.foreign import count_any
from triscale.scaling import any_network
from triscale.search.measuring.timing import Speed, StepTime, corners_of, seconds_per_image
from triscale.spec import AnyNetwork, content_hash
from triscale.trials import Numerics, TrainJob

SMALL = study()
BASELINE = SMALL.baseline
WIDE, DEEP, FAR = (any_network(f"{SMALL.question.network},{one}") for one in ("width=0.5", "depth=2", "width=2"))


class Stopwatch:
    """Takes so long a MAC, each time; what it was asked for, in order."""

    def __init__(self, work: float = 1e-11, load: float = 1.0, busy_turn: int = -1) -> None:
        self.asked: list[str] = []
        self._work, self._load, self._busy_turn = work, load, busy_turn

    def __call__(self, job: TrainJob, numerics: Numerics) -> StepTime:
        """In the busy turn ten times as long."""
        del numerics
        key = content_hash(job.network)
        slow = 10.0 if self.asked.count(key) == self._busy_turn else 1.0
        self.asked.append(key)
        work = slow * self._work * count_any(job.network).macs
        return StepTime(self._load * work, work)


def speed(watch: Stopwatch, *corners: AnyNetwork) -> Speed:
    """Of the small study."""
    return Speed(SMALL._terms.job, SMALL.numerics, lambda: corners, watch)


def test_the_baseline_and_the_corners_are_timed_in_turn_and_others_are_worked_out() -> None:
    watch = Stopwatch()
    found = speed(watch, WIDE, DEEP)
    for network in (BASELINE, WIDE, DEEP, FAR):
        assert found(network) == pytest.approx(1e-11 * count_any(network).macs)
    assert watch.asked == [content_hash(one) for one in (BASELINE, WIDE, DEEP)] * 3


def test_a_busy_turn_is_outvoted() -> None:
    assert speed(Stopwatch(busy_turn=1), WIDE)(WIDE) == pytest.approx(1e-11 * count_any(WIDE).macs)


def test_work_counts_and_the_load_is_said() -> None:
    quiet, busy = speed(Stopwatch(), WIDE), speed(Stopwatch(load=2.0), WIDE)
    assert busy(WIDE) == quiet(WIDE)
    assert quiet.remark == ""
    assert busy.load == pytest.approx(2.0)
    assert "a second of work takes 2.0 s" in busy.remark


def test_of_a_slow_baseline_the_corners_are_not_timed() -> None:
    watch = Stopwatch(work=0.03 / count_any(BASELINE).macs)
    assert speed(watch, WIDE)(WIDE) == pytest.approx(0.03 * count_any(WIDE).macs / count_any(BASELINE).macs)
    assert Counter(watch.asked) == {content_hash(BASELINE): 3}


def test_corners_scale_one_dimension_to_the_cost() -> None:
    corners = corners_of(BASE, 1.0)
    assert len(corners) == 3
    assert all(math.isclose(count_any(one).macs, 2 * count_any(BASE).macs, rel_tol=0.1) for one in corners)


def test_a_real_step_is_work_within_its_wall_time() -> None:
    found = seconds_per_image(SMALL._terms.job, SMALL.numerics, steps=2)
    assert 0 < found.work <= found.wall < 1
