"""Tables, shards and torchvision's data sets: each gives the same `Source` as class folders of the same images."""

import csv
import io
import json
import pickle
import shutil
import tarfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from triscale.data import CheckOptions, Source, Split, open_data, open_split
from triscale.data.readers.torchvision_sets import KNOWN
from triscale.errors import InputError


def shown(source: Source) -> tuple[Any, ...]:
    """What a training sees of a source."""
    splits: tuple[Split, ...] = ("train", "test")
    return (
        source.classes,
        source.native,
        *(source.labels(split).tolist() for split in splits),
        *(source.pictures(split, (16, 16)).tobytes() for split in splits),
    )


def listed(folders: Path) -> list[tuple[str, str, str]]:
    """(path, class, split) of all images in class folders, in their order."""
    files = sorted(path.relative_to(folders) for path in folders.rglob("*.png"))
    return [(str(file), file.parts[1], file.parts[0]) for file in files]


def refused(where: Path | str, cache: Path, message: str, policy: CheckOptions = CheckOptions()) -> None:  # noqa: B008 - frozen
    with pytest.raises(InputError, match=message) as caught:
        open_data(where, cache=cache, policy=policy)
    assert str(caught.value).count("\n") < 3


# --- tables


def table(path: Path, rows: Sequence[tuple[str, ...]], head: str = "path,label,split") -> Path:
    with path.open("w", newline="", encoding="utf-8", errors="surrogateescape") as file:
        file.write(head + "\r\n")
        csv.writer(file).writerows(rows)
    return path


def test_a_table_gives_what_the_folders_give(folders: Path, cache: Path) -> None:
    path = table(folders / "all.csv", list(listed(folders)))
    assert shown(open_data(path, cache=cache)) == shown(open_data(folders, cache=cache))
    held = open_split(path, cache=cache)
    assert (held.split, len(held.part.labels)) == ("test", 6)


def test_a_table_without_splits_gives_up_a_fifth_as_the_test(folders: Path, cache: Path) -> None:
    rows = [(name, label) for name, label, split in listed(folders) if split == "train"]
    source = open_data(table(folders / "some.csv", rows, "path,label"), cache=cache)
    assert source.test_from == "train"
    assert (len(source.labels("train")), len(source.labels("test"))) == (8, 4)


def test_numbers_are_classes_in_their_order(folders: Path, cache: Path) -> None:
    rows = [(name, "10" if label == "cat" else "9", split) for name, label, split in listed(folders)]
    assert open_data(table(folders / "all.csv", rows), cache=cache).classes == ("9", "10")


def test_the_fingerprint_of_a_table_follows_its_labels_and_splits(folders: Path, cache: Path) -> None:
    rows = listed(folders)
    other = [(name, label, "train" if index == 0 else split) for index, (name, label, split) in enumerate(rows)]
    swapped = [(name, {"cat": "dog", "dog": "cat"}[label], split) for name, label, split in rows]
    prints = {
        open_data(table(folders / "t.csv", list(some)), cache=cache).fingerprint for some in (rows, other, swapped)
    }
    assert len(prints) == 3


