"""Checkpoints: what is saved comes back, and what is damaged or foreign is refused by name."""

import json
from pathlib import Path

import pytest
import safetensors.torch
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.train.test_loop import NETWORK
from triscale.errors import InputError, OutputError, StorageError
from triscale.nn import build
from triscale.spec import Preprocessing
from triscale.weights import Checkpoint, load, save
from triscale.weights.checkpoint import _digest


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    state = build(NETWORK).state_dict()
    save(path, Checkpoint(network=NETWORK, state=state, classes=("up", "down"), preprocessing=Preprocessing()))
    return path


def test_a_checkpoint_gives_back_network_classes_preprocessing_and_logits(saved: Path) -> None:
    torch.manual_seed(0)
    original, found = build(NETWORK).eval(), load(saved)
    x = torch.randn(2, 3, 8, 8)
    assert (found.network, found.classes, found.preprocessing) == (NETWORK, ("up", "down"), Preprocessing())
    assert torch.equal(original(x), found.model()(x))


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_a_flipped_bit_anywhere_is_found(saved: Path, data: st.DataObject) -> None:
    content = bytearray(saved.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= 1 << data.draw(st.integers(0, 7))
    damaged = saved.with_name("damaged.safetensors")
    damaged.write_bytes(bytes(content))
    with pytest.raises(InputError, match=r"damaged\.safetensors"):
        load(damaged)


@pytest.mark.parametrize("kept", [0, 4, 100, 0.5, 0.99])
def test_a_truncated_checkpoint_is_refused_in_one_line(saved: Path, kept: float) -> None:
    content = saved.read_bytes()
    cut = saved.with_name("cut.safetensors")
    cut.write_bytes(content[: int(kept * len(content)) if kept < 1 else int(kept)])
    with pytest.raises(InputError, match=r"cut\.safetensors") as caught:
        load(cut)
    assert "\n" not in str(caught.value)


def test_foreign_files_are_refused(tmp_path: Path) -> None:
    foreign = tmp_path / "foreign.safetensors"
    foreign.write_bytes(safetensors.torch.save({"w": torch.zeros(1)}))
    about = json.dumps({"format": "triscale.checkpoint", "version": 99})
    newer = tmp_path / "newer.safetensors"
    metadata = {"triscale": about, "sha256": _digest(about, {"w": torch.zeros(1)})}
    newer.write_bytes(safetensors.torch.save({"w": torch.zeros(1)}, metadata=metadata))
    with pytest.raises(InputError, match="not a triscale checkpoint"):
        load(foreign)
    with pytest.raises(InputError, match="version 99"):
        load(newer)
    with pytest.raises(InputError, match=r"missing\.safetensors"):
        load(tmp_path / "missing.safetensors")


def test_weights_of_another_network_are_listed_by_name(saved: Path) -> None:
    found = load(saved)
    state = dict(found.state)
    state["classifier.weight"] = torch.zeros(5, 16)
    del state["stem.conv.weight"]
    other = Checkpoint(network=NETWORK, state=state, classes=found.classes, preprocessing=found.preprocessing)
    with pytest.raises(InputError, match=r"classifier.weight: \(5, 16\), wanted \(2, 16\)") as caught:
        other.model()
    assert "stem.conv.weight: missing" in str(caught.value)
    assert len(str(caught.value).splitlines()) <= 3


def test_an_existing_file_survives_a_failed_write(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, found = saved.read_bytes(), load(saved)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(StorageError, match="No space left"):
        save(saved, found)
    assert saved.read_bytes() == before
    assert not list(saved.parent.glob(".*tmp"))


def test_a_folder_that_does_not_exist_is_an_output_error(saved: Path) -> None:
    with pytest.raises((OutputError, StorageError), match="nowhere"):
        save(saved.parent / "nowhere" / "x.safetensors", load(saved))
