"""A study keeps the rule by which its splits were drawn, and validates on `val` where the data have one."""

from contextlib import chdir
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from tests.search.studies import study
from tests.training.pictures import class_folders
from triscale.errors import InputError, UsageError
from triscale.search.studies.question import Question
from triscale.search.trainings.first_record import RUNS, begun, data_facts
from triscale.trials import TrialStore
from triscale.trials.study_records import StudyRecord


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """All three splits: the first rule did not read `val`, so that a study by it has another fingerprint."""
    monkeypatch.setenv("TRISCALE_CACHE", str(tmp_path / "cache"))
    for split, count in (("train", 12), ("val", 4), ("test", 5)):
        class_folders(tmp_path / "data" / split, count=count)
    return tmp_path / "data"


def written(question: Question, folder: Path, rule: int) -> None:
    """What a study by that rule of splits writes first."""
    made = study(question, folder)
    facts = data_facts(made.source, made.counts)
    record = begun(StudyRecord, question, made.hash, facts, made.numerics, 1, {})
    older = msgspec.structs.replace(record, data=msgspec.structs.replace(record.data, rule=rule))
    with TrialStore(folder) as store:
        store.add(older)


def test_a_study_of_the_first_rule_keeps_it(tmp_path: Path, data: Path) -> None:
    question = Question(data=str(data), network="smallnet_24")
    assert "val" in study(question, tmp_path / "new").source.parts
    written(question, tmp_path / "out", rule=1)
    again = study(question, tmp_path / "out")
    assert (again.source.rule.version, "val" in again.source.parts) == (1, False)


def test_a_new_study_validates_on_val_and_its_grouping_is_a_part_of_the_question(tmp_path: Path, data: Path) -> None:
    question = Question(data=str(data), network="smallnet_24")
    near = replace(question, group_by="near")
    assert "--group-by near" in near.command()
    with chdir(tmp_path):
        one, other = study(question), study(near)
        assert (one.counts["train"], one.counts["validation"]) == (24, 8)
        assert one.folder == RUNS / one.hash != other.folder
        written(question, one.folder, rule=1)
        with pytest.raises(UsageError, match="rule 1"):
            study(near, one.folder)


def test_what_is_done_about_doubtful_images_is_a_part_of_the_question(tmp_path: Path, data: Path) -> None:
    (data / "train" / "0" / "broken.png").write_bytes(b"no image")
    with chdir(tmp_path):
        usual, strict = Question(data=str(data)), Question(data=str(data), strict=True)
        assert usual.hash("", "") != strict.hash("", "")
        assert strict.command().endswith("--strict")
        assert study(usual).source.skipped == 1
        with pytest.raises(InputError, match=r"broken\.png"):
            study(strict)


def test_a_whole_number_asks_what_the_same_fraction_asks() -> None:
    """From Python people write phi=1; the command line says 1.0."""
    whole, fraction = Question(phi=1, time=60), Question(phi=1.0, time=60.0)
    assert whole.hash("data", "network") == fraction.hash("data", "network")
    assert whole.command() == fraction.command()
