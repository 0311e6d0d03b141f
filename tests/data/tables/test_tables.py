"""Tables as spreadsheets, Kaggle, pandas and labelling tools write them give what class folders give."""

import csv
import io
import json
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.data.conftest import Paint
from tests.data.test_opening import refused, shown
from triscale.data import CheckOptions, Source, open_data, open_split

Rows = Sequence[tuple[str, str]]


def csv_text(head: str, rows: Sequence[Sequence[str]], **dialect: str | int) -> str:
    """What Python's own writer makes of rows."""
    text = io.StringIO()
    csv.writer(text, **{"lineterminator": "\n", **dialect}).writerows(([head.split(",")] if head else []) + list(rows))  # type: ignore[arg-type]  # numbers and texts, as the dialect wants them
    return text.getvalue()


def lines(head: str, line: str, rows: Rows) -> str:
    return (head + "\n" if head else "") + "".join(
        line.format(
            path=path,
            stem=path.removesuffix(".png"),
            label=label,
            dog=int(label == "dog"),
            cat=int(label == "cat"),
            i=i,
        )
        + "\n"
        for i, (path, label) in enumerate(rows)
    )


def coco(rows: Rows) -> str:
    """Two boxes in each image."""
    boxes = [
        {"image_id": i, "category_id": 3 if label == "dog" else 7} for i, (_, label) in enumerate(rows) for _ in (0, 1)
    ]
    images = [{"id": i, "file_name": path} for i, (path, _) in enumerate(rows)]
    categories = [{"id": 3, "name": "dog"}, {"id": 7, "name": "cat"}]
    return json.dumps({"images": images, "categories": categories, "annotations": boxes})


def backslashed(rows: Rows) -> Rows:
    return [(path.replace("/", "\\"), label) for path, label in rows]


def capitals(rows: Rows) -> Rows:
    return [(path.upper(), label) for path, label in rows]


def record(path: str, label: str) -> dict[str, str]:
    return {"file_name": path, "label": label, "note": "x"}


