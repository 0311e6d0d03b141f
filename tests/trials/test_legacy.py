"""What triscale 0.1 wrote is read as typed trials and records, and says what it said."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures import RUNS_OF_0_1, numbers
from tests.paths import ROOT
from tests.report.reading import Reader
from triscale.cli.options.coefficients import read_coefficients
from triscale.errors import InputError
from triscale.report import summary_markdown, write_report
from triscale.spec import content_hash
from triscale.trials import RECORDS, FirstWeights, TrainJob, read
from triscale.trials.study_records import ChoiceRecord, FamilyRecord, PlanRecord, StudyRecord

STUDIES = ["study", "study-unfinished"]
COMMITTED = sorted(
    path.parent
    for path in (ROOT / "results").glob("*/records.jsonl")
    if '"kind":"store"' not in path.read_text(encoding="utf-8").partition("\n")[0]
)
"""Studies that 0.1 made: its files do not begin with the line of a store."""


def lines(folder: Path, kind: str) -> list[dict[str, Any]]:
    """The lines of a kind as they stand in a file of 0.1."""
    found = map(json.loads, (folder / RECORDS).read_text(encoding="utf-8").splitlines())
    return [line for line in found if line["kind"] == kind]


@pytest.mark.parametrize("name", STUDIES)
def test_a_summary_has_the_numbers_that_0_1_wrote(name: str) -> None:
    wanted = (RUNS_OF_0_1 / name / "summary.md").read_text(encoding="utf-8")
    assert numbers(summary_markdown(read(RUNS_OF_0_1 / name))) == numbers(wanted)


@pytest.mark.parametrize("name", STUDIES)
def test_a_page_has_the_numbers_of_the_one_of_0_1(tmp_path: Path, name: str) -> None:
    """In any order: a page of today has its answer first, in one sentence more."""
    (tmp_path / RECORDS).write_bytes((RUNS_OF_0_1 / name / RECORDS).read_bytes())
    found = " ".join(Reader(write_report(tmp_path).read_text(encoding="utf-8")).words)
    wanted = (RUNS_OF_0_1 / name / "page.txt").read_text(encoding="utf-8")
    assert Counter(numbers(wanted)) - Counter(numbers(found)) == Counter()


@pytest.mark.parametrize("folder", [*(RUNS_OF_0_1 / name for name in STUDIES), *COMMITTED], ids=lambda one: one.name)
def test_the_trials_of_a_study_are_the_runs_of_its_file(folder: Path) -> None:
    stored, tests = read(folder), {(one["id"], one["seed"], one["epochs"]): one for one in lines(folder, "test")}
    runs = lines(folder, "run")
    assert len(stored) == len(runs) > 0
    for trial, run in zip(stored, runs, strict=True):
        key = content_hash(trial.network), trial.seed, trial.epochs
        assert key == (run["id"], run["seed"], run["epochs"])
        assert (trial.state, trial.purpose, trial.job.keep) == ("done", run["phase"], "last")
        assert (trial.half_top1, trial.history[-1].samples) == (run["half_top1"], run["samples"])
        assert {**trial.metrics, "test_top1": 0} == {
            **{name: run[name] for name in ("validation_top1", "train_loss", "samples", "seconds")},
            "images_per_second": run["images_per_second"], "test_top1": 0,
        }  # fmt: skip
        assert trial.metrics.get("test_top1") == tests.get(key, {}).get("top1")
        assert [(one.epoch, one.validation_top1) for one in trial.history] == [
            (one["epoch"], one["validation_top1"]) for one in run["history"]
        ]


@pytest.mark.parametrize("folder", [*(RUNS_OF_0_1 / name for name in STUDIES), *COMMITTED], ids=lambda one: one.name)
def test_the_records_of_a_study_are_those_of_its_file(folder: Path) -> None:
    stored = read(folder)
    (study,), (plan,) = lines(folder, "study"), lines(folder, "plan")
    found, planned = stored.one(StudyRecord), stored.one(PlanRecord)
    assert found is not None
    assert planned is not None
    assert (found.question, found.question_hash, found.jobs) == (
        study["question"], study["question_hash"], study["workers"],
    )  # fmt: skip
    assert (found.data.train, found.data.notes) == (study["data"]["train"], tuple(study["data"]["notes"]))
    assert planned.recipe.to_dict() == plan["recipe"]
    networks = [
        plan["baseline"],
        *plan["candidates"],
        *(one for it in lines(folder, "family") for one in it["members"]),
    ]
    family = stored.one(FamilyRecord)
    ours = [planned.baseline, *planned.candidates, *(family.members if family else ())]
    assert [(one.id, one.cost, one.ratio) for one in ours] == [
        (one["id"], one["cost"], one["ratio"]) for one in networks
    ]
    for one in networks:
        network = stored.network(one["id"])
        assert (content_hash(network), network.resolution) == (one["id"], tuple(one["network"]["resolution"]))
    choices = [one["coefficients"] for one in lines(folder, "choice")]
    assert [one.coefficients.alpha for one in stored.all(ChoiceRecord)] == [one["alpha"] for one in choices]


def test_a_training_is_one_trial() -> None:
    (done,), (running,) = (read(RUNS_OF_0_1 / name) for name in ("train", "train-unfinished"))
    (ended,) = lines(RUNS_OF_0_1 / "train", "result")
    assert (done.state, done.kept_epoch, done.checkpoint, done.job.keep) == ("done", 2, "best.safetensors", "best")
    assert done.metrics["validation_top1"] == ended["val_top1"]
    assert done.metrics["images_per_second"] == ended["images_per_second"]
    assert (running.state, running.metrics, running.seed, running.job.recipe.optimizer) == ("running", {}, 3, "adamw")
    for name, trial in (("train", done), ("train-unfinished", running)):
        epochs = lines(RUNS_OF_0_1 / name, "epoch")
        assert [(one.epoch, one.train_loss, one.gradient_norm) for one in trial.history] == [
            (one["epoch"], one["train_loss"], one["gradient_norm"]) for one in epochs
        ]


def test_what_a_training_began_with_is_read_from_its_run_json(tmp_path: Path) -> None:
    def job() -> TrainJob:
        (trial,) = read(tmp_path)
        return trial.job

    (tmp_path / RECORDS).write_bytes((RUNS_OF_0_1 / "train" / RECORDS).read_bytes())
    assert (job().weights, job().teacher) == (None, None)
    identity = {"weights": "beef", "grow": True, "teacher": "cafe"}
    (tmp_path / "run.json").write_text(json.dumps({"identity": identity}))
    assert (job().weights, job().teacher) == (FirstWeights(digest="beef", network="tiny_16", grow=True), "cafe")
    (tmp_path / "run.json").write_text("{")
    assert (job().weights, job().teacher) == (None, None)


def test_coefficients_come_from_a_study_of_0_1_that_has_chosen() -> None:
    (choice,) = lines(RUNS_OF_0_1 / "study", "choice")
    for run in (RUNS_OF_0_1 / "study", RUNS_OF_0_1 / "study" / RECORDS):
        assert read_coefficients(str(run))._asdict() == choice["coefficients"]
    for name, why in (("study-unfinished", "has not chosen"), ("train", "holds no study")):
        with pytest.raises(InputError, match=why):
            read_coefficients(str(RUNS_OF_0_1 / name))


def changed(tmp_path: Path, *more: str) -> Path:
    """A study of 0.1 with more lines."""
    content = (RUNS_OF_0_1 / "study-unfinished" / RECORDS).read_text(encoding="utf-8")
    (tmp_path / RECORDS).write_text(content + "".join(f"{line}\n" for line in more), encoding="utf-8")
    return tmp_path


def test_a_failed_training_has_its_reason(tmp_path: Path) -> None:
    (plan,) = lines(RUNS_OF_0_1 / "study-unfinished", "plan")
    about = {"id": plan["baseline"]["id"], "phase": "leaders", "seed": 5, "epochs": 2}
    *_, failed = read(changed(tmp_path, json.dumps({"kind": "failed", **about, "reason": "the loss is not finite"})))
    assert (failed.state, failed.reason, failed.seed) == ("failed", "the loss is not finite", 5)


def test_a_torn_line_is_left_out_and_reported(tmp_path: Path) -> None:
    with (changed(tmp_path) / RECORDS).open("a") as file:
        file.write('{"kind":"run","id":"3f')
    found = read(tmp_path)
    assert (len(found), found.torn) == (7, True)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ('{"kind":"trial","key":"7"}', r"line 10: Invalid value 'trial'"),
        ('{"kind":"run","id":"7"}', r"line 10: .*missing required field"),
        ('{"kind":"failed","id":"7","phase":"","seed":0,"epochs":1,"reason":""}', "holds no network 7"),
        ('{"kind":"test","id":"7","seed":0,"epochs":1,"top1":0.5}', "a `test` record stands where 0.1 wrote none"),
    ],
)
def test_a_line_that_0_1_never_wrote_is_wrong_input(tmp_path: Path, line: str, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        read(changed(tmp_path, line, line))
