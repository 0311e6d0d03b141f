"""A training in its folder: what it leaves, how it goes on, and what it rejects."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from tests.training.durable import states
from tests.training.pictures import SMALL, class_folders
from tests.training.trainings import RECIPE, Heard, kept, only, request, run
from triscale.data import open_data
from triscale.data.feed.in_memory import to_tensor
from triscale.data.source import rendered
from triscale.errors import InputError, StorageError
from triscale.spec import IMAGENET
from triscale.training import Interrupted, Recipe, Trainer
from triscale.training.feed import eval_photos


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TRISCALE_CACHE", str(tmp_path / "cache"))
    return class_folders(tmp_path / "data")


def content(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in ("best.safetensors", "last.safetensors")}


def test_a_training_leaves_its_best_weights_its_state_and_a_trial_with_its_epochs(tmp_path: Path, data: Path) -> None:
    trial = run(request(data), tmp_path / "run")
    assert (trial.state, trial.epochs, trial.checkpoint) == ("done", 3, "best.safetensors")
    assert only(tmp_path / "run") == trial
    assert [one.epoch for one in trial.history] == [1, 2, 3]
    tops = [one.validation_top1 for one in trial.history]
    assert trial.kept_epoch is not None
    assert trial.metrics["validation_top1"] == max(tops) == tops[trial.kept_epoch - 1]
    assert kept(tmp_path / "run").classes == ("0", "1")
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert manifest.keys() >= {"best.safetensors", "last.safetensors"}
    import hashlib

    for name, known in manifest.items():
        payload = (tmp_path / "run" / name).read_bytes()
        assert (hashlib.sha256(payload).hexdigest(), len(payload)) == (known["sha256"], known["bytes"])


@pytest.mark.parametrize("stop", [1, 3, 4])
def test_a_stopped_training_resumes_to_the_same_bits(tmp_path: Path, data: Path, stop: int) -> None:
    """At the first step, in the middle of an epoch, and between its last step and its evaluation."""
    run(request(data), tmp_path / "whole")
    with pytest.raises(Interrupted):
        run(request(data), tmp_path / "run", Heard(stop))
    heard = Heard()
    run(request(data), tmp_path / "run", heard, loader_workers=2)
    assert heard.steps[0] == stop + 1
    assert states(tmp_path / "run") == states(tmp_path / "whole")
    assert [one.epoch for one in only(tmp_path / "run").history] == [1, 2, 3]


def test_it_can_be_stopped_while_pictures_are_rendered(tmp_path: Path, data: Path) -> None:
    heard = Heard(0)
    with pytest.raises(Interrupted):
        run(request(data), tmp_path / "run", heard)
    assert heard.steps == []
    assert not (tmp_path / "run" / "last.safetensors").exists()
    assert run(request(data), tmp_path / "run").epochs == 3


def test_a_finished_training_is_told_again_without_a_step(tmp_path: Path, data: Path) -> None:
    first, before = run(request(data), tmp_path / "run"), content(tmp_path / "run")
    heard = Heard()
    assert run(request(data), tmp_path / "run", heard) == first
    assert (heard.steps, content(tmp_path / "run")) == ([], before)


@pytest.mark.parametrize(("changed", "told"), [
    ({"recipe": replace(RECIPE, epochs=4)}, "recipe: epochs 3 then, epochs 4 now"),
    ({"recipe": replace(RECIPE, clip=1.0)}, "recipe: clip 0.0 then, clip 1.0 now"),
    ({"seed": 2}, "seed: 1 then, 2 now"),
    ({"network": replace(SMALL, name="other", resolution=(9, 9))}, "network: "),
])  # fmt: skip
def test_another_training_in_the_same_folder_is_refused_with_what_differs(
    tmp_path: Path, data: Path, changed: dict[str, Any], told: str
) -> None:
    with pytest.raises(Interrupted):
        run(request(data), tmp_path / "run", Heard(1))
    with pytest.raises(InputError, match="another training") as caught:
        run(request(data, **changed), tmp_path / "run")
    assert told in str(caught.value)
    assert len(str(caught.value).splitlines()) <= 3


def test_data_that_changed_are_refused_with_what_changed(tmp_path: Path, data: Path) -> None:
    with pytest.raises(Interrupted):
        run(request(data), tmp_path / "run", Heard(1))
    victim = next((data / "0").iterdir())
    before = victim.read_bytes()
    victim.unlink()
    with pytest.raises(InputError, match="its data changed") as caught:
        run(request(data), tmp_path / "run")
    assert "'0' had 46 images (" in str(caught.value)
    assert "has 45 images (" in str(caught.value)
    assert "'1'" not in str(caught.value)
    victim.write_bytes(before)
    other = max((data / "1").iterdir())
    Image.new("RGB", (10, 10)).save(other)
    with pytest.raises(InputError, match="its data changed") as caught:
        run(request(data), tmp_path / "run")
    assert "'1' had 46 images (" in str(caught.value)
    assert "'0'" not in str(caught.value)


@pytest.mark.parametrize("line", [b"{", b"[]", b'{"kind":"trial"}', b'{"kind":"trial","key":3}'])
def test_a_damaged_record_is_refused_with_its_line(tmp_path: Path, data: Path, line: bytes) -> None:
    with pytest.raises(Interrupted):
        run(request(data), tmp_path / "run", Heard(1))
    path = tmp_path / "run" / "records.jsonl"
    first, _, rest = path.read_bytes().partition(b"\n")
    path.write_bytes(b"\n".join((first, line, rest)))
    with pytest.raises(InputError, match=r"records\.jsonl, line 2: "):
        run(request(data), tmp_path / "run")


@pytest.mark.parametrize("harm", [Path.unlink, lambda path: path.write_bytes(b"0")], ids=["gone", "damaged"])
@pytest.mark.parametrize("file", ["best.safetensors", pytest.param("manifest.json", marks=pytest.mark.slow)])
def test_a_finished_training_whose_weights_are_not_what_it_wrote_is_refused(
    tmp_path: Path, data: Path, harm: Callable[[Path], object], file: str
) -> None:
    run(request(data), tmp_path / "run")
    harm(tmp_path / "run" / file)
    with pytest.raises(InputError, match="the training is finished, but"):
        run(request(data), tmp_path / "run")


def test_what_an_epoch_leaves_out_is_told(tmp_path: Path, data: Path) -> None:
    heard = Heard(1)
    with pytest.raises(Interrupted):
        run(request(data), tmp_path / "run", heard)
    assert any("leaves out" in text for text in heard.said)


def test_weights_begin_a_training_and_other_classes_get_a_new_classifier(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(request(data), tmp_path / "first")
    weights = kept(tmp_path / "first")
    more = class_folders(tmp_path / "more", classes=3)
    heard = Heard(1)
    quiet = Recipe(epochs=1, batch=16, learning_rate=1e-9, weight_decay=0.0)
    monkeypatch.setattr(Heard, "stopping", lambda _: False)
    run(request(more, weights=weights, recipe=quiet), tmp_path / "second", heard)
    assert any("classifier is new" in text for text in heard.said)
    before, after = weights.state, kept(tmp_path / "second").state
    assert (before["stem.conv.weight"] - after["stem.conv.weight"]).abs().max() < 1e-6
    assert after["classifier.weight"].shape[0] == 3


def test_weights_of_another_network_are_refused(tmp_path: Path, data: Path) -> None:
    run(request(data, recipe=replace(RECIPE, epochs=1)), tmp_path / "first")
    weights = kept(tmp_path / "first")
    wider = replace(SMALL, name="wider", head=replace(SMALL.head, channels=24))
    with pytest.raises(InputError, match="not of wider"):
        run(request(data, network=wider, weights=weights), tmp_path / "second")


CROPS = Recipe(epochs=2, batch=16, shift=0.0, crop="random", policy="randaugment", jitter=0.2, erase=0.5, ema=0.9)


@pytest.mark.parametrize("workers", [0, 2])
def test_random_crops_of_the_originals_resume_to_the_same_bits(tmp_path: Path, data: Path, workers: int) -> None:
    run(request(data, recipe=CROPS), tmp_path / "whole", loader_workers=0)
    with pytest.raises(Interrupted):
        run(request(data, recipe=CROPS), tmp_path / "run", Heard(6), loader_workers=2 - workers)
    run(request(data, recipe=CROPS), tmp_path / "run", loader_workers=workers)
    assert states(tmp_path / "run") == states(tmp_path / "whole")


def test_random_crops_are_validated_as_evaluate_prepares_them(tmp_path: Path, data: Path) -> None:
    """The lock of the weights says so, and the images of the validation are those of the lock."""
    run(request(data, recipe=CROPS), tmp_path / "run")
    found = kept(tmp_path / "run")
    assert found.preprocessing == IMAGENET
    source = open_data(str(data))
    part, indices = source.parts["train"], np.array([3, 1, 40])
    (pictures, labels), *_ = eval_photos(part, indices, (8, 8), IMAGENET, 2, {})
    expected = np.concatenate(list(rendered(part, (8, 8), IMAGENET)))[indices[:2]]
    assert torch.equal(pictures, to_tensor(expected, IMAGENET.mean, IMAGENET.std))
    assert labels.tolist() == part.labels[indices[:2]].tolist()


def test_a_folder_that_vanishes_is_an_error_of_storage(tmp_path: Path, data: Path) -> None:
    class Vanishing(Heard):
        def step(self, engine: Trainer) -> None:
            """Remove the folder after the second step."""
            if engine.step == 2:
                shutil.rmtree(tmp_path / "run")

    with pytest.raises(StorageError, match="run"):
        run(request(data), tmp_path / "run", Vanishing(), save_every=0.0)
