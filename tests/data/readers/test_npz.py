"""A pair of `.npz` files: what is in them comes out, and what is wrong in them is named."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.paths import real_data
from triscale.data import open_data
from triscale.errors import InputError

Arrays = Mapping[str, NDArray[Any]]

GOOD: Arrays = {
    "images": np.random.default_rng(0).integers(0, 256, (8, 6, 6, 3), dtype=np.uint8),
    "labels": np.arange(8) % 2,
    "classes": np.array(["no", "yes"]),
}


def store(path: Path, arrays: Arrays) -> None:
    np.savez(path, **arrays)  # type: ignore[arg-type]  # the stubs take an array's name for an option


def test_pictures_labels_and_classes_are_those_of_the_files(pair: Path, cache: Path) -> None:
    source = open_data(pair, cache=cache)
    assert source.classes == ("a", "b", "c", "d")
    assert (source.native, source.test_from, source.skipped, source.notes) == ((8, 10), "test", 0, ())
    for split in ("train", "test"):
        with np.load(pair / f"{split}.npz") as arrays:
            np.testing.assert_array_equal(arrays["images"], source.pictures(split, (8, 10)))
            np.testing.assert_array_equal(arrays["labels"], source.labels(split))
        assert source.labels(split).dtype == np.int64


def test_the_path_of_the_training_file_opens_the_same(pair: Path, cache: Path) -> None:
    by_folder, by_file = open_data(pair, cache=cache), open_data(str(pair / "train.npz"), cache=cache)
    assert by_folder.fingerprint == by_file.fingerprint


def test_any_resolution_can_be_asked(pair: Path, cache: Path) -> None:
    source = open_data(pair, cache=cache)
    shrunk = source.pictures("train", (4, 5))
    with np.load(pair / "train.npz") as arrays:
        blocks = arrays["images"].reshape(40, 4, 2, 5, 2, 3).mean(axis=(2, 4))
    assert np.abs(shrunk - blocks).max() <= 0.5 + 1e-3
    assert source.pictures("test", (16, 20)).shape == (12, 16, 20, 3)


def test_the_fingerprint_follows_the_content_not_the_place(pair: Path, cache: Path, tmp_path: Path) -> None:
    first = open_data(pair, cache=cache).fingerprint
    shutil.copytree(pair, tmp_path / "copy")
    assert open_data(tmp_path / "copy", cache=cache).fingerprint == first
    store(pair / "test.npz", {**GOOD, "classes": np.array(["a", "b", "c", "d"])})
    assert open_data(pair, cache=cache).fingerprint != first


def test_names_are_numbers_where_none_are_given(pair: Path, cache: Path) -> None:
    for split in ("train", "test"):
        np.savez(pair / f"{split}.npz", images=GOOD["images"], labels=GOOD["labels"])
    assert open_data(pair, cache=cache).classes == ("0", "1")


def test_val_serves_as_the_test_where_there_is_no_test(pair: Path, cache: Path) -> None:
    (pair / "test.npz").rename(pair / "val.npz")
    source = open_data(pair, cache=cache)
    assert (source.test_from, len(source.labels("test"))) == ("val", 12)


def test_a_lone_training_file_gives_a_fifth_as_test_and_says_so(pair: Path, cache: Path) -> None:
    (pair / "test.npz").unlink()
    source = open_data(pair, cache=cache)
    assert (source.test_from, len(source.labels("train")), len(source.labels("test"))) == ("train", 32, 8)
    assert "split off" in source.notes[0]
    with np.load(pair / "train.npz") as arrays:
        both = np.concatenate([source.pictures(split, (8, 10)) for split in ("train", "test")])
        assert {some.tobytes() for some in both} == {some.tobytes() for some in arrays["images"]}


KEYS = [
    ("{}_images", "{}_labels", ("train", "val", "test")),  # MedMNIST
    ("x_{}", "y_{}", ("train", "test")),  # Keras
    ("X_{}", "Y_{}", ("train", "valid", "test")),
    ("x{}", "y{}", ("train", "test")),
    ("{}_data", "{}_targets", ("training", "validation", "testing")),
    ("{}", "{}_label", ("train", "dev")),
]


@pytest.mark.parametrize(("images", "labels", "splits"), KEYS)
@pytest.mark.parametrize("grey", [False, True])
def test_one_file_holds_the_splits_that_its_arrays_name(
    tmp_path: Path, cache: Path, images: str, labels: str, splits: tuple[str, ...], grey: bool
) -> None:
    draws, arrays = np.random.default_rng(0), dict[str, NDArray[Any]]()
    for count, split in zip((12, 6, 4), splits, strict=False):
        shape = (count, 8, 8) if grey else (count, 8, 8, 3)
        arrays[images.format(split)] = draws.integers(0, 256, shape, dtype=np.uint8)
        arrays[labels.format(split)] = (np.arange(count) % 2).astype(np.uint8)[:, None if grey else ...]
    (tmp_path / "set").mkdir()
    store(tmp_path / "set" / "numbers.npz", arrays)
    for where in (tmp_path / "set" / "numbers.npz", tmp_path / "set"):
        source = open_data(where, cache=cache)
        counts = {split: len(part.labels) for split, part in source.parts.items()}
        held = {"test": 6} if len(splits) == 2 else {"val": 6, "test": 4}
        assert counts == {"train": 12, **held}
        wanted = arrays[images.format(splits[0])]
        np.testing.assert_array_equal(
            source.pictures("train", (8, 8)), wanted[..., None].repeat(3, 3) if grey else wanted
        )


def test_files_are_named_by_the_words_for_splits(pair: Path, cache: Path) -> None:
    (pair / "train.npz").rename(pair / "Training.npz")
    shutil.copy(pair / "test.npz", pair / "holdout.npz")
    (pair / "test.npz").rename(pair / "VALID.npz")
    source = open_data(pair, cache=cache)
    assert {split: len(part.labels) for split, part in source.parts.items()} == {"train": 40, "val": 12, "test": 12}
    assert [one.text.partition(" images")[0] for one in source.findings] == ["12 of 12 test"]


def test_files_that_no_split_is_named_by_are_refused_or_reported(pair: Path, cache: Path) -> None:
    shutil.copy(pair / "test.npz", pair / "more.npz")
    assert "not used: 'more.npz'" in " ".join(open_data(pair, cache=cache).notes)
    (pair / "train.npz").rename(pair / "other.npz")
    with pytest.raises(InputError, match=r"no train\.npz"):
        open_data(pair / "test.npz", cache=cache)


def test_images_of_a_class_that_training_lacks_are_left_out(pair: Path, cache: Path) -> None:
    for split, count in (("train", 40), ("test", 12)):
        with np.load(pair / f"{split}.npz") as arrays:
            images = arrays["images"]
        labels = np.arange(count) % (2 if split == "train" else 3)
        np.savez(pair / f"{split}.npz", images=images, labels=labels)
    source = open_data(pair, cache=cache)
    assert (len(source.labels("test")), source.skipped, source.classes) == (8, 4, ("0", "1"))
    assert source.findings[0].text == "4 of 12 test images were left out, since training has no class '2'."
    np.savez(pair / "test.npz", images=images, labels=np.full(12, 9))
    assert open_data(pair, cache=cache).test_from == "train"


def test_copies_in_arrays_stay_on_one_side(tmp_path: Path, cache: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (20, 6, 6, 3), dtype=np.uint8).repeat(2, axis=0)
    np.savez(tmp_path / "train.npz", images=images, labels=np.arange(40) // 20)
    for _ in range(2):  # the second time from memory
        source = open_data(tmp_path, cache=cache)
        train, test = (source.pictures(split, (6, 6)) for split in ("train", "test"))
        assert not {one.tobytes() for one in train} & {one.tobytes() for one in test}
        assert [(one.kind, one.count) for one in source.findings] == [("duplicates", 20)]


WRONG: Mapping[str, Mapping[str, NDArray[Any] | None]] = {
    "no array 'labels'": {"labels": None},
    "no array 'images'": {"images": None},
    "values from -1 to 1": {"images": GOOD["images"] / 127.5 - 1},
    "values from 0 to 1.5": {"images": GOOD["images"] / 255 * 1.5},
    "values from 0 to 863": {"images": np.arange(8 * 6 * 6 * 3).reshape(8, 6, 6, 3)},
    "values from nan": {"images": np.full((8, 6, 6, 3), np.nan)},
    r"images are uint8 \[8, 108\]: each image is one row": {"images": GOOD["images"].reshape(8, 108)},
    r"images are uint8 \[8, 6, 6, 2\]": {"images": GOOD["images"][..., :2]},
    r"images are uint8 \[8, 1, 6, 6, 3\]": {"images": GOOD["images"][:, None]},
    "images are object": {"images": np.array([None] * 8)},
    "amounts such as 0.5": {"labels": np.arange(8) / 2},
    "row 1 is 1 1": {"labels": np.array([[1, 0], [1, 1]] * 4)},
    "row 0 is 0.7 0.3": {"labels": np.array([[0.7, 0.3]] * 8)},
    "label 'maybe' is not among": {"labels": np.array(["no", "yes", "no", "maybe"] * 2)},
    "an array holds Python objects": {"labels": np.array(["no", "yes"] * 4, dtype=object)},
    "the one at 3 is empty": {"labels": np.array(["no", "yes", "no", ""] * 2), "classes": None},
    r"labels int64 \[7\]": {"labels": np.zeros(7, np.int64)},
    "negative": {"labels": np.arange(8) - 1},
    "label 7": {"labels": np.arange(8)},
    "no image of class 'yes'": {"labels": np.zeros(8, np.int64)},
    "only one class": {"labels": np.zeros(8, np.int64), "classes": None},
    "not distinct": {"classes": np.array(["same", "same"])},
    "classes are int64": {"classes": np.array([1, 2])},
    "cannot be read": {"labels": np.array([{}] * 8, dtype=object)},
    r"no array 'images'; it has labels, things": {"images": None, "things": GOOD["images"], "classes": None},
}


@pytest.mark.parametrize("message", WRONG)
def test_a_wrong_array_is_an_input_error_that_names_it(tmp_path: Path, cache: Path, message: str) -> None:
    store(tmp_path / "test.npz", GOOD)
    changed = {**GOOD, **WRONG[message]}
    store(tmp_path / "train.npz", {name: array for name, array in changed.items() if array is not None})
    with pytest.raises(InputError, match=message.replace("'", "['\"]?")) as caught:
        open_data(tmp_path, cache=cache)
    assert str(caught.value).count("\n") < 3


def test_two_files_of_other_classes_are_an_input_error(pair: Path, cache: Path) -> None:
    store(pair / "test.npz", GOOD)
    with pytest.raises(InputError, match="not those of train"):
        open_data(pair, cache=cache)


@pytest.mark.parametrize("share", [0, 0.3, 0.99])
def test_a_truncated_file_is_an_input_error(pair: Path, cache: Path, share: float) -> None:
    content = (pair / "train.npz").read_bytes()
    (pair / "train.npz").write_bytes(content[: int(len(content) * share)])
    with pytest.raises(InputError, match=r"train\.npz.*cannot be read"):
        open_data(pair, cache=cache)


def test_a_flipped_bit_among_the_pixels_is_found_when_they_are_read(pair: Path, cache: Path) -> None:
    content = bytearray((pair / "train.npz").read_bytes())
    content[len(content) // 2] ^= 1
    (pair / "train.npz").write_bytes(content)
    with pytest.raises(InputError, match="cannot be read"):
        open_data(pair, cache=cache).pictures("train", (8, 10))


def test_a_missing_file_is_an_input_error(tmp_path: Path, cache: Path) -> None:
    with pytest.raises(InputError, match=r"train\.npz"):
        open_data(tmp_path / "train.npz", cache=cache)


def test_cifar10_is_read_as_it_is(cache: Path) -> None:
    source = open_data(real_data("cifar10"), cache=cache)
    assert source.classes[0] == "airplane"
    assert source.native == (32, 32)
    assert np.bincount(source.labels("train")).tolist() == [4500] * 10
    assert source.pictures("test", (24, 24)).shape == (10_000, 24, 24, 3)