TABLES: dict[str, Callable[[Rows], str]] = {
    "documented": lambda rows: lines("path,label", "{path},{label}", rows),
    "semicolons": lambda rows: lines("path;label", "{path};{label}", rows),
    "tabs": lambda rows: lines("path\tlabel", "{path}\t{label}", rows),
    "bars": lambda rows: lines("path|label", "{path}|{label}", rows),
    "old Mac lines": lambda rows: lines("path,label", "{path},{label}", rows).replace("\n", "\r"),
    "Windows lines": lambda rows: lines("path,label", "{path},{label}", rows).replace("\n", "\r\n"),
    "Excel's first line": lambda rows: "sep=;\n" + lines("path;label", "{path};{label}", rows),
    "every cell quoted": lambda rows: csv_text("path,label", rows, quoting=csv.QUOTE_ALL),
    "single quotes": lambda rows: csv_text("path,label", rows, quoting=csv.QUOTE_ALL, quotechar="'"),
    "spaces": lambda rows: lines("path , label", " {path}, {label} ", rows),
    "spaces before quotes": lambda rows: lines("path, label", '"{path}", "{label}"', rows),
    "blank lines": lambda rows: lines("path,label\n", "{path},{label}\n", rows) + "\n,\n",
    "columns swapped": lambda rows: lines("label,path", "{label},{path}", rows),
    "further columns": lambda rows: lines("width,path,height,label,note", "40,{path},{i},{label},a b", rows),
    "an empty last column": lambda rows: lines("path,label,", "{path},{label},", rows),
    "the index of pandas": lambda rows: lines(",path,label", "{i},{path},{label}", rows),
    "a saved index of pandas": lambda rows: lines("Unnamed: 0,path,label", "{i},{path},{label}", rows),
    "capitals": lambda rows: lines("PATH,Label", "{path},{label}", rows),
    "the head twice": lambda rows: "path,label\n" + lines("path,label", "{path},{label}", rows),
    "two tables joined": lambda rows: "".join(
        lines("path,label", "{path},{label}", some) for some in (rows[:5], rows[5:])
    ),
    "no head": lambda rows: lines("", "{path},{label}", rows),
    "no head, swapped": lambda rows: lines("", "{label};{path}", rows),
    "image_id of Kaggle": lambda rows: lines("image_id,label", "{stem},{label}", rows),
    "Id,Category": lambda rows: lines("Id,Category", "{stem},{label}", rows),
    "filename,class": lambda rows: lines("filename,class", "{path},{label}", rows),
    "image,target": lambda rows: lines("image,target", "{path},{label}", rows),
    "file_name,text": lambda rows: lines("file_name,text", "{path},{label}", rows),
    "other names for both": lambda rows: lines("Datei,Tier", "{path},{label}", rows),
    "Open Images": lambda rows: lines("ImageID,Source,LabelName,Confidence", "{stem},human,{label},1", rows),
    "HAM10000": lambda rows: lines("lesion_id,image_id,dx,dx_type,age", "L{i},{stem},{label},histo,4{dog}", rows),
    "number and name": lambda rows: lines("class_id,file,class_name", "{dog},{path},{label}", rows),
    "path and name": lambda rows: lines("name,filepath,label", "image {i},{path},{label}", rows),
    "one-hot": lambda rows: lines("image,cat,dog", "{stem},{cat},{dog}", rows),
    "one-hot floats": lambda rows: lines("image,width,dog,cat", "{path},4{i},{dog}.0,{cat}.0", rows),
    "one-hot words": lambda rows: (
        lines("path;cat;dog", "{path};{cat};{dog}", rows).replace(";1", ";True").replace(";0", ";False")
    ),
    "a list of Caffe": lambda rows: lines("", "{path} {label}", rows),
    "labels first": lambda rows: lines("", "{label}   {path}", rows),
    "backslashes": lambda rows: lines("path,label", "{path},{label}", rows).replace("/", "\\"),
    "backslashes with quotes": lambda rows: csv_text("path,label", backslashed(rows), quoting=csv.QUOTE_ALL),
    "paths in capitals": lambda rows: lines("path,label", "{path},{label}", capitals(rows)),
    "a dot before": lambda rows: lines("path,label", "./{path},{label}", rows),
    "a list that repeats itself": lambda rows: lines("path,label", "{path},{label}", [*rows, *rows]),
    "of Windows": lambda rows: lines("path,label", "D:\\data\\animals\\{path},{label}", rows).replace("/", "\\"),
    "of another machine": lambda rows: lines("path,label", "/nowhere/data/animals/{path},{label}", rows),
    "records in lines": lambda rows: "".join(json.dumps(record(*row)) + "\n" for row in rows),
    "a list of records": lambda rows: json.dumps([record(*row) for row in rows]),
    "labels by path": lambda rows: json.dumps(dict(rows)),
    "columns of pandas": lambda rows: json.dumps(
        {name: {str(i): row[place] for i, row in enumerate(rows)} for place, name in enumerate(("path", "label"))}
    ),
    "columns as lists": lambda rows: json.dumps({"path": [row[0] for row in rows], "label": [row[1] for row in rows]}),
    "Label Studio": lambda rows: lines(
        "annotation_id,annotator,choice,id,image,lead_time", "{i},1,{label},{i},/data/upload/1/{path},3.{i}", rows
    ),
    "Roboflow": lambda rows: lines("filename, cat, dog", "{path}, {cat}, {dog}", rows),
    "GTSRB": lambda rows: lines("Filename;Width;Height;Roi.X1;ClassId", "{path};29;3{i};5;{label}", rows),
    "Google's": lambda rows: lines("", "TRAIN,{path},{label}", rows),
    "of R": lambda rows: '"path" "label"\n' + lines("", '"{i}" "{path}" "{label}"', rows),
    "of R with commas": lambda rows: csv_text("path,label", [(str(i), *row) for i, row in enumerate(rows)]),
    "remarks before": lambda rows: "# made by hand\n# twice\n" + lines("path,label", "{path},{label}", rows),
    "a remark as head": lambda rows: lines("# path label", "{path} {label}", rows),
    "from the folder above": lambda rows: lines("path,label", "photos/train/{path},{label}", rows),
    "from the folder itself": lambda rows: lines("path,label", "./train/{path},{label}", rows),
    "from the root": lambda rows: lines("path,label", "/{path},{label}", rows),
    "labels with what nobody sees": lambda rows: lines("path,label", "{path},\u200b{label}\u00a0", rows),
    "records under a name": lambda rows: json.dumps({"data": [record(*row) for row in rows]}),
    "images by label": lambda rows: json.dumps(
        {name: [path for path, label in rows if label == name] for name in ("cat", "dog")}
    ),
    "boxes of COCO": coco,
}
SUFFIX = {"list of Caffe": ".txt", "labels first": ".lst", "tabs": ".tsv", "records in lines": ".jsonl"}


