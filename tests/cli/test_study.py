"""`triscale study` and `triscale report`, in this process."""

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path
from typing import Any

import pytest
import safetensors
import torch

from tests.cli.conftest import QUESTION, Run
from tests.train.counting import counted_steps
from triscale import records
from triscale.lock import locked

# What depends on when, where and how fast.
OF_THE_MOMENT = {"seconds", "images_per_second", "finished", "started", "machine", "predicted_seconds"}


def lasting(folder: Path) -> list[str]:
    """Every record without what differs from run to run, sorted: the order of trainings follows their speed."""
    kept = ({k: v for k, v in one.items() if k not in OF_THE_MOMENT} for one in records.read(folder / "records.jsonl"))
    return sorted(json.dumps(one, sort_keys=True) for one in kept)


def stored(path: Path) -> dict[str, bytes | dict[str, str]]:
    """Every tensor of a checkpoint as bytes, and what it says of itself, whose order in the file is left to chance."""
    with safetensors.safe_open(path, framework="pt") as file:
        tensors = {name: file.get_tensor(name).numpy().tobytes() for name in file.keys()}  # noqa: SIM118  not a dict
        return {**tensors, "": file.metadata()}


def without_workers(folder: Path) -> list[str]:
    """The same but for the record of the question, which holds their number."""
    return [line for line in lasting(folder) if '"kind": "study"' not in line]


# A study that saves after every step and is killed, with all its processes, after the first step of the training that
# is given by its number. Worker processes read it too, and each of them counts its own trainings.
_KILLED = """
import os, signal, sys
from triscale.search import jobs
from triscale.train import Keeper

after_step, begun = Keeper.after_step, []

def deadly(self, engine):
    after_step(self, engine)
    if engine.step == 1:
        begun.append(self.folder)
        if len(begun) == int(sys.argv[1]):
            os.killpg(0, signal.SIGKILL)

jobs._SAVE_SECONDS, Keeper.after_step = 0.0, deadly
if __name__ == "__main__":
    from triscale.cli import main
    sys.exit(main(sys.argv[2:]))
"""


@pytest.fixture
def beside(tmp_path: Path) -> Iterator[Path]:
    """An own place, in which a study is called `run` as the finished one is."""
    with chdir(tmp_path):
        yield tmp_path


def test_a_study_leaves_answer_report_and_network(run: Run, studied: Path, pictures: Path) -> None:
    lines = records.read(studied / "records.jsonl")
    assert lines[0]["kind"] == "study"
    assert lines[-1]["kind"] == "answer"
    assert len(lines[-1]["lines"]) == 5
    assert "<html" in (studied / "report.html").read_text(encoding="utf-8")
    assert run("cost", studied / "best.json", "--json").json["macs"] > 0
    with chdir(studied.parent):
        again = run("study", *QUESTION, "--data", pictures, "--out", "run")
    assert again.code == 0
    assert again.out.splitlines()[:5] == lines[-1]["lines"]
    assert "report.html" in again.out.splitlines()[5]
    assert all(line.startswith("triscale: warning: ") for line in again.err.splitlines()), "progress is for terminals"


def test_asking_again_trains_nothing_and_json_holds_the_answer(run: Run, studied: Path, pictures: Path) -> None:
    before = (studied / "records.jsonl").read_bytes()
    with chdir(studied.parent):
        found = run("study", *QUESTION, "--data", pictures, "--out", "run", "--json").json
    assert (studied / "records.jsonl").read_bytes() == before
    assert found.keys() >= {"folder", "report", "lines", "best", "checkpoint", "coefficients", "tied"}
    assert found["coefficients"].keys() == {"alpha", "beta", "gamma"}


@pytest.mark.parametrize("kept", [0.02, 0.5, 0.97])
def test_records_cut_in_a_line_are_gone_on_with(
    run: Run, studied: Path, pictures: Path, beside: Path, kept: float
) -> None:
    """Cut in the plan, in a training and near the end: the same command ends with the same records."""
    shutil.copytree(studied, beside / "run")
    path = beside / "run" / "records.jsonl"
    whole = path.read_bytes()
    end = int(kept * len(whole))
    path.write_bytes(whole[: end - 1] if whole[end - 1 : end] == b"\n" else whole[:end])
    found = records.read(path)
    assert found.torn
    answer = run("study", *QUESTION, "--data", pictures, "--out", "run")
    assert answer.code == 0
    told = [line for line in answer.err.splitlines() if not line.startswith("triscale: warning: ")]
    done, every = len(found.all("run")), len(records.read(studied / "records.jsonl").all("run"))
    known = [f"triscale: going on: {done} of {every} trainings are done"] if found.one("plan") else []
    assert told == known, "nothing else, since progress is for terminals"
    assert lasting(beside / "run") == lasting(studied)


