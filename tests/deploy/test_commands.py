"""`triscale export`, and exported files where `predict` and `evaluate` take weights."""

import json
import socket
from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import Run
from tests.deploy.networks import NAMES, classifier, photo, saved, small


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
    assert "100 random pictures" in lines[2]
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