def suffix_of(kind: str, text: str) -> str:
    found = next((suffix for words, suffix in SUFFIX.items() if words in kind), "")
    return found or (".json" if text.startswith(("{", "[")) else ".csv")


@pytest.fixture
def animals(folders: Path) -> Path:
    return folders / "train"


@pytest.fixture
def rows(animals: Path) -> Rows:
    files = sorted(path.relative_to(animals) for path in animals.rglob("*.png"))
    return [(file.as_posix(), file.parts[0]) for file in files]


def source_of(where: Path, cache: Path, text: str | bytes) -> Source:
    where.write_bytes(text.encode() if isinstance(text, str) else text)
    return open_data(where, cache=cache)


@pytest.mark.parametrize("kind", TABLES)
def test_every_kind_of_table_gives_what_the_folders_give(animals: Path, rows: Rows, cache: Path, kind: str) -> None:
    text = TABLES[kind](rows)
    source = source_of(animals / f"table{suffix_of(kind, text)}", cache, text)
    assert shown(source) == shown(open_data(animals, cache=cache))
    assert (source.skipped, source.findings) == (0, ())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
def test_every_encoding_of_a_table_is_read(animals: Path, cache: Path, encoding: str) -> None:
    """Names of files, too; what is not marked and not UTF-8 is read as Windows writes it, and that is told."""
    (animals / "cat").rename(animals / "Käfer")
    files = sorted(path.relative_to(animals) for path in animals.rglob("*.png"))
    text = lines("path,label", "{path},{label}", [(file.as_posix(), file.parts[0]) for file in files])
    source = source_of(animals / "t.csv", cache, text.encode(encoding))
    assert shown(source) == shown(open_data(animals, cache=cache))
    assert any("cp1252" in note for note in source.notes) == (encoding == "cp1252")


def test_a_name_in_another_encoding_than_the_table_is_found_by_its_bytes(
    animals: Path, rows: Rows, cache: Path
) -> None:
    file = os.fsdecode(os.fsencode(animals) + b"/cat/\xe9t\xe9.png")
    (animals / "cat" / "0.png").rename(file)
    text = lines("path,label", "{path},{label}", [("cat/été.png", "cat"), *rows[1:]])
    assert source_of(animals / "t.csv", cache, text.encode("latin-1")).skipped == 0


def test_names_that_were_composed_in_another_way_are_found(animals: Path, rows: Rows, cache: Path) -> None:
    """As macOS stores them: a letter and its accent apart."""
    (animals / "cat" / "0.png").rename(animals / "cat" / "e\u0301.png")
    assert (
        source_of(
            animals / "t.csv", cache, lines("path,label", "{path},{label}", [("cat/\u00e9.png", "cat"), *rows[1:]])
        ).skipped
        == 0
    )


@pytest.mark.parametrize(
    ("head", "line", "note"),
    [
        ("image_id,breed", "{stem},{label}", "'image_id' is the path, 'breed' the label"),
        ("image,cat,dog", "{path},{cat},{dog}", "'image' is the path, 2 columns mark the class"),
        ("id,data set,labels", "{path},test,{label}", "'id' is the path, 'labels' the label, 'data set' the split"),
        ("", "{path};{label}", "'column 1' is the path, 'column 2' the label"),
        ("path,label", "X:/some/{path},{label}", "12 paths, such as 'X:/some/cat/0.png' for 'cat/0.png'"),
        ("path,label", "{stem},{label}", "'cat/0' for 'cat/0.png': the suffix of the file is added"),
    ],
)
def test_what_is_read_in_another_way_is_told(
    animals: Path, rows: Rows, cache: Path, head: str, line: str, note: str
) -> None:
    text = lines(head, line, rows).replace(",test,", ",train,", 9)
    assert any(note in one for one in source_of(animals / "t.csv", cache, text).notes)
    plain = source_of(animals / "t.csv", cache, lines("path,label", "{path},{label}", rows))
    assert len(plain.notes) == 1