def test_what_a_table_lists_and_is_not_there_is_left_out_and_named(folders: Path, cache: Path) -> None:
    outside = folders.parent / "secret.png"
    (folders / "train" / "cat" / "0.png").rename(outside)
    rows = [
        *listed(folders),
        ("gone\n.png", "cat", "train"),
        ("../secret.png", "cat", "train"),
        (str(outside), "dog", ""),
    ]
    source = open_data(table(folders / "all.csv", rows), cache=cache)
    assert source.skipped == 3
    assert source.findings[0].examples == (
        "'gone\\n.png' (no such file or directory)",
        "'../secret.png' (a path out of the folder of the table)",
        f"{str(outside)!r} (a path out of the folder of the table)",
    )
    assert open_data(folders / "all.csv", cache=cache, policy=CheckOptions(follow_links=True)).skipped == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "first line"),
        (b"file,class\na,b\n", "holds 1 class, 'b': 'a' .no such file"),
        (b"path,label\nonly\n", "line 2: 'only' cannot"),
        (b"path,label,split\na.png,b,traning\n", "line 2"),
        (b"path,label\n,b\n", "line 2"),
        (b'path,label\n"a,b\n', "line 2"),
        (b"path,label\na.png,x\nb.png,x\n", "holds 1 class"),
        (b"path,label,split\na.png,x,Valid\nb.png,y,test\n", "no training images: all are in test, val"),
        (b"path,label\na.png,x\nb.png,y\n", "'x' holds no readable"),
    ],
)
def test_a_table_that_cannot_be_understood_is_refused_with_its_line(
    tmp_path: Path, cache: Path, content: bytes, message: str
) -> None:
    (tmp_path / "t.csv").write_bytes(content)
    refused(tmp_path / "t.csv", cache, message)


@pytest.mark.parametrize(
    ("train", "test", "from_"),
    [("Training", "Testing", "test"), ("TRAIN", "valid", "val"), ("", "dev", "val"), ("train_set", "hold-out", "test")],
)
def test_the_words_of_a_table_tell_its_splits(folders: Path, cache: Path, train: str, test: str, from_: str) -> None:
    words = {"train": train, "test": test}
    rows = [(name, label, words[split]) for name, label, split in listed(folders)]
    source = open_data(table(folders / "all.csv", rows), cache=cache)
    assert (source.test_from, len(source.labels("train")), len(source.labels("test"))) == (from_, 12, 6)


def test_a_table_may_name_all_three_splits(folders: Path, cache: Path) -> None:
    rows = [(name, label, "Validation" if name.endswith("2.png") else split) for name, label, split in listed(folders)]
    source = open_data(table(folders / "all.csv", rows), cache=cache)
    assert {split: len(part.labels) for split, part in source.parts.items()} == {"train": 10, "val": 4, "test": 4}
    assert [len(open_split(folders / "all.csv", split, cache=cache).part.labels) for split in ("val", None)] == [4, 4]


def test_a_table_that_lists_every_row_twice_keeps_copies_together(folders: Path, cache: Path) -> None:
    twice = [(name, label) for name, label, split in listed(folders) for _ in range(2)]
    parts = open_data(table(folders / "some.csv", twice, "path,label"), cache=cache).parts
    assert len(parts["test"].labels) == 4  # the second line of an image says nothing new
    copies = [(f"{name}.again.png", label) for name, label, _ in listed(folders)]
    for name, _ in copies:
        shutil.copy(folders / name.removesuffix(".again.png"), folders / name)
    parts = open_data(table(folders / "all.csv", twice + copies, "path,label"), cache=cache).parts
    assert len(parts["test"].labels) == 8
    assert not set(parts["train"].digests) & set(parts["test"].digests)


@pytest.mark.parametrize(("label", "said"), [("", "none of its 6 images"), ("unknown", "none of its 6 images")])
def test_a_test_without_labels_in_a_table_is_a_note(folders: Path, cache: Path, label: str, said: str) -> None:
    rows = [(name, kind if split == "train" else label, split) for name, kind, split in listed(folders)]
    source = open_data(table(folders / "all.csv", rows), cache=cache)
    assert (source.test_from, source.classes) == ("train", ("cat", "dog"))
    assert said in " ".join(source.notes)


def test_rows_of_a_class_that_training_lacks_are_left_out(folders: Path, cache: Path) -> None:
    rows = [(name, "emu" if name == "test/cat/0.png" else label, split) for name, label, split in listed(folders)]
    source = open_data(table(folders / "all.csv", rows), cache=cache)
    assert (len(source.labels("test")), source.skipped) == (5, 1)
    assert source.findings[0].examples == ("'test/cat/0.png' (there is no class 'emu' in training)",)


