"""Tables in a folder of images: labels.csv beside images/, metadata.csv of Hugging Face, train.csv of Kaggle."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

from triscale.data.decode.render_cache import Progress
from triscale.data.names.layout import layout
from triscale.data.names.litter import is_ignored
from triscale.data.names.split_words import Split, recognised
from triscale.data.names.walk import class_folders, files_below, folders_in
from triscale.data.names.words import label_rank, looks_like_picture
from triscale.data.photo import CheckOptions
from triscale.data.readers.rows import PictureRow, rows_source
from triscale.data.source import Source
from triscale.data.tables.picture_table import PictureTable, read_table
from triscale.data.tables.sheet import NoColumnsError
from triscale.errors import InputError
from triscale.units import some

SUFFIXES = frozenset((".csv", ".tsv", ".jsonl", ".ndjson"))
"""Of tables that are looked for; a .txt or .json in a folder may be anything."""
NAMES = ("metadata", "labels", "label", "annotations")
"""How the table of a folder with several is called, the first of these; metadata beside images is Hugging Face's."""
SHOWN = 4
NO_TABLES = ("sample_submission", "samplesubmission", "submission", "classes", "class_names")


def tables_in(folder: Path) -> tuple[Path, ...]:
    """The tables that lie in a folder, or in its folders of splits, sorted."""
    folders = folders_in(folder)
    splits = [folders[name] for name in recognised(folders)]
    return tuple(
        file
        for place in (folder, *splits)
        for file in _visible(place)
        if file.suffix.lower() in SUFFIXES and not file.stem.lower().startswith(NO_TABLES) and file.is_file()
    )


def is_listed(folder: Path) -> bool:
    """Whether tables tell the classes of a folder: there are some, and no two folders of images to be classes."""
    if not tables_in(folder):
        return False
    try:
        folders = class_folders(layout(folder).splits["train"])
    except InputError:
        return True
    filled = (place for place in folders.values() if any(looks_like_picture(file.name) for file in files_below(place)))
    return len(list(islice(filled, 2))) < 2


def open_listed(name: str, cache: Path, policy: CheckOptions, progress: Progress | None = None) -> Source:
    """The images that the tables of a folder list; several tables are those of its splits.

    Raises:
        InputError: several tables fit, or one cannot be understood.
    """
    folder, labelled = Path(name), ""
    rows, notes, chosen = list[PictureRow](), list[str](), _chosen(folder)
    for table, split in chosen.items():
        shown = table.relative_to(folder)
        try:
            found = read_table(table, policy, split)
        except NoColumnsError:
            if split == "train":
                raise
            found = PictureTable(rows=())
        labelled = found.label if split == "train" else labelled
        if not found.rows or (found.label != labelled and label_rank(found.label) is None):
            notes.append(f"The table {shown.as_posix()} holds no labels; it is not used.")
            continue
        told = "The classes are" if split == "train" else f"The {split} images are"
        notes += [f"{told} those of the table {shown.as_posix()}.", *found.notes]
        rows += [replace(row, name=(shown.parent / row.name).as_posix()) for row in found.rows]
    notes += _not_read([table for table in tables_in(folder) if table not in chosen], folder, "")
    notes += _without_labels(folder, rows)
    kept = tuple(dict.fromkeys(notes))
    return rows_source(rows, name=name, notes=kept, cache=cache, policy=policy, progress=progress)


def unread_note(folder: Path) -> tuple[str, ...]:
    """What is said about tables in a folder whose class folders are the classes."""
    tables = tables_in(folder) if folder.is_dir() else ()
    return tuple(_not_read(tables, folder, ", since class folders tell the classes: give the table to read it"))


def _without_labels(folder: Path, rows: Sequence[PictureRow]) -> list[str]:
    """What is said about folders named by a split from which no table takes an image."""
    listed = {part for row in rows for part in Path(row.name).parts[:1]}
    bare = [name for name in recognised(folders_in(folder)) if name not in listed]
    return [f"No image in {name + '/'!r} has a label; the folder is not used." for name in bare]


def _not_read(tables: Sequence[Path], folder: Path, why: str) -> list[str]:
    shown = some([table.relative_to(folder).as_posix() for table in tables], SHOWN)
    what = "table" if len(tables) == 1 else "tables"
    return [f"The {what} {shown} {'is' if len(tables) == 1 else 'are'} not read{why}."] if tables else []


def _chosen(folder: Path) -> Mapping[Path, Split]:
    """The tables to read, each with the split of the lines that name none; those for training come first."""
    tables = tables_in(folder)
    said = recognised([name for table in tables for name in (table.stem, table.parent.name) if name != folder.name])
    named = {table: said.get(table.stem) or said.get(table.parent.name) for table in tables}
    splits = {table: split for table, split in named.items() if split}
    exact = {split for table, split in splits.items() if table.stem == split}
    splits = {table: split for table, split in splits.items() if split not in exact or table.stem == split}
    if "train" in splits.values() and len(set(splits.values())) == len(splits):
        return dict(sorted(splits.items(), key=lambda one: one[1] != "train"))
    if len(tables) == 1:
        return {tables[0]: named[tables[0]] or "train"}
    for word in NAMES:
        called = [table for table in tables if table.stem.lower() == word and table.parent == folder]
        if len(called) == 1:
            return {called[0]: "train"}
    shown = ", ".join(table.relative_to(folder).as_posix() for table in tables[:SHOWN])
    raise InputError(f"The folder {str(folder)!r} holds several tables: {shown}.\nGive the one to read.")


def _visible(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not is_ignored(path.name))