def test_numbers_of_spreadsheets_are_whole_labels(animals: Path, rows: Rows, cache: Path) -> None:
    for head, line in (
        ("path,label", "{path},{dog}.0"),
        ("path;label", "{path};{dog},0"),
        ("path,label", '{path},"{dog},00"'),
    ):
        assert source_of(animals / "t.csv", cache, lines(head, line, rows)).classes == ("0", "1")
    mxnet = lines("", "{i}\t{dog}.000000\t{path}", rows)
    assert source_of(animals / "t.lst", cache, mxnet).classes == ("0", "1")
    assert source_of(animals / "t.csv", cache, lines("path,label", "{path},v{dog}.0", rows)).classes == ("v0.0", "v1.0")


def test_labels_that_differ_only_in_case_are_two_and_that_is_told(animals: Path, rows: Rows, cache: Path) -> None:
    mixed = [(path, label.title() if i % 2 else label) for i, (path, label) in enumerate(rows)]
    source = source_of(animals / "t.csv", cache, lines("path,label", "{path},{label}", mixed))
    assert source.classes == ("Cat", "Dog", "cat", "dog")
    assert any("'Cat' and 'cat' differ only in case" in note for note in source.notes)


def test_the_split_is_read_wherever_it_stands_and_only_where_it_is_one(folders: Path, cache: Path) -> None:
    files = sorted(path.relative_to(folders) for path in folders.rglob("*.png"))
    text = "".join(f"{file.parts[0].upper()},{file},{i % 5},{file.parts[1]}\n" for i, file in enumerate(files))
    for head in ("split,path,fold,label", "subset,path,fold,label", "Data Set,path,dataset,label"):
        source = source_of(folders / "t.csv", cache, f"{head}\n{text}")
        assert shown(source) == shown(open_data(folders, cache=cache))
        assert open_split(folders / "t.csv", cache=cache).split == "test"


def test_numbers_that_happen_to_lead_to_pictures_do_not_outdo_names_that_are_lost(
    animals: Path, rows: Rows, cache: Path
) -> None:
    """As labelling tools write them: the upload's name beside a running number, which is another image's name."""
    for i, (path, _) in enumerate(rows):
        (animals / path).rename(animals / f"{i}.png")
    for name, lost in (("/data/upload/1/{i}a.png", True), ("https://host/{i}a.png", False)):
        text = "".join(f"{name.format(i=i)},{i},{label}\n" for i, (_, label) in enumerate(rows))
        (animals / "t.csv").write_text("image,id,choice\n" + text)
        if lost:
            refused(animals / "t.csv", cache, "'image' names no image that is there, 'id' does")
        else:
            assert open_data(animals / "t.csv", cache=cache).classes == ("cat", "dog")


@pytest.mark.parametrize(
    ("title", "cells", "said"),
    [
        ("is_valid", ("True", "False"), "may be the split: 'is_valid'"),
        ("is_training_image", ("1", "0"), "may be the split: 'is_training_image'"),
        ("test", ("0", "1"), "may be the split: 'test'"),
        ("purpose", ("train", "test"), "may be the split: 'purpose'"),
        ("split", ("test", "", ""), "8 lines of the table without a split: taken as train"),
        ("split", ("train", "test"), ""),
        ("split", ("", ""), ""),
        ("test_id", tuple("abcdef"), ""),
        ("fold", ("0", "1", "2"), "may be the split: 'fold'"),
        ("stage", ("I", "II", "III"), ""),
        ("width", ("40", "30"), ""),
    ],
)
def test_what_may_be_a_split_and_is_not_read_is_told(
    animals: Path, rows: Rows, cache: Path, title: str, cells: Sequence[str], said: str
) -> None:
    body = [(path, label, cells[i % len(cells)]) for i, (path, label) in enumerate(rows)]
    notes = " ".join(source_of(animals / "t.csv", cache, csv_text(f"path,label,{title}", body)).notes)
    assert (said in notes) if said else ("the split" not in notes and "a split" not in notes)