def test_a_table_that_is_not_there_is_refused(tmp_path: Path, cache: Path) -> None:
    refused(tmp_path / "t.csv", cache, "No such file")


# --- shards


def member(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    archive.addfile(info, io.BytesIO(content))


def shards(folders: Path, root: Path, label: Callable[[str], str] = str) -> Path:
    """Two shards for training, one for the test, each sample an image and its label."""
    root.mkdir()
    for split in ("train", "test"):
        rows = [row for row in listed(folders) if row[2] == split]
        for number in range(2 if split == "train" else 1):
            with tarfile.open(root / f"{split}-{number:06d}.tar", "w") as archive:
                for index, (name, kind, _) in enumerate(rows):
                    if split == "test" or index // 6 == number:
                        key = name.removesuffix(".png")
                        member(archive, f"{key}.cls", label(kind).encode())
                        member(archive, f"{key}.png", (folders / name).read_bytes())
                        member(archive, f"{key}.json", b"{}")
    return root


def test_shards_give_what_the_folders_give(folders: Path, cache: Path, tmp_path: Path) -> None:
    root = shards(folders, tmp_path / "shards")
    assert shown(open_data(root, cache=cache)) == shown(open_data(folders, cache=cache))


@pytest.mark.parametrize(
    ("train", "test", "from_"),
    [
        ("imagenet1k-train-{}", "imagenet1k-validation-{}", "val"),
        ("Training-{}", "holdout{}", "test"),
        ("{}", "cats-and-dogs-valid-{}", "val"),
        ("part_{}", "eval", "val"),
    ],
)
def test_a_word_in_the_name_of_a_shard_tells_its_split(
    folders: Path, cache: Path, tmp_path: Path, train: str, test: str, from_: str
) -> None:
    root = shards(folders, tmp_path / "shards")
    for path in root.glob("*.tar"):
        number = path.stem.removeprefix("train-").removeprefix("test-")
        path.rename(root / f"{(test if path.stem.startswith('test') else train).format(number)}.tar")
    source = open_data(root, cache=cache)
    assert (source.test_from, len(source.labels("train")), len(source.labels("test"))) == (from_, 12, 6)


def test_shards_that_name_no_split_beside_those_that_do_are_not_used(
    folders: Path, cache: Path, tmp_path: Path
) -> None:
    root = shards(folders, tmp_path / "shards")
    shutil.copy(root / "test-000000.tar", root / "more-000001.tar")
    source = open_data(root, cache=cache)
    assert len(source.labels("train")) == 12
    assert "1 shard whose name tells no split is not used: 'more-000001.tar'" in " ".join(source.notes)
    (root / "more-000001.tar").unlink()
    for path in root.glob("train-*.tar"):
        path.rename(root / path.name.replace("train", "val"))
    refused(root, cache, "no training split")


def test_numbers_in_shards_get_their_names_from_a_list(folders: Path, cache: Path, tmp_path: Path) -> None:
    root = shards(folders, tmp_path / "shards", {"cat": "0", "dog": "1"}.__getitem__)
    assert open_data(root, cache=cache).classes == ("0", "1")
    (root / "classes.txt").write_text("cat\ndog\n")
    assert shown(open_data(root, cache=cache)) == shown(open_data(folders, cache=cache))
    (root / "classes.txt").write_bytes("cät\r\ndog\r\n\r\n".encode("latin-1"))
    assert open_data(root, cache=cache).classes == ("cät", "dog")
    (root / "classes.txt").write_text("cat\n")
    refused(root, cache, "label '1', but there are names for 1")


def test_a_broken_sample_is_left_out_and_named(folders: Path, cache: Path, tmp_path: Path) -> None:
    root = shards(folders, tmp_path / "shards")
    with tarfile.open(root / "train-000000.tar", "a") as archive:
        member(archive, "bad.jpg", b"<html>")
        member(archive, "bad.cls", b"cat")
        member(archive, "nothing.png", b"")
        member(archive, "nothing.cls", b"cat")
        member(archive, "unlabelled.png", (folders / "train" / "cat" / "0.png").read_bytes())
        member(archive, "label.cls", b"cat")
    source = open_data(root, cache=cache)
    assert source.findings[0].examples == (
        "'train-000000.tar/bad.jpg' (not an image but an HTML page)",
        "'train-000000.tar/nothing.png' (it is empty)",
        "'train-000000.tar/unlabelled.png' (no label)",
        "'train-000000.tar/label' (no image)",
    )
    assert len(source.labels("train")) == 12


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (
            ("cat/0.png", "dog/0.png"),
            "No image .* has a label, such as 'cat/0.png'.\nIf its folders are the classes, unpack",
        ),
        (("readme.md",), "holds no samples"),
        (("shard.0.png",), "holds no samples"),
    ],
)
def test_an_archive_that_is_no_shard_is_refused_with_what_to_do(
    tmp_path: Path, cache: Path, names: tuple[str, ...], message: str
) -> None:
    with tarfile.open(tmp_path / "set.tar", "w") as archive:
        for name in names:
            member(archive, name, b"x")
    refused(tmp_path / "set.tar", cache, message)


