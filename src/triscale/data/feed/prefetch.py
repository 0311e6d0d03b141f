"""Images made ready in other threads while the model computes, in order and with bounded memory."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from triscale.data.checks.scan import threads
from triscale.data.decode.image import UnreadableError, decode, pillow_warnings_off
from triscale.data.transforms.area_resize import Pictures, Size
from triscale.data.transforms.image_transform import Picture, from_memory
from triscale.spec import Preprocessing

Item = TypeVar("Item")
Given = TypeVar("Given", bound=Picture)
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
    pictures: Sequence[Given], size: Size, how: Preprocessing, batch: int
) -> Iterator[list[tuple[Given, Pictures | UnreadableError]]]:
    """Images in batches, in their order, decoded by all processors while the last batch is used.

    Args:
        pictures: files, or images in memory.
        size: `(height, width)` in pixels.
        how: how they are cut and resized.
        batch: images in each batch; the last may hold fewer.

    Yields:
        Each image with its pixels uint8 `[*size, 3]`; a file that has none with the reason.

    Raises:
        InputError: something in memory is not an image; see `triscale.data.Transform`.
    """

    def one(picture: Given) -> tuple[Given, Pictures | UnreadableError]:
        if not isinstance(picture, str | Path):
            return picture, from_memory(picture, size, how)
        try:
            return picture, decode(Path(picture), size, how)
        except UnreadableError as error:
            return picture, error

    with pillow_warnings_off(), threads() as pool:
        starts = range(0, len(pictures), batch)
        yield from ahead(list(pool.map(one, pictures[start : start + batch])) for start in starts)
