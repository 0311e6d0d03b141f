"""A study keeps the rule by which its splits were drawn, and is found again in its usual folder."""

from contextlib import chdir
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.train.pictures import class_folders
from triscale import records
from triscale.data import SplitRule
from triscale.errors import UsageError
from triscale.search.question import Question
from triscale.search.study import RECORDS, RUNS, Study

FIRST = SplitRule(version=1)
QUIET: Any = SimpleNamespace()
"""Opening a study tells nothing."""


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """All three splits: the first rule did not read `val`, so that a study by it has another fingerprint."""
    monkeypatch.setenv("TRISCALE_CACHE", str(tmp_path / "cache"))
    for split, count in (("train", 12), ("val", 4), ("test", 5)):
        class_folders(tmp_path / "data" / split, count=count)
    return tmp_path / "data"


def opened(question: Question, folder: Path | None = None) -> Study:
    return Study(question, folder, workers=1, progress=QUIET)


def written(study: Study, rule: SplitRule) -> None:
    """What a study writes first; one of version 0.1.0 has no word on splits."""
    study.folder.mkdir(parents=True, exist_ok=True)
    split = {"split": rule.document()} if rule.document() else {}
    records.append(study.folder / RECORDS, {"kind": "study", "schema": 1, "data": split})


@pytest.mark.parametrize("val", [True, False])
@pytest.mark.parametrize("usual", [True, False])
def test_a_study_of_the_first_rule_is_found_again_and_keeps_it(
    tmp_path: Path, data: Path, val: bool, usual: bool
) -> None:
    if not val:
        (data / "val").rename(tmp_path / "elsewhere")
    question, folder = Question(data=str(data), network="smallnet_24"), None if usual else tmp_path / "out"
    with chdir(tmp_path):
        study = opened(question, folder)
        assert (study.place.rule, "val" in study.place.source.parts) == (SplitRule(), val)
        study._open(FIRST)
        study.folder = folder or RUNS / study.hash
        written(study, FIRST)
        again = opened(question, folder)
        assert (again.place.rule, again.folder) == (FIRST, study.folder)
        assert "val" not in again.place.source.parts
        assert again.place.split.held == "train"


def test_a_new_study_validates_on_val_and_its_grouping_is_a_part_of_the_question(tmp_path: Path, data: Path) -> None:
    question = Question(data=str(data), network="smallnet_24")
    near = Question(**{**asdict(question), "group_by": "near"})
    assert "group_by" not in question.document(), "older studies know no such word, and their hashes stand"
    assert "--group-by near" in near.command()
    with chdir(tmp_path):
        one, other = opened(question), opened(near)
        assert one.place.split.held == "val"
        assert (len(one.place.split.training), len(one.place.split.validation)) == (24, 8)
        assert one.hash != other.hash
        written(one, FIRST)
        with pytest.raises(UsageError, match="rule 1"):
            opened(near, one.folder)
