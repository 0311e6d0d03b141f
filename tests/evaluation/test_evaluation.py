"""Evaluation: every image once, classes by name, and the preprocessing of the weights."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import triscale
from tests.evaluation.conftest import CLASSES, HOW, NETWORK, paint
from triscale.data import load_picture, open_split
from triscale.data.feed.in_memory import to_tensor
from triscale.errors import InputError, NumericError, UsageError
from triscale.evaluation import evaluate
from triscale.intervals import wilson
from triscale.scores import Evaluation
from triscale.spec import INCEPTION
from triscale.weights import Classifier, imagenet_ids, imagenet_names, load_classifier


def one_by_one(classifier: Classifier, files: list[Path]) -> list[int]:
    """The most probable class of each file, alone in its batch."""
    how = classifier.preprocessing
    return [
        int(classifier.logits(to_tensor(load_picture(file, (16, 16), how)[None], how.mean, how.std)).argmax())
        for file in files
    ]


def test_evaluation_agrees_with_pictures_one_by_one(weights: Path, disks: Path) -> None:
    found = triscale.evaluate(weights, disks, batch=7)
    files = [file for name in CLASSES for file in sorted((disks / "test" / name).iterdir())]
    predicted = one_by_one(load_classifier(weights), files)
    truth = [CLASSES.index(file.parent.name) for file in files]
    wanted = np.zeros((6, 6), np.int64)
    for row, column in zip(truth, predicted, strict=True):
        wanted[row, column] += 1
    assert np.array_equal(found.confusion, wanted)
    assert found.n == len(files) == 90
    assert found.top1 == np.trace(wanted) / 90
    assert found.top1_interval == wilson(int(np.trace(wanted)), 90)
    assert found.top1 > 0.9


@pytest.mark.parametrize("batch", [1, 7, 45, 89, 90, 91, 1000])
def test_no_picture_is_lost_or_counted_twice_at_any_batch(weights: Path, disks: Path, batch: int) -> None:
    seen: list[tuple[int, int]] = []
    found = triscale.evaluate(weights, disks, batch=batch, progress=lambda done, n: seen.append((done, n)))
    assert found.n == 90
    assert found.confusion.sum(axis=1).tolist() == [15] * 6
    assert seen[-1] == (90, 90)
    assert found.to_dict()["top1"] == triscale.evaluate(weights, disks).top1


def test_blocks_that_do_not_divide_the_set_lose_nothing(
    weights: Path, disks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Photos come in blocks of bounded memory; here of 11 images, cut into batches of 4."""
    whole = triscale.evaluate(weights, disks)
    monkeypatch.setattr("triscale.data.photo_files.BLOCK_BYTES", 11 * 3 * 16 * 16)
    parts = triscale.evaluate(weights, disks, batch=4)
    assert np.array_equal(whole.ranked, parts.ranked)


def test_one_picture_is_enough(weights: Path, tmp_path: Path) -> None:
    for name in CLASSES[:2]:
        (tmp_path / name).mkdir()
    paint(1, np.random.default_rng(5)).save(tmp_path / CLASSES[1] / "one.png")
    found = triscale.evaluate(weights, tmp_path)
    assert (found.n, found.labels.tolist()) == (1, [1])
    assert found.to_dict()["classes"][0] == {
        "name": CLASSES[0], "n": 0, "correct": 0, "top1": None, "top1_interval": None,
    }  # fmt: skip


def test_classes_are_matched_by_name_in_any_order_and_number(weights: Path, disks: Path, tmp_path: Path) -> None:
    """An .npz that counts its classes backwards, and one of two classes only."""
    whole = triscale.evaluate(weights, disks)
    files = [file for name in CLASSES for file in sorted((disks / "test" / name).iterdir())]
    images = np.stack([np.asarray(Image.open(file)) for file in files])
    labels = np.array([CLASSES.index(file.parent.name) for file in files])
    np.savez(tmp_path / "back.npz", images=images, labels=5 - labels, classes=np.array(CLASSES[::-1]))
    backwards = triscale.evaluate(weights, tmp_path / "back.npz")
    assert np.array_equal(backwards.confusion, whole.confusion)
    few = np.flatnonzero(np.isin(labels, (5, 2)))
    np.savez(
        tmp_path / "few.npz", images=images[few], labels=labels[few] // 5, classes=np.array([CLASSES[2], CLASSES[5]])
    )
    kept = triscale.evaluate(weights, tmp_path / "few.npz")
    assert np.array_equal(kept.confusion[[2, 5]], whole.confusion[[2, 5]])
    np.savez(tmp_path / "bare.npz", images=images, labels=labels)
    assert np.array_equal(triscale.evaluate(weights, tmp_path / "bare.npz").confusion, whole.confusion)


