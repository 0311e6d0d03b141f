"""Pictures to evaluate on: every picture of one split, as it lies there, each once."""

from dataclasses import dataclass
from pathlib import Path

from triscale.data.array_names import array_splits, holds_arrays, plain_arrays, splits_inside
from triscale.data.cache import default_cache
from triscale.data.findings import left_out
from triscale.data.folders import class_names, listed, open_folders
from triscale.data.layout import named_splits
from triscale.data.npz import open_npz, read_npz
from triscale.data.photo import Policy
from triscale.data.photos import part_of
from triscale.data.scan import examined, fingerprint, hashed
from triscale.data.source import Part, Source
from triscale.data.sources import special
from triscale.data.split import SplitRule
from triscale.data.split_words import Split, recognised
from triscale.data.walk import class_folders, files_below
from triscale.errors import InputError, UsageError

SPLITS: tuple[Split, ...] = ("test", "val", "train")
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


def open_split(
    where: str | Path,
    split: str | None = None,
    *,
    cache: Path | None = None,
    rule: SplitRule = SplitRule(),  # noqa: B008
) -> Held:
    """Open one split of a data set.

    Without `split` it is the test, else the validation, of a folder (or its test.npz, else val.npz); all of a single
    .npz file; the test of `flowers`; and all pictures of class folders without splits. `test` or `train` of a set
    without splits is the fifth that a study sets aside as its test, or the rest.

    Args:
        where: as `triscale.data.open_data` takes it, or a single .npz file.
        split: `test`, `val` or `train`.
        cache: folder for what is remembered of the files.
        rule: by which a test is split off where there is none.

    Raises:
        UsageError: another word than these three.
        InputError: nothing usable there.
    """
    if split is not None and split not in SPLITS:
        raise UsageError(f"there is no split {split!r}: give test, val or train.")
    cache, path, policy = cache or default_cache(), Path(where), Policy(split=rule)
    if (opener := special(where)) is not None:
        return _of_source(opener(str(where), cache, policy, None), split)
    if path.suffix == ".npz" and not path.is_dir():
        return _npz(path, split, cache, policy)
    if path.is_file():
        raise InputError(f"{str(path)!r} is a single file.\nGive the folder that holds the class folders around it.")
    if not path.is_dir():
        raise InputError(f"There is no folder {str(path)!r}.\nGive class folders, an .npz file or pair, or `flowers`.")
    if array_splits(path) or holds_arrays(path):
        return _pair(path, split, cache, policy)
    return _folders(path, split, cache, policy)


def _of_source(source: Source, split: str | None) -> Held:
    """A split of a source; what serves as its test is called what it is."""
    given: Split = "val" if source.test_from == "val" else "test"
    parts: dict[str, Part] = {**source.parts, given: source.parts["test"]}
    if given == "val":
        del parts["test"]
    chosen = split or given
    if chosen not in parts:
        listed = " or ".join(f"--split {name}" for name in SPLITS if name in parts)
        raise InputError(f"{source.name} has no {chosen} split: give {listed}.")
    return Held(
        name=source.name,
        split=chosen,
        classes=source.classes,
        part=parts[chosen],
        skipped=source.skipped,
        notes=source.notes,
    )


def _npz(path: Path, split: str | None, cache: Path, policy: Policy) -> Held:
    named = recognised([path.stem]).get(path.stem)
    if len(splits_inside(path)) > 1:
        return _of_source(open_npz(path, name=str(path), cache=cache, policy=policy), split)
    if split is not None and split != named:
        raise UsageError(f"{str(path)!r} is one file, not {split}: leave --split out, or give its folder.")
    classes, part = read_npz(plain_arrays(path))
    return Held(name=str(path), split=named or "all", classes=classes, part=part)


def _pair(folder: Path, split: str | None, cache: Path, policy: Policy) -> Held:
    files = array_splits(folder)
    there = [name for name in SPLITS if name in files]
    chosen = split or next(iter(there), None)
    if chosen in there and (split or chosen != "train"):
        return _npz(files[chosen], chosen, cache, policy)
    if there == ["train"] and split != "test" and len(splits_inside(files["train"])) < 2:
        raise _absent(folder, split, [file.name for file in files.values()])
    return _of_source(open_npz(folder, name=str(folder), cache=cache, policy=policy), split)


def _folders(root: Path, split: str | None, cache: Path, policy: Policy) -> Held:
    places = named_splits(root)
    there = [name for name in SPLITS if name in places]
    if not there:
        if split is None:
            return _photos(root, root, "all", cache, (WHOLE,))
        return _of_source(open_folders(root, name=str(root), cache=cache, policy=policy), split)
    chosen = split or there[0]
    if chosen in there and (split or chosen != "train"):
        return _photos(root, places[chosen], chosen, cache, ())
    if there == ["train"] and split == "test":
        return _of_source(open_folders(root, name=str(root), cache=cache, policy=policy), split)
    raise _absent(root, split, [f"{places[name].name}/" for name in there])


def _absent(root: Path, split: str | None, there: list[str]) -> InputError:
    wanted = f"no {split}" if split else "neither test nor val"
    return InputError(f"There is {wanted} in {str(root)!r}, only {', '.join(there)}.\nSay which with --split.")


def _photos(root: Path, place: Path, split: str, cache: Path, notes: tuple[str, ...]) -> Held:
    """All readable pictures of the class folders in `place`; a class folder may be empty here."""
    folders = class_folders(place, least=1)
    files = hashed(listed(root, list(enumerate(folders.values())), within=root))
    files = examined(files, cache / f"{fingerprint(files)[:24]}-scan.json")
    good = [photo for photo in files if not photo.reason]
    if not good:
        raise InputError(f"There is no readable picture in {str(place)!r}.\nPut pictures into its class folders.")
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
