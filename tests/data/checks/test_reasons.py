"""What holds nothing usable is rejected with its first file, the reason of that, and what to do."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.data.test_opening import refused
from triscale.data import open_data, open_split
from triscale.data.checks.reasons import unusable
from triscale.data.names.instead import REMEDIES, remedy_for
from triscale.data.readers.rows import PictureRow
from triscale.errors import InputError


def spoil(folder: Path, content: bytes = b"<html>") -> None:
    for file in folder.glob("*.png"):
        file.write_bytes(content)


@pytest.mark.parametrize(
    ("content", "reason", "remedy"),
    [
        (b"<html>", "not an image but an HTML page", "Convert it to JPEG or PNG"),
        (b"", "it is empty", "Copy the file again"),
        (b"\x89PNG\r\n\x1a\n" + bytes(40), "broken|not an image", "Restore the file|Convert"),
    ],
)
def test_a_class_or_a_test_without_a_picture_names_the_first_file(
    folders: Path, cache: Path, content: bytes, reason: str, remedy: str
) -> None:
    spoil(folders / "train" / "dog", content)
    said = rf"class 'dog' .*: 'train/dog/0.png' \(({reason}).*\), and 5 more\.\n.*({remedy}).*\n.*only 1 of 2 have"
    refused(folders, cache, said)
    shutil.copytree(folders / "train" / "cat", folders / "train" / "cow")
    refused(folders, cache, said.replace("only 1 of 2 have", "--allow-empty"))
    shutil.rmtree(folders / "train" / "cow")
    for name in ("cat", "dog"):
        spoil(folders / "test" / name, content)
    with pytest.raises(InputError, match=rf"no readable image in .*: 'test/cat/0.png' \(({reason})") as caught:
        open_split(folders, cache=cache)
    assert str(caught.value).count("\n") < 3
    shutil.rmtree(folders / "train" / "dog")
    shutil.copytree(folders / "train" / "cat", folders / "train" / "dog")
    refused(folders, cache, rf"no readable test image in .*: 'test/cat/0.png' \(({reason}).*\), and 5 more")


def test_a_class_without_any_file_has_no_reason_to_name(folders: Path, cache: Path) -> None:
    (folders / "train" / "cow").mkdir()
    refused(folders, cache, r"'cow' holds no readable image for training\.\nRemove")


def test_links_out_of_the_folder_say_how_to_take_them(folders: Path, cache: Path) -> None:
    outside = folders.parent / "outside"
    (folders / "train" / "dog").rename(outside)
    (folders / "train" / "dog").mkdir()
    for file in outside.iterdir():
        (folders / "train" / "dog" / file.name).symlink_to(file)
    refused(folders, cache, r"'train/dog/0.png' \(a link out of the data folder\), and 5 more\.\n.*--follow-links")


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["0.jpg", "1.jpg"], "no class folder in .*, but 2 files such as '0.jpg'.\nPut each image into a folder"),
        (["data.zip"], "but 1 file such as 'data.zip'.\ndata.zip: Unpack it"),
        (["train-0.tar.gz"], "but 1 file such as 'train-0.tar.gz'.\ntrain-0.tar.gz: Unpack it"),
        (["a.npy", "b.npy"], "numpy.savez"),
        (["list.xlsx"], "Save it as CSV"),
        (["b.txt", "a.lst"], "If 'a.lst' lists path and label of images, give that file"),
        (["README.txt"], "but 1 file such as 'README.txt'.\nPut one folder"),
        (["notes.doc"], "but 1 file such as 'notes.doc'.\nPut one folder of images there"),
        ([".DS_Store", "Thumbs.db"], r"no class folder in '[^']*'\.\n"),
    ],
)
def test_a_folder_without_classes_says_what_it_has_instead(
    tmp_path: Path, cache: Path, names: list[str], said: str
) -> None:
    (tmp_path / "set").mkdir()
    for name in names:
        (tmp_path / "set" / name).write_bytes(b"x")
    refused(tmp_path / "set", cache, said)
    with pytest.raises(InputError, match=said):
        open_split(tmp_path / "set", cache=cache)


def test_a_folder_around_the_data_set_names_the_one_to_give(folders: Path, tmp_path: Path, cache: Path) -> None:
    (tmp_path / "around").mkdir()
    folders.rename(tmp_path / "around" / "Pictures")
    refused(tmp_path / "around", cache, "If 'Pictures/' holds the classes or splits, give '.*/around/Pictures'")


def test_a_file_that_is_no_data_set_is_refused_with_what_to_do(tmp_path: Path, cache: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((3, 4)))
    refused(tmp_path / "x.npy", cache, "is a single file.\nWrite images and labels into one file")
    for remedy, suffixes in REMEDIES.items():
        assert all(remedy_for(f"A.{suffix.upper()}") == remedy for suffix in suffixes)


def test_a_message_has_three_lines_at_most() -> None:
    rows = [PictureRow(name=f"{i}\n.png", file=Path("x"), label="", reason="no label") for i in range(3)]
    message = str(unusable("It holds nothing", rows, "Put something in."))
    assert message.partition("\n")[0] == "It holds nothing: '0\\n.png' (no label), and 2 more."
    assert message.count("\n") == 2


def test_what_is_in_order_says_nothing_of_reasons(folders: Path, cache: Path) -> None:
    assert open_data(folders, cache=cache).notes == ()


def test_a_reason_is_that_of_today_and_not_a_remembered_one(folders: Path, cache: Path) -> None:
    """The verdicts on a table's files are remembered, but why a line leads nowhere may change."""
    rows = "".join(f"{kind}/{i}.png,{kind}\n" for kind in ("cat", "dog") for i in range(6))
    table = folders / "train" / "t.csv"
    table.write_text(f"path,label\n{rows}cat/x.png,cat\n")
    assert open_data(table, cache=cache).findings[0].examples == ("'cat/x.png' (no such file or directory)",)
    shutil.copy(folders / "train" / "cat" / "0.png", folders / "train" / "cat" / "x.jpg")
    assert open_data(table, cache=cache).findings[0].examples == ("'cat/x.png' (no such file, but 'cat/x.jpg')",)
