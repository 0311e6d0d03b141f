"""The pilot: what checkpoints say about a baseline, and a real one on images that a network learns at once."""

from dataclasses import replace

import pytest

from tests.search.studies import SMALL, study
from triscale.search.measuring import pilot
from triscale.search.measuring.pilot import judged, run_pilot
from triscale.search.studies.study import Study
from triscale.trials.pilot_records import CheckpointRecord, PilotRecord


def checkpoints(*accuracies: float) -> list[CheckpointRecord]:
    """After 16, 32, 64, ... steps."""
    return [CheckpointRecord(step=16 * 2**k, accuracy=one) for k, one in enumerate(accuracies)]


@pytest.mark.parametrize(("accuracies", "leaves", "settles"), [
    ((0.1, 0.1, 0.1), None, None),
    ((0.1, 0.2, 0.1, 0.1), None, None),  # one lucky checkpoint
    ((0.1, 0.2, 0.4, 0.8), 32, None),  # it leaves chance, and more steps still double what it knows
    ((0.1, 0.4, 0.7, 0.8), 32, 64),  # 0.6 above chance is more than 3/4 of 0.7
    ((0.5, 0.5), 16, 16),
    ((0.1, 0.1, 0.12, 0.13), None, None),  # 3 standard errors of 1,000 images are 0.028
    ((), None, None),
])  # fmt: skip
def test_leaving_chance_and_settling_are_read_off_the_checkpoints(
    accuracies: tuple[float, ...], leaves: int | None, settles: int | None
) -> None:
    assert judged(checkpoints(*accuracies), 0.1, 1_000) == (leaves, settles)


def test_a_pilot_that_did_not_settle_asks_for_what_it_tried() -> None:
    tried = PilotRecord(
        batch=64, images=100, checkpoints=tuple(checkpoints(0.1, 0.2)), leaves=None, settles=None, seconds=1.0
    )
    assert tried.needed == 32
    assert replace_settles(tried, 16).needed == 16


def replace_settles(record: PilotRecord, settles: int) -> PilotRecord:
    """The same pilot, settled."""
    return PilotRecord(
        batch=record.batch, images=record.images, checkpoints=record.checkpoints, leaves=16, settles=settles,
        seconds=record.seconds,
    )  # fmt: skip


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Study:
    """A study whose pilot is looked at after 2, 4, 8, ... steps."""
    monkeypatch.setattr(pilot, "FIRST", 2)
    return study(replace(SMALL, data="flowers:96", train_size=None))


def test_a_real_pilot_doubles_its_steps_until_it_settles(small: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pilot, "judged", lambda seen, *_: (2, 8) if len(seen) == 4 else (None, None))
    found = run_pilot(small._terms.job, small.source, small.numerics, 600.0)
    assert [one.step for one in found.checkpoints] == [2, 4, 8, 16]
    assert (found.leaves, found.settles, found.needed) == (2, 8, 8)
    assert (found.images, found.batch) == (small.counts["validation"], small.recipe.batch)
    assert all(0 <= one.accuracy <= 1 for one in found.checkpoints)
    assert 0 < found.seconds < 60


def test_a_real_pilot_without_time_has_two_checkpoints(small: Study) -> None:
    """Flowers are at chance for longer than these few steps."""
    found = run_pilot(small._terms.job, small.source, small.numerics, 0.0)
    assert [one.step for one in found.checkpoints] == [2, 4]
    assert (found.leaves, found.settles, found.needed) == (None, None, 4)