def test_pictures_are_found_in_the_folder_that_fits(tmp_path: Path, cache: Path, paint: Paint) -> None:
    """Of several with the same names that of the split, that is called as the table, or that of the label."""
    for place in ("train", "test", "images/cat", "images/dog"):
        for i in range(8):
            paint(tmp_path / place / f"{i}.png")
    numbers = [(f"{i}.png", ("cat", "dog")[i % 2]) for i in range(8)]
    for text, name, expected in (
        (lines("file,label", "{path},{label}", numbers), "train.csv", "train/1.png"),
        (lines("file,label,split", "{path},{label},test", numbers), "train.csv", "test/1.png"),
        (lines("file,label", "{path},{label}", numbers), "list.csv", "images/dog/1.png"),
    ):
        shutil.rmtree(tmp_path / "more", ignore_errors=True)
        (tmp_path / name).write_text(
            text.replace("1.png,dog,test\n", "1.png,dog,test\n5.png,cat,train\n7.png,dog,train\n", 1)
        )
        source = open_data(tmp_path / name, cache=cache)
        names = [source.parts[split].name(i) for split in ("train", "test") for i in range(len(source.labels(split)))]
        assert expected in names
        assert source.skipped == 0


def test_a_picture_that_is_missing_is_not_looked_for_where_another_one_has_its_name(
    tmp_path: Path, cache: Path, paint: Paint
) -> None:
    """In the folder of another split or class, or below where a path of another machine leads."""
    for place in ("train", "test", "a/cat", "a/dog"):
        for i in range(1 if place in {"train", "a/cat"} else 0, 6):
            paint(tmp_path / place / f"{i}.png")
    rows = [(f"{i}.png", ("cat", "dog")[i % 2]) for i in range(6)]
    for name, text, missing in (
        ("train.csv", lines("file,label", "{path},{label}", rows), "0.png"),
        ("list.csv", lines("file,label", "{path},cat", rows) + lines("", "{path},dog", rows), "0.png"),
        ("x.csv", lines("path,label", "/old/set/train/{path},{label}", rows), "/old/set/train/0.png"),
        ("y.csv", lines("path,label", "train/{path},{label}", rows), "train/0.png"),
    ):
        (tmp_path / name).write_text(text)
        assert open_data(tmp_path / name, cache=cache).findings[0].examples == (
            f"{missing!r} (no such file or directory)",
        )


# --- what is left out, with its reason


def test_what_cannot_be_used_is_left_out_with_its_reason(animals: Path, rows: Rows, cache: Path) -> None:
    (animals / "cat" / "twin.jpg").write_bytes((animals / "cat" / "0.png").read_bytes())
    (animals / "cat" / "twin.png").write_bytes((animals / "cat" / "0.png").read_bytes())
    (animals / "cat" / "alone.png").symlink_to(animals.parent / "test" / "cat" / "0.png")
    added = {
        "cat/0.png": ("dog", "labelled 'cat' and 'dog'"),
        "cat/twin": ("cat", "it may be 'cat/twin.jpg' or 'cat/twin.png'"),
        "cat/gone.png": ("cat", "no such file or directory"),
        "cat/alone.png": ("cat", "a link out of the data folder"),
        "../test/cat/0.png": ("cat", "a path out of the folder of the table"),
        "https://example.org/0.png": ("cat", "an address, no file"),
        "dog/1.png": ("nan", "no label"),
        "cat/._0.png": ("cat", "a file of the system, no image"),
        "cat": ("cat", "a folder, no file"),
        "dog/0.jpg": ("dog", "no such file, but 'dog/0.png'"),
    }
    text = lines("path,label", "{path},{label}", [*rows, *((path, label) for path, (label, _) in added.items())])
    source = source_of(animals / "t.csv", cache, text)
    assert set(source.findings[0].examples) == {f"{path!r} ({reason})" for path, (_, reason) in added.items()}
    assert len(source.labels("train")) + len(source.labels("test")) == 11


