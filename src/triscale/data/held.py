"""Images to evaluate on: every image of one split, as it lies there, each once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from triscale.data.checks.findings import left_out
from triscale.data.checks.reasons import unusable
from triscale.data.checks.scan import examined, fingerprint, hashed
from triscale.data.chosen import Joined, chosen
from triscale.data.names.instead import require_folder
from triscale.data.names.layout import named_splits
from triscale.data.names.split_words import Split, recognised
from triscale.data.names.walk import class_folders, files_below
from triscale.data.opening import special
from triscale.data.photo import CheckOptions
from triscale.data.photo_files import part_of
from triscale.data.readers.array_names import array_splits, holds_arrays, plain_arrays, splits_inside
from triscale.data.readers.class_folders import class_names, listed, open_folders
from triscale.data.readers.npz import open_npz, read_npz, with_digests
from triscale.data.source import SPLIT_OFF, Part, Source
from triscale.data.split import SplitRule
from triscale.errors import InputError, UsageError
from triscale.files import cache_folder
from triscale.units import agreeing

SPLITS: tuple[Split, ...] = ("test", "val", "train")
ALL = "all"
WHOLE = (
    "There is no test or validation set there, so every image counts. "
    "If a study was made of them: --split test is its test."
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Held:
    """Images with labels to evaluate on.

    Attributes:
        name: where they are from.
        split: `test`, `val`, `train`, `all`, or `unseen` where images that were trained on are left out.
        classes: names in the order of the labels; None: a label is the position among the network's classes.
        part: the images and their labels.
        skipped: files left out because they are not images.
        notes: what a reader of the result should know, in sentences.
        divided: whether the data says itself which images are its test or validation.
    """

    name: str
    split: str
    classes: tuple[str, ...] | None
    part: Part
    skipped: int = 0
    notes: tuple[str, ...] = ()
    divided: bool = True

    def without(self, left_out: NDArray[np.bool_]) -> "Held":
        """The other images."""
        rest = np.flatnonzero(~left_out)
        return replace(self, split="unseen" if self.split == ALL else self.split, part=chosen(self.part, rest))


def open_split(
    where: str | Path,
    split: str | None = None,
    *,
    cache: Path | None = None,
    rule: SplitRule = SplitRule(),  # noqa: B008
) -> Held:
    """Open one split of a data set.

    Without `split` it is the test, else the validation; all of a single .npz file, and of class folders, tables, tar
    files and arrays without splits. `test` or `train` of a set without splits is the fifth that a study sets aside as
    its test, or the rest. `all` is every image of every split.

    Args:
        where: as `triscale.data.open_data` takes it, or a single .npz file.
        split: `test`, `val`, `train` or `all`.
        cache: folder for what is remembered of the files.
        rule: by which a test is split off where there is none.

    Raises:
        UsageError: another word than these four.
        InputError: nothing usable there.
    """
    if split is not None and split not in (*SPLITS, ALL):
        raise UsageError(f"there is no split {split!r}: give test, val, train or all.")
    cache, path, policy = cache or cache_folder(), Path(where), CheckOptions(split=rule)
    if (opener := special(where)) is not None:
        return _of_source(opener(str(where), cache, policy, None), split)
    if path.suffix.lower() == ".npz" and not path.is_dir():
        return _npz(path, split, cache, policy)
    require_folder(path)
    if array_splits(path) or holds_arrays(path):
        return _pair(path, split, cache, policy)
    return _folders(path, split, cache, policy)


def _of_source(source: Source, split: str | None) -> Held:
    """A split of a source; what serves as its test is called what it is, and without splits all of it counts."""
    given: Split = "val" if source.test_from == "val" else "test"
    divided = source.test_from != "train"
    parts: dict[str, Part] = dict(source.parts.items())
    parts[given] = parts["test"]
    if given == "val":
        del parts["test"]
    parts[ALL] = Joined(tuple(source.parts.values()))
    wanted = split or (given if divided else ALL)
    if wanted not in parts:
        listed = " or ".join(f"--split {name}" for name in SPLITS if name in parts)
        raise InputError(f"{source.name} has no {wanted} split: give {listed}.")
    return Held(
        name=source.name,
        split=wanted,
        classes=source.classes,
        part=parts[wanted],
        skipped=source.skipped,
        notes=_notes(source, split, wanted),
        divided=divided,
    )


def _notes(source: Source, split: str | None, wanted: str) -> tuple[str, ...]:
    """Nothing was split off where all is taken."""
    kept = tuple(note for note in source.notes if wanted != ALL or note != SPLIT_OFF)
    return kept if split or wanted != ALL else (*kept, WHOLE)


def _npz(path: Path, split: str | None, cache: Path, policy: CheckOptions) -> Held:
    named = recognised([path.stem]).get(path.stem)
    if len(splits_inside(path)) > 1:
        return _of_source(open_npz(path, name=str(path), cache=cache, policy=policy), split)
    if split not in (None, ALL, named):
        raise UsageError(f"{str(path)!r} is one file, not {split}: leave --split out, or give its folder.")
    classes, part, note = read_npz(plain_arrays(path))
    return Held(
        name=str(path),
        split=named or ALL,
        classes=classes,
        part=with_digests(part, cache),
        notes=(note,) if note else (),
        divided=named is not None,
    )


def _pair(folder: Path, split: str | None, cache: Path, policy: CheckOptions) -> Held:
    files = array_splits(folder)
    there = [name for name in SPLITS if name in files]
    wanted = split or next(iter(there), None)
    if wanted in there and (split or wanted != "train"):
        return _npz(files[wanted], wanted, cache, policy)
    if there == ["train"] and split not in ("test", ALL) and len(splits_inside(files["train"])) < 2:
        raise _absent(folder, split, [file.name for file in files.values()])
    return _of_source(open_npz(folder, name=str(folder), cache=cache, policy=policy), split)


def _folders(root: Path, split: str | None, cache: Path, policy: CheckOptions) -> Held:
    places = named_splits(root)
    there = [name for name in SPLITS if name in places]
    if not there and split in (None, ALL):
        return _photos(root, [root], ALL, cache, (WHOLE,) if split is None else ())
    if not there:
        return _of_source(open_folders(root, name=str(root), cache=cache, policy=policy), split)
    if split == ALL:
        return _photos(root, [places[name] for name in there], ALL, cache, ())
    wanted = split or there[0]
    if wanted in there and (split or wanted != "train"):
        return _photos(root, [places[wanted]], wanted, cache, ())
    if there == ["train"] and split == "test":
        return _of_source(open_folders(root, name=str(root), cache=cache, policy=policy), split)
    raise _absent(root, split, [f"{places[name].name}/" for name in there])


def _absent(root: Path, split: str | None, there: list[str]) -> InputError:
    wanted = f"no {split}" if split else "neither test nor val"
    return InputError(f"There is {wanted} in {str(root)!r}, only {', '.join(there)}.\nSay which with --split.")


def _photos(root: Path, places: Sequence[Path], split: str, cache: Path, notes: tuple[str, ...]) -> Held:
    """All readable images of the class folders in these places; a class folder may be empty here."""
    found = [class_folders(place, least=1) for place in places]
    labels = {name: label for label, name in enumerate(dict.fromkeys(name for folders in found for name in folders))}
    labelled = [(labels[name], folder) for folders in found for name, folder in folders.items()]
    files = hashed(listed(root, labelled, within=root))
    files = examined(files, cache / f"{fingerprint(files)[:24]}-scan.json")
    good = [photo for photo in files if not photo.reason]
    if not good:
        what = f"There is no readable image in {str(places[0])!r}"
        raise unusable(what, files, "Put images into its class folders.")
    loose = [file for place in places for file in files_below(place) if file.parent == place and not file.is_dir()]
    if loose:
        lie = agreeing(len(loose), "file lies in no class folder and is", "files lie in no class folder and are")
        notes += (f"{lie} not counted.",)
    return Held(
        name=str(root),
        split=split,
        classes=class_names(labels),
        part=part_of(good),
        divided=places != [root],
        skipped=len(files) - len(good),
        notes=(*([left.text] if (left := left_out(files)) else []), *notes),
    )
