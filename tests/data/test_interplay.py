"""Words of splits, tables, arrays, shards, reasons and litter where they meet."""

import hashlib
import io
import json
import shutil
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.data.test_opening import refused
from triscale.data import Source, open_data, open_split

HEIC = b"\0\0\0\x24ftypheic\0\0\0\0mif1MiHEmiafheic"
CLASSES = ("cat", "dog")


def pictures(folder: Path, count: int, seed: int = 0) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    draws = np.random.default_rng([seed, *map(ord, folder.name), *map(ord, folder.parent.name)])
    files = [folder / f"{index}.png" for index in range(count)]
    for file in files:
        Image.fromarray(draws.integers(0, 256, (12, 12, 3), dtype=np.uint8)).save(file)
    return files


def counts(source: Source) -> dict[str, int]:
    return {split: len(part.labels) for split, part in source.parts.items()}


def told(source: Source) -> str:
    return "\n".join(source.notes)


@pytest.mark.parametrize(
    ("name", "separator", "encoding", "head", "words", "from_"),
    [
        ("t.csv", ";", "utf-8-sig", ("Image", "Class", "Subset"), ("Training", "valid"), "val"),
        ("t.tsv", "\t", "utf-16", ("label", "usage", "path"), ("train", "dev"), "val"),
        ("t.csv", ",", "utf-8", ("usage", "file_name", "class"), ("Training", "PrivateTest"), "test"),
        ("t.csv", "|", "utf-8", None, ("TRAIN", "hold-out"), "test"),
    ],
)
def test_words_of_splits_are_read_in_tables_of_every_dialect(
    tmp_path: Path, cache: Path, name: str, separator: str, encoding: str, head: tuple[str, ...] | None,
    words: tuple[str, str], from_: str,
) -> None:  # fmt: skip
    ranks = {"image": 0, "path": 0, "file_name": 0, "class": 1, "label": 1, "subset": 2, "usage": 2, "split": 2}
    order = [ranks[title.lower()] for title in head or ("path", "label", "split")]
    cells = [
        (f"{kind}/{file.name}", kind, words[index >= 4])
        for kind in CLASSES
        for index, file in enumerate(pictures(tmp_path / kind, 6))
    ]
    lines = ([head] if head else []) + [tuple(row[column] for column in order) for row in cells]
    (tmp_path / name).write_text("\n".join(separator.join(line) for line in lines), encoding=encoding)
    source = open_data(tmp_path / name, cache=cache)
    assert (source.classes, source.test_from, counts(source)) == (CLASSES, from_, {"train": 8, "test": 4})


@pytest.mark.parametrize("folders", [("train", "val"), ("Training", "Validation"), ("train_images", "dev_images")])
@pytest.mark.parametrize("by", ["line", "table", "folder"])
def test_a_picture_lies_in_the_folder_of_its_split_by_any_word(
    tmp_path: Path, cache: Path, folders: tuple[str, str], by: str
) -> None:
    """The same names lie in both folders; the line, the table's name or its folder says which is meant."""
    for folder, word, count in zip(folders, ("training", "valid"), (6, 4), strict=True):
        rows = [f"{file.name},{CLASSES[index % 2]}" for index, file in enumerate(pictures(tmp_path / folder, count))]
        if by == "line":
            rows = [f"{row},{word}" for row in rows]
        table = {"line": "labels.csv", "table": f"{word}_set.csv", "folder": f"{folder}/metadata.csv"}[by]
        head = "file_name,label,split" if by == "line" else "file_name,label"
        old = (tmp_path / table).read_text() if (tmp_path / table).exists() else head + "\n"
        (tmp_path / table).write_text(old + "\n".join(rows) + "\n")
    source = open_data(tmp_path, cache=cache)
    assert (source.skipped, counts(source)) == (0, {"train": 6, "test": 4})
    assert {part.name(0).partition("/")[0] for part in source.parts.values()} == set(folders)


@pytest.mark.parametrize(
    ("test", "said"),
    [
        ("image_id\n0\n1\n", "The table test.csv holds no labels"),
        ("image_id,label\n0,\n1,\n", "none of its 2 images has the label"),
        ("image_id,site\n0,a\n1,b\n", "The table test.csv holds no labels"),
        ("image_id,label\n", "The table test.csv holds no labels"),
        ("", "The table test.csv holds no labels"),
    ],
)
def test_a_test_table_without_labels_never_blocks(tmp_path: Path, cache: Path, test: str, said: str) -> None:
    rows = [f"{file.stem},{'ab'[index % 2]}" for index, file in enumerate(pictures(tmp_path / "train", 12))]
    pictures(tmp_path / "test", 2)
    (tmp_path / "train.csv").write_text("image_id,label\n" + "\n".join(rows))
    (tmp_path / "test.csv").write_text(test)
    (tmp_path / "sample_submission.csv").write_text("image_id,label\n0,a\n")
    source = open_data(tmp_path, cache=cache)
    assert (source.classes, source.test_from, sum(counts(source).values())) == (("a", "b"), "train", 12)
    assert said in told(source)
    assert ("No image in 'test/' has a label" in told(source)) == ("none of" not in said)