def test_a_class_of_which_nothing_can_be_used_is_no_class_that_is_forgotten(
    animals: Path, rows: Rows, cache: Path
) -> None:
    """Its first file and reason are named, also if another reason than its content keeps all of its images out."""
    for path, reason, remedy in (
        ("../test/cat/0.png", "out of the folder of the table", "--follow-links"),
        ("cow/0.png", "no such file", "correct the path"),
        ("https://example.org/0.png", "an address", "Download"),
    ):
        (animals / "t.csv").write_text(
            lines("path,label", "{path},{label}", [*rows, (path, "bird"), (path + "x", "bird")])
        )
        refused(
            animals / "t.csv",
            cache,
            rf"class 'bird' holds no readable image for training: '{path}' \(.*{reason}.*, and 1 more\.\n.*{remedy}",
        )


# --- what is rejected

REFUSED: dict[str, tuple[str, str]] = {
    "no column but one": ("path\ncat/0.png\n", "the table has one column"),
    "names alone": ("cat/0.png\ncat/1.png\ndog/0.png\n", "first line .* is 'cat/0.png': the table has one column"),
    "no label": ("image,id\ncat/0.png,1\ncat/1.png,2\ndog/0.png,3\n", "no column is left for the label"),
    "two labels": (
        "path,class,category\ncat/0.png,a,x\ncat/1.png,b,x\n",
        "'class' and 'category' may both be the label",
    ),
    "boxes": ("cat/0.png,1,2,30,40,cat\ncat/1.png,1,3,30,40,cat\n", "'column 2' and 'column 3' may both be the label"),
    "several classes marked": ("path,cat,dog\ncat/0.png,1,0\ndog/0.png,1,1\n", "line 3: .* it marks 'cat', 'dog'"),
    "no class marked": ("path,cat,dog\ncat/0.png,1,0\ndog/0.png,0,0\n", "line 3: .* it marks none"),
    "amounts": (
        "path,label\n" + "".join(f"cat/{i}.png,{(i + 1) / 7}\n" for i in range(6)),
        "line 2: the label '0.14285",
    ),
    "a value in each line": (
        "path,price\n" + "".join(f"cat/{i}.png,p{i}\n" for i in range(30)),
        "'price' has another value",
    ),
    "a comma in a label": ("path,label\ncat/0.png,cat, black\n", "line 2: .* it has 3 cells, and the first line 2"),
    "a line cut off": ("path,label\ncat/0.png,cat\ncat/1", "line 3: 'cat/1' cannot"),
    "a quote left open": ('path,label\ncat/0.png,"cat\n', "line 2"),
    "a split of its own": ("path,label,split\ncat/0.png,cat,first\n", "line 2: .* 'first' is not a split"),
    "nothing below": ("path,label\n", "holds 0 classes: there is no line below"),
    "an empty file": ("", "empty"),
    "a text": ("These are my images.\nThey are nice.\n", "no column leads to images"),
    "JSON of another kind": ('{"a": {"b": 1}, "c": 2}', "'c'|no "),
    "a broken record": ('{"path": "cat/0.png", "label": "cat"}\n{"path": \n', "line 2 is not a record"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_not_clear_is_refused_with_the_line_or_the_column(animals: Path, cache: Path, kind: str) -> None:
    text, message = REFUSED[kind]
    path = animals / ("t.json" if text.startswith("{") else "t.csv")
    path.write_text(text)
    refused(path, cache, message)


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"PK\x03\x04....", "an Excel workbook"), (b"\xd0\xcf\x11\xe0...", "an old Excel"), (b"PAR1..", "a Parquet file")],
)
def test_what_is_no_text_is_refused_by_what_it_is(animals: Path, cache: Path, content: bytes, message: str) -> None:
    (animals / "t.csv").write_bytes(content)
    refused(animals / "t.csv", cache, message)


