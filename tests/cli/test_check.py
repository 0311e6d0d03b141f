"""`triscale check`."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cli.conftest import Run
from triscale.data import open_data


@pytest.fixture
def doubtful(pictures: Path, tmp_path: Path) -> Path:
    """The images with an empty file, and one of the training images in the test."""
    shutil.copytree(pictures, tmp_path / "set")
    (tmp_path / "set" / "train" / "red" / "empty\n.jpg").write_bytes(b"")
    shutil.copy(tmp_path / "set" / "train" / "red" / "0.png", tmp_path / "set" / "test" / "red" / "again.png")
    return tmp_path / "set"


def test_the_verdict_is_what_training_acts_on(run: Run, doubtful: Path) -> None:
    found, source = run("check", doubtful, "--json").json, open_data(doubtful)
    assert (found["train"], found["test"]) == (len(source.labels("train")), len(source.labels("test"))) == (60, 17)
    assert found["fingerprint"] == source.fingerprint
    assert [(one["kind"], one["count"]) for one in found["findings"]] == [("unreadable", 1), ("leakage", 1)]
    assert found["classes"] == [{"name": "green", "train": 30, "test": 8}, {"name": "red", "train": 30, "test": 9}]
    assert (found["ok"], found["skipped"]) == (False, 1)


def test_the_text_names_what_is_left_out_and_leaks(run: Run, doubtful: Path) -> None:
    answer = run("check", doubtful)
    assert answer.code == 0
    lines = answer.out.splitlines()
    assert "60 training and 17 test images in 2 classes" in lines[0]
    assert r"  'train/red/empty\n.jpg' (it is empty)" in lines
    assert "  'test/red/again.png' is 'train/red/0.png'" in lines
    assert lines[-1].startswith("Usable, but look at this first: 1 of 78 files were left out, 1 of 17 test images")


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_a_strict_check_shows_everything_and_ends_with_65(run: Run, doubtful: Path, form: tuple[str, ...]) -> None:
    answer = run("check", doubtful, "--strict", *form)
    assert answer.code == 65
    assert "again.png" in answer.out
    assert "not in order" in answer.err


def test_pictures_in_order_pass_a_strict_check(run: Run, pictures: Path) -> None:
    answer = run("check", pictures, "--strict")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.splitlines()[-1] == "In order."


def test_all_three_splits_are_shown_and_what_is_not_used_is_not_in_order(
    run: Run, pictures: Path, tmp_path: Path
) -> None:
    root = tmp_path / "set"
    for split, name in (("train", "Training"), ("test", "Testing")):
        shutil.copytree(pictures / split, root / name)
    for name in ("red", "green"):
        (root / "valid" / name).mkdir(parents=True)
        (root / "Testing" / name / "7.png").rename(root / "valid" / name / "7.png")
    answer = run("check", root)
    assert "60 training, 2 validation and 14 test images in 2 classes" in answer.out
    assert answer.out.splitlines()[-1] == "In order."
    assert run("check", root, "--json").json["val"] == 2
    (root / "extra").mkdir()
    answer = run("check", root)
    assert "Beside the splits, and not used: 'extra/'." in answer.out
    assert answer.out.splitlines()[-1] == "Usable; see above."


def test_near_copies_are_grouped_where_that_is_asked_for(run: Run, tmp_path: Path) -> None:
    draws = np.random.default_rng(0)
    for name in ("a", "b"):
        (tmp_path / "set" / name).mkdir(parents=True)
        for index in range(10):
            image = Image.fromarray(draws.integers(0, 256, (16, 16, 3), dtype=np.uint8)).resize((96, 96))
            image.save(tmp_path / "set" / name / f"{index}.png")
            image.resize((64, 64)).save(tmp_path / "set" / name / f"{index}.jpg")
    assert "--group-by near keeps them" in run("check", tmp_path / "set").out
    answer = run("check", tmp_path / "set", "--group-by", "near")
    assert "20 images are near copies" in answer.out
    assert "look like training" not in answer.out
    assert "--group-by near keeps them" not in answer.out
    assert run("check", tmp_path / "set", "--group-by", "names").code == 64


def test_an_empty_class_may_be_left_out(run: Run, doubtful: Path) -> None:
    (doubtful / "train" / "blue").mkdir()
    assert run("check", doubtful).code == 65
    assert [one["name"] for one in run("check", doubtful, "--allow-empty", "--json").json["classes"]] == [
        "green",
        "red",
    ]
