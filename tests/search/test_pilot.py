"""The pilot: what checkpoints say of a baseline, and a real one on images that a network learns at once."""

from dataclasses import replace

import pytest

from tests.search.studies import SMALL, study
from triscale.search.measuring import pilot
from triscale.search.measuring.pilot import judged, run_pilot
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


def test_a_real_pilot_doubles_its_steps_until_its_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Flowers are at chance for much longer than these few steps."""
    monkeypatch.setattr(pilot, "FIRST", 2)
    small = study(replace(SMALL, data="flowers:96", train_size=None))
    found = run_pilot(small._terms.job, small.source, small.numerics, 0.3)
    steps = [one.step for one in found.checkpoints]
    assert steps == [2 * 2**k for k in range(len(steps))]
    assert steps
    assert found.images == small.counts["validation"]
    assert all(0 <= one.accuracy <= 1 for one in found.checkpoints)
    assert found.batch == small.recipe.batch
    assert 0 < found.seconds < 30
