"""Pictures to evaluate on: every picture of one split, as it lies there, each once."""

from dataclasses import dataclass
from pathlib import Path

from triscale.data.cache import default_cache
from triscale.data.findings import left_out
from triscale.data.folders import class_names, listed, open_folders
from triscale.data.instead import require_folder
from triscale.data.litter import is_ignored
from triscale.data.npz import open_npz, read_npz
from triscale.data.photo import DEFAULT
from triscale.data.photos import part_of
from triscale.data.reasons import unusable
from triscale.data.scan import examined, fingerprint, hashed
from triscale.data.source import Part, Source
from triscale.data.sources import special
from triscale.data.walk import class_folders, files_below
from triscale.errors import InputError, UsageError

SPLITS = ("test", "val", "train")
WHOLE = "There are no splits there, so every picture counts. If a study was made of them: --split test is its test."


@dataclass(frozen=True, kw_only=True, eq=False)
class Held:
    """Pictures with labels to evaluate on.

    Attributes:
        name: where they are from.
        split: `test`, `val`, `train`, or `all`.
        classes: names in the order of the labels; None: a label is the position among the network's classes.
        part: the pictures and their labels.
        skipped: files left out because they are no pictures.
        notes: what a reader of the result should know, in sentences.
    """

    name: str
    split: str
    classes: tuple[str, ...] | None
    part: Part
    skipped: int = 0
    notes: tuple[str, ...] = ()


def open_split(where: str | Path, split: str | None = None, *, cache: Path | None = None) -> Held:
    """Open one split of a data set.

    Without `split` it is test/, else val/, of a folder (or its test.npz, else val.npz); all of a single .npz file; the
    test of `flowers`; and all pictures of class folders without splits. `test` or `train` of a set without splits is
    the fifth that a study sets aside as its test, or the rest.

    Args:
        where: as `triscale.data.open_data` takes it, or a single .npz file.
        split: `test`, `val` or `train`.
        cache: folder for what is remembered of the files.

    Raises:
        UsageError: another word than these three.
        InputError: nothing usable there.
    """
    if split is not None and split not in SPLITS:
        raise UsageError(f"there is no split {split!r}: give test, val or train.")
    cache, path = cache or default_cache(), Path(where)
    if (opener := special(where)) is not None:
        return _of_source(opener(str(where), cache, DEFAULT, None), split or "test")
    if path.suffix == ".npz" and not path.is_dir():
        return _npz(path, split)
    require_folder(path)
    if any((path / f"{name}.npz").exists() for name in SPLITS):
        return _pair(path, split, cache)
    return _folders(path, split, cache)


def _of_source(source: Source, split: str) -> Held:
    if split == "val":
        raise InputError(f"{source.name} has no val split: give --split test or --split train.")
    part = source.parts["test" if split == "test" else "train"]
    return Held(
        name=source.name,
        split=split,
        classes=source.classes,
        part=part,
        skipped=source.skipped,
        notes=source.notes,
    )


def _npz(path: Path, split: str | None) -> Held:
    if split is not None and split != path.stem:
        raise UsageError(f"{str(path)!r} is one file, not {split}: leave --split out, or give its folder.")
    classes, part = read_npz(path)
    return Held(name=str(path), split=path.stem if path.stem in SPLITS else "all", classes=classes, part=part)


def _pair(folder: Path, split: str | None, cache: Path) -> Held:
    there = [name for name in SPLITS if (folder / f"{name}.npz").exists()]
    chosen = split or there[0]
    if chosen in there and (split or chosen != "train"):
        return _npz(folder / f"{chosen}.npz", chosen)
    if there == ["train"] and split == "test":
        return _of_source(open_npz(folder, name=str(folder), cache=cache), split)
    raise _absent(folder, split, [f"{name}.npz" for name in there])


def _folders(root: Path, split: str | None, cache: Path) -> Held:
    there = [name for name in SPLITS if _holds_classes(root / name)]
    if not there:
        if split is None:
            return _photos(root, root, "all", cache, (WHOLE,))
        return _of_source(open_folders(root, name=str(root), cache=cache), split)
    chosen = split or there[0]
    if chosen in there and (split or chosen != "train"):
        return _photos(root, root / chosen, chosen, cache, ())
    if there == ["train"] and split == "test":
        return _of_source(open_folders(root, name=str(root), cache=cache), split)
    raise _absent(root, split, [f"{name}/" for name in there])


def _absent(root: Path, split: str | None, there: list[str]) -> InputError:
    wanted = f"no {split}" if split else "neither test nor val"
    return InputError(f"There is {wanted} in {str(root)!r}, only {', '.join(there)}.\nSay which with --split.")


def _holds_classes(folder: Path) -> bool:
    return folder.is_dir() and any(place.is_dir() and not is_ignored(place.name) for place in folder.iterdir())


def _photos(root: Path, place: Path, split: str, cache: Path, notes: tuple[str, ...]) -> Held:
    """All readable pictures of the class folders in `place`; a class folder may be empty here."""
    folders = class_folders(place, least=1)
    files = hashed(listed(root, list(enumerate(folders.values())), within=root))
    files = examined(files, cache / f"{fingerprint(files)[:24]}-scan.json")
    good = [photo for photo in files if not photo.reason]
    if not good:
        raise unusable(f"There is no readable picture in {str(place)!r}", files, "Put pictures into its class folders.")
    loose = [file for file in files_below(place) if file.parent == place and not file.is_dir()]
    if loose:
        notes += (f"{len(loose)} files that lie in no class folder are not counted.",)
    return Held(
        name=str(root),
        split=split,
        classes=class_names(folders),
        part=part_of(good),
        skipped=len(files) - len(good),
        notes=(*([left.text] if (left := left_out(files)) else []), *notes),
    )
