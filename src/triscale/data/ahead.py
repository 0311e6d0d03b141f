"""Pictures made ready in other threads while the model computes, in order and with bounded memory."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from triscale.data.images import UnreadableError, decode, pillow_warnings_off
from triscale.data.resize import Pictures, Size
from triscale.data.scan import threads
from triscale.spec import Preprocessing

Item = TypeVar("Item")
_END = object()


def ahead(items: Iterable[Item]) -> Iterator[Item]:
    """The same items; while one is used the next is made in another thread."""
    source = iter(items)
    with ThreadPoolExecutor(1) as maker:
        coming = maker.submit(next, source, _END)
        while (item := coming.result()) is not _END:
            coming = maker.submit(next, source, _END)
            yield item  # type: ignore[misc]  # not _END


def decoded(
    paths: Sequence[Path], size: Size, how: Preprocessing, batch: int
) -> Iterator[list[tuple[Path, Pictures | UnreadableError]]]:
    """Picture files in batches, in their order, decoded by all processors while the last batch is used.

    Args:
        paths: the files.
        size: `(height, width)` in pixels.
        how: how they are cut and resized.
        batch: files in each batch; the last may hold fewer.

    Yields:
        Each path with its pixels uint8 `[*size, 3]`, or with the reason why there are none.
    """

    def one(path: Path) -> tuple[Path, Pictures | UnreadableError]:
        try:
            return path, decode(path, size, how)
        except UnreadableError as error:
            return path, error

    with pillow_warnings_off(), threads() as pool:
        yield from ahead(list(pool.map(one, paths[start : start + batch])) for start in range(0, len(paths), batch))