def named(name: str, kind: bytes = tarfile.REGTYPE) -> Callable[[tarfile.TarFile], None]:
    def add(archive: tarfile.TarFile) -> None:
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, "../../secret"
        archive.addfile(info)

    return add


def twice(archive: tarfile.TarFile) -> None:
    for _ in range(2):
        named("a.png")(archive)


def bomb(archive: tarfile.TarFile) -> None:
    info = tarfile.TarInfo("a.png")
    info.size = 10 * 2**30
    assert archive.fileobj is not None
    archive.fileobj.write(info.tobuf())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (named("../a.png"), "leads out"),
        (named("a/../../b.png"), "leads out"),
        (named("/etc/a.png"), "leads out"),
        (named("a\\..\\b.png"), "leads out"),
        (named("a.png", tarfile.SYMTYPE), "link or a device"),
        (named("a.png", tarfile.LNKTYPE), "link or a device"),
        (named("a.png", tarfile.CHRTYPE), "link or a device"),
        (twice, "twice"),
        (bomb, "ends within|cannot be read"),
    ],
)
def test_a_shard_with_what_no_data_set_needs_is_refused(
    tmp_path: Path, cache: Path, make: Callable[[tarfile.TarFile], None], message: str
) -> None:
    with tarfile.open(tmp_path / "train.tar", "w") as archive:
        make(archive)
    refused(tmp_path, cache, message)
    assert {path.name for path in tmp_path.iterdir()} <= {"train.tar", "cache"}


@pytest.mark.parametrize("content", [b"", b"no tar" * 200])
def test_a_file_that_is_no_shard_is_refused(tmp_path: Path, cache: Path, content: bytes) -> None:
    (tmp_path / "train.tar").write_bytes(content)
    refused(tmp_path, cache, "cannot be read|0 classes")


def test_a_compressed_shard_is_refused(tmp_path: Path, cache: Path) -> None:
    with tarfile.open(tmp_path / "train.tar.gz", "w:gz") as archive:
        named("a.png")(archive)
    refused(tmp_path / "train.tar.gz", cache, "plain tar")


# --- torchvision's data sets, in the layout in which it stores them


def test_every_set_of_the_transfer_table_has_a_class_in_torchvision() -> None:
    datasets = pytest.importorskip("torchvision.datasets")
    assert all(hasattr(datasets, known.kind) for known in KNOWN.values())


