"""The verified scan of class folders: every file is hashed and decoded once, and what was left out is told."""

import hashlib
import json
import os
import stat
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from triscale.data.cache import write_whole
from triscale.data.images import UnreadableError, examine, pillow_warnings_off
from triscale.data.walk import files_below

SHOWN = 3


@dataclass(frozen=True, kw_only=True)
class Photo:
    """A file in a class folder.

    Attributes:
        name: path relative to the root of the data set.
        path: where it lies.
        label: its class.
        digest: hash of its content; empty if it cannot be read at all.
        side: shorter side in pixels; 0 if it is no picture.
        reason: why it is no picture.
    """

    name: str
    path: Path
    label: int
    digest: str = ""
    side: int = 0
    reason: str = ""


def threads() -> ThreadPoolExecutor:
    """A pool as wide as the machine: Pillow and hashing leave the interpreter free while they work."""
    return ThreadPoolExecutor(os.cpu_count() or 1)


def listed(root: Path, folders: Sequence[tuple[int, Path]]) -> list[Photo]:
    """The files of the class folders `(label, folder)`, hashed, in a fixed order."""
    photos = [
        Photo(name=path.relative_to(root).as_posix(), path=path, label=label)
        for label, folder in folders
        for path in files_below(folder)
    ]
    with threads() as pool:
        digests = pool.map(_digest, [photo.path for photo in photos])
        return [replace(photo, digest=digest) for photo, digest in zip(photos, digests, strict=True)]


def _digest(path: Path) -> str:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return ""
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def fingerprint(photos: Sequence[Photo]) -> str:
    """Hexadecimal hash of relative names and contents; neither the place of the folder nor times count."""
    digest = hashlib.sha256()
    for photo in photos:
        digest.update(os.fsencode(photo.name) + b"\0" + photo.digest.encode() + b"\0")
    return digest.hexdigest()


def examined(photos: Sequence[Photo], memory: Path) -> list[Photo]:
    """The photos with `side` or `reason`; the verdicts come from the file `memory` if it fits, else they go there."""
    verdicts = _remembered(memory, len(photos))
    if verdicts is None:
        with pillow_warnings_off(), threads() as pool:
            verdicts = list(pool.map(_verdict, [photo.path for photo in photos]))
        write_whole(memory, [json.dumps(verdicts).encode()])
    return [replace(photo, side=side, reason=reason) for photo, (side, reason) in zip(photos, verdicts, strict=True)]


def _verdict(path: Path) -> tuple[int, str]:
    try:
        return examine(path), ""
    except UnreadableError as error:
        return 0, str(error)


def _remembered(memory: Path, count: int) -> list[tuple[int, str]] | None:
    try:
        verdicts = [(int(side), str(reason)) for side, reason in json.loads(memory.read_bytes())]
    except (OSError, ValueError, TypeError):
        return None
    return verdicts if len(verdicts) == count else None


def left_out(photos: Sequence[Photo]) -> tuple[str, ...]:
    """A sentence that counts and names the files that are no pictures; none if all are."""
    bad = [photo for photo in photos if not photo.side]
    if not bad:
        return ()
    named = ", ".join(f"{photo.name!r} ({photo.reason})" for photo in bad[:SHOWN])
    more = f", and {len(bad) - SHOWN} more" if len(bad) > SHOWN else ""
    return (f"{len(bad)} of {len(photos)} files were left out: {named}{more}.",)


def repeated(train: Sequence[Photo], test: Sequence[Photo]) -> tuple[str, ...]:
    """Sentences about pictures that are both in train and test, or in two classes."""
    known = {photo.digest for photo in train}
    leaked = sum(photo.digest in known for photo in test)
    labels = Counter(digest for digest, _ in {(photo.digest, photo.label) for photo in [*train, *test]})
    torn = sum(count > 1 for count in labels.values())
    notes = []
    if leaked:
        notes.append(f"{leaked} of {len(test)} test pictures are also training pictures: the test is too kind.")
    if torn:
        notes.append(f"{torn} pictures lie in more than one class.")
    return tuple(notes)
