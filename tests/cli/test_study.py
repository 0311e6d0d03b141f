"""`triscale study` and `triscale report`, in this process."""

import shutil
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path

import msgspec
import pytest
import torch

from tests.cli.conftest import QUESTION, Run
from tests.search.studies import outcome
from triscale.lock import locked
from triscale.trials import TrialStore, read
from triscale.trials.study_records import AnswerRecord, ChoiceRecord, PlanRecord, StudyRecord


def text_of(folder: Path) -> dict[str, object]:
    """What a study decided and found, without what differs from run to run."""
    stored = read(folder)
    answer, choice = stored.one(AnswerRecord), stored.one(ChoiceRecord)
    return {"answer": answer, "choice": choice, "trials": outcome(folder)}


@pytest.fixture
def beside(tmp_path: Path) -> Iterator[Path]:
    """An own place, in which a study is called `run` as the finished one is."""
    with chdir(tmp_path):
        yield tmp_path


def test_a_study_leaves_answer_report_and_network(run: Run, studied: Path, pictures: Path) -> None:
    answer = read(studied).one(AnswerRecord)
    assert answer is not None
    assert len(answer.lines) == 5
    assert "<html" in (studied / "report.html").read_text(encoding="utf-8")
    assert run("cost", studied / "best.json", "--json").json["macs"] > 0
    with chdir(studied.parent):
        again = run("study", *QUESTION, "--data", pictures, "--out", "run")
    assert again.code == 0
    assert again.out.splitlines()[:5] == list(answer.lines)
    assert "report.html" in again.out.splitlines()[5]
    assert all(line.startswith("triscale: warning: ") for line in again.err.splitlines()), "progress is for terminals"


def test_asking_again_trains_nothing_and_json_holds_the_answer(run: Run, studied: Path, pictures: Path) -> None:
    before = (studied / "records.jsonl").read_bytes()
    with chdir(studied.parent):
        found = run("study", *QUESTION, "--data", pictures, "--out", "run", "--json").json
    assert (studied / "records.jsonl").read_bytes() == before
    assert found.keys() >= {"folder", "report", "lines", "best", "checkpoint", "coefficients", "tied"}
    assert found["coefficients"].keys() == {"alpha", "beta", "gamma"}
    assert found.keys() >= {"answer", "chosen", "region", "within_half_a_point", "smallest_difference", "rivals"}
    assert found["answer"] == found["lines"][0]
    assert {one["id"] for one in found["candidates"]} >= {found["chosen"]["id"]}


@pytest.mark.parametrize("kept", [0.02, 0.5, 0.97])
def test_a_store_cut_in_a_line_is_resumed(run: Run, studied: Path, pictures: Path, beside: Path, kept: float) -> None:
    """Cut early, in a training and near the end: the same command ends with the same trials and the same answer."""
    shutil.copytree(studied, beside / "run")
    path = beside / "run" / "records.jsonl"
    content = path.read_bytes()
    end = int(kept * len(content))
    path.write_bytes(content[: end - 1] if content[end - 1 : end] == b"\n" else content[:end])
    found = read(beside / "run")
    assert found.torn
    answer = run("study", *QUESTION, "--data", pictures, "--out", "run")
    assert answer.code == 0
    told = [line for line in answer.err.splitlines() if not line.startswith("triscale: warning: ")]
    done = sum(one.state == "done" for one in found)
    known = [f"triscale: resuming: {done} of 8 trainings are done"] if found.one(PlanRecord) else []
    assert told == known, "nothing else, since progress is for terminals"
    assert text_of(beside / "run") == text_of(studied)


def test_a_folder_with_nothing_but_a_lock_is_still_free(run: Run, studied: Path, pictures: Path, beside: Path) -> None:
    """A study that was killed before its first record leaves no more."""
    with locked(beside / "run"):
        pass
    assert run("study", *QUESTION, "--data", pictures, "--out", "run").code == 0
    assert text_of(beside / "run") == text_of(studied)


def test_a_plan_writes_nothing(run: Run, pictures: Path, beside: Path) -> None:
    question = ("study", *QUESTION, "--data", pictures, "--plan")
    found = run(*question, "--json").json
    text = run(*question).out
    assert list(beside.iterdir()) == []
    assert {one["rule"] for one in found["candidates"]} >= {"depth", "width"}
    assert found["folder"].startswith("triscale-runs/")
    assert found["predicted_seconds"] >= 0
    assert found["trainings"] == 8, "the baseline, once more twice as long, four candidates, two rivals"
    assert all(word in text for word in ("predicted for 8 trainings", "ratio", "repeats", "phi 1", "40 images"))