@pytest.mark.parametrize(("name", "key"), [("cifar10", "labels"), ("cifar100", "fine_labels")])
def test_cifar_is_read_through_torchvision(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, name: str, key: str
) -> None:
    """Batches of training and one of the test, as torchvision unpacks them, with the checksums of these."""
    datasets = pytest.importorskip("torchvision.datasets")
    from torchvision.datasets.utils import calculate_md5

    kind = getattr(datasets, KNOWN[name].kind)
    draws, place = np.random.default_rng(0), tmp_path / kind.base_folder
    place.mkdir()
    batches = [batch for batch, _ in (*kind.train_list, *kind.test_list)]
    pixels = {batch: draws.integers(0, 256, (20, 3072), dtype=np.uint8) for batch in batches}
    for batch in batches:
        (place / batch).write_bytes(pickle.dumps({"data": pixels[batch], key: [i % 10 for i in range(20)]}))
    names = [f"class {i}" for i in range(10)]
    meta = place / kind.meta["filename"]
    meta.write_bytes(pickle.dumps({kind.meta["key"]: names}))
    sums = [[batch, calculate_md5(place / batch)] for batch in batches]
    refused(f"{name}:{tmp_path}", cache, f"no whole {kind.__name__}")
    monkeypatch.setattr(kind, "train_list", sums[:-1])
    monkeypatch.setattr(kind, "test_list", sums[-1:])
    monkeypatch.setattr(kind, "meta", {**kind.meta, "md5": calculate_md5(meta)})
    source = open_data(f"{name}:{tmp_path}", cache=cache)
    assert (source.classes, source.native) == (tuple(names), (32, 32))
    count = 20 * len(sums[:-1])
    assert source.labels("train").tolist() == [i % 10 for i in range(20)] * len(sums[:-1])
    assert source.notes == (f"The paper prints 50,000 training and 10,000 test images, here are {count} and 20.",)
    wanted = pixels[batches[-1]].reshape(20, 3, 32, 32).transpose(0, 2, 3, 1)
    np.testing.assert_array_equal(wanted, source.pictures("test", (32, 32)))