def test_a_table_that_is_not_read_is_named_once(tmp_path: Path, cache: Path) -> None:
    for split in ("train", "test"):
        for kind in CLASSES:
            pictures(tmp_path / split / kind, 4)
    (tmp_path / "labels.csv").write_text("path,label\ntrain/cat/0.png,dog\n")
    (tmp_path / "more.tsv").write_text("path\tlabel\ntrain/cat/0.png\tdog\n")
    source = open_data(tmp_path, cache=cache)
    assert counts(source) == {"train": 8, "test": 8}
    assert [note for note in source.notes if "labels.csv" in note] == [
        "The tables labels.csv, more.tsv are not read, since class folders tell the classes: give the table to read it."
    ]


def test_of_two_tables_of_a_split_the_one_of_its_name_is_read_and_the_other_named(tmp_path: Path, cache: Path) -> None:
    for split in ("train", "test"):
        rows = [f"{file.name},{'ab'[i % 2]}" for i, file in enumerate(pictures(tmp_path / split, 6))]
        (tmp_path / f"{split}.csv").write_text("file_name,label\n" + "\n".join(rows))
        (tmp_path / f"{split}_data.csv").write_text("free,text\n1,2\n")
    source = open_data(tmp_path, cache=cache)
    assert counts(source) == {"train": 6, "test": 6}
    assert "The tables test_data.csv, train_data.csv are not read." in source.notes


def test_litter_beside_splits_and_arrays_is_not_reported(tmp_path: Path, cache: Path) -> None:
    def litter(root: Path) -> None:
        for name in ("@eaDir", "__MACOSX", "$RECYCLE.BIN", ".Trash-1000", "lost+found"):
            pictures(root / name, 1)
        for name in ("Thumbs.db", ".DS_Store", "._train.npz"):
            (root / name).write_bytes(b"x")

    for split in ("Training", "valid"):
        for kind in CLASSES:
            pictures(tmp_path / "folders" / split / kind, 4)
    pixels = np.random.default_rng(0).integers(0, 256, (20, 8, 8, 3), dtype=np.uint8)
    (tmp_path / "arrays").mkdir()
    np.savez(tmp_path / "arrays" / "numbers.npz", images=pixels, labels=np.arange(20) % 2)
    before = [open_data(tmp_path / kind, cache=cache) for kind in ("folders", "arrays")]
    for kind in ("folders", "arrays"):
        litter(tmp_path / kind)
    after = [open_data(tmp_path / kind, cache=cache) for kind in ("folders", "arrays")]
    assert [(one.notes, one.fingerprint) for one in after] == [(one.notes, one.fingerprint) for one in before]


def test_a_validation_of_unreadable_pictures_names_the_first_and_its_reason(tmp_path: Path, cache: Path) -> None:
    for split in ("train", "test"):
        for kind in CLASSES:
            pictures(tmp_path / split / kind, 4)
    for kind in CLASSES:
        (tmp_path / "val" / kind).mkdir(parents=True)
        (tmp_path / "val" / kind / "a.heic").write_bytes(HEIC + bytes(99))
    refused(tmp_path, cache, r"no readable val image in .*: 'val/cat/a.heic' \(.*HEIC.*\), and 1 more")
    shutil.rmtree(tmp_path / "val" / "dog")
    pictures(tmp_path / "val" / "dog", 2, seed=1)
    source = open_data(tmp_path, cache=cache)
    assert (counts(source)["val"], source.skipped) == (2, 1)
    assert "'val/cat/a.heic' (" in source.findings[0].examples[0]


Made = tuple[NDArray[Any], NDArray[Any]]


def made(count: int, form: str) -> Made:
    draws, labels = np.random.default_rng(count), np.arange(count) % 3
    pixels = draws.integers(0, 256, (count, 8, 8, 3), dtype=np.uint8)
    forms: Mapping[str, Made] = {
        "one-hot": (pixels, np.eye(3, dtype=int)[labels]),
        "names": (pixels, np.array(["0", "1", "2"])[labels]),
        "channels first": (pixels.transpose(0, 3, 1, 2), labels),
        "floats": (pixels / 255, labels.astype(np.float32)),
        "a column": (pixels, labels[:, None]),
    }
    return forms[form]


