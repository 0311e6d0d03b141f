"""The lock goes through a peer's file and back, and the peer loads that file by the line that is printed."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import safetensors
import safetensors.torch
import torch
from torch import nn

from tests.nn.networks import randomise
from tests.weights.peer_models import SMALL
from triscale.errors import InputError, OutputError
from triscale.nn import build
from triscale.scaling import network as named
from triscale.spec import TFLITE, Network, Preprocessing
from triscale.weights import Checkpoint, load_weights, save, write_for_peer
from triscale.weights.peer_metadata import ABOUT
from triscale.weights.peers import PEERS
from triscale.weights.peers.timm import settings

HOW = Preprocessing(
    mean=(0.4, 0.5, 0.6), std=(0.1, 0.2, 0.3), interpolation="lanczos", crop=0.9, fit="squash", resolution=(64, 96)
)
CLASSES = ("cat", "dog")


def checkpoint(of: Network, how: Preprocessing = HOW) -> Checkpoint:
    torch.manual_seed(0)
    made = build(replace(of, classes=2))
    randomise(made)
    return Checkpoint(network=made.network, state=made.state_dict(), classes=CLASSES, preprocessing=how)


def small(how: Preprocessing = HOW) -> Checkpoint:
    return checkpoint(PEERS["timm"].network(SMALL), how)


READER = """
import json, sys
import safetensors.torch, timm, timm.data, torch, torchvision
model = None
{line}
model.eval()
with torch.inference_mode():
    logits = model(torch.randn(2, 3, 65, 48, generator=torch.Generator().manual_seed(1)))
