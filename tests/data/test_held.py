"""Which images an evaluation takes."""

from pathlib import Path

import numpy as np
import pytest

from tests.data.conftest import Paint
from triscale.data import CheckOptions, Held, SplitRule, open_data, open_split
from triscale.data.held import WHOLE
from triscale.data.source import rendered
from triscale.errors import InputError, UsageError
from triscale.spec import IMAGENET, Preprocessing


def opened(where: Path | str, split: str | None, cache: Path) -> Held:
    return open_split(where, split, cache=cache)


def test_a_folder_with_splits_gives_the_one_that_was_asked_for(folders: Path, cache: Path, paint: Paint) -> None:
    assert (opened(folders, None, cache).split, len(opened(folders, None, cache).part.labels)) == ("test", 6)
    assert len(opened(folders, "train", cache).part.labels) == 12
    paint(folders / "val" / "cat" / "new.png")
    assert opened(folders, "val", cache).part.labels.tolist() == [0]
    assert opened(folders, None, cache).split == "test"


def test_splits_are_found_by_the_words_for_them(folders: Path, cache: Path, paint: Paint) -> None:
    (folders / "train").rename(folders / "Training")
    (folders / "test").rename(folders / "holdout")
    assert [len(opened(folders, split, cache).part.labels) for split in ("train", "test", None)] == [12, 6, 6]
    paint(folders / "valid" / "cat" / "new.png")
    assert len(opened(folders, "val", cache).part.labels) == 1


def test_a_test_without_labels_is_no_test_to_evaluate_on(folders: Path, cache: Path) -> None:
    (folders / "test" / "cat").rename(folders / "test" / "unknown")
    assert opened(folders, None, cache).split == "test", "with one class"
    (folders / "test" / "dog").rename(folders / "test" / "unknown" / "deeper")
    assert opened(folders, "test", cache).part.name(0).startswith("train/"), "the fifth that a training sets aside"


def test_a_test_is_found_again_by_the_rule_that_drew_it(folders: Path, cache: Path) -> None:
    root = folders / "train"
    for rule in (SplitRule(version=1), SplitRule()):
        drawn = open_data(root, cache=cache, policy=CheckOptions(split=rule)).parts["test"]
        held = open_split(root, "test", cache=cache, rule=rule).part
        assert [held.name(one) for one in range(4)] == [drawn.name(one) for one in range(4)]


def test_a_study_that_set_its_test_aside_finds_it_again(folders: Path, cache: Path) -> None:
    """From train/ alone, and from class folders alone: the images of the study's test, and without a split all."""
    for root, alone in ((folders / "train", True), (folders, False)):
        if not alone:
            for file in (folders / "test").rglob("*.png"):
                file.unlink()
            for folder in [*(folders / "test").iterdir(), folders / "test"]:
                folder.rmdir()
        source = open_data(root, cache=cache)
        held = opened(root, "test", cache)
        assert np.array_equal(held.part.labels, source.labels("test"))
        pixels = np.concatenate(list(rendered(held.part, (8, 8), Preprocessing())))
        assert np.array_equal(pixels, source.pictures("test", (8, 8)))
        if alone:
            whole = opened(root, None, cache)
            assert (whole.split, len(whole.part.labels)) == ("all", 12)
            assert any("--split test" in note for note in whole.notes)
        else:
            with pytest.raises(InputError, match="only train/"):
                opened(root, None, cache)


def test_an_npz_is_itself_and_a_pair_has_splits(pair: Path, cache: Path) -> None:
    assert len(opened(pair, None, cache).part.labels) == 12
    assert len(opened(pair, "train", cache).part.labels) == 40
    assert len(opened(pair / "train.npz", None, cache).part.labels) == 40
    with pytest.raises(UsageError, match="leave --split out"):
        opened(pair / "train.npz", "test", cache)
    with pytest.raises(InputError, match="no val"):
        opened(pair, "val", cache)


@pytest.mark.parametrize("form", ["table", "arrays"])
def test_what_has_no_splits_counts_whole_in_every_form(folders: Path, pair: Path, cache: Path, form: str) -> None:
    """As class folders do."""
    files = sorted((folders / "train").rglob("*.png"))
    where, count = folders / "t.csv", len(files)
    where.write_text("\n".join(["path,label", *(f"{file},{file.parent.name}" for file in files)]))
    if form == "arrays":
        where, count = pair / "plain", 40
        where.mkdir()
        (pair / "train.npz").rename(where / "all.npz")
    held = opened(where, None, cache)
    assert (held.split, len(held.part.labels), held.divided) == ("all", count, False)
    assert [note for note in held.notes if "split" in note] == [WHOLE]
    assert opened(where, "all", cache).notes == ()
    assert len(opened(where, "test", cache).part.labels) == len(open_data(where, cache=cache).labels("test")) < count


def test_the_embedded_set_has_a_test_and_a_train(cache: Path) -> None:
    assert len(opened("flowers:48", None, cache).part.labels) == 12
    assert len(opened("flowers:48", "train", cache).part.labels) == 48
    with pytest.raises(InputError, match="no val"):
        opened("flowers:48", "val", cache)


def test_empty_classes_and_bad_files_do_not_stop_an_evaluation(folders: Path, cache: Path) -> None:
    (folders / "test" / "empty").mkdir()
    (folders / "test" / "cat" / "bad.png").write_text("no image")
    (folders / "test" / "loose.png").write_text("in no class")
    held = opened(folders, None, cache)
    assert held.classes == ("cat", "dog", "empty")
    assert (len(held.part.labels), held.skipped) == (6, 1)
    assert "bad.png" in " ".join(held.notes)
    assert "1 file lies in no class folder and is not counted" in " ".join(held.notes)


@pytest.mark.parametrize("wrong", ["nothing", "file", "empty"])
def test_what_holds_no_pictures_is_wrong_input(tmp_path: Path, cache: Path, wrong: str) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "empty" / "test").mkdir(parents=True)
    with pytest.raises(InputError, match=wrong):
        opened(tmp_path / wrong, None, cache)
    with pytest.raises(UsageError, match="'dev'"):
        opened(tmp_path, "dev", cache)


def test_rendered_pictures_are_those_of_a_study_or_of_the_filter(folders: Path, pair: Path, cache: Path) -> None:
    for where in (folders, pair):
        held, source = opened(where, "test", cache), open_data(where, cache=cache)
        study = np.concatenate(list(rendered(held.part, (9, 7), Preprocessing())))
        assert np.array_equal(study, source.pictures("test", (9, 7)))
        assert not np.array_equal(study, np.concatenate(list(rendered(held.part, (9, 7), IMAGENET))))


def test_the_root_is_named_where_it_is_given_to_evaluate() -> None:
    """Not `/dev`, although that is also a word for a validation set."""
    with pytest.raises(InputError, match=r"^'/' is the root of the file system"):
        open_split("/")
