"""A part of a JPEG by libjpeg-turbo's own C interface: only the blocks that it needs are turned into pixels.

The library is the one inside of the package `turbojpeg`, or the system's; version 3 or later. Its errors come back as
return values, so a broken file cannot end the process.
"""

import ctypes
import ctypes.util
import threading
from collections.abc import Callable, Iterator
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, files

import numpy as np

from triscale.data.resize import Pictures, Size

Box = tuple[int, int, int, int]
"""Left, top, right and bottom in pixels."""
Decoder = Callable[[bytes, Size, int, Box], Pictures | None]

_DECOMPRESS, _RGB = 1, 0
_WIDTH, _HEIGHT, _SUBSAMPLING = 5, 6, 4
_BLOCK_WIDTHS = {0: 8, 1: 16, 2: 16, 4: 8, 5: 32}
"""Pixels by subsampling: 4:4:4, 4:2:2, 4:2:0, 4:4:0, 4:1:1 (the numbers of `TJSAMP`)."""


class _Region(ctypes.Structure):
    _fields_ = (("x", ctypes.c_int), ("y", ctypes.c_int), ("w", ctypes.c_int), ("h", ctypes.c_int))


class _Factor(ctypes.Structure):
    _fields_ = (("num", ctypes.c_int), ("denom", ctypes.c_int))


@lru_cache(maxsize=1)
def part_decoder() -> Decoder | None:
    """What decodes a part, if the library is there.

    It is given the bytes of a plain JPEG in colours, its `(height, width)`, how many times smaller it is wanted (1, 2,
    4 or 8), and the box in pixels of that. It gives the pixels of the box as those of a whole decoding, or None if the
    file is none for it.
    """
    for path in _candidates():
        try:
            return _Part(ctypes.CDLL(path))
        except (OSError, AttributeError):  # no library, or one before version 3
            continue
    return None


def _candidates() -> Iterator[str]:
    try:
        inside = files("turbojpeg") or ()
    except PackageNotFoundError:
        inside = ()
    yield from (str(file.locate()) for file in inside if file.name.startswith(("libturbojpeg", "turbojpeg.dll")))
    if (system := ctypes.util.find_library("turbojpeg")) is not None:
        yield system


class _Part(threading.local):
    """Made once; each thread gets a handle of its own, since one of the library serves one thread."""

    def __init__(self, library: ctypes.CDLL) -> None:
        bytes_of, handle, number = (ctypes.c_char_p, ctypes.c_size_t), ctypes.c_void_p, ctypes.c_int
        library.tj3Init.restype = handle
        library.tj3Get.argtypes = (handle, number)
        library.tj3DecompressHeader.argtypes = (handle, *bytes_of)
        library.tj3SetScalingFactor.argtypes = (handle, _Factor)
        library.tj3SetCroppingRegion.argtypes = (handle, _Region)
        library.tj3Decompress8.argtypes = (handle, *bytes_of, handle, number, number)
        self._library, self._handle = library, library.tj3Init(_DECOMPRESS)

    def __call__(self, data: bytes, size: Size, times: int, box: Box) -> Pictures | None:
        library, handle = self._library, self._handle
        if handle is None or library.tj3DecompressHeader(handle, data, len(data)):
            return None
        found = library.tj3Get(handle, _HEIGHT), library.tj3Get(handle, _WIDTH)
        block = _BLOCK_WIDTHS.get(library.tj3Get(handle, _SUBSAMPLING), 0) // times
        if found != size or not block:
            return None
        left, top, right, bottom = box
        # A block more on both sides: colours are interpolated across its edges.
        first, last = max(0, left // block - 1) * block, min(-(-size[1] // times), right + block)
        region = _Region(first, top, last - first, bottom - top)
        if library.tj3SetScalingFactor(handle, _Factor(1, times)) or library.tj3SetCroppingRegion(handle, region):
            return None
        pixels: Pictures = np.empty((region.h, region.w, 3), np.uint8)
        # Warnings too: what is doubtful is left to Pillow, as in the check of the data.
        if library.tj3Decompress8(handle, data, len(data), pixels.ctypes.data, 0, _RGB):
            return None
        return pixels[:, left - first : right - first]
