"""Which rounds count: by readings of a work that is always the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triscale.latency.measuring.quiet import SHARE, Reading, judged

BEST = Reading(wall=1.0, cpu=1.0)
SLOW = Reading(wall=1.2, cpu=1.0)


def test_a_round_beside_which_the_reference_was_slow_is_thrown_out_and_counted() -> None:
    rounds = [[BEST, BEST] for _ in range(9)] + [[BEST, SLOW, BEST]]
    found = judged(rounds)
    assert found.counted == tuple(range(9))
    assert (found.discarded, found.loaded) == (1, False)
    assert found.slowest == pytest.approx(1.2)


def test_where_most_rounds_are_disturbed_the_machine_was_loaded_and_no_round_is_hidden() -> None:
    found = judged([[BEST, BEST]] * 6 + [[SLOW, BEST]] * 7)
    assert found.loaded
    assert found.discarded == 7
    assert found.counted == tuple(range(13))


def test_a_load_that_never_pauses_is_found_by_the_processors_own_clock() -> None:
    """Every reading is like every other one, and each waited half of its time."""
    assert judged([[Reading(wall=2.0, cpu=1.0)] * 2] * 10).loaded


def test_with_too_few_rounds_left_for_an_interval_the_machine_was_loaded() -> None:
    assert judged([[BEST]] * 5 + [[SLOW]] * 3).loaded
    assert not judged([[BEST]] * 6 + [[SLOW]] * 3).loaded
    assert not judged([[BEST]] * 2).loaded, "two rounds that were asked for, both quiet"


WALLS = st.lists(st.lists(st.floats(0.5, 5.0), min_size=1, max_size=4), min_size=1, max_size=20)


@given(walls=WALLS, unit=st.floats(0.01, 100.0))
def test_the_unit_of_the_clock_changes_nothing(walls: list[list[float]], unit: float) -> None:
    plain, scaled = (
        judged([[Reading(wall=wall * by, cpu=wall * by) for wall in one] for one in walls]) for by in (1.0, unit)
    )
    close = [wall / min(map(min, walls)) for one in walls for wall in one]
    if all(abs(ratio - 1 - SHARE) > 1e-9 for ratio in close):
        assert (plain.counted, plain.discarded, plain.loaded) == (scaled.counted, scaled.discarded, scaled.loaded)


@given(walls=WALLS)
def test_every_round_counts_or_is_discarded_but_on_a_loaded_machine(walls: list[list[float]]) -> None:
    found = judged([[Reading(wall=wall, cpu=wall) for wall in one] for one in walls])
    assert len(found.counted) == len(walls) - (0 if found.loaded else found.discarded)