@pytest.mark.parametrize("form", ["one-hot", "names", "channels first", "floats", "a column"])
@pytest.mark.parametrize(("images", "labels"), [("{}_images", "{}_labels"), ("x_{}", "y_{}")])
def test_arrays_in_every_form_are_found_by_the_names_of_splits(
    tmp_path: Path, cache: Path, form: str, images: str, labels: str
) -> None:
    arrays = dict[str, NDArray[Any]]()
    for split, count in (("train", 18), ("val", 6), ("test", 9)):
        arrays[images.format(split)], arrays[labels.format(split)] = made(count, form)
    np.savez(tmp_path / "set.npz", **arrays)  # type: ignore[arg-type]  # the stubs take a name for an option
    source = open_data(tmp_path / "set.npz", cache=cache)
    assert (source.classes, counts(source)) == (("0", "1", "2"), {"train": 18, "val": 6, "test": 9})
    assert source.labels("test").tolist() == [0, 1, 2] * 3
    np.testing.assert_array_equal(source.pictures("test", (8, 8)), made(9, "a column")[0])
    assert sum("are read as" in note for note in source.notes) == (form in {"channels first", "floats"})
    assert len(open_split(tmp_path / "set.npz", "val", cache=cache).part.labels) == 6


@pytest.mark.parametrize("inside", [True, False])
def test_a_test_of_arrays_without_labels_never_blocks(tmp_path: Path, cache: Path, inside: bool) -> None:
    pixels, labels = made(20, "a column")
    if inside:
        np.savez(tmp_path / "set.npz", x_train=pixels, y_train=labels, x_test=pixels[:4])
    else:
        np.savez(tmp_path / "train.npz", images=pixels, labels=labels)
        np.savez(tmp_path / "test.npz", images=pixels[:4])
    source = open_data(tmp_path, cache=cache)
    assert (source.test_from, sum(counts(source).values())) == ("train", 20)
    assert f"The test split is not used: {'set.npz:x_test' if inside else 'test.npz'} has no labels." in source.notes


@pytest.mark.parametrize("suffix", ["tar", "TAR"])
def test_shards_named_by_words_take_labels_from_json(tmp_path: Path, cache: Path, suffix: str) -> None:
    def shard(name: str, files: Sequence[Path]) -> None:
        with tarfile.open(tmp_path / f"{name}.{suffix}", "w") as archive:
            for index, file in enumerate(files):
                for kind, content in (("png", file.read_bytes()), ("json", json.dumps({"label": index % 2}).encode())):
                    member = tarfile.TarInfo(f"{index}.{kind}")
                    member.size = len(content)
                    archive.addfile(member, io.BytesIO(content))

    shard("imagenet1k-train-00", pictures(tmp_path / "p", 12))
    shard("imagenet1k-validation-00", pictures(tmp_path / "q", 6))
    (tmp_path / "classes.txt").write_text("cat\ndog\n")
    source = open_data(tmp_path, cache=cache)
    assert (source.classes, source.test_from, counts(source)) == (CLASSES, "val", {"train": 12, "test": 6})


@pytest.mark.parametrize("suffix", [".NPZ", ".Npz"])
def test_arrays_are_found_whatever_the_case_of_their_suffix(tmp_path: Path, cache: Path, suffix: str) -> None:
    pixels, labels = made(20, "a column")
    for name in ("train", "test"):
        with (tmp_path / f"{name}{suffix}").open("wb") as file:
            np.savez(file, images=pixels, labels=labels)
    for where in (tmp_path, tmp_path / f"train{suffix}"):
        assert counts(open_data(where, cache=cache)) == {"train": 20, "test": 20}
    assert len(open_split(tmp_path, "test", cache=cache).part.labels) == 20
    assert open_split(tmp_path / f"test{suffix}", cache=cache).split == "test"


def test_shards_with_a_sample_without_label_keep_the_fingerprint_that_0_1_0_gave_them(
    tmp_path: Path, cache: Path
) -> None:
    table, content = hashlib.sha256(), list[bytes]()
    with tarfile.open(tmp_path / "train-0.tar", "w") as archive:
        for index, file in enumerate(pictures(tmp_path / "p", 12)):
            archive.add(file, f"{index}.png")
            label = tarfile.TarInfo(f"{index}.cls")
            label.size = 1
            if index != 3:
                archive.addfile(label, io.BytesIO(str(index % 2).encode()))
            table.update(f"train\0{'?' if index == 3 else index % 2}\0".encode())
            digest = "" if index == 3 else hashlib.sha256(file.read_bytes()).hexdigest()
            content.append(f"train-0.tar/{index}.png\0{digest}\0".encode())
    table.update(b"".join(content))
    assert open_data(tmp_path, cache=cache).fingerprint == table.hexdigest()
