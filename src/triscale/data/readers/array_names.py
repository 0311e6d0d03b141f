"""Which arrays of `.npz` files are the images, the labels and the class names of which split, by their names.

A split is a file (`train.npz`) or the names of arrays in one file: `train_images` as MedMNIST has them, `x_train` as
Keras has them.
"""

import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from triscale.data.names.litter import is_ignored
from triscale.data.names.split_words import EXPECTED, Split, recognised, recognised_anywhere, said_beside
from triscale.errors import InputError

IMAGES = ("images", "image", "x", "imgs", "img", "data", "pictures", "pixels", "inputs")
LABELS = ("labels", "label", "y", "targets", "target")
CLASSES = ("classes", "class_names", "label_names")
_SHOWN = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class ArrayNames:
    """Where the images and labels of a split are: in which file, under which names."""

    path: Path
    images: str = "images"
    labels: str = "labels"

    @property
    def where(self) -> str:
        """The same with the folder, for errors."""
        return str(self.path.with_name(self.shown))

    @property
    def shown(self) -> str:
        """What a person finds the images by."""
        return self.path.name if self.images == "images" else f"{self.path.name}:{self.images}"


def named_arrays(where: Path) -> tuple[dict[Split, ArrayNames], tuple[str, ...]]:
    """The arrays of each split in an `.npz` file or a folder of such files, `train` among them; and notes.

    A file whose arrays name splits is a data set; one that is named by a split stands for its folder; any other is
    training.

    Raises:
        InputError: no training split; a file that cannot be opened; two files for one split.
    """
    if where.is_dir():
        return _in_folder(where)
    found = _in_file(where)
    if found.keys() != {None}:
        return {split: names for split, names in found.items() if split}, ()
    if where.stem in recognised([where.stem]) and (where.parent / where.name).exists():
        return _in_folder(where.parent)
    return {"train": found[None]}, ()


def holds_arrays(folder: Path) -> bool:
    """Whether a folder is a data set of `.npz` files: one is named as training, or there is one and nothing else."""
    files = _files(folder)
    return "train" in recognised(files).values() or (
        len(files) == 1 and not any(entry.is_dir() for entry in folder.iterdir() if not is_ignored(entry.name))
    )


def splits_inside(path: Path) -> set[Split]:
    """The splits that the names of the arrays in a file tell."""
    return {split for split in _in_file(path) if split}


def array_splits(folder: Path) -> dict[Split, Path]:
    """The files of a folder that are named by a split."""
    files = _files(folder)
    found: dict[Split, Path] = {}
    for stem, split in recognised(files).items():
        if split in found and found[split].stem != split and stem != split:
            raise InputError(
                f"{found[split].name!r} and {files[stem].name!r} in {str(folder)!r} both look like the {split} split.\n"
                f"Name the one to use {split}.npz, or move the other away."
            )
        if split not in found or stem == split:
            found[split] = files[stem]
    return found


def _files(folder: Path) -> dict[str, Path]:
    return {path.stem: path for path in sorted(folder.glob("*.[nN][pP][zZ]")) if not is_ignored(path.name)}


def _in_folder(folder: Path) -> tuple[dict[Split, ArrayNames], tuple[str, ...]]:
    files = _files(folder)
    paths = array_splits(folder)
    first = paths.get("train") or (next(iter(files.values())) if len(files) == 1 else None)
    if first is None:
        listed = ", ".join(map(repr, list(files)[:_SHOWN])) or "no .npz"
        raise InputError(f"There is no train.npz in {str(folder)!r}, but {listed}.\nExpected {EXPECTED} as names.")
    inside = _in_file(first)
    if inside.keys() != {None}:
        found = {split: names for split, names in inside.items() if split}
    else:
        found = {"train": inside[None]}
        found |= {split: plain_arrays(path) for split, path in paths.items() if split != "train"}
    used = {names.path for names in found.values()}
    unused = [path.name for path in files.values() if path not in used]
    note = f"Beside the splits, and not used: {', '.join(map(repr, unused[:_SHOWN]))}."
    return found, (note,) if unused else ()


def plain_arrays(path: Path) -> ArrayNames:
    """The arrays of a file that is one split."""
    found = _in_file(path)
    return found.get(None) or next(iter(found.values()))


def _in_file(path: Path) -> Mapping[Split | None, ArrayNames]:
    """The arrays of each split that names of arrays tell; under None those of a file that tells none."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name.removesuffix(".npy") for name in archive.namelist()]
    except (OSError, zipfile.BadZipFile):  # who reads it says why
        return {None: ArrayNames(path=path)}
    splits = recognised_anywhere(names)
    found: dict[Split | None, ArrayNames] = {
        split: _of(path, [name for name in names if splits.get(name) == split]) for split in splits.values()
    }
    if "train" in found:
        return found
    return {None: _of(path, names)}


def _of(path: Path, names: Sequence[str]) -> ArrayNames:
    others = [name for name in names if name.casefold() not in CLASSES]
    labels = _best(others, LABELS)
    images = _best([name for name in others if name != labels], IMAGES)
    if images is None:  # `train` beside `train_labels`
        images = next((name for name in others if name != labels and not said_beside(name)), None)
    return ArrayNames(path=path, images=images or "images", labels=labels or "labels")


def _best(names: Iterable[str], words: Sequence[str]) -> str | None:
    """The name that holds the first of the words, beside the split."""
    ranks = {name: words.index(word) for name in names for word in said_beside(name) if word in words}
    return min(ranks, key=lambda name: ranks[name], default=None)
