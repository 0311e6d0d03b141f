"""`triscale calibrate`, and `triscale cost --target`: what users see."""

import json
from pathlib import Path
from random import Random

import pytest

from tests.latency.predictor.world import VECTORS, sample
from triscale.cli import main
from triscale.costs import parse_target
from triscale.latency.predictor import Calibration, calibration_path
from triscale.latency.predictor.calibration_networks import RECIPE, calibration_networks
from triscale.latency.predictor.calibration_store import installed_version, save
from triscale.latency.predictor.model_fit import fit
from triscale.machine import machine

TARGET = "onnxruntime:float32:t1"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TRISCALE_CACHE", str(tmp_path))
    return tmp_path


def keep() -> Calibration:
    random, target = Random(0), parse_target(TARGET)
    model = fit([sample(net, random) for net in calibration_networks(8)], VECTORS)
    found = Calibration(
        target=str(target), engine_version=installed_version(target), machine=machine(), made="2026-11-28T01:02:03",
        seconds=60.0, networks=8, recipe=RECIPE, model=model, whole={},
    )  # fmt: skip
    save(found, calibration_path(target))
    return found


@pytest.mark.usefixtures("cache")
def test_cost_says_what_a_target_needs_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cost", "efficientnet_b0", "--target", TARGET]) == 65
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) <= 3
    assert "triscale calibrate --target onnxruntime:float32:t1:b1" in lines[-1]


@pytest.mark.usefixtures("cache")
def test_cost_predicts_on_a_calibrated_target(capsys: pytest.CaptureFixture[str]) -> None:
    expected = keep()
    assert main(["cost", "mobilenet_v2", "--target", TARGET, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["macs"] == 300_774_272
    low, high = found["latency"]["interval_ms"]
    assert low < found["latency"]["predicted_ms"] < high
    assert found["latency"]["target"] == expected.target
    assert main(["cost", "mobilenet_v2", "--target", TARGET]) == 0
    assert "latency on onnxruntime:float32:t1:b1: " in capsys.readouterr().out


def test_mistakes_are_one_to_three_lines(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, code, words in (
        (["calibrate"], 64, "--target"),
        (["calibrate", "--target", "fast"], 64, "ENGINE:PRECISION"),
        (["calibrate", "--target", "onnxruntim:float32:t1"], 64, "onnxruntime"),
        (["calibrate", "--target", "onnxruntime:bfloat16:t1"], 65, "bfloat16"),
        (["calibrate", "--target", "onnxruntime:float32:t9999"], 64, "cores"),
        (["calibrate", "--target", TARGET, "--check"], 65, "has not been calibrated"),
        (["cost", "resnet18", "--calibration", str(cache / "x.json")], 64, "--target"),
        (["cost", "resnet18", "--target", TARGET, "--calibration", str(cache / "x.json")], 65, "cannot be read"),
    ):
        assert main(arguments) == code, arguments
        error = capsys.readouterr().err
        assert words in error, arguments
        assert len(error.splitlines()) <= 3, arguments
