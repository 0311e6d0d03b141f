"""Rendered images on disk: written whole or not at all, mapped read-only so that processes share the memory."""

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from triscale.data.transforms.area_resize import Pictures
from triscale.errors import OutputError, StorageError
from triscale.files import sweep, write_atomically

Progress = Callable[[int, int], None]


def write_cached(path: Path, blocks: Iterable[bytes | memoryview]) -> None:
    """Write `path` so that it holds all `blocks` or stays as it was, whatever is killed in between.

    Raises:
        OutputError: the folder or the file cannot be created.
        StorageError: writing failed on the way, as on a full disk; the unfinished file is removed.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        sweep(path.parent)
        write_atomically(path, blocks, advice="Or set TRISCALE_CACHE to a folder elsewhere.")
    except (OSError, OutputError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise OutputError(
            f"the cache folder {str(path.parent)!r} cannot be written: {reason}\n"
            "Set TRISCALE_CACHE to a folder that can."
        ) from None


def cached_pictures(
    path: Path, shape: tuple[int, int, int, int], render: Callable[[], Iterable[Pictures]], progress: Progress | None
) -> Pictures:
    """The images in the `.npy` file `path`; rendered and stored first if it is missing or broken.

    Args:
        path: the file.
        shape: `(n, height, width, 3)`.
        render: yields the images in order, in blocks `[some, height, width, 3]`.
        progress: called with `(done, n)` after each block.

    Returns:
        uint8 `shape`, mapped read-only.
    """
    found = _mapped(path, shape)
    if found is not None:
        return found
    write_cached(path, _npy(shape, render, progress))
    written = _mapped(path, shape)
    if written is None:
        raise StorageError(f"{str(path)!r} does not hold what was just written.\nCheck the disk of the cache folder.")
    return written


def _npy(
    shape: tuple[int, int, int, int], render: Callable[[], Iterable[Pictures]], progress: Progress | None
) -> Iterable[bytes | memoryview]:
    # Plain writes, not a writable map: on a full disk a map ends the process with SIGBUS, a write says so.
    yield _header(shape)
    done = 0
    for block in render():
        yield np.ascontiguousarray(block).data.cast("B")
        done += len(block)
        if progress is not None:
            progress(done, shape[0])


def _header(shape: tuple[int, ...]) -> bytes:
    """The head of an `.npy` file, format 1.0: magic, version, length, a dictionary padded to a multiple of 64 bytes."""
    text = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}"
    text += " " * (-(len(text) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


def _mapped(path: Path, shape: tuple[int, ...]) -> Pictures | None:
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
        whole = path.stat().st_size == len(_header(shape)) + array.nbytes
    except (OSError, ValueError, EOFError):
        return None
    return array if whole and array.shape == shape and array.dtype == np.uint8 else None