def test_an_image_of_two_categories_is_refused(animals: Path, cache: Path) -> None:
    boxes = [{"image_id": 0, "category_id": kind} for kind in (1, 2)]
    names = [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]
    text = json.dumps({"images": [{"id": 0, "file_name": "cat/0.png"}], "annotations": boxes, "categories": names})
    (animals / "t.json").write_text(text)
    refused(animals / "t.json", cache, "'cat/0.png' shows 'cat' and 'dog'")


# --- tables in folders


def flat(folders: Path, place: Path) -> Rows:
    """The training images in one folder, with names of their own."""
    place.mkdir(parents=True)
    found = [(f"{file.parent.name}{file.name}", file) for file in sorted((folders / "train").rglob("*.png"))]
    for name, file in found:
        shutil.copy(file, place / name)
    return [(name, file.parent.name) for name, file in found]


@pytest.mark.parametrize(
    ("pictures", "table", "line"),
    [
        ("images", "labels.csv", "{path},{label}"),
        ("a/b", "annotations.tsv", "{path}\t{label}"),
        (".", "metadata.csv", "{path},{label}"),
        ("train", "train/metadata.csv", "{path},{label}"),
        ("train", "train.csv", "{stem},{label}"),
    ],
)
def test_a_folder_with_a_table_is_what_the_table_lists(
    folders: Path, tmp_path: Path, cache: Path, pictures: str, table: str, line: str
) -> None:
    root = tmp_path / "set"
    rows = flat(folders, root / pictures)
    (root / table).write_text(lines("file_name\tclass" if "\t" in line else "file_name,class", line, rows))
    (root / "sample_submission.csv").write_text("file_name,class\nx,0\n")
    (root / "README.txt").write_text("free")
    source = open_data(root, cache=cache)
    assert shown(source) == shown(open_data(folders / "train", cache=cache))
    assert any(table in note for note in source.notes)
    assert len(open_split(root, "test", cache=cache).part.labels) == len(source.labels("test"))


def test_tables_of_splits_are_read_together(folders: Path, tmp_path: Path, cache: Path) -> None:
    """A test without labels, as Kaggle's, is not used."""
    root = tmp_path / "set"
    for split in ("train", "test"):
        rows = flat(folders, root / split)
        (root / f"{split}.csv").write_text(
            lines("image_id,class", "{stem},{label}", rows[:: 1 if split == "train" else 2])
        )
    source = open_data(root, cache=cache)
    assert (source.test_from, len(source.labels("train")), len(source.labels("test"))) == ("test", 12, 6)
    (root / "test.csv").write_text(lines("image_id", "{stem}", rows))
    source = open_data(root, cache=cache)
    assert (source.test_from, sum(len(source.labels(split)) for split in ("train", "test"))) == ("train", 12)
    assert any("test.csv holds no labels" in note for note in source.notes)


def test_class_folders_come_before_a_table_and_that_is_told(animals: Path, rows: Rows, cache: Path) -> None:
    plain = open_data(animals, cache=cache)
    (animals / "labels.csv").write_text(lines("path,label", "{path},{i}", rows))
    source = open_data(animals, cache=cache)
    assert shown(source) == shown(plain)
    assert any("labels.csv is not read" in note for note in source.notes)


def test_several_tables_are_refused_by_name(folders: Path, tmp_path: Path, cache: Path) -> None:
    rows = flat(folders, tmp_path / "set" / "images")
    for name in ("one.csv", "two.csv"):
        (tmp_path / "set" / name).write_text(lines("path,label", "{path},{label}", rows))
    refused(tmp_path / "set", cache, "several tables: one.csv, two.csv")


def test_a_table_with_links_out_is_taken_with_a_policy(folders: Path, cache: Path) -> None:
    files = sorted(path.relative_to(folders) for path in (folders / "train").rglob("*.png"))
    (folders / "sub").mkdir()
    text = "path,label\n" + "".join(f"../{file},{file.parts[1]}\n" for file in files)
    (folders / "sub" / "t.csv").write_text(text)
    refused(folders / "sub" / "t.csv", cache, "out of the folder of the table")
    source = open_data(folders / "sub" / "t.csv", cache=cache, policy=CheckOptions(follow_links=True))
    assert np.bincount(source.labels("train")).tolist() == [4, 4]
