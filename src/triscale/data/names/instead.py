"""What lies where a data set should: files of other kinds, and what to do with each."""

import os
from pathlib import Path

from triscale.data.names.litter import is_ignored
from triscale.data.names.words import PICTURE_SUFFIXES, looks_like_picture, suffix_of
from triscale.errors import InputError
from triscale.units import counted

FOLDERS = "Give the folder that holds the class folders around it."
WANTED = "Give a folder of class folders, a table (.csv), .npz or .tar files, or `flowers`."

REMEDIES = {
    "Unpack it, and give the folder.": ("zip", "7z", "rar", "gz", "tgz", "xz", "bz2", "zst"),
    "Save it as CSV with the columns path and label.": ("xlsx", "xls", "xlsm", "ods", "numbers"),
    "Write images and labels into one file: numpy.savez(FILE, images=..., labels=...).": ("npy",),
    "Write its images into class folders, or its arrays with numpy.savez(FILE, images=..., labels=...).": (
        "parquet", "feather", "arrow", "mat", "h5", "hdf5", "pkl", "pickle", "pt", "pth", "tfrecord", "tfrecords",
        "mdb", "lmdb", "rec", "bin", "beton",
    ),
    FOLDERS: tuple(PICTURE_SUFFIXES),
}  # fmt: skip
"""What to do with a file by its suffix."""
LOOSE = "Put each image into a folder named by its class, or list path and label in a table (.csv)."


def remedy_for(name: str) -> str:
    """What to do with a file that is not data set."""
    return next((remedy for remedy, suffixes in REMEDIES.items() if suffix_of(name) in suffixes), FOLDERS)


def require_folder(path: Path) -> None:
    """Raise unless a path is a folder.

    Raises:
        InputError: there is nothing, or a file; the message says what to do with that.
    """
    if path.is_file():
        raise InputError(f"{str(path)!r} is a single file.\n{remedy_for(path.name)}")
    if not path.is_dir():
        raise InputError(f"There is no folder {str(path)!r}.\n{WANTED}")


def loose_files(folder: Path) -> tuple[str, str]:
    """What a folder without class folders holds, as the end of a sentence, and what to do; both may be empty."""
    names = sorted(entry.name for entry in os.scandir(folder) if not is_ignored(entry.name) and not entry.is_dir())
    if not names:
        return "", ""
    pictures = [name for name in names if looks_like_picture(name)]
    first = (pictures or names)[0]
    said = f", but {counted(len(names), 'file')} such as {first!r}"
    remedy = remedy_for(first)
    return said, LOOSE if pictures else "" if remedy == FOLDERS else f"{first}: {remedy}"