def test_classes_that_the_network_does_not_know_are_named(weights: Path, tmp_path: Path) -> None:
    for name in ("cat", "dog", CLASSES[0]):
        (tmp_path / name).mkdir()
        paint(0, np.random.default_rng(0)).save(tmp_path / name / "a.png")
    with pytest.raises(InputError, match=r"2 classes of .* are not among the network's: 'cat', 'dog'") as caught:
        triscale.evaluate(weights, tmp_path)
    assert CLASSES[0] in str(caught.value)
    assert len(str(caught.value).splitlines()) <= 3
    for index in range(20):
        (tmp_path / f"more {index}").mkdir()
    with pytest.raises(InputError, match="22 classes") as caught:
        triscale.evaluate(weights, tmp_path)
    assert str(caught.value).count("'") == 2 * (10 + 6) + len("'")


WRONG = [{"mean": INCEPTION.mean, "std": INCEPTION.std}, {"crop": 1.0}, {"fit": "squash"}, {"crop": 0.6}]


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_a_wrong_preprocessing_costs_accuracy(weights: Path, disks: Path, wrong: dict[str, Any]) -> None:
    """The weights of a real training, its own images, and one part of the lock overridden."""
    right = triscale.evaluate(weights, disks)
    other = triscale.evaluate(weights, disks, override=wrong)
    assert right.about["overridden"] == {}
    assert other.about["overridden"].keys() == wrong.keys()
    assert other.top1 < right.top1 - 0.08, f"{wrong}: {right.top1} -> {other.top1}"


def test_the_lock_travels_in_the_checkpoint(weights: Path) -> None:
    found = load_classifier(weights)
    assert (found.preprocessing, found.resolution) == (HOW, (16, 16))
    with pytest.raises(InputError, match=r"trained with crop 0\.8, not 1"):
        found.held_to({"crop": 1.0}, {})
    assert found.held_to({"crop": 0.8, "resolution": (16, 16)}, {}).preprocessing == HOW
    held = found.held_to({"resolution": (24, 16)}, {"resolution": (24, 16)})
    assert held.resolution == (24, 16)
    assert held.overrides_document() == {"resolution": {"used": "24x16", "weights": "16x16"}}


def test_weights_that_are_not_numbers_are_refused(weights: Path, disks: Path) -> None:
    broken = load_classifier(weights)
    with torch.no_grad():
        broken.own_model.classifier.bias[0] = float("nan")
    with pytest.raises(NumericError):
        evaluate(broken, disks)


def test_a_network_by_name_must_be_that_of_the_weights(weights: Path, tmp_path: Path) -> None:
    from triscale import spec

    (tmp_path / "disks.json").write_text(spec.dumps(replace(NETWORK, classes=1000, resolution=(64, 64))))
    assert load_classifier(network=str(tmp_path / "disks.json"), weights=weights).classes == CLASSES
    with pytest.raises(InputError, match="holds weights of disks, not of smallnet_24"):
        load_classifier(network="smallnet_24", weights=weights)
    with pytest.raises(UsageError, match="no weights for smallnet_24"):
        load_classifier(network="smallnet_24")
    with pytest.raises(UsageError, match="not both"):
        load_classifier(weights, weights=weights)


def test_ties_are_no_hits_of_every_class() -> None:
    """A network that answers the same for all classes is right for one of them, not for five."""
    found = Evaluation(classes="abcdef", labels=np.array([0, 1, 5, 5]), ranked=np.tile(np.arange(5), (4, 1)))
    assert (found.top1, found.top5) == (0.25, 0.5)


def test_top5_says_nothing_below_five_classes() -> None:
    found = Evaluation(classes="abcd", labels=np.array([0, 1]), ranked=np.array([[0, 1, 2, 3], [2, 3, 1, 0]]))
    assert (found.top5, found.to_dict()["top5_interval"]) == (None, None)


def test_folders_named_by_wordnet_ids_are_imagenets_classes(tmp_path: Path) -> None:
    from triscale.evaluation import matched_labels

    names = imagenet_names()
    assert (len(set(names)), names[0], names[999]) == (1000, "tench", "toilet tissue")
    assert (len(set(imagenet_ids())), imagenet_ids()[0], imagenet_ids()[-1]) == (1000, "n01440764", "n15075141")
    for index in (207, 3):
        (tmp_path / imagenet_ids()[index]).mkdir()
        paint(0, np.random.default_rng(0)).save(tmp_path / imagenet_ids()[index] / "a.png")
    held = open_split(tmp_path)
    assert matched_labels(held, names).tolist() == [3, 207]
    assert [names[index] for index in (3, 207)] == ["tiger shark", "golden retriever"]


def test_imagenet_names_need_torchvision_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchvision", None)
    monkeypatch.setitem(sys.modules, "torchvision.models", None)
    with pytest.raises(InputError, match=r"triscale\[imagenet\]"):
        imagenet_names.__wrapped__()
