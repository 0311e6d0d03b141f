"""The verified scan of image files: every file is hashed and decoded once, the verdicts are remembered."""

import hashlib
import json
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from triscale.data.decode.image import File, UnreadableError, examine, mended, pillow_warnings_off, stamp_of
from triscale.data.decode.picture_formats import rules
from triscale.data.decode.render_cache import Progress, write_cached
from triscale.data.photo import Photo
from triscale.data.transforms.area_resize import Pictures
from triscale.machine import cores

Item = TypeVar("Item")
Verdict = tuple[int, int, bool, str, str, str]
"""Height, width, several frames, format, the reason to leave it out, and its look."""
SCAN = 3
"""Version of what is remembered of a scan: another one is made again."""


def threads() -> ThreadPoolExecutor:
    """A pool as wide as the machine: Pillow and hashing leave the interpreter free while they work."""
    return ThreadPoolExecutor(cores())


def hashed(photos: Sequence[Photo], progress: Progress | None = None) -> list[Photo]:
    """The photos with the digests and stamps of their files; one that is rejected already is not touched."""
    with threads() as pool:
        found = pool.map(lambda photo: ("", (0, 0)) if photo.reason else _digest(photo.file), photos)
        return [
            replace(photo, digest=digest, stamp=stamp)
            for photo, (digest, stamp) in zip(photos, _told(found, 0, len(photos), progress), strict=True)
        ]


def _told(found: Iterable[Item], before: int, count: int, progress: Progress | None) -> Iterator[Item]:
    """The same, and `progress` follows: a scan passes over the files twice, `before` is what was done."""
    for done, item in enumerate(found, before + 1):
        if progress is not None:
            progress(done, 2 * count)
        yield item


def _digest(file: File) -> tuple[str, tuple[int, int]]:
    stamp = stamp_of(file)
    try:
        if not isinstance(file, Path):
            with file.archive.open("rb") as archive:
                archive.seek(file.offset)
                return hashlib.sha256(archive.read(file.size)).hexdigest(), stamp
        if not stat.S_ISREG(file.stat().st_mode):
            return "", stamp
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest(), stamp
    except OSError:
        return "", stamp


def digests(images: Pictures) -> tuple[str, ...]:
    """A hash of the pixels of each of the images `[n, height, width, 3]`."""
    return tuple(hashlib.blake2b(np.ascontiguousarray(one).data, digest_size=16).hexdigest() for one in images)


def fingerprint(photos: Sequence[Photo], table: bytes = b"") -> str:
    """Hexadecimal hash of relative names and contents; neither the place of the folder nor times count.

    Args:
        photos: hashed ones, in their order.
        table: what else tells the labels, where names do not.
    """
    digest = hashlib.sha256(table)
    for photo in photos:
        digest.update(os.fsencode(photo.name) + b"\0" + photo.digest.encode() + b"\0")
    return digest.hexdigest()


def examined(photos: Sequence[Photo], memory: Path, progress: Progress | None = None) -> list[Photo]:
    """The photos with `size` or `reason`; the verdicts come from the file `memory` if it fits, else they go there.

    Its name begins with the rules: what could not be read may be readable with another Pillow or another extra.
    """
    memory = memory.with_name(f"{rules()}-{memory.name}")
    verdicts = _remembered(memory, len(photos))
    if verdicts is None:
        with pillow_warnings_off(), threads() as pool:
            found = pool.map(_verdict, photos)
            verdicts = list(_told(found, len(photos), len(photos), progress))
        write_cached(memory, [json.dumps({"version": SCAN, "verdicts": verdicts}).encode()])
    return [
        replace(photo, size=(high, wide), moving=moving, format=kind, reason=photo.reason or reason, look=look)
        for photo, (high, wide, moving, kind, reason, look) in zip(photos, verdicts, strict=True)
    ]


def completed(photos: Sequence[Photo]) -> list[Photo]:
    """The photos, of those that are broken the JPEGs mended that have no other fault than to be cut off."""
    with pillow_warnings_off():
        return [_completed(photo) if photo.reason.startswith("broken") else photo for photo in photos]


def _completed(photo: Photo) -> Photo:
    file = mended(photo.file)
    try:
        look = examine(file)
    except UnreadableError:
        return photo
    return replace(photo, file=file, size=look.size, moving=look.moving, format=look.format, look=look.look, reason="")


def _verdict(photo: Photo) -> Verdict:
    if photo.reason:
        return 0, 0, False, "", photo.reason, ""
    try:
        look = examine(photo.file)
    except UnreadableError as error:
        return 0, 0, False, "", str(error), ""
    return *look.size, look.moving, look.format, "", look.look


def _remembered(memory: Path, count: int) -> list[Verdict] | None:
    try:
        known = json.loads(memory.read_bytes())
        verdicts = [
            (int(high), int(wide), bool(moving), str(kind), str(reason), str(look))
            for high, wide, moving, kind, reason, look in known["verdicts"]
        ]
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return verdicts if len(verdicts) == count and known["version"] == SCAN else None
