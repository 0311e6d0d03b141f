"""A data set as class folders of photos: `train/<class>/*` and `test/<class>/*` (or `val/`), or only `<class>/*`."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from triscale.data.fit import STUDY
from triscale.data.images import UnreadableError, decode, pillow_warnings_off
from triscale.data.resize import CHUNK, Pictures, Size
from triscale.data.scan import Photo, examined, fingerprint, left_out, listed, repeated, threads
from triscale.data.source import SPLIT_OFF, Source
from triscale.data.split import split_validation
from triscale.data.walk import class_folders, layout
from triscale.errors import InputError
from triscale.spec import Preprocessing

BLOCK_BYTES = 64 * 2**20
"""Most bytes of decoded pictures in one block."""


@dataclass(frozen=True, eq=False)
class PhotoPart:
    """Photos that could all be read when the source was opened."""

    paths: tuple[Path, ...]
    labels: NDArray[np.int64]

    @property
    def master(self) -> Size | None:
        """None: each size is decoded from the files, since photos have no common size."""
        return None

    def render(self, size: Size, how: Preprocessing = STUDY) -> Iterator[Pictures]:
        """The photos at `size`, decoded by all processors."""
        block = min(CHUNK, max(1, BLOCK_BYTES // (3 * size[0] * size[1])))
        for start in range(0, len(self.paths), block):
            some = self.paths[start : start + block]
            with pillow_warnings_off(), threads() as pool:
                yield np.stack(list(pool.map(lambda path: _still_good(path, size, how), some)))


def _still_good(path: Path, size: Size, how: Preprocessing) -> Pictures:
    try:
        return decode(path, size, how)
    except UnreadableError as error:
        raise InputError(
            f"The picture {str(path)!r} broke after the data was checked: {error}.\n"
            "Restore or remove it, then run the command again."
        ) from error


def open_folders(root: Path, *, name: str, cache: Path) -> Source:
    """The class folders below `root`.

    Every file is decoded once, here, so that labels and pictures align from then on. The verdicts are kept in the cache
    under the hash of the content: opening the same folders again only reads the files.

    Raises:
        InputError: no or one class, a class without a readable picture, two classes of one name or one folder.
    """
    train_root, test_root, test_from, notes = layout(root)
    folders = class_folders(train_root)
    classes = tuple(folders)
    train_files = listed(root, list(enumerate(folders.values())))
    files = train_files + (listed(root, _labelled(test_root, classes)) if test_root else [])
    content = fingerprint(files)
    files = examined(files, cache / f"{content[:24]}-scan.json")
    train = [photo for photo in files[: len(train_files)] if photo.side]
    test = [photo for photo in files[len(train_files) :] if photo.side]
    _refuse_empty(folders, train)
    notes += left_out(files) + repeated(train, test)
    if test_root is None:
        kept, split_off = split_validation(_labels(train), fraction=0.2, seed=0)
        train, test, notes = [train[i] for i in kept], [train[i] for i in split_off], (*notes, SPLIT_OFF)
    if not test:
        raise InputError(f"There is no readable test picture in {str(test_root or root)!r}.\nPut pictures in.")
    side = int(np.median([photo.side for photo in train]))
    return Source(
        name=name,
        classes=class_names(classes),
        native=(side, side),
        fingerprint=content,
        test_from=test_from,
        skipped=sum(not photo.side for photo in files),
        notes=notes,
        parts={"train": _part(train), "test": _part(test)},
        cache=cache,
    )


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


def _refuse_empty(folders: Mapping[str, Path], photos: Sequence[Photo]) -> None:
    seen = {photo.label for photo in photos}
    for label, folder in enumerate(folders.values()):
        if label not in seen:
            raise InputError(
                f"The class folder {str(folder)!r} holds no readable picture.\nRemove the folder, or put pictures in."
            )


def _labels(photos: Sequence[Photo]) -> NDArray[np.int64]:
    return np.array([photo.label for photo in photos], dtype=np.int64)


def _part(photos: Sequence[Photo]) -> PhotoPart:
    return PhotoPart(tuple(photo.path for photo in photos), _labels(photos))
