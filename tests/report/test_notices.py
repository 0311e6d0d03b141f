"""Reservations, and what is missing, are said."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.report import sample
from triscale.report import summary_markdown, write_report
from triscale.trials import Deviation, read
from triscale.trials.study_records import ChoiceRecord, PlanRecord, StudyLine, StudyRecord


def test_a_study_cut_after_any_step_still_renders(tmp_path: Path) -> None:
    study = sample.study()
    kinds = [type(step) for step in study.steps]
    stops = [*range(1, 4), *(i for i, kind in enumerate(kinds) if i and kind is not kinds[i - 1])]
    for stop in sorted(set(stops)):
        folder = sample.write_run(tmp_path / str(stop), study, stop)
        page = write_report(folder).read_text(encoding="utf-8")
        assert "No answer yet: the study is unfinished." in page
        assert "Missing: " in page
        assert "No answer yet" in summary_markdown(read(folder))


def test_a_torn_record_is_reported(tmp_path: Path) -> None:
    folder = sample.write_run(tmp_path)
    with (folder / "records.jsonl").open("a") as file:
        file.write('{"kind": "te')
    assert "The last record was cut by a crash" in write_report(folder).read_text(encoding="utf-8")


def test_a_finished_study_without_reservations_has_no_notices(tmp_path: Path) -> None:
    study, data = sample.study(), msgspec.structs.replace(sample.opening().data, notes=())
    study = study.with_(ChoiceRecord, half_agrees=True).flagged(upsampled=False, within=True)
    noted = summary_markdown(sample.stored(tmp_path / "noted", study.with_(StudyRecord, data=data)))
    assert "There was no test set" in noted
    data = msgspec.structs.replace(data, test_from="test", skipped=0)
    clean = summary_markdown(sample.stored(tmp_path / "clean", study.with_(StudyRecord, data=data)))
    assert "What to know" not in clean


@pytest.mark.parametrize(
    ("kind", "change", "notice"),
    [
        (ChoiceRecord, {"half_agrees": False}, "half the training length disagrees"),
        (ChoiceRecord, {"warning": "Watch out."}, "Watch out."),
        (
            StudyRecord,
            {"data": msgspec.structs.replace(sample.opening().data, notes=(), skipped=3)},
            "left out since they cannot be read: 3",
        ),
    ],
)
def test_each_reservation_has_its_notice(
    tmp_path: Path, kind: type[StudyLine], change: dict[str, Any], notice: str
) -> None:
    assert notice in summary_markdown(sample.stored(tmp_path, sample.study().with_(kind, **change)))


def test_trainings_that_failed_or_left_their_plan_are_named(tmp_path: Path) -> None:
    study = sample.study()
    first = study.trials()[0]
    halved = Deviation(step=3, kind="parts", text="1 parts of a batch then, 2 now")
    study = replace(
        study,
        steps=(
            *study.steps,
            replace(
                first, job=replace(first.job, seed=7), state="failed", reason="the loss is\nnot finite", metrics={}
            ),
            replace(first, deviations=(halved,)),
        ),
    )
    summary = summary_markdown(sample.stored(tmp_path, study))
    assert r"Trainings that failed: 1. flower\_24, seed 7: the loss is not finite." in summary
    assert r"otherwise than planned, so not comparable seed by seed: flower\_24, seed 0 (1 parts of a" in summary


def test_unequal_cost_and_missed_tolerance_are_named(tmp_path: Path) -> None:
    summary = summary_markdown(sample.stored(tmp_path, sample.study().flagged(within=False)))
    assert "Not at equal cost (more than 3 % from the compound network): compound φ=1 (1.00×), depth φ=1" in summary
    assert "Candidates outside the tolerance (twice the baseline, +- 0.1): baseline" not in summary
    assert "Candidates outside the tolerance (twice the baseline, +- 0.1): grid 1.20 1.10 1.17" in summary
    larger = sample.study().flagged(within=False).with_(PlanRecord, target=4.0)
    assert "(4 times the baseline, +- 0.1)" in summary_markdown(sample.stored(tmp_path / "larger", larger))