safetensors.torch.save_file({{"logits": logits}}, sys.argv[1])
about = getattr(model, "pretrained_cfg", {{}})
print(json.dumps([timm.data.resolve_model_data_config(model), about.get("label_names")] if about else []))
"""


def run_as_a_reader(line: str | None, folder: Path) -> tuple[torch.Tensor, Any]:
    """The logits of what the printed line makes in a process of its own, and what timm knows of the model."""
    assert line is not None
    code = READER.format(line=line if line.startswith("model = ") else f"model = {line}")
    done = subprocess.run([sys.executable, "-c", code, folder / "logits"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return safetensors.torch.load_file(folder / "logits")["logits"], json.loads(done.stdout)


def answers(model: nn.Module) -> torch.Tensor:
    with torch.inference_mode():
        found: torch.Tensor = model(torch.randn(2, 3, 65, 48, generator=torch.Generator().manual_seed(1)))
        return found


def same(one: Checkpoint, two: Checkpoint) -> bool:
    described = [(c.network, c.classes, c.preprocessing) for c in (one, two)]
    return described[0] == described[1] and all(torch.equal(one.state[name], two.state[name]) for name in two.state)


@pytest.mark.parametrize(
    ("peer", "model"),
    [
        ("timm", SMALL),
        pytest.param("timm", "tf_mobilenetv3_small_075", marks=pytest.mark.slow),
        ("torchvision", "mobilenet_v3_small"),
        pytest.param("timm", "resnet18", marks=pytest.mark.slow),
    ],
)
def test_the_printed_line_loads_a_model_with_equal_answers(tmp_path: Path, peer: str, model: str) -> None:
    one = checkpoint(PEERS[peer].network(model))
    written = write_for_peer(tmp_path / "it's.safetensors", one, peer)

    assert (written.model, written.notes) == (f"{peer}:{model}", ())
    found, expected = run_as_a_reader(written.loading, tmp_path)[0], answers(one.model())
    assert torch.allclose(found, expected, rtol=0, atol=1e-5 * float(expected.abs().max()))


@pytest.mark.parametrize("peer", ["timm", "torchvision", "lukemelas"])
@pytest.mark.parametrize("name", ["efficientnet_b0", "efficientnet_b0@width=0.5"])
def test_reading_a_peers_file_back_restores_all_of_the_checkpoint(tmp_path: Path, peer: str, name: str) -> None:
    one = checkpoint(named(name))
    write_for_peer(tmp_path / "x.safetensors", one, peer)

    assert same(load_weights(tmp_path / "x.safetensors"), one)
    assert same(load_weights(tmp_path / "x.safetensors", name), one)
    with pytest.raises(InputError, match="not of resnet18"):
        load_weights(tmp_path / "x.safetensors", "resnet18")


def test_lite0_through_timm_keeps_its_own_mean_and_std_and_needs_no_name(tmp_path: Path) -> None:
    """The names fit two models of timm, whose own mean and std for Lite0 are 0.5."""
    one = checkpoint(PEERS["lukemelas"].network("efficientnet-lite0"), replace(TFLITE, crop=0.875))
    written = write_for_peer(tmp_path / "x.safetensors", one, "timm")
    found = [load_weights(tmp_path / "x.safetensors", name) for name in (None, "efficientnet_lite0", written.model)]

    assert written.model == "timm:tf_efficientnet_lite0"
    assert all(same(each, one) and each.notes == () for each in found)
    assert found[0].preprocessing.mean == (127 / 255,) * 3
    with pytest.raises(InputError, match="not of timm:efficientnet_lite0"):
        load_weights(tmp_path / "x.safetensors", "timm:efficientnet_lite0")


def test_a_foreign_file_that_says_nothing_is_taken_as_its_peer_has_it_and_that_is_said(tmp_path: Path) -> None:
    one = checkpoint(PEERS["lukemelas"].network("efficientnet-lite0"), replace(TFLITE, crop=0.875))
    write_for_peer(tmp_path / "x.safetensors", one, "timm")
    tensors = safetensors.torch.load_file(tmp_path / "x.safetensors")
    safetensors.torch.save_file(tensors, tmp_path / "bare.safetensors")

    with pytest.raises(InputError, match="fit 2 models"):
        load_weights(tmp_path / "bare.safetensors", "efficientnet_lite0", classes=2)
    found = load_weights(tmp_path / "bare.safetensors", "timm:tf_efficientnet_lite0", classes=2)
    meant = load_weights(tmp_path / "bare.safetensors", "timm:tf_efficientnet_lite0.in1k", classes=2)

    assert found.preprocessing.mean == (0.5, 0.5, 0.5)
    assert "bare.safetensors does not say" in found.notes[0]
    assert "mean 0.5,0.5,0.5" in found.notes[0]
    assert meant.notes == ()


def test_a_folder_for_timm_tells_it_how_to_prepare_pictures(tmp_path: Path) -> None:
    one = small()
    written = write_for_peer(tmp_path / "made" / "hub", one, "timm")
    logits, (config, labels) = run_as_a_reader(written.loading, tmp_path)

    assert torch.allclose(logits, answers(one.model()), rtol=0, atol=1e-5)
    assert config == {
        "input_size": [3, 64, 96], "interpolation": "lanczos", "mean": [0.4, 0.5, 0.6], "std": [0.1, 0.2, 0.3],
        "crop_pct": 0.9, "crop_mode": "squash",
    }  # fmt: skip
    assert labels == list(CLASSES)
    assert settings(json.loads((tmp_path / "made" / "hub" / "config.json").read_text())["pretrained_cfg"]) == HOW
    assert same(load_weights(tmp_path / "made" / "hub"), one)
    assert write_for_peer(tmp_path / "made" / "hub", one, "timm") == written  # it may be written again


def test_a_folder_without_our_metadata_gives_what_its_config_says(tmp_path: Path) -> None:
    """As after timm saved the weights again: the names of the classes come along."""
    write_for_peer(tmp_path, small(), "timm")
    tensors = safetensors.torch.load_file(tmp_path / "model.safetensors")
    safetensors.torch.save_file(tensors, tmp_path / "model.safetensors")
    assert same(load_weights(tmp_path), small())


def test_a_config_that_was_changed_is_not_mixed_with_the_lock(tmp_path: Path) -> None:
    write_for_peer(tmp_path, small(), "timm")
    config = json.loads((tmp_path / "config.json").read_text())
    config["pretrained_cfg"]["mean"] = [0.5, 0.5, 0.5]
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match="do not say the same"):
        load_weights(tmp_path)


def test_what_timm_cannot_do_is_said_and_still_comes_back(tmp_path: Path) -> None:
    written = write_for_peer(tmp_path / "hub", small(Preprocessing()), "timm")
    assert "cannot average areas" in written.notes[0]
    assert load_weights(tmp_path / "hub").preprocessing == Preprocessing()


def test_a_model_that_answers_otherwise_is_said_so(tmp_path: Path) -> None:
    same_padding = write_for_peer(tmp_path / "x.safetensors", checkpoint(named("efficientnet_b0")), "torchvision")
    scaled = write_for_peer(tmp_path / "y.safetensors", checkpoint(named("efficientnet_b0@width=0.5")), "timm")

    assert same_padding.model == "torchvision:efficientnet_b0"
    assert "pads symmetric" in same_padding.notes[0]
    assert (scaled.model, scaled.loading) == (None, None)
    assert "no model of the size" in scaled.notes[0]
    with pytest.raises(InputError, match="give a file"):
        write_for_peer(tmp_path / "folder", checkpoint(named("efficientnet_b0@width=0.5")), "timm")


def test_the_description_serves_for_no_other_tensors(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    write_for_peer(path, small(), "timm")
    tensors = safetensors.torch.load_file(path)
    with safetensors.safe_open(path, framework="pt") as file:
        about = file.metadata()
    tensors["classifier.bias"] += 1
    safetensors.torch.save_file(tensors, path, metadata=about)
    with pytest.raises(InputError, match="do not match its digest"):
        load_weights(path)


@pytest.mark.parametrize(
    "change", [("{", ""), ('"crop": 0.9', '"crop": 9'), ('"timm"', '"tim"'), ('"version": 1', '"version": 2')]
)
def test_a_garbled_description_is_wrong_input(tmp_path: Path, change: tuple[str, str]) -> None:
    path = tmp_path / "x.safetensors"
    write_for_peer(path, small(), "timm")
    tensors = safetensors.torch.load_file(path)
    with safetensors.safe_open(path, framework="pt") as file:
        about = file.metadata()
    assert change[0] in about[ABOUT]
    safetensors.torch.save_file(tensors, path, metadata=about | {ABOUT: about[ABOUT].replace(*change)})
    with pytest.raises(InputError, match=r"x\.safetensors") as caught:
        load_weights(path)
    assert len(str(caught.value).splitlines()) <= 3


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    save(tmp_path / "best.safetensors", small())
    with pytest.raises(OutputError, match=r"something else, such as best\.safetensors"):
        write_for_peer(tmp_path, small(), "timm")
    assert [one.name for one in tmp_path.iterdir()] == ["best.safetensors"]