def test_where_torch_computed_is_recorded_and_shown_and_no_part_of_the_question(
    run: Run, studied: Path, pictures: Path, beside: Path
) -> None:
    threads = torch.get_num_threads()
    try:
        asked = ("study", *QUESTION, "--data", pictures, "--out", "run", "--threads", 2)
        assert run(*asked).code == 0
    finally:
        torch.set_num_threads(threads)
    known, usual = read(beside / "run"), read(studied)
    assert {(one.numerics.device, one.numerics.threads) for one in known if one.numerics} == {("cpu", 2)}
    assert {(one.numerics.device, one.numerics.threads) for one in usual if one.numerics} == {("cpu", 1)}
    first, other = known.one(StudyRecord), usual.one(StudyRecord)
    assert first is not None
    assert other is not None
    assert (first.device, first.threads, first.machine["gpu"]) == ("cpu", 2, None)
    assert first.question_hash == other.question_hash
    assert "<dt>threads a training</dt><dd>2</dd>" in (beside / "run" / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(("options", "jobs"), [
    ((), 8), (("--threads", 2), 4), (("--threads", 5), 1), (("--jobs", 3, "--threads", 5), 3),
])  # fmt: skip
def test_jobs_are_as_many_as_their_threads_leave_room_for(
    run: Run, pictures: Path, beside: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[object, ...], jobs: int
) -> None:
    del beside
    monkeypatch.setattr("triscale.api.training.cores", lambda: 8)
    threads = torch.get_num_threads()
    try:
        question = QUESTION[: QUESTION.index("--jobs")]
        found = run("study", *question, "--data", pictures, "--plan", "--json", *options).json
    finally:
        torch.set_num_threads(threads)
    assert found["jobs"] == jobs


def test_the_default_folder_is_named_by_the_question(run: Run, pictures: Path, beside: Path) -> None:
    del beside
    question = ("study", *QUESTION, "--data", pictures, "--plan", "--json")
    folders = [run(*question, *more).json["folder"] for more in ((), ("--seed", 0), ("--seed", 1))]
    assert folders[0] == folders[1] != folders[2]


def test_a_folder_that_another_process_holds_is_busy(run: Run, pictures: Path, beside: Path) -> None:
    with TrialStore(beside / "run"):
        answer = run("study", *QUESTION, "--data", pictures, "--out", "run")
    assert answer.code == 75
    assert "run" in answer.err
    assert {path.name for path in (beside / "run").iterdir()} == {".lock"}


def test_another_question_in_the_same_folder_is_refused(run: Run, studied: Path, pictures: Path) -> None:
    before = (studied / "records.jsonl").read_bytes()
    answer = run("study", *QUESTION, "--data", pictures, "--seed", 7, "--out", studied)
    assert answer.code == 65
    assert (studied / "records.jsonl").read_bytes() == before


def test_the_folder_of_a_study_takes_no_training(run: Run, studied: Path, pictures: Path) -> None:
    before = (studied / "records.jsonl").read_bytes()
    answer = run("train", "--network", QUESTION[0], "--data", pictures, "--out", studied)
    assert (answer.code, "holds a study, not a training" in answer.err) == (65, True)
    assert (studied / "records.jsonl").read_bytes() == before


def test_the_coefficients_of_a_study_serve_scale(run: Run, studied: Path) -> None:
    choice = read(studied).one(ChoiceRecord)
    assert choice is not None
    found = run("scale", "smallnet_24", "--phi", 1, "--coefficients", studied, "--json").json
    assert found["coefficients"] == msgspec.to_builtins(choice.coefficients)


def test_report_is_made_again_from_the_records(run: Run, studied: Path, beside: Path) -> None:
    shutil.copytree(studied, beside / "run")
    (beside / "run" / "report.html").unlink()
    assert run("report", "run", "--json").json == {"report": "run/report.html"}
    assert (beside / "run" / "report.html").read_bytes() == (studied / "report.html").read_bytes()


@pytest.mark.parametrize("what", ["nothing", "empty", "damaged"])
def test_report_without_records_is_wrong_input(run: Run, beside: Path, what: str) -> None:
    if what != "nothing":
        (beside / "run").mkdir()
    if what == "damaged":
        (beside / "run" / "records.jsonl").write_text('{"kind":"study"}\nnonsense\n{"kind":"plan"}\n')
    answer = run("report", "run")
    assert answer.code == 65
    assert "run" in answer.err
