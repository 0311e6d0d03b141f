"""Carry files to nodes that lack them, once, through the object store of the cluster, to the same path as here."""

import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from triscale.trials.executor.ray_connect import ray_module

CHUNK = 64 * 2**20
"""Bytes of one object, about."""

Piece = tuple[str, int, bytes]
"""A file's path below the root (empty for a file alone), the offset, and bytes."""


def pieces(root: Path) -> Iterator[list[Piece]]:
    """The files of a folder, or a file, cut into lists of about `CHUNK` bytes."""
    files = sorted(path for path in root.rglob("*") if path.is_file()) if root.is_dir() else [root]
    chunk: list[Piece] = []
    size = 0
    for path in files:
        name = path.relative_to(root).as_posix() if root.is_dir() else ""
        with path.open("rb") as file:
            offset = 0
            while True:
                data = file.read(CHUNK - size)
                chunk.append((name, offset, data))
                offset, size = offset + len(data), size + len(data)
                if size < CHUNK:
                    break
                yield chunk
                chunk, size = [], 0
    if chunk:
        yield chunk


def unpack(chunks: Sequence[Any], to: str) -> str | None:
    """On a node: write the pieces to a path beside `to`, then give it its name.

    Returns:
        Why it did not work; None where it did.
    """
    ray, target = ray_module(), Path(to)
    beside = target.with_name(f".{target.name}.part-{os.getpid()}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        for chunk in chunks:
            _write(ray.get(chunk), beside)
        beside.rename(target)
    except OSError as error:
        shutil.rmtree(beside, ignore_errors=True)
        beside.unlink(missing_ok=True) if not beside.is_dir() else None
        return None if target.exists() else f"{to} cannot be written there: {error.strerror or error}"
    return None


def _write(chunk: Sequence[Piece], beside: Path) -> None:
    for name, offset, data in chunk:
        path = beside / name if name else beside
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("r+b" if offset else "wb") as file:
            file.seek(offset)
            file.write(data)