def test_flowers_are_read_through_torchvision(
    folders: Path, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Training and validation images both train."""
    datasets, io = pytest.importorskip("torchvision.datasets"), pytest.importorskip("scipy.io")
    from torchvision.datasets.utils import calculate_md5

    base = tmp_path / "root" / "flowers-102"
    (base / "jpg").mkdir(parents=True)
    split_of = {"trnid": "train", "valid": "train", "tstid": "test"}
    ids: dict[str, list[int]] = {name: [] for name in split_of}
    rows = [row for split in ("train", "test") for row in listed(folders) if row[2] == split]
    for number, (name, _, split) in enumerate(rows, 1):
        (base / "jpg" / f"image_{number:05d}.jpg").write_bytes((folders / name).read_bytes())
        ids["tstid" if split == "test" else "trnid" if number <= 8 else "valid"].append(number)
    io.savemat(base / "imagelabels.mat", {"labels": [1 + (label == "dog") for _, label, _ in rows]})
    io.savemat(base / "setid.mat", ids)
    files = {key: (file, calculate_md5(base / file)) for key, (file, _) in datasets.Flowers102._file_dict.items()
             if key != "image"}  # fmt: skip
    monkeypatch.setattr(datasets.Flowers102, "_file_dict", files)
    source = open_data(f"flowers102:{tmp_path / 'root'}", cache=cache, policy=CheckOptions(allow_empty=True))
    assert source.classes == ("pink primrose", "hard-leaved pocket orchid")
    assert shown(source)[1:] == shown(open_data(folders, cache=cache))[1:]
    assert any(note.endswith("here are 12 and 6.") for note in source.notes)


def test_cars_are_read_through_torchvision(folders: Path, tmp_path: Path, cache: Path) -> None:
    pytest.importorskip("torchvision.datasets")
    io = pytest.importorskip("scipy.io")
    base = tmp_path / "root" / "stanford_cars"
    (base / "devkit").mkdir(parents=True)
    kind = np.dtype([("class", "O"), ("fname", "O")])
    for split, where in (("train", "devkit/cars_train_annos.mat"), ("test", "cars_test_annos_withlabels.mat")):
        (base / f"cars_{split}").mkdir()
        rows = [row for row in listed(folders) if row[2] == split]
        for number, (name, _, _) in enumerate(rows):
            (base / f"cars_{split}" / f"{number:05d}.jpg").write_bytes((folders / name).read_bytes())
        told = [(1 + (label == "dog"), f"{number:05d}.jpg") for number, (_, label, _) in enumerate(rows)]
        io.savemat(base / where, {"annotations": np.array(told, dtype=kind)})
    io.savemat(base / "devkit" / "cars_meta.mat", {"class_names": np.array(["cat", "dog"], dtype=object)})
    assert shown(open_data(f"stanford_cars:{tmp_path / 'root'}", cache=cache)) == shown(open_data(folders, cache=cache))


def test_aircraft_is_read_through_torchvision(folders: Path, tmp_path: Path, cache: Path) -> None:
    pytest.importorskip("torchvision.datasets")
    data = tmp_path / "root" / "fgvc-aircraft-2013b" / "data"
    (data / "images").mkdir(parents=True)
    (data / "variants.txt").write_text("cat\ndog\n")
    lines: dict[str, list[str]] = {"trainval": [], "test": []}
    for number, (name, label, split) in enumerate(listed(folders)):
        (data / "images" / f"{number:07d}.jpg").write_bytes((folders / name).read_bytes())
        lines["test" if split == "test" else "trainval"].append(f"{number:07d} {label}")
    for split, rows in lines.items():
        (data / f"images_variant_{split}.txt").write_text("\n".join(rows) + "\n")
    assert shown(open_data(f"fgvc_aircraft:{tmp_path / 'root'}", cache=cache)) == shown(open_data(folders, cache=cache))


def test_pets_are_read_through_torchvision(folders: Path, tmp_path: Path, cache: Path) -> None:
    pytest.importorskip("torchvision.datasets")
    base = tmp_path / "root" / "oxford-iiit-pet"
    (base / "images").mkdir(parents=True)
    (base / "annotations").mkdir()
    lines: dict[str, list[str]] = {"trainval": [], "test": []}
    for number, (name, label, split) in enumerate(listed(folders)):
        (base / "images" / f"{label}_{number}.jpg").write_bytes((folders / name).read_bytes())
        lines["test" if split == "test" else "trainval"].append(f"{label}_{number} {1 + (label == 'dog')} 1 1")
    for split, rows in lines.items():
        (base / "annotations" / f"{split}.txt").write_text("\n".join(rows) + "\n")
    source = open_data(f"oxford_pets:{tmp_path / 'root'}", cache=cache)
    assert source.classes == ("Cat", "Dog")
    assert shown(source)[1:] == shown(open_data(folders, cache=cache))[1:]
    assert source.notes[0].endswith("the paper's 3,369 is a slip.")


def test_food_is_read_through_torchvision(folders: Path, tmp_path: Path, cache: Path) -> None:
    pytest.importorskip("torchvision.datasets")
    base = tmp_path / "root" / "food-101"
    (base / "meta").mkdir(parents=True)
    lists: dict[str, dict[str, list[str]]] = {split: {"cat": [], "dog": []} for split in ("train", "test")}
    for number, (name, label, split) in enumerate(listed(folders)):
        (base / "images" / label).mkdir(parents=True, exist_ok=True)
        (base / "images" / label / f"{number}.jpg").write_bytes((folders / name).read_bytes())
        lists[split][label].append(f"{label}/{number}")
    for split, rows in lists.items():
        (base / "meta" / f"{split}.json").write_text(json.dumps(rows))
    assert shown(open_data(f"food101:{tmp_path / 'root'}", cache=cache)) == shown(open_data(folders, cache=cache))


def test_a_set_that_is_not_there_is_refused_and_not_fetched(tmp_path: Path, cache: Path) -> None:
    pytest.importorskip("torchvision.datasets")
    for name in KNOWN:
        refused(f"{name}:{tmp_path}", cache, "--download|pip install")
    refused("cifar10:", cache, "names no folder")
    assert not [path for path in tmp_path.iterdir() if path.name != "cache"]


# --- shards as others write them


def sample_shard(path: Path, folders: Path, members: Callable[[int, str, bytes], Sequence[tuple[str, bytes]]]) -> Path:
    """A shard of the training images, each as the members that are made of its number, class and content."""
    with tarfile.open(path, "w") as archive:
        for index, (name, kind, split) in enumerate(listed(folders)):
            if split == "train":
                for some, content in members(index, kind, (folders / name).read_bytes()):
                    member(archive, some, content)
    return path


CODED = {"cat": 0, "dog": 1}


@pytest.mark.parametrize(
    ("kind", "label", "names"),
    [
        ("cls", lambda kind: f"{kind}\n".encode(), ("cat", "dog")),
        ("cls", lambda kind: f"{CODED[kind]}\0".encode(), ("0", "1")),
        ("txt", str.encode, ("cat", "dog")),
        ("json", lambda kind: json.dumps({"label": CODED[kind], "width": 3}).encode(), ("0", "1")),
        ("json", lambda kind: json.dumps({"id": 7, "class_name": kind, "caption": "a"}).encode(), ("cat", "dog")),
        ("json", lambda kind: json.dumps(kind).encode(), ("cat", "dog")),
        ("json", lambda kind: json.dumps(CODED[kind]).encode(), ("0", "1")),
    ],
)
def test_labels_of_shards_are_read_from_the_member_that_has_them(
    folders: Path, cache: Path, tmp_path: Path, kind: str, label: Callable[[str], bytes], names: tuple[str, str]
) -> None:
    shard = sample_shard(
        tmp_path / "train-0.tar", folders, lambda i, some, pixels: [(f"{i}.png", pixels), (f"{i}.{kind}", label(some))]
    )
    source = open_data(shard, cache=cache)
    assert (source.classes, source.skipped) == (names, 0)
    assert shown(source)[1:] == shown(open_data(folders / "train", cache=cache))[1:]
    assert any(f"from .{kind} members" in note for note in source.notes) == (kind != "cls")


def test_a_shard_says_what_its_samples_have_instead(folders: Path, cache: Path, tmp_path: Path) -> None:
    """Labels in members that we do not read, captions, and missing images."""
    unlabelled = sample_shard(
        tmp_path / "a.tar", folders, lambda i, _, pixels: [(f"{i}.png", pixels), (f"{i}.npy", b"")]
    )
    refused(unlabelled, cache, r"holds 0 classes: 'a.tar/6.png' \(no label, but .npy\), and 11 more\.\n.*17\.cls")
    captions = sample_shard(
        tmp_path / "b.tar",
        folders,
        lambda i, kind, pixels: [(f"{i}.png", pixels), (f"{i}.txt", f"{kind} {i}".encode())],
    )
    refused(captions, cache, "captions, such as 'cat 10'.\n.*17.json")
    alone = sample_shard(
        tmp_path / "c.tar", folders, lambda i, kind, _: [(f"{i}.cls", kind.encode()), (f"{i}.npy", b"")]
    )
    refused(alone, cache, r"class 'cat' holds no readable image for training: 'c.tar/6' \(no image, but .npy\)")


def test_what_is_no_sample_is_passed_over(folders: Path, cache: Path, tmp_path: Path) -> None:
    shard = sample_shard(
        tmp_path / "train-0.tar", folders, lambda i, some, pixels: [(f"{i}.PNG", pixels), (f"{i}.cls", some.encode())]
    )
    with tarfile.open(shard, "a") as archive:
        for name in ("README.txt", "README.md", "checksums.sha256", "classes.txt"):
            member(archive, name, b"free")
    assert open_data(shard, cache=cache).skipped == 0
