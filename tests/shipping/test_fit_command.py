"""`triscale fit` as people type it."""

import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.conftest import Run, run
from tests.shipping.conftest import Fitted
from triscale.shipping.fit_question import FitQuestion
from triscale.trials import RECORDS, read
from triscale.trials.fits.fit_records import FitRecord, FitTestRecord, ShippedRecord

__all__ = ["run"]

OPTIONS = (
    "--budget", "macs=120000", "--budget", "file_size=90000", "--epochs", "3", "--device", "cpu", "--threads", "1",
    "--loader-workers", "0",
)  # fmt: skip


def test_the_same_command_gives_the_answer_again_as_text_and_json(run: Run, fitted: Fitted) -> None:
    answer = run("fit", "--data", fitted.data, *OPTIONS, "--out", fitted.folder)
    assert answer.code == 0, answer.err
    assert answer.out.splitlines() == list(fitted.result.lines)
    found = run("fit", "--data", fitted.data, *OPTIONS, "--out", fitted.folder, "--json").json
    assert found["answer"] == answer.out.splitlines()
    assert found["test"]["correct"] == fitted.result.test.correct
    assert {one["name"]: one["use"] <= one["limit"] for one in found["limits"]} == {"macs": True, "file_size": True}
    judged = run("evaluate", found["file"], "--data", fitted.data, "--json").json
    assert judged["top1"] == found["test"]["top1"]


def test_the_command_in_its_pages_is_complete_and_in_the_units_that_people_type(run: Run, fitted: Fitted) -> None:
    begun = read(fitted.folder).one(FitRecord)
    assert begun is not None
    command = str(begun.command)
    limits = "--budget macs=120k --budget file_size=90kB"
    assert command == (
        f"triscale fit --data {fitted.data} {limits} --epochs 3 --time 1h --out {fitted.folder} --device cpu "
        "--threads 1 --loader-workers 0"
    )
    assert f"\n{command}\n" in (fitted.folder / "README.md").read_text()
    assert f">{command}<" in (fitted.folder / "report.html").read_text()
    answer = run(*shlex.split(command)[1:])
    assert answer.code == 0, answer.err
    assert answer.out.splitlines() == list(fitted.result.lines)


def test_what_a_fit_was_asked_is_on_its_command_line() -> None:
    asked = FitQuestion(
        data="flowers", network="B0", budget={"macs": 25e6, "inference_memory": 2.0**21, "latency": 0.005}, time=5400,
        weights="none", rule="width", no_comparison=True, follow_links=True, batch=8,
    )  # fmt: skip
    assert asked.command(out=Path("my file"), device=None, no_kernels=True) == (
        "triscale fit --data flowers --network efficientnet_b0 --budget macs=25M --budget inference_memory=2MiB "
        "--budget latency=5ms --batch 8 --time 90m --follow-links --weights none --rule width --no-comparison "
        "--out 'my file' --no-kernels"
    )


def test_the_report_is_made_again_from_the_records(run: Run, fitted: Fitted) -> None:
    page = fitted.folder / "report.html"
    before = page.read_bytes()
    page.unlink()
    assert run("report", fitted.folder).code == 0
    assert page.read_bytes() == before
    assert "## The limits" in run("report", fitted.folder, "--summary").out


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        ((*OPTIONS[:4], "--epochs", "4"), 65, "holds another fit: epochs was 3, now 4"),
        (("--budget", "speed=9"), 64, "unknown limit 'speed'"),
        (("--budget", "macs=1M", "--network", "resnt"), 64, "unknown network"),
        (("--budget", "macs=1M", "--time", "soon"), 64, "is not a duration"),
        (("--budget", "macs=1M", "--time", "5"), 64, "has no unit: write 5m for minutes, or 5s for seconds"),
        (("--budget", "macs:1M"), 64, "did you mean macs=1M?"),
        (("--budget", "latency=9ms", "--target", "cuda"), 64, "is not ENGINE:PRECISION"),
    ],
)
def test_a_mistake_is_three_lines_at_most_and_a_code(
    run: Run, fitted: Fitted, options: tuple[str, ...], code: int, words: str
) -> None:
    answer = run("fit", "--data", fitted.data, *options, "--out", fitted.folder)
    assert answer.code == code
    assert words in answer.err
    assert len(answer.err.splitlines()) <= 3


def test_no_images_and_a_folder_of_others_are_told_before_any_work(run: Run, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("mine")
    answer = run("fit", "--data", tmp_path / "nowhere", "--budget", "macs=1M", "--out", tmp_path / "mine")
    assert (answer.code, answer.err.count("\n")) == (73, 1)
    assert "is not empty and holds no fit" in answer.err
    answer = run("fit", "--data", tmp_path / "nowhere", "--budget", "macs=1M", "--out", tmp_path / "new")
    assert answer.code == 65
    assert "nowhere" in answer.err
    assert not (tmp_path / "new").exists()
    below_a_file = tmp_path / "mine" / "letter.txt" / "out"
    answer = run("fit", "--data", tmp_path / "nowhere", "--budget", "macs=1M", "--out", below_a_file)
    assert (answer.code, answer.err.count("\n")) == (73, 1)
    assert "cannot be written" in answer.err


@pytest.mark.slow
def test_a_fit_that_is_killed_again_and_again_ends_with_the_same_answer(fitted: Fitted, tmp_path: Path) -> None:
    """SIGKILL as soon as each further record is written: in the planning, both trainings, the export and the test."""
    folder, kills, known = tmp_path / "shipped", 0, 0
    command = [sys.executable, "-m", "triscale", "fit", "--data", str(fitted.data), *OPTIONS, "--out", str(folder)]
    while True:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ})
        while process.poll() is None and _lines(folder) <= known:
            time.sleep(0.05)
        if process.poll() is not None:
            break
        known = _lines(folder)
        process.send_signal(signal.SIGKILL)
        process.wait()
        kills += 1
    assert process.returncode == 0
    assert kills >= 5
    stored, whole = read(folder), read(fitted.folder)
    assert stored.one(FitTestRecord) == whole.one(FitTestRecord)
    assert [one.key for one in stored] == [one.key for one in whole]
    assert stored.one(ShippedRecord) is not None


def _lines(folder: Path) -> int:
    path = folder / RECORDS
    return path.read_bytes().count(b"\n") if path.exists() else 0
