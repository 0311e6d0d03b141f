"""Checkpoints: what is saved comes back, and what is damaged or foreign is rejected by name."""

import json
from dataclasses import fields, replace
from pathlib import Path

import pytest
import safetensors.torch
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.training.test_loop import NETWORK
from triscale.errors import InputError, OutputError, StorageError
from triscale.nn import build
from triscale.spec import IMAGENET, Preprocessing
from triscale.weights import Checkpoint, load, save
from triscale.weights.checkpoint import state_digest


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
    metadata = {"triscale": about, "sha256": state_digest(about, {"w": torch.zeros(1)})}
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


def with_preprocessing(saved: Path, name: str, document: object) -> Path:
    """A checkpoint whose digest is right and whose preprocessing is `document`."""
    with safetensors.safe_open(saved, framework="pt") as file:
        about = json.loads(file.metadata()["triscale"])
    about["preprocessing"] = document
    text, state = json.dumps(about), dict(load(saved).state)
    path = saved.with_name(name)
    path.write_bytes(safetensors.torch.save(state, metadata={"triscale": text, "sha256": state_digest(text, state)}))
    return path


def test_a_checkpoint_with_mean_and_std_alone_is_prepared_as_before(saved: Path) -> None:
    """What version 1 wrote before the other fields were there."""
    old = with_preprocessing(saved, "old.safetensors", {"mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25]})
    assert load(old).preprocessing == Preprocessing()


def test_the_whole_lock_is_written(saved: Path) -> None:
    lock = replace(IMAGENET, resolution=(288, 320), fit="squash", crop=0.9)
    save(saved.with_name("locked.safetensors"), replace(load(saved), preprocessing=lock))
    assert load(saved.with_name("locked.safetensors")).preprocessing == lock
    with safetensors.safe_open(saved, framework="pt") as file:
        written = json.loads(file.metadata()["triscale"])["preprocessing"]
    assert written.keys() == {field.name for field in fields(Preprocessing)}


@pytest.mark.parametrize("document", [None, [], {"mean": 3}, {"crop": "0.9"}, {"window": 1}, {"resolution": [0, 1]}])
def test_a_preprocessing_that_cannot_be_is_refused_by_name(saved: Path, document: object) -> None:
    with pytest.raises(InputError, match=r"odd\.safetensors: preprocessing") as caught:
        load(with_preprocessing(saved, "odd.safetensors", document))
    assert len(str(caught.value).splitlines()) == 1
