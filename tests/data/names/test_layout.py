"""Folders of splits under the names that exporters and people give them: used, or rejected with what was expected."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.data.conftest import Paint
from triscale.data import CheckOptions, SplitRule, open_data
from triscale.errors import InputError

CLASSES = ("cat", "dog")


def lay(root: Path, paint: Paint, folders: Mapping[str, Sequence[str]], count: int = 5) -> Path:
    """For each folder some images in each of its class folders; no class: right in it; names may hold slashes."""
    for place, classes in folders.items():
        (root / place).mkdir(parents=True, exist_ok=True)
        for name in classes or (".",):
            for index in range(count):
                paint(root / place / name / f"{index}.png")
    return root


@pytest.mark.parametrize(
    ("folders", "sizes", "test_from"),
    [
        (("train", "valid"), (10, None, 10), "val"),
        (("training", "validation"), (10, None, 10), "val"),
        (("Train", "Test"), (10, None, 10), "test"),
        (("Training", "Testing"), (10, None, 10), "test"),
        (("train", "dev"), (10, None, 10), "val"),
        (("train", "val", "test"), (10, 10, 10), "test"),
        (("TRAIN", "VALID", "TEST"), (10, 10, 10), "test"),
        (("seg_train", "seg_test"), (10, None, 10), "test"),
        (("seg_train/seg_train", "seg_test/seg_test"), (10, None, 10), "test"),
        (("train_set", "eval", "holdout"), (10, 10, 10), "test"),
        (("train2017", "val2017"), (10, None, 10), "val"),
    ],
)
def test_splits_are_used_under_the_names_that_people_give_them(
    tmp_path: Path, cache: Path, paint: Paint, folders: Sequence[str], sizes: Sequence[int | None], test_from: str
) -> None:
    source = open_data(lay(tmp_path / "set", paint, dict.fromkeys(folders, CLASSES)), cache=cache)
    assert source.classes == CLASSES
    found = [len(source.parts[split].labels) if split in source.parts else None for split in ("train", "val", "test")]
    assert (found, source.test_from) == (list(sizes), test_from)
    assert all("serves as the test" in note for note in source.notes)


@pytest.mark.parametrize(
    ("folders", "said"),
    [
        ({"val": CLASSES, "test": CLASSES}, "look like splits, but have no train"),
        ({"train": (), "test": ()}, "look like splits, but hold no class folders"),
        ({"round1": CLASSES, "round2": CLASSES}, "hold the same folders, 'cat', 'dog'"),
        ({"Lernen": CLASSES, "Proben": (*CLASSES, "emu")}, "hold the same folders, 'cat', 'dog'"),
        ({"cat": ("train", "test"), "dog": ("train", "test")}, "hold the same folders, 'test', 'train'"),
        ({"cat": ("Train", "valid"), "dog": ("Train", "valid")}, "below the classes.\nTurn them round: train/cat/"),
        ({"train": CLASSES, "valid": CLASSES, "dev": CLASSES}, "'dev', 'valid' .* look like the val split"),
        ({"cat": (), "dog": (), "test": CLASSES}, "'test/' .* classes beside it"),
    ],
)
def test_folders_that_look_like_splits_and_are_none_that_we_know_are_refused(
    tmp_path: Path, cache: Path, paint: Paint, folders: Mapping[str, Sequence[str]], said: str
) -> None:
    with pytest.raises(InputError, match=said) as caught:
        open_data(lay(tmp_path / "set", paint, folders), cache=cache)
    assert str(caught.value).count("\n") < 3
    assert any(f"{split}/" in str(caught.value) for split in ("train", "val")), "what was expected"


@pytest.mark.parametrize(
    ("folders", "classes"),
    [
        ({"cat": (), "dog": (), "test": ()}, ("cat", "dog", "test")),
        ({"train": (), "car": (), "plane": ()}, ("car", "plane", "train")),
        ({"training shoes": (), "trainers": ()}, ("trainers", "training shoes")),
        ({"n01": ("images",), "n02": ("images",)}, ("n01", "n02")),
        ({"cat": ("indoors", "outdoors"), "dog": ()}, CLASSES),
    ],
)
def test_classes_that_are_called_like_splits_are_classes_where_they_hold_images(
    tmp_path: Path, cache: Path, paint: Paint, folders: Mapping[str, Sequence[str]], classes: Sequence[str]
) -> None:
    source = open_data(lay(tmp_path / "set", paint, folders), cache=cache)
    assert source.classes == tuple(classes)
    taken = [name for name in classes if name in {"train", "test"}]
    assert all(any(f"{name!r} is taken as a class" in note for note in source.notes) for name in taken)


@pytest.mark.parametrize(
    ("folders", "test_from", "said"),
    [
        ({"test": ()}, "train", "'test/' holds no class folders: its 5 files have no labels"),
        ({"test": ("unknown",)}, "train", "'test/' is not used: no class folder in it"),
        ({"test": ("cat",)}, "test", "images of 'cat' only"),
        ({"val": CLASSES, "test": ()}, "val", "'test/' holds no class folders"),
        ({"val": ("unknown",), "test": CLASSES}, "test", "'val/' is not used"),
        ({"test": CLASSES, "extra": CLASSES}, "test", "Beside the splits, and not used: 'extra/'"),
        ({"test": CLASSES, "tests": ()}, "test", "not used: 'tests/'"),
        ({"val": CLASSES, "Valid": CLASSES}, "val", "not used: 'Valid/'"),
        ({"test": ("Cat", "DOG")}, "test", ""),
    ],
)
def test_what_stands_beside_the_training_never_blocks_it_and_is_reported(
    tmp_path: Path, cache: Path, paint: Paint, folders: Mapping[str, Sequence[str]], test_from: str, said: str
) -> None:
    source = open_data(lay(tmp_path / "set", paint, {"train": CLASSES, **folders}), cache=cache)
    assert (source.test_from, source.classes) == (test_from, CLASSES)
    assert said in " ".join(source.notes)
    assert not any(one.serious for one in source.findings)


def test_a_class_is_one_class_in_whatever_way_its_accent_is_written(tmp_path: Path, cache: Path, paint: Paint) -> None:
    folders = {"train": ("caf\u00e9", "dog"), "test": ("cafe\u0301", "dog")}
    source = open_data(lay(tmp_path / "set", paint, folders), cache=cache)
    assert (len(source.labels("test")), source.skipped) == (10, 0)


def test_an_empty_test_folder_is_no_test(tmp_path: Path, cache: Path, paint: Paint) -> None:
    root = lay(tmp_path / "set", paint, {"train": CLASSES})
    for name in CLASSES:
        (root / "test" / name).mkdir(parents=True)
    source = open_data(root, cache=cache)
    assert source.test_from == "train"
    assert "The test split holds no files" in " ".join(source.notes)


def test_classes_that_training_lacks_are_left_out_and_a_strict_check_stops(
    tmp_path: Path, cache: Path, paint: Paint
) -> None:
    root = lay(tmp_path / "set", paint, {"train": CLASSES, "val": (*CLASSES, "emu")})
    source = open_data(root, cache=cache)
    assert (len(source.labels("test")), source.skipped) == (10, 5)
    assert "'val/emu/0.png' (there is no class 'emu' in training)" in source.findings[0].examples
    with pytest.raises(InputError, match="emu"):
        open_data(root, cache=cache, policy=CheckOptions(strict=True))


def test_images_in_no_class_folder_are_reported(tmp_path: Path, cache: Path, paint: Paint) -> None:
    root = lay(tmp_path / "set", paint, {"train": CLASSES})
    paint(root / "train" / "loose.png")
    assert "1 image in 'train/' lies in no class folder and is not used" in " ".join(open_data(root, cache=cache).notes)


def test_the_first_rule_reads_splits_as_it_did(tmp_path: Path, cache: Path, paint: Paint) -> None:
    root = lay(tmp_path / "set", paint, {"train": CLASSES, "valid": CLASSES, "val": CLASSES, "test": CLASSES})
    first = CheckOptions(split=SplitRule(version=1))
    old = open_data(root, cache=cache, policy=first)
    assert (set(old.parts), old.test_from) == ({"train", "test"}, "test")
    renamed = lay(tmp_path / "other", paint, {"Training": CLASSES, "Testing": CLASSES})
    assert open_data(renamed, cache=cache, policy=first).classes == ("Testing", "Training")