@pytest.mark.parametrize(("workers", "training"), [("1", 3), pytest.param("2", 1, marks=pytest.mark.slow)])
def test_a_study_killed_in_the_middle_of_a_training_goes_on_there_to_the_same_records_and_bytes(
    run: Run, studied: Path, pictures: Path, beside: Path, monkeypatch: pytest.MonkeyPatch, workers: str, training: int
) -> None:
    question = [*QUESTION[:-1], workers, "--data", str(pictures), "--out", "run"]
    (beside / "killed.py").write_text(_KILLED)
    command = [sys.executable, "killed.py", str(training), "study", *question]
    killed = subprocess.run(command, cwd=beside, start_new_session=True, capture_output=True, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    middle = list((beside / "run" / "runs").glob("*.unfinished/last.safetensors"))
    assert middle, "no training was in its middle; the test shows nothing"
    done, whole = (len(records.read(one / "records.jsonl").all("run")) for one in (beside / "run", studied))
    left = whole - done
    steps = counted_steps(monkeypatch)
    assert run("study", *question).code == 0
    if workers == "1":  # two learn elsewhere
        assert (steps.count(0), steps.count(1)) == (left - 1, left), "what was learned is learned again"
    assert without_workers(beside / "run") == without_workers(studied)
    for path in ("best.safetensors", *(f"runs/{one.name}" for one in (studied / "runs").iterdir())):
        assert stored(beside / "run" / path) == stored(studied / path)
    assert not list((beside / "run" / "runs").glob("*.unfinished"))


def test_a_folder_with_nothing_but_a_lock_is_still_free(run: Run, studied: Path, pictures: Path, beside: Path) -> None:
    """A study that was killed before its first record leaves no more."""
    with locked(beside / "run"):
        pass
    assert run("study", *QUESTION, "--data", pictures, "--out", "run").code == 0
    assert lasting(beside / "run") == lasting(studied)


@pytest.mark.slow
def test_two_workers_find_what_one_finds(run: Run, studied: Path, pictures: Path, beside: Path) -> None:
    options = list(QUESTION)
    options[options.index("--workers") + 1] = "2"

    assert run("study", *options, "--data", pictures, "--out", "run").code == 0
    assert without_workers(beside / "run") == without_workers(studied)


def test_a_plan_writes_nothing(run: Run, pictures: Path, beside: Path) -> None:
    question = ("study", *QUESTION, "--data", pictures, "--plan")
    found = run(*question, "--json").json
    text = run(*question).out
    assert list(beside.iterdir()) == []
    assert {one["rule"] for one in found["candidates"]} >= {"depth", "width", "resolution"}
    assert found["folder"].startswith("triscale-runs/")
    assert found["predicted_seconds"] >= 0
    assert found["trainings"] == 6, "the baseline, once more twice as long, and four candidates"
    assert all(word in text for word in ("predicted for 6 trainings", "ratio", "repeats", "phi 1", "40 pictures"))


def test_where_torch_computed_is_recorded_and_shown_and_no_part_of_the_question(
    run: Run, studied: Path, pictures: Path, beside: Path
) -> None:
    threads = torch.get_num_threads()
    try:
        asked = ("study", *QUESTION, "--data", pictures, "--out", "run", "--threads", 2)
        assert run(*asked).code == 0
    finally:
        torch.set_num_threads(threads)
    known, usual = records.read(beside / "run" / "records.jsonl"), records.read(studied / "records.jsonl")
    assert {(one["device"], one["threads"]) for one in known.all("run")} == {("cpu", 2)}
    assert {(one["device"], one["threads"]) for one in usual.all("run")} == {("cpu", 1)}
    first = known[0]
    assert (first["device"], first["threads"], first["machine"]["gpu"]) == ("cpu", 2, None)
    assert first["question_hash"] == usual[0]["question_hash"]
    assert "<dt>threads a training</dt><dd>2</dd>" in (beside / "run" / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(("options", "workers"), [
    ((), 8), (("--threads", 2), 4), (("--threads", 5), 1), (("--workers", 3, "--threads", 5), 3),
])  # fmt: skip
def test_workers_are_as_many_as_their_threads_leave_room_for(
    run: Run, pictures: Path, beside: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[object, ...], workers: int
) -> None:
    del beside
    monkeypatch.setattr("triscale.search.jobs.cores", lambda: 8)
    threads = torch.get_num_threads()
    try:
        question = QUESTION[: QUESTION.index("--workers")]
        found = run("study", *question, "--data", pictures, "--plan", "--json", *options).json
    finally:
        torch.set_num_threads(threads)
    assert found["workers"] == workers


def test_the_default_folder_is_named_by_the_question(run: Run, pictures: Path, beside: Path) -> None:
    del beside
    question = ("study", *QUESTION, "--data", pictures, "--plan", "--json")
    folders = [run(*question, *more).json["folder"] for more in ((), ("--seed", 0), ("--seed", 1))]
    assert folders[0] == folders[1] != folders[2]


def test_a_folder_that_another_process_holds_is_busy(run: Run, pictures: Path, beside: Path) -> None:
    with locked(beside / "run"):
        answer = run("study", *QUESTION, "--data", pictures, "--out", "run")
    assert answer.code == 75
    assert "run" in answer.err
    assert [path.name for path in (beside / "run").iterdir()] == [".lock"]


def test_another_question_in_the_same_folder_is_refused(run: Run, studied: Path, pictures: Path) -> None:
    before = (studied / "records.jsonl").read_bytes()
    answer = run("study", *QUESTION, "--data", pictures, "--seed", 7, "--out", studied)
    assert answer.code == 65
    assert (studied / "records.jsonl").read_bytes() == before


def test_the_coefficients_of_a_study_serve_scale(run: Run, studied: Path) -> None:
    choice: dict[str, Any] = records.read(studied / "records.jsonl").one("choice") or {}
    found = run("scale", "smallnet_24", "--phi", 1, "--coefficients", studied, "--json").json
    assert found["coefficients"] == choice["coefficients"]


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
