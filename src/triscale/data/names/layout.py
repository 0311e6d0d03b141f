"""Where the splits of a folder lie, by the names of its folders and by what they hold.

A split holds class folders, a class holds images: so `test/` among `cat/` and `dog/` is a class where it holds images.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from triscale.data.names.instead import require_folder
from triscale.data.names.places import refuse_no_data_set
from triscale.data.names.split_words import EXPECTED, Split, recognised
from triscale.data.names.walk import beside, files_below, files_that_are_pictures, folders_in, key_of
from triscale.data.split import FIRST, NEWEST
from triscale.errors import InputError
from triscale.units import agreeing, some

_SHOWN = 3


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The folder of each split, `train` always among them, and what a user should know of the rest."""

    splits: Mapping[Split, Path]
    notes: tuple[str, ...] = field(default=())


def layout(root: Path, version: int = NEWEST) -> Layout:
    """Where the class folders of each split lie; of a folder without splits, all are training.

    Args:
        root: the data set.
        version: of the rule of splits; the first knows exact names only, and takes one split beside the training.

    Raises:
        InputError: no folder, or one of the system; folders that look like splits, but none that is clearly the
            training.
    """
    require_folder(root)
    refuse_no_data_set(root)
    return _by_exact_names(root) if version == FIRST else _by_words(_unwrapped(root))


def named_splits(root: Path) -> dict[Split, Path]:
    """The folders with class folders that are named by a split; none in a folder without splits.

    One of which no class is in training has no labels to evaluate on, and is none.

    Raises:
        InputError: two folders that could be the same split; a folder of the system.
    """
    refuse_no_data_set(root)
    folders = folders_in(root)
    found = _chosen(root, {name: split for name, split in recognised(folders).items() if folders_in(folders[name])})
    places = {split: _unwrapped(folders[name]) for split, name in found.items()}
    inside = {split: {key_of(name) for name in folders_in(place)} for split, place in places.items()}
    learned = inside.get("train")
    return {split: place for split, place in places.items() if learned is None or learned & inside[split]}


def _by_exact_names(root: Path) -> Layout:
    there: list[Split] = [split for split in ("train", "test", "val") if (root / split).is_dir()]
    if "train" not in there:
        return Layout(splits={"train": root})
    return Layout(splits={split: root / split for split in there[:2]})


def _by_words(root: Path) -> Layout:
    folders = folders_in(root)
    named = recognised(folders)
    splits = _chosen(root, {name: split for name, split in named.items() if folders_in(folders[name])})
    if "train" not in splits:
        _refuse_unknown_splits(root, folders, named)
        return Layout(splits={"train": root}, notes=(*_taken_as_classes(named), *_loose(root)))
    notes = []
    for split in ("val", "test"):
        bare = [name for name, meant in named.items() if meant == split and name not in splits.values()]
        if split not in splits and bare:
            notes.append(_without_labels(folders[bare[0]]))
    told = {*splits.values(), *(name for name in named if named[name] not in splits)}
    if others := beside(root, told):
        notes.append(f"Beside the splits, and not used: {_some(others)}.")
    places = {split: _unwrapped(folders[name]) for split, name in splits.items()}
    return Layout(splits=places, notes=(*notes, *(note for place in places.values() for note in _loose(place))))


def _chosen(root: Path, named: Mapping[str, Split]) -> dict[Split, str]:
    """One folder for each split: that of exactly its name, else the only one."""
    found: dict[Split, str] = {}
    for split in ("train", "val", "test"):
        names = [name for name, meant in named.items() if meant == split]
        if len(names) > 1 and split not in names:
            raise InputError(
                f"{_some(names)} in {str(root)!r} all look like the {split} split.\n"
                f"Name the one to use {split}/, or move the others away."
            )
        if names:
            found[split] = split if split in names else names[0]
    return found


def _refuse_unknown_splits(root: Path, folders: Mapping[str, Path], named: Mapping[str, Split]) -> None:
    """Folders that are not classes would become a network that tells one split from the other."""
    expected = f"Expected class folders in it, or in {EXPECTED} above them."
    if folders and set(folders) == set(named):
        why = "have no train split beside them" if "train" not in named.values() else "hold no class folders"
        raise InputError(
            f"The folders {_some(list(folders))} in {str(root)!r} look like splits, but {why}.\n{expected}"
        )
    inside = [set(map(str.casefold, folders_in(folder))) for folder in folders.values()]
    shared = set[str]() if len(inside) < 2 else set.intersection(*inside)
    if len(shared) > 1 and not any(files_that_are_pictures(folder) for folder in folders.values()):
        same = (
            f"The folders {_some(list(folders))} in {str(root)!r} all hold the same folders, {_some(sorted(shared))}, "
        )
        if recognised(shared).keys() == shared:
            one = next(iter(folders))
            raise InputError(
                f"{same}and no images: they look like splits, below the classes.\n"
                f"Turn them round: train/{one}/ and not {one}/train/."
            )
        raise InputError(f"{same}and no images: they look like splits, not classes.\n{expected}")
    outside = {name.casefold() for name in folders if name not in named}
    for name in named:
        if len({one.casefold() for one in folders_in(folders[name])} & outside) > 1:
            raise InputError(
                f"{name + '/'!r} in {str(root)!r} holds folders of the classes beside it, so it looks like a split.\n"
                "Put the classes beside it into train/."
            )


def _taken_as_classes(named: Mapping[str, Split]) -> list[str]:
    return [f"{_some(list(named))} are taken as classes, not as splits: no train/ with class folders is beside them."
            if len(named) > 1 else
            f"{_some(list(named))} is taken as a class, not as a split: no train/ with class folders is beside it."
            ] if named else []  # fmt: skip


def _without_labels(folder: Path) -> str:
    count = len(files_below(folder))
    what = f"its {agreeing(count, 'file has', 'files have')} no labels" if count else "it is empty"
    return f"{folder.name + '/'!r} holds no class folders: {what}, and it is not used."


def _loose(place: Path) -> list[str]:
    """Images beside class folders belong to no class."""
    found = files_that_are_pictures(place) if folders_in(place) else []
    images, lie, are = ("image", "lies", "is") if len(found) == 1 else ("images", "lie", "are")
    where = f"{images} in {place.name + '/'!r} {lie} in no class folder and {are} not used"
    return [f"{len(found)} {where}: {_some(found)}."] if found else []


def _unwrapped(folder: Path) -> Path:
    """The folder of the same name inside, where it is all that is there: archives are often unpacked so."""
    inside = folders_in(folder)
    name = next(iter(inside), "")
    if len(inside) == 1 and name.casefold() == folder.name.casefold() and folders_in(inside[name]):
        return folder if beside(folder, {name}) else inside[name]
    return folder


def _some(names: list[str]) -> str:
    return some([repr(name) for name in names], _SHOWN)
