"""Files that are written whole or not at all, and the folder where what can be made again is kept."""

import errno
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import time
from typing import IO

from triscale.errors import OutputError, StorageError

Content = bytes | Iterable[bytes | memoryview]
"""What a file holds, at once or in pieces."""

STALE_SECONDS = 24 * 3600
_CLOSED = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR}
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def cache_folder() -> Path:
    """Where what can be made again is kept: `$TRISCALE_CACHE`, else `~/.cache/triscale`; it may not be there yet."""
    return Path(os.environ.get("TRISCALE_CACHE") or Path.home() / ".cache" / "triscale")


@contextmanager
def replacing(path: Path, *, keep: Path | None = None, over: bool = True) -> Iterator[IO[bytes]]:
    """A new file that becomes `path`, flushed to disk, once the block ends without an error; else `path` stays.

    Args:
        path: the file; its folder is there.
        keep: what `path` held before is renamed onto this one, once the new content is on disk.
        over: False leaves a file that another process made meanwhile, and drops the new one.

    Raises:
        OSError: of the system, as it is; the new file is removed.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    try:
        with temporary.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if keep is not None and path.exists():
            path.replace(keep)
        _give_name(temporary, path, over=over)
        _flush_folder(path.parent)
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def _give_name(temporary: Path, path: Path, *, over: bool) -> None:
    if over:
        temporary.replace(path)
        return
    with suppress(FileExistsError):
        path.hardlink_to(temporary)
    temporary.unlink()


def _flush_folder(folder: Path) -> None:
    """A rename is on disk once its folder is."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_atomically(
    path: Path, content: Content, *, keep: Path | None = None, advice: str = "Then run the same command again."
) -> None:
    """Write a file by `replacing`, which see.

    Args:
        path: the file.
        content: what it will hold.
        keep: what `path` held before is renamed onto this one.
        advice: follows "Free some space." where the disk is full.

    Raises:
        OutputError: the folder cannot be written to.
        StorageError: writing failed; the old file is untouched.
    """
    try:
        with replacing(path, keep=keep) as file:
            for piece in (content,) if isinstance(content, bytes) else content:
                file.write(piece)
    except OSError as error:
        if error.errno in _CLOSED:
            raise OutputError(f"cannot write {path}: {error.strerror}.") from None
        raise StorageError(_failure(path, content, error, advice)) from None


def _failure(path: Path, content: Content, error: OSError, advice: str) -> str:
    text = f"writing {path} failed: {error.strerror or error}"
    if isinstance(content, bytes):
        text += f"; it needs {len(content):,} bytes"
        with suppress(OSError):
            text += f", {shutil.disk_usage(path.parent).free:,} are free"
    return f"{text}.\nThe old file is untouched." + (f" Free some space. {advice}" if error.errno in _FULL else "")


def sweep(folder: Path) -> None:
    """Remove what a process that was killed while `replacing` left in a folder a day ago or longer."""
    for left in folder.glob(".*.tmp"):
        with suppress(OSError):  # another process was faster
            if time() - left.stat().st_mtime > STALE_SECONDS:
                left.unlink()
