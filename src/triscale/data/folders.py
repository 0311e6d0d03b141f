"""A data set as class folders of photos: `train/<class>/*` and `test/<class>/*` (or `val/`), or only `<class>/*`."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from triscale.data.cache import Progress
from triscale.data.photo import DEFAULT, Photo, Policy
from triscale.data.photos import photo_source
from triscale.data.reasons import OUTSIDE
from triscale.data.source import Source
from triscale.data.walk import class_folders, files_below, layout, leads_out
from triscale.errors import InputError


def open_folders(
    root: Path, *, name: str, cache: Path, policy: Policy = DEFAULT, progress: Progress | None = None
) -> Source:
    """The class folders below `root`.

    Every file is decoded once, here, so that labels and pictures align from then on. The verdicts are kept in the cache
    under the hash of the content: opening the same folders again only reads the files.

    Raises:
        InputError: no or one class, a class without a readable picture, two classes of one name or one folder, a class
            folder that is a link out of `root`.
    """
    train_root, test_root, test_from, notes = layout(root)
    folders = class_folders(train_root)
    outside = None if policy.follow_links else root
    test = listed(root, _labelled(test_root, tuple(folders)), within=outside) if test_root else None
    return photo_source(
        listed(root, list(enumerate(folders.values())), within=outside),
        test,
        name=name,
        classes=class_names(folders),
        test_from=test_from,
        notes=notes,
        cache=cache,
        policy=policy,
        progress=progress,
    )


def listed(root: Path, folders: Sequence[tuple[int, Path]], *, within: Path | None) -> list[Photo]:
    """The files of the class folders `(label, folder)` in a fixed order.

    Args:
        root: names are relative to it.
        folders: where they lie.
        within: links that lead out of this folder are refused; None: they are followed.
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
        for path in files_below(folder)
    ]


def class_names(folders: Iterable[str]) -> tuple[str, ...]:
    """Names of folders as text; a byte that is not UTF-8 is shown by its number."""
    return tuple(os.fsencode(some).decode("utf-8", "backslashreplace") for some in folders)


def _labelled(test_root: Path, classes: tuple[str, ...]) -> list[tuple[int, Path]]:
    folders = class_folders(test_root)
    foreign = sorted(set(folders) - set(classes))
    if foreign:
        raise InputError(
            f"The class folder {str(folders[foreign[0]])!r} has no counterpart among the training pictures.\n"
            "Name the classes alike in both, or remove it."
        )
    return [(label, folders[name]) for label, name in enumerate(classes) if name in folders]
