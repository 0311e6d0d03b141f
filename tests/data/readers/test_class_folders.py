"""Class folders: what is good is used, what is not is counted and named, and nothing hostile gets through."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.data.conftest import Paint
from tests.paths import real_data
from triscale.data import CheckOptions, SplitRule, load_picture, open_data
from triscale.errors import InputError


def test_labels_and_pictures_align(folders: Path, cache: Path) -> None:
    source = open_data(folders, cache=cache)
    assert (source.classes, source.test_from, source.skipped) == (("cat", "dog"), "test", 0)
    assert source.native == (20, 20)
    pictures = source.pictures("train", (16, 16))
    for at, (label, name) in enumerate((label, i) for label in (0, 1) for i in range(6)):
        assert source.labels("train")[at] == label
        wanted = load_picture(folders / "train" / source.classes[label] / f"{name}.png", (16, 16))
        np.testing.assert_array_equal(wanted, pictures[at])


def test_the_fingerprint_follows_names_and_content_only(
    folders: Path, cache: Path, tmp_path: Path, paint: Paint
) -> None:
    first = open_data(folders, cache=cache).fingerprint
    shutil.copytree(folders, tmp_path / "copy")
    os.utime(tmp_path / "copy" / "train" / "cat" / "0.png", (0, 0))
    assert open_data(tmp_path / "copy", cache=cache).fingerprint == first
    (tmp_path / "copy" / "train" / "cat" / "5.png").rename(tmp_path / "copy" / "train" / "cat" / "6.png")
    assert open_data(tmp_path / "copy", cache=cache).fingerprint != first
    (tmp_path / "copy" / "train" / "cat" / "6.png").rename(tmp_path / "copy" / "train" / "cat" / "5.png")
    paint(tmp_path / "copy" / "train" / "cat" / "0.png", size=(30, 30))
    assert open_data(tmp_path / "copy", cache=cache).fingerprint != first


def test_opening_again_does_not_decode_again(folders: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = open_data(folders, cache=cache)
    monkeypatch.setattr("triscale.data.checks.scan.examine", lambda path: pytest.fail(f"decoded {path}"))
    again = open_data(folders, cache=cache)
    assert (again.native, again.notes) == (first.native, first.notes)


def test_a_broken_memory_of_the_scan_is_rebuilt(folders: Path, cache: Path) -> None:
    open_data(folders, cache=cache)
    for content in (b"", b"{", b"[]", b"[[1]]", b'{"a": 1}'):
        next(cache.glob("*-scan.json")).write_bytes(content)
        assert open_data(folders, cache=cache).native == (20, 20)


def test_val_serves_as_the_test_and_the_notes_say_so(folders: Path, cache: Path) -> None:
    (folders / "test").rename(folders / "val")
    source = open_data(folders, cache=cache)
    assert source.test_from == "val"
    assert any("val serves as the test" in note for note in source.notes)


def test_a_val_beside_a_test_is_the_validation_set(folders: Path, cache: Path, paint: Paint) -> None:
    for name in ("cat", "dog"):
        paint(folders / "val" / name / "new.png")
    source = open_data(folders, cache=cache)
    split = source.training_split(seed=5)
    assert (source.test_from, split.held) == ("test", "val")
    assert split.training.tolist() == list(range(12))
    assert [source.parts["val"].name(one) for one in split.validation] == ["val/cat/new.png", "val/dog/new.png"]
    assert np.bincount(source.labels("train")[source.training_split(seed=5, train_size=4).training]).tolist() == [2, 2]
    assert source.pictures("val", (8, 8)).shape == (2, 8, 8, 3)
    assert source.guessing(seed=5) == 0.5
    for index in range(2):
        paint(folders / "val" / "dog" / f"newer {index}.png")
    assert open_data(folders, cache=cache).guessing(seed=5) == 0.75


@pytest.mark.parametrize("name", ["{} (1).png", "copy of {}.png", "0{}.png"])
def test_where_every_photo_lies_twice_no_copy_crosses_a_split(
    tmp_path: Path, cache: Path, paint: Paint, name: str
) -> None:
    for label in ("cat", "dog"):
        for index in range(20):
            file = paint(tmp_path / "set" / label / f"{index}.png")
            shutil.copy(file, file.with_name(name.format(index)))
    source = open_data(tmp_path / "set", cache=cache)
    train, test = source.parts["train"], source.parts["test"]
    assert not set(train.digests) & set(test.digests)
    assert np.bincount(test.labels).tolist() == [8, 8]
    split = source.training_split(seed=0)
    parts = [{train.digests[one] for one in some} for some in (split.training, split.validation)]
    assert not parts[0] & parts[1]
    assert np.bincount(train.labels[split.validation]).tolist() == [2, 2]
    assert [(one.kind, one.count) for one in source.findings] == [("duplicates", 40)]
    old = open_data(tmp_path / "set", cache=cache, policy=CheckOptions(split=SplitRule(version=1)))
    assert "leakage" in {one.kind for one in old.findings}, "findings are of the split that is used"


def test_copies_between_val_train_and_test_are_told(folders: Path, cache: Path) -> None:
    shutil.copytree(folders / "test", folders / "val")
    shutil.copy(folders / "train" / "cat" / "0.png", folders / "val" / "cat" / "again.png")
    texts = [one.text for one in open_data(folders, cache=cache).findings if one.kind == "leakage"]
    assert texts == [
        "1 of 7 validation images are also training images: the validation is too kind.",
        "6 of 6 test images are also validation images: the test is too kind.",
    ]


@pytest.mark.parametrize("inner", ["", "train"])
def test_without_test_pictures_a_fifth_is_split_off(tmp_path: Path, cache: Path, paint: Paint, inner: str) -> None:
    for name in ("a", "b", "c"):
        for i in range(10):
            paint(tmp_path / "set" / inner / name / f"{i}.png")
    source = open_data(tmp_path / "set", cache=cache)
    assert source.test_from == "train"
    assert np.bincount(source.labels("test")).tolist() == [2, 2, 2]
    assert np.bincount(source.labels("train")).tolist() == [8, 8, 8]
    assert any("split off" in note for note in source.notes)
    both = np.concatenate([source.pictures(split, (16, 16)) for split in ("train", "test")])
    assert len({some.tobytes() for some in both}) == 30


def test_hostile_files_are_left_out_counted_and_named(folders: Path, cache: Path) -> None:
    cat = folders / "train" / "cat"
    (cat / "a-zero.jpg").write_bytes(b"")
    (cat / "b-text.jpg").write_text("<html></html>")
    (cat / "c-cut.png").write_bytes((cat / "0.png").read_bytes()[:200])
    (cat / "d-dangling.png").symlink_to(folders / "nowhere.png")
    (cat / "e-loop.png").symlink_to(cat / "e-loop.png")
    (cat / "f-up").symlink_to(folders)
    os.mkfifo(cat / "g-pipe.png")
    (cat / "h-folder.jpg").mkdir()
    for ignored in (".hidden.png", "._0.png", "Thumbs.db", ".DS_Store"):
        (cat / ignored).write_bytes(b"x")
    (cat / ".git").mkdir()
    (cat / ".git" / "x.png").write_bytes(b"x")
    (folders / "train" / ".git").mkdir()
    (folders / "train" / "LICENSE").write_text("free")
    (folders / "train" / "up").symlink_to(folders)
    source = open_data(folders, cache=cache)
    assert source.classes == ("cat", "dog")
    assert np.bincount(source.labels("train")).tolist() == [6, 6]
    assert source.skipped == 8
    note = next(note for note in source.notes if "left out" in note)
    assert note.startswith("8 of 26 files")
    assert "'train/cat/a-zero.jpg' (it is empty)" in note
    assert "5 more" in note
    assert len(source.pictures("train", (8, 8))) == 12


def test_links_to_pictures_and_folders_in_folders_are_followed_as_one_expects(folders: Path, cache: Path) -> None:
    dog = folders / "train" / "dog"
    (dog / "deeper").mkdir()
    (dog / "0.png").rename(dog / "deeper" / "0.png")
    (dog / "linked.png").symlink_to(folders / "test" / "dog" / "0.png")
    source = open_data(folders, cache=cache)
    assert np.bincount(source.labels("train")).tolist() == [6, 7]
    assert any("1 of 6 test images are also training images" in note for note in source.notes)


@pytest.mark.parametrize("name", ["with space", "quote'\"", "neue\nZeile", "-dash", "ünïcödé", "<script>", "x" * 255])
def test_odd_class_names_survive(folders: Path, cache: Path, name: str) -> None:
    for split in ("train", "test"):
        (folders / split / "dog").rename(folders / split / name)
    source = open_data(folders, cache=cache)
    assert set(source.classes) == {"cat", name}
    assert len(source.pictures("train", (8, 8))) == 12


def test_a_class_name_that_is_no_text_is_made_one(folders: Path, cache: Path) -> None:
    for split in ("train", "test"):
        (folders / split / "dog").rename(os.fsdecode(os.fsencode(folders / split) + b"/d\xffg"))
    assert open_data(folders, cache=cache).classes == ("cat", "d\\xffg")


def refused(root: Path, cache: Path, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        open_data(root, cache=cache)
    assert str(caught.value).count("\n") < 3


def test_what_cannot_be_a_data_set_is_an_input_error(folders: Path, cache: Path, tmp_path: Path) -> None:
    refused(tmp_path / "nowhere", cache, "There is no folder")
    (tmp_path / "empty").mkdir()
    refused(tmp_path / "empty", cache, "no class folder")
    refused(folders / "train" / "cat", cache, "no class folder")
    refused(folders / "train" / "cat" / "0.png", cache, "is a single file")
    shutil.rmtree(folders / "train" / "dog")
    refused(folders, cache, "only the class folder 'cat'")


def test_a_class_without_a_readable_picture_is_an_input_error_that_names_it(folders: Path, cache: Path) -> None:
    (folders / "train" / "bad").mkdir()
    refused(folders, cache, "'bad' holds no readable image")
    (folders / "train" / "bad" / "a.jpg").write_text("no")
    refused(folders, cache, "'bad' holds no readable image")


def test_a_test_without_a_readable_picture_is_an_input_error(folders: Path, cache: Path) -> None:
    for path in (folders / "test").glob("*/*"):
        path.write_bytes(b"")
    refused(folders, cache, "no readable test image")


def test_classes_that_are_one_are_an_input_error(folders: Path, cache: Path) -> None:
    (folders / "train" / "puppy").symlink_to(folders / "train" / "dog")
    refused(folders, cache, "same class folder")
    (folders / "train" / "puppy").unlink()
    (folders / "train" / "CAT").mkdir()
    refused(folders, cache, "differ only in case")


def test_a_picture_in_two_classes_is_told(folders: Path, cache: Path) -> None:
    shutil.copy(folders / "train" / "cat" / "0.png", folders / "train" / "dog" / "same.png")
    assert any("1 image lies in more than one class" in note for note in open_data(folders, cache=cache).notes)


def test_a_picture_that_breaks_after_opening_is_named(folders: Path, cache: Path) -> None:
    source = open_data(folders, cache=cache)
    (folders / "train" / "dog" / "3.png").write_bytes(b"")
    with pytest.raises(InputError, match=r"dog/3\.png.*broke after"):
        source.pictures("train", (8, 8))
    assert not list(cache.glob("*.npy"))


def test_photos_of_clothes_are_opened_whole(cache: Path) -> None:
    source = open_data(real_data("clothing"), cache=cache)
    assert (len(source.classes), source.test_from, source.skipped) == (10, "val", 0)
    assert (len(source.labels("train")), len(source.labels("test"))) == (3068, 341)
    assert source.native == (224, 224)
    pictures = source.pictures("test", (48, 64))
    assert pictures.shape == (341, 48, 64, 3)
    with Image.open(next((real_data("clothing") / "val" / "dress").iterdir())) as photo:
        assert abs(np.asarray(photo).mean() - pictures.mean()) < 100
