"""`triscale export`, and exported files where `predict` and `evaluate` take weights."""

import json
import re
import socket
import subprocess
import sys
from pathlib import Path
from time import sleep

import numpy as np
import pytest

from tests.cli.conftest import Run
from tests.deploy.lower_data import own_truth
from tests.deploy.networks import NAMES, classifier, photo, saved, small
from triscale.spec import Preprocessing


def test_export_prints_one_document_and_predict_answers_alike(
    run: Run, checkpoint: Path, picture: Path, tmp_path: Path
) -> None:
    out = tmp_path / "x.onnx"
    made = run("export", checkpoint, "--out", out, "--override", "crop=0.9", "--json").json
    assert made["files"] == [{"file": str(out), "bytes": out.stat().st_size}]
    assert (made["resolution"], made["batch"], made["classes"]) == ([33, 47], "dynamic", len(NAMES))
    assert made["proof"]["agreed"] == made["proof"]["decided"] > 90
    assert made["overridden"] == {"crop": {"used": "0.9", "weights": "0.875"}}

    (wanted,) = run("predict", checkpoint, picture, "--override", "crop=0.9", "--json").json
    for arguments in ((out, picture), ("--weights", out, picture)):
        (found,) = run("predict", *arguments, "--json").json
        assert [row["class"] for row in found["top"]] == [row["class"] for row in wanted["top"]]
        for one, other in zip(found["top"], wanted["top"], strict=True):
            assert one["probability"] == pytest.approx(other["probability"], abs=1e-5)


def test_evaluate_counts_alike_from_a_checkpoint_and_its_export(
    run: Run, checkpoint: Path, onnx_file: Path, tmp_path: Path
) -> None:
    draws = np.random.default_rng(0)
    images, labels = draws.integers(0, 256, (20, 33, 47, 3), dtype=np.uint8), np.arange(20) % len(NAMES)
    np.savez(tmp_path / "test.npz", images=images, labels=labels)
    by_model, by_export = (
        run("evaluate", weights, "--data", tmp_path / "test.npz", "--json").json for weights in (checkpoint, onnx_file)
    )
    assert by_export["preprocessing"].pop("resolution") == [
        33,
        47,
    ]  # the file's, where the checkpoint has its network's
    assert by_model["preprocessing"].pop("resolution") is None
    assert by_export == by_model
    assert by_export["n"] == 20


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--network", "efficientnet_b0"), 64, "leave --network"),
        (("--device", "cuda"), 64, "run on the CPU"),
        (("--resolution", "64"), 65, "trained with resolution 33x47"),
        (("--override", "resolution=64"), 65, "33x47 px only"),
        (("--interpolation", "nearest"), 65, "trained with interpolation bicubic"),
    ],
)
def test_what_an_exported_file_cannot_do_is_told_in_a_line(
    run: Run, onnx_file: Path, picture: Path, arguments: tuple[str, ...], code: int, words: str
) -> None:
    answer = run("predict", "--weights", onnx_file, picture, *arguments, "--json")
    assert (answer.code, answer.out) == (code, "")
    assert words in answer.err
    assert len(answer.err.splitlines()) <= 3


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--out", "x.tflite"), 64),
        (("--out", "x.onnx", "--format", "pt2"), 64),
        (("--out", "x.onnx", "--batch", "0"), 64),
        (("--out", "x.onnx", "--batch", "many"), 64),
        (("--out", "x.onnx", "--dynamic-size"), 64),
        (("--out", "none/x.onnx"), 73),
        (("--out", "folder.onnx"), 73),
        (("--out", "x.onnx", "--resolution", "64"), 65),
    ],
)
def test_an_export_that_cannot_be_leaves_nothing(
    run: Run, checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], code: int
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.onnx").mkdir()
    answer = run("export", checkpoint, *arguments, "--json")
    assert (answer.code, answer.out) == (code, "")
    assert 1 <= len(answer.err.splitlines()) <= 3
    assert [one.name for one in tmp_path.iterdir()] == ["folder.onnx"]


