"""Which folders are classes and which files are candidates; links, hidden files and pipes are handled on purpose."""

import os
from pathlib import Path

from triscale.data.instead import loose_files, require_folder
from triscale.data.litter import is_ignored
from triscale.data.source import TestFrom
from triscale.errors import InputError


def layout(root: Path) -> tuple[Path, Path | None, TestFrom, tuple[str, ...]]:
    """Where the training classes lie, where those of the test (None: nowhere), what serves as the test, and notes."""
    require_folder(root)
    train, test, val = root / "train", root / "test", root / "val"
    if not train.is_dir():
        return root, None, "train", ()
    if test.is_dir():
        unused = ("The pictures in val/ are not used: validation is split off train/.",) if val.is_dir() else ()
        return train, test, "test", unused
    if val.is_dir():
        return train, val, "val", ("There is no test folder: val/ serves as the test, validation is split off train/.",)
    return train, None, "train", ()


def class_folders(root: Path, least: int = 2) -> dict[str, Path]:
    """The class folders in `root` by name, sorted; a classifier is trained on at least two.

    Raises:
        InputError: fewer than `least`; two that are the same folder, or whose names differ only in case.
    """
    folders = {entry.name: Path(entry) for entry in os.scandir(root) if not is_ignored(entry.name) and _is_class(entry)}
    if len(folders) < least:
        found = f"only the class folder {next(iter(folders))!r}" if folders else "no class folder"
        files, remedy = loose_files(root)
        wanted = f"Put one folder of pictures there for each of {least} or more classes."
        raise InputError("\n".join(filter(None, (f"There is {found} in {str(root)!r}{files}.", remedy, wanted))))
    seen: dict[str, str] = {}
    for name, folder in sorted(folders.items()):
        for key in ("name " + name.casefold(), "place " + os.fspath(folder.resolve())):
            if key in seen:
                raise InputError(
                    f"{seen[key]!r} and {name!r} in {str(root)!r} are the same class folder, or differ only in case.\n"
                    "Remove or rename one of them."
                )
            seen[key] = name
    return dict(sorted(folders.items()))


def files_below(folder: Path) -> list[Path]:
    """Everything below a class folder that is no folder and not hidden, sorted; links to folders are not followed.

    A folder that may not be read, and an empty one named like a file (`x.jpg/`), are themselves told as what cannot be
    read: somebody may take them for pictures.
    """
    closed: list[OSError] = []
    found = list[Path]()
    for place, folders, files in os.walk(folder, onerror=closed.append):
        folders[:] = [name for name in folders if not is_ignored(name)]
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
