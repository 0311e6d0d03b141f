"""Folders that 0.1 left are of use: loaded, evaluated, exported, reported. They are not resumed."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cli.conftest import Run
from tests.fixtures import RUNS_OF_0_1, numbers
from tests.fixtures.shapes import CLASSES, shapes, write_shapes
from triscale.weights import load


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_shapes(tmp_path_factory.mktemp("data") / "shapes")


@pytest.fixture(params=["train", "study"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A training or a study as 0.1 left it; the weights are those of the training."""
    copy = Path(shutil.copytree(RUNS_OF_0_1 / request.param, tmp_path / request.param))
    shutil.copy(RUNS_OF_0_1 / "train" / "best.safetensors", copy)
    return copy


def test_evaluate_finds_what_0_1_found(run: Run, folder: Path, data: Path) -> None:
    """On the images of its own test, of which none was seen in the training."""
    found = run("evaluate", folder, "--data", data, "--json").json
    assert (found["n"], found["top1"], found["seen_in_training"]["used"]) == (90, 26 / 90, 0)
    own = run("evaluate", folder, "--data", data, "--split", "train", "--json").json
    assert own["seen_in_training"]["used"] == 360


def test_predict_names_its_classes(run: Run, folder: Path, tmp_path: Path) -> None:
    Image.fromarray(shapes(1, 0)[0][0]).save(tmp_path / "one.png")
    (found,) = run("predict", folder, tmp_path / "one.png", "--json").json
    assert {one["name"] for one in found["top"]} == set(CLASSES)


@pytest.mark.slow
def test_export_proves_itself(run: Run, folder: Path, tmp_path: Path) -> None:
    done = run("export", folder, "--out", tmp_path / "model.onnx", "--json")
    assert done.code == 0, done.err
    assert (tmp_path / "model.onnx").exists()


def test_its_weights_load(folder: Path) -> None:
    checkpoint = load(folder / "best.safetensors")
    assert (checkpoint.network.name, checkpoint.classes) == ("tiny_16", CLASSES)
    assert all(np.isfinite(value.numpy()).all() for value in checkpoint.state.values())


def test_a_study_is_reported_and_its_coefficients_are_used(run: Run) -> None:
    study = RUNS_OF_0_1 / "study"
    summary = run("report", study, "--summary").out
    assert numbers(summary) == numbers((study / "summary.md").read_text(encoding="utf-8"))
    found = run("scale", "efficientnet_b0", "--phi", 1, "--coefficients", study, "--json").json
    lines = map(json.loads, (study / "records.jsonl").read_text(encoding="utf-8").splitlines())
    chosen = next(line for line in lines if line["kind"] == "choice")
    assert found["coefficients"] == chosen["coefficients"]


@pytest.mark.parametrize("kind", ["train", "train-unfinished", "study", "study-unfinished"])
def test_none_is_resumed_or_written_over(run: Run, data: Path, tmp_path: Path, kind: str) -> None:
    """Exit code 65, with what to do instead."""
    copy = Path(shutil.copytree(RUNS_OF_0_1 / kind, tmp_path / "run"))
    before = {path.name: path.read_bytes() for path in copy.iterdir()}
    if kind.startswith("train"):
        done = run("train", "--network", "smallnet_24", "--data", data, "--out", copy)
    else:
        done = run("study", "smallnet_24", "--data", data, "--out", copy)
    assert (done.code, done.out) == (65, "")
    assert "0.1" in done.err
    assert "--out" in done.err
    assert len(done.err.splitlines()) <= 3
    assert {path.name: path.read_bytes() for path in copy.iterdir() if path.name != ".lock"} == before
