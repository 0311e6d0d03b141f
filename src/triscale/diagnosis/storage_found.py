"""The cache folder: where it is, what it holds, how to clear it, and how much is free beside it."""

import os
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from triscale.diagnosis.finding import Finding, State
from triscale.files import cache_folder
from triscale.units import memory

_LITTLE = 2**30
_LARGE = 20 * 2**30
_KINDS = (
    ("rendered images", "", ".npy"),
    ("checked data sets", "", "-scan.json"),
    ("compiled kernels and networks", "kernels-", ""),
    ("compiled kernels and networks", "network-", ""),
)
"""What a file is, by the beginning and the end of its name."""


def storage() -> Iterator[Finding]:
    """The cache, each kind of file in it, and the free space."""
    folder = cache_folder()
    sizes = _sizes(folder)
    yield _cache(folder, sum(sizes.values()))
    for kind, size in sizes.most_common():
        yield Finding(topic="storage", name=kind, found=memory(size))
    yield _free(folder)


def _cache(folder: Path, size: int) -> Finding:
    found = f"{folder}: {memory(size)}"
    clear = f"rm -r {folder} clears it; what is needed is made again"
    nearest = _existing(folder)
    if not (nearest.is_dir() and os.access(nearest, os.W_OK)):
        advice = "let TRISCALE_CACHE name a folder that can be written to"
        return Finding(
            topic="storage", name="cache", found=f"{folder} cannot be written to", state="broken", advice=advice
        )
    state: State = "slow" if size > _LARGE else "ok"
    return Finding(topic="storage", name="cache", found=found, state=state, advice=clear if size else None)


def _free(folder: Path) -> Finding:
    free = shutil.disk_usage(_existing(folder)).free
    if free >= _LITTLE:
        return Finding(topic="storage", name="free space", found=memory(free))
    advice = "free some space, or let TRISCALE_CACHE name a folder on another disk"
    return Finding(topic="storage", name="free space", found=memory(free), state="slow", advice=advice)


def _sizes(folder: Path) -> "Counter[str]":
    """Bytes by kind of file; what another process removes meanwhile is not counted."""
    sizes: Counter[str] = Counter()
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                size = os.lstat(Path(parent, name)).st_size
            except OSError:
                continue
            sizes["calibrations of latency" if Path(parent).name == "latency" else _kind(name)] += size
    return sizes


def _kind(name: str) -> str:
    found = (kind for kind, begin, end in _KINDS if name.startswith(begin) and name.endswith(end))
    return next(found, "measurements and plans")


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that exists."""
    return next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
