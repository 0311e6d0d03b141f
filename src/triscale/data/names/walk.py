"""Which folders and files are candidates; links, hidden files and pipes are handled on purpose."""

import os
import unicodedata
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from triscale.data.names.instead import loose_files
from triscale.data.names.litter import is_ignored
from triscale.data.names.places import refuse_no_data_set
from triscale.data.names.words import PICTURE_SUFFIXES, looks_like_picture, suffix_of
from triscale.errors import InputError

MEANT = PICTURE_SUFFIXES | {"npz", "npy", "tar", "zip", "parquet", "h5"}
"""Suffixes of files that a person may take for a part of the data set; of tables `beside.py` speaks."""


FOR_READERS = ("readme", "licen", "notes", "citation")


def files_that_are_pictures(folder: Path) -> list[str]:
    """Names of the files right in a folder that end as images do, sorted."""
    entries = (entry for entry in os.scandir(folder) if looks_like_picture(entry.name) and not is_ignored(entry.name))
    return sorted(entry.name for entry in entries if entry.is_file())


def key_of(name: str) -> str:
    """What two names of one class have in common: case may differ, and so may the bytes of an accent (macOS)."""
    return unicodedata.normalize("NFC", name).casefold()


def folders_in(folder: Path) -> dict[str, Path]:
    """The folders in a folder by name, sorted, links to folders among them."""
    return {entry.name: Path(entry) for entry in sorted(os.scandir(folder), key=lambda one: one.name)
            if not is_ignored(entry.name) and _is_class(entry)}  # fmt: skip


def beside(folder: Path, used: Collection[str]) -> list[str]:
    """What else lies in a folder and could be intended for use: folders, and files with images or labels."""
    others = [entry for entry in os.scandir(folder) if entry.name not in used and not is_ignored(entry.name)]
    shown = [f"{one.name}/" for one in others if one.is_dir()]
    return sorted(shown + [one.name for one in others if one.is_file() and suffix_of(one.name) in MEANT])


def class_folders(root: Path, least: int = 2) -> dict[str, Path]:
    """The class folders in `root` by name, sorted; a classifier is trained on at least two.

    Raises:
        InputError: fewer than `least`; two that are the same folder, or whose names differ only in case; a folder of
            the system.
    """
    refuse_no_data_set(root)
    folders = folders_in(root)
    if len(folders) < least:
        found = f"only the class folder {next(iter(folders))!r}" if folders else "no class folder"
        files, remedy = loose_files(root)
        remedy = remedy or _instead(root, folders)
        wanted = f"Put one folder of images there for each of {least} or more classes."
        raise InputError("\n".join(filter(None, (f"There is {found} in {str(root)!r}{files}.", remedy, wanted))))
    seen: dict[str, str] = {}
    for name, folder in folders.items():
        for key in ("name " + key_of(name), "place " + os.fspath(folder.resolve())):
            if key in seen:
                raise InputError(
                    f"{seen[key]!r} and {name!r} in {str(root)!r} are the same class folder, or differ only in case.\n"
                    "Remove or rename one of them."
                )
            seen[key] = name
    return folders


def _instead(root: Path, folders: Mapping[str, Path]) -> str:
    """What lies in a folder that is not data set, and may be one itself: its only folder, or a list."""
    inner = next(iter(folders.values()), None)
    if inner is not None and len(folders_in(inner)) > 1:
        return f"If {inner.name + '/'!r} holds the classes or splits, give {str(inner)!r}."
    names = [entry.name for entry in os.scandir(root) if entry.is_file() and entry.name.endswith((".txt", ".lst"))]
    lists = [name for name in names if not name.casefold().startswith(FOR_READERS)]
    return f"If {min(lists)!r} lists path and label of images, give that file." if lists else ""


def files_below(folder: Path, seen: Callable[[int], None] | None = None) -> list[Path]:
    """Everything below a class folder that is not a folder and not hidden, sorted; links to folders are not followed.

    A folder that may not be read, and an empty one named like a file (`x.jpg/`), are reported as unreadable:
    somebody may take them for images. `seen` is called with the number of files in each folder.
    """
    closed: list[OSError] = []
    found = list[Path]()
    for place, folders, files in os.walk(folder, onerror=closed.append):
        folders[:] = [name for name in folders if not is_ignored(name)]
        if seen is not None:
            seen(len(files))
        linked = [name for name in folders if Path(place, name).is_symlink()]
        found += [Path(place, name) for name in files + linked if not is_ignored(name)]
        if not folders and not files and Path(place) != folder and Path(place).suffix:
            found.append(Path(place))
    return sorted(found + [Path(error.filename) for error in closed])


def _is_class(entry: os.DirEntry[str]) -> bool:
    """A folder or a link to one, but no link upwards, below which everything would be found once more."""
    try:
        return entry.is_dir() and not Path(entry).parent.resolve().is_relative_to(Path(entry).resolve())
    except (OSError, RuntimeError):  # a link to itself
        return False


def leads_out(path: Path, root: Path) -> bool:
    """Whether a path, all links resolved, lies outside of `root`; a link to nothing or to itself does not say."""
    try:
        return not path.resolve(strict=True).is_relative_to(root.resolve())
    except (OSError, RuntimeError):
        return False
