"""Reservations, and what is missing, are said."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.report import sample
from triscale import records
from triscale.report import summary_markdown, write_report


def test_a_study_cut_after_any_record_still_renders(tmp_path: Path) -> None:
    study = sample.study()
    stops = [*range(6), *(i for i, one in enumerate(study) if one["kind"] != study[i - 1]["kind"])]
    for stop in sorted(set(stops)):
        folder = tmp_path / str(stop)
        folder.mkdir()
        (folder / "records.jsonl").touch()
        page = write_report(sample.write_run(folder, records.Records(study[:stop]))).read_text(encoding="utf-8")
        assert "No answer yet: the study is unfinished." in page
        assert "Missing: " in page
        assert "No answer yet" in summary_markdown(records.Records(study[:stop]))


def test_a_torn_record_is_reported(tmp_path: Path) -> None:
    folder = sample.write_run(tmp_path)
    with (folder / "records.jsonl").open("a") as file:
        file.write('{"kind": "te')
    assert "The last record was cut by a crash" in write_report(folder).read_text(encoding="utf-8")


def test_a_finished_study_without_reservations_has_no_notices(tmp_path: Path) -> None:
    study = sample.study()
    for one in study:
        one.get("data", {}).update(notes=[])
        one.update({"half_agrees": True} if one["kind"] == "choice" else {})
    text = (
        json.dumps(list(study))
        .replace('"upsampled": true', '"upsampled": false')
        .replace('"within": false', '"within": true')
    )
    page = write_report(sample.write_run(tmp_path, records.Records(json.loads(text)))).read_text(encoding="utf-8")
    assert "There was no test set" in page
    text = text.replace('"test_from": "val"', '"test_from": "test"').replace('"skipped": 2', '"skipped": 0')
    clean = summary_markdown(records.Records(json.loads(text)))
    assert "What to know" not in clean


@pytest.mark.parametrize(
    ("kind", "change", "notice"),
    [
        ("choice", {"half_agrees": False, "warning": None}, "half the training length disagrees"),
        ("choice", {"warning": "Watch out."}, "Watch out."),
        ("study", {"data": {"skipped": 3}}, "left out since they cannot be read: 3"),
    ],
)
def test_each_reservation_has_its_notice(kind: str, change: dict[str, Any], notice: str) -> None:
    study = records.Records({**one, **(change if one["kind"] == kind else {})} for one in sample.study())
    assert notice in summary_markdown(study)


def test_unequal_cost_and_missed_tolerance_are_named() -> None:
    text = json.dumps(list(sample.study()))
    summary = summary_markdown(records.Records(json.loads(text.replace('"within": true', '"within": false'))))
    assert "Not at equal cost (more than 3 % from the compound network): compound φ=1 (1.00×), depth φ=1" in summary
    assert "Candidates outside the tolerance (twice the baseline, +- 0.1): baseline" not in summary
    assert "Candidates outside the tolerance (twice the baseline, +- 0.1): grid 1.20 1.10 1.17" in summary
