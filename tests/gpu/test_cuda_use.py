"""What was trained on a GPU is used anywhere; several trainings share one GPU."""

from pathlib import Path

import pytest

from tests.cli.conftest import Run, pictures, run
from tests.search.studies import SMALL
from triscale import trials
from triscale.search.studies.study import Study
from triscale.training import numerics_here
from triscale.trials.study_records import AnswerRecord

__all__ = ["pictures", "run"]

TRAIN = ("train", "--network", "smallnet_24@resolution=0.34", "--recipe", "quick", "--epochs", "3", "--batch", "16")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where one training lies that all tests use."""
    return tmp_path_factory.mktemp("trained")


@pytest.fixture
def trained(run: Run, pictures: Path, place: Path) -> Path:
    """A training on the GPU; the same command again finds it done."""
    answer = run(*TRAIN, "--data", pictures, "--device", "cuda", "--out", place / "run")
    assert answer.code == 0, answer.err
    return place / "run" / "best.safetensors"


def test_an_evaluation_on_the_gpu_agrees_with_one_on_the_cpu(run: Run, trained: Path, pictures: Path) -> None:
    found = [run("evaluate", trained, "--data", pictures, "--device", one, "--json").json for one in ("cpu", "cuda")]
    assert found[0]["n"] == found[1]["n"] == 16
    assert abs(found[0]["top1"] - found[1]["top1"]) <= 1 / 16


def test_predictions_on_the_gpu_name_the_classes_of_the_cpu(run: Run, trained: Path, pictures: Path) -> None:
    files = sorted((pictures / "test" / "red").glob("*.png"))[:4]
    ours, theirs = (run("predict", trained, *files, "--device", one, "--json").json for one in ("cuda", "cpu"))
    for one, other in zip(ours, theirs, strict=True):
        assert one["top"][0]["class"] == other["top"][0]["class"]
        assert one["top"][0]["probability"] == pytest.approx(other["top"][0]["probability"], abs=0.02)


def test_weights_of_a_gpu_are_exported_and_prove_themselves(run: Run, trained: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnxscript")
    answer = run("export", trained, "--out", tmp_path / "net.onnx")
    assert answer.code == 0, answer.err
    assert (tmp_path / "net.onnx").stat().st_size > 1000


def test_a_study_runs_several_trainings_at_a_time_on_one_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRISCALE_CACHE", str(tmp_path / "cache"))
    Study(SMALL, tmp_path / "study", jobs=4, numerics=numerics_here("cuda", 1)).run()
    stored = trials.read(tmp_path / "study")
    assert stored.one(AnswerRecord) is not None
    assert {one.state for one in stored} == {"done"}
    assert {one.numerics.device for one in stored if one.numerics} == {"cuda:0"}
    assert all(one.machine["gpu"] for one in stored)