def test_export_tells_people_what_it_proved(run: Run, tmp_path: Path) -> None:
    quick = saved(tmp_path / "quick.safetensors", classifier(small()))
    lines = run("export", quick, "--out", tmp_path / "x.pt2", "--batch", 2).out.splitlines()
    assert len(lines) == 3
    assert "24x24 px, batches of 2" in lines[1]
    assert "100 random images" in lines[2]
    refused = run("predict", "--weights", tmp_path / "x.pt2", photo(tmp_path / "p.jpg"))
    assert refused.code == 65
    assert "can run programs" in refused.err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ((), 64, "no weights"),
        (("--port", "70000"), 64, "--port is 70000"),
        (("--host", "no such host"), 64, "no such host"),
        (("--host", "192.0.2.1"), 73, "192.0.2.1"),
        (("--port", "TAKEN"), 73, "it is taken"),
    ],
)
def test_serve_ends_in_a_line_where_it_cannot_begin(
    run: Run, checkpoint: Path, arguments: tuple[str, ...], code: int, words: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        given = [str(taken.getsockname()[1]) if one == "TAKEN" else one for one in arguments]
        answer = run("serve", *([checkpoint] if given else []), *given)
    assert (answer.code, answer.out) == (code, "")
    assert words in answer.err
    assert len(answer.err.splitlines()) == 1


def test_serve_of_weights_that_are_none_is_wrong_input_and_frees_its_port(run: Run, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    answer = run("serve", tmp_path / "none.safetensors", "--port", port)
    assert (answer.code, answer.out) == (65, "")
    socket.create_server(("127.0.0.1", port)).close()
    assert json.dumps(answer.err).count("\\n") == 1


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--out", "x.onnx", "--precision", "int9"), 64, "did you mean int8"),
        (("--out", "x.onnx", "--precision", "int8"), 64, "give --data"),
        (("--out", "x.onnx", "--precision", "int8", "--max-drop", "1"), 64, "give --data"),
        (("--out", "x.onnx", "--max-drop", "1"), 64, "--max-drop is for a lower precision"),
        (("--out", "x.onnx", "--precision", "int8", "--data", "flowers:240", "--max-drop", "-1"), 64, "-1"),
        (("--out", "x.onnx", "--precision", "int8", "--data", "flowers:240", "--time", "soon"), 64, "soon"),
        (("--out", "x.onnx", "--precision", "bfloat16", "--data", "flowers:240"), 64, "bfloat16: that is for openvino"),
        (("--out", "x.pt2", "--precision", "int8", "--data", "flowers:240"), 64, "pt2 files carry float32 here"),
        (("--out", "x.onnx", "--precision", "int8", "--data", "flowers:240"), 65, "12 classes of flowers:240"),
    ],
)
def test_a_lower_precision_that_cannot_be_leaves_nothing(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], code: int, words: str
) -> None:
    """The last one's classes are others; that is seen before its graph is made, which takes long."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "weights").mkdir()
    weights = saved(tmp_path / "weights" / "w.safetensors", classifier(small(depth=0.5)))
    answer = run("export", weights, *arguments, "--json")
    assert (answer.code, answer.out) == (code, "")
    assert words in answer.err
    assert len(answer.err.splitlines()) <= 3
    assert [one.name for one in tmp_path.iterdir()] == ["weights"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["x.onnx", "x.xml"])
def test_int8_is_told_with_its_accuracy_and_speed_and_is_used_like_any_export(
    run: Run, tmp_path: Path, name: str
) -> None:
    """The data are labelled by the network itself, so that `evaluate` of the file finds what int8 keeps."""
    made = classifier(small(depth=0.5), Preprocessing())
    data, out = own_truth(tmp_path, made), tmp_path / name
    weights = saved(tmp_path / "w.safetensors", made)
    options = ("--precision", "int8", "--data", data, "--max-drop", 20, "--calibration", 32)
    lines = run("export", weights, "--out", out, *options).out
    assert "int8: top-1 100.0% in float32" in lines
    assert "layers are in" in lines
    assert re.search(r"int8 (is not faster|takes 0\.\d\d times as long as float32|is faster is unclear)", lines)
    found = run("evaluate", out, "--data", data, "--json").json
    again = run("export", weights, "--out", tmp_path / f"again_{name}", *options, "--json").json
    assert again["precision"] == "int8"
    assert again["accuracy"]["top1"] == found["top1"]
    assert again["speed"]["rounds"] > 4
    assert again["untimed"] is None


@pytest.mark.slow
def test_an_int8_export_that_cannot_be_timed_says_so_and_why(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The processes that time the files find a broken ONNX Runtime; this one has imported the whole one."""
    import onnxruntime.quantization  # noqa: F401

    made = classifier(small(depth=0.5), Preprocessing())
    data, weights = own_truth(tmp_path, made), saved(tmp_path / "w.safetensors", made)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "onnxruntime.py").write_text("raise ImportError('broken')")
    monkeypatch.syspath_prepend(tmp_path / "broken")
    options = ("--precision", "int8", "--data", data, "--max-drop", 20, "--calibration", 32)
    lines = run("export", weights, "--out", tmp_path / "x.onnx", *options).out
    assert "whether int8 is faster here is not known" in lines
    assert "onnxruntime" in lines.partition("is not known")[2]
    found = run("export", weights, "--out", tmp_path / "x.onnx", *options, "--json").json
    assert found["speed"] is None
    assert "onnxruntime" in found["untimed"]


@pytest.mark.slow
def test_a_killed_calibration_leaves_no_file_and_starts_again(tmp_path: Path) -> None:
    made = classifier(small(depth=0.5), Preprocessing())
    data = own_truth(tmp_path, made)
    weights = saved(tmp_path / "w.safetensors", made)
    before = sorted(one.name for one in tmp_path.iterdir())
    command = [sys.executable, "-m", "triscale", "export", str(weights), "--out", str(tmp_path / "x.onnx"), "--json"]
    command += ["--precision", "int8", "--data", str(data), "--max-drop", "20"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        sleep(6)
        running.kill()
    assert sorted(one.name for one in tmp_path.iterdir()) == before
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["precision"] == "int8"
