"""A data set as class folders of photos: `train/<class>/*`, `val/<class>/*`, `test/<class>/*`, or only `<class>/*`."""

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from triscale.data.checks.reasons import OUTSIDE
from triscale.data.decode.render_cache import Progress
from triscale.data.names.layout import layout
from triscale.data.names.split_words import Split
from triscale.data.names.walk import class_folders, files_below, key_of, leads_out
from triscale.data.photo import DEFAULT, CheckOptions, Photo
from triscale.data.photo_files import photo_source
from triscale.data.source import Source
from triscale.errors import InputError


def open_folders(
    root: Path, *, name: str, cache: Path, policy: CheckOptions = DEFAULT, progress: Progress | None = None
) -> Source:
    """The class folders below `root`.

    Every file is decoded once, here, so that labels and images align from then on. The verdicts are kept in the cache
    under the hash of the content: opening the same folders again only reads the files.

    Raises:
        InputError: no or one class, a class without a readable image, two classes of one name or one folder, a class
            folder that is a link out of `root`; folders that look like splits, several of one kind.
    """
    found = layout(root, policy.split.version)
    folders, notes = class_folders(found.splits["train"]), list(found.notes)
    outside = None if policy.follow_links else root
    splits: dict[Split, list[Photo]] = {}
    seen = _Count(progress)
    for split, place in found.splits.items():
        others = class_folders(place, least=0)
        known = _matched(tuple(folders), tuple(others))
        if not known:
            notes.append(f"{place.name + '/'!r} is not used: no class folder in it is one of the training classes.")
            continue
        here = [(known[one], others[one]) for one in others if one in known]
        splits[split] = listed(root, here, within=outside, seen=seen)
        strangers = [(0, folder) for one, folder in others.items() if one not in known]
        splits[split] += [
            replace(photo, reason=f"there is no class {photo.file.relative_to(place).parts[0]!r} in training")
            for photo in listed(root, strangers, within=None, seen=seen)
            if isinstance(photo.file, Path)
        ]
    return photo_source(
        splits,
        name=name,
        classes=class_names(folders),
        notes=tuple(notes),
        cache=cache,
        policy=policy,
        progress=progress,
    )


SEEN = 10_000
"""Files between two reports of progress."""


class _Count:
    """Tells how much there is to do while many files are looked for: each is read and decoded later."""

    def __init__(self, progress: Progress | None) -> None:
        self.progress, self.files, self.told = progress, 0, 0

    def __call__(self, files: int) -> None:
        self.files += files
        if self.progress is not None and self.files >= self.told + SEEN:
            self.told = self.files
            self.progress(0, 2 * self.files)


def listed(
    root: Path,
    folders: Sequence[tuple[int, Path]],
    *,
    within: Path | None,
    seen: Callable[[int], None] | None = None,
) -> list[Photo]:
    """The files of the class folders `(label, folder)` in a fixed order.

    Args:
        root: names are relative to it.
        folders: where they lie.
        within: links that lead out of this folder are rejected; None: they are followed.
        seen: called with the number of files in each folder.
    """
    for _, folder in folders:
        if within is not None and leads_out(folder, within):
            raise InputError(
                f"The class folder {folder.name!r} is {OUTSIDE} {str(within)!r}.\n"
                "Copy it there, or take such links with --follow-links."
            )
    return [
        Photo(
            name=path.relative_to(root).as_posix(),
            file=path,
            label=label,
            reason=OUTSIDE if within is not None and path.is_symlink() and leads_out(path, within) else "",
        )
        for label, folder in folders
        for path in files_below(folder, seen)
    ]


def class_names(folders: Iterable[str]) -> tuple[str, ...]:
    """Names of folders as text; a byte that is not UTF-8 is shown by its number."""
    return tuple(os.fsencode(some).decode("utf-8", "backslashreplace") for some in folders)


def _matched(classes: Sequence[str], others: Sequence[str]) -> dict[str, int]:
    """The labels of the class folders of another split, by their names, see `key_of`."""
    exact = {name: label for label, name in enumerate(classes)}
    loose = {key_of(name): label for name, label in exact.items()}
    found = {name: exact.get(name, loose.get(key_of(name))) for name in others}
    return {name: label for name, label in found.items() if label is not None}
