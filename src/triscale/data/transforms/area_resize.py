"""Resizing as two matrix products: exact area averages where an axis shrinks, bicubic interpolation where it grows.

Pillow's BOX filter takes whole pixels only, so 32 -> 31 px would nearly be a nearest-neighbour copy; a study that
compares resolutions needs the true average.
"""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Size = tuple[int, int]
Pictures = NDArray[np.uint8]

CHUNK = 256


@lru_cache(maxsize=32)
def axis_weights(length: int, extent: float, out: int) -> NDArray[np.float32]:
    """Weights of `length` input pixels in each of `out` output pixels that evenly share [0, extent].

    Returns:
        `[out, length]`; every row sums to one. Area overlap if an output pixel covers at least one input pixel, else
        the cubic convolution of Keys (1981) with a = -1/2, which is also Pillow's bicubic.
    """
    step = extent / out
    edges = step * np.arange(out + 1)
    pixel = np.arange(length)
    if step > 1 - 1e-9:
        weights = np.minimum(edges[1:, None], pixel + 1) - np.maximum(edges[:-1, None], pixel)
        weights = np.maximum(weights, 0)
    else:
        distance = np.abs(pixel + 0.5 - (edges[:-1, None] + step / 2))
        near = (1.5 * distance - 2.5) * distance**2 + 1
        far = ((-0.5 * distance + 2.5) * distance - 4) * distance + 2
        weights = np.where(distance < 1, near, np.where(distance < 2, far, 0))
    shares: NDArray[np.float32] = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    return shares


@lru_cache(maxsize=32)
def _row_weights(length: int, extent: float, out: int) -> NDArray[np.float32]:
    """The same weights for rows of interleaved RGB: one large product beats many with 3 columns."""
    return np.kron(axis_weights(length, extent, out).T, np.eye(3, dtype=np.float32))


def resize(pictures: Pictures, size: Size, extent: tuple[float, float] | None = None) -> Pictures:
    """Images at another size.

    Args:
        pictures: `[n, height, width, 3]`, 0..255.
        size: `(height, width)` of the result, pixels.
        extent: height and width of the part to take, from the top left, pixels or fractions of them; all by default.

    Returns:
        `[n, *size, 3]`, rounded to the nearest of 0..255.
    """
    n, height, width, _ = pictures.shape
    extent = extent or (height, width)
    if (height, width) == size == extent:
        return pictures
    columns = axis_weights(height, extent[0], size[0]) @ pictures.reshape(n, height, width * 3).astype(np.float32)
    rows = columns.reshape(n * size[0], width * 3) @ _row_weights(width, extent[1], size[1])
    levels: Pictures = np.clip(np.rint(rows), 0, 255).astype(np.uint8)
    return levels.reshape(n, *size, 3)


def resized_chunks(pictures: Pictures, size: Size) -> Iterator[Pictures]:
    """`pictures` at `size` in blocks of at most `CHUNK`, so that memory stays bounded."""
    for start in range(0, len(pictures), CHUNK):
        yield resize(np.asarray(pictures[start : start + CHUNK]), size)
