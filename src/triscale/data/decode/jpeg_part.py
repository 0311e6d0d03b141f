"""A part of a JPEG by libjpeg-turbo's own C interface: only the blocks that it needs are turned into pixels.

The library is the one inside of the package `turbojpeg`, or the system's; version 3 or later. Its errors come back as
return values, so a broken file cannot end the process.
"""

import ctypes
import ctypes.util
import threading
from collections.abc import Iterator
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, files

import numpy as np

from triscale.data.transforms.area_resize import Pictures, Size

Box = tuple[int, int, int, int]
"""Left, top, right and bottom in pixels."""

_DECOMPRESS, _RGB, _START = 1, 0, b"\xff\xd8"
_WIDTH, _HEIGHT, _SUBSAMPLING = 5, 6, 4
_BLOCK_WIDTHS = {0: 8, 1: 16, 2: 16, 4: 8, 5: 32}
"""Pixels by subsampling: 4:4:4, 4:2:2, 4:2:0, 4:4:0, 4:1:1 (the numbers of `TJSAMP`)."""
_APP1, _SCAN = 0xE1, 0xDA
"""Markers of the segments that hold EXIF and XMP, which may say that an image is turned, and of the pixels."""


class _Region(ctypes.Structure):
    _fields_ = (("x", ctypes.c_int), ("y", ctypes.c_int), ("w", ctypes.c_int), ("h", ctypes.c_int))


class _Factor(ctypes.Structure):
    _fields_ = (("num", ctypes.c_int), ("denom", ctypes.c_int))


@lru_cache(maxsize=1)
def part_decoder() -> "PartDecoder | None":
    """What decodes a part, if the library is there."""
    for path in _candidates():
        try:
            return PartDecoder(ctypes.CDLL(path))
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


class PartDecoder(threading.local):
    """Decodes parts of plain JPEGs in colours; each thread has a handle of its own, since one serves one thread."""

    def __init__(self, library: ctypes.CDLL) -> None:
        bytes_of, handle, number = (ctypes.c_char_p, ctypes.c_size_t), ctypes.c_void_p, ctypes.c_int
        library.tj3Init.restype = handle
        library.tj3Get.argtypes = (handle, number)
        library.tj3DecompressHeader.argtypes = (handle, *bytes_of)
        library.tj3SetScalingFactor.argtypes = (handle, _Factor)
        library.tj3SetCroppingRegion.argtypes = (handle, _Region)
        library.tj3Decompress8.argtypes = (handle, *bytes_of, handle, number, number)
        library.tj3Destroy.argtypes = (handle,)
        self._library, self._handle = library, library.tj3Init(_DECOMPRESS)

    def size(self, data: bytes) -> Size | None:
        """`(height, width)` of a JPEG that is upright for certain; None: Pillow must look at it."""
        if not _certainly_upright(data) or not self._read(data):
            return None
        get = self._library.tj3Get
        found = get(self._handle, _HEIGHT), get(self._handle, _WIDTH)
        return found if get(self._handle, _SUBSAMPLING) in _BLOCK_WIDTHS else None

    def __call__(self, data: bytes, size: Size, times: int, box: Box) -> Pictures | None:
        """The pixels of a box as those of a whole decoding, or None if the file is none for this.

        Args:
            data: the file.
            size: `(height, width)` of the image, pixels.
            times: how many times smaller it is wanted: 1, 2, 4 or 8.
            box: in pixels of the smaller image.

        Returns:
            uint8 `[height, width, 3]` of the box.
        """
        library, handle = self._library, self._handle
        if not self._read(data) or (library.tj3Get(handle, _HEIGHT), library.tj3Get(handle, _WIDTH)) != size:
            return None
        block = _BLOCK_WIDTHS.get(library.tj3Get(handle, _SUBSAMPLING), 0) // times
        if not block:
            return None
        left, top, right, bottom = box
        # A block more on both sides: colours are interpolated across its edges.
        first, last = max(0, left // block - 1) * block, min(-(-size[1] // times), right + block)
        region = _Region(first, top, last - first, bottom - top)
        pixels: Pictures = np.empty((region.h, region.w, 3), np.uint8)
        if (
            library.tj3SetScalingFactor(handle, _Factor(1, times))
            or library.tj3SetCroppingRegion(handle, region)
            # Warnings too: what is doubtful is left to Pillow, as in the check of the data.
            or library.tj3Decompress8(handle, data, len(data), pixels.ctypes.data, 0, _RGB)
        ):
            self._renew()
            return None
        return pixels[:, left - first : right - first]

    def _read(self, data: bytes) -> bool:
        """The header of a JPEG."""
        if data[:2] != _START or self._handle is None:
            return False
        if self._library.tj3DecompressHeader(self._handle, data, len(data)):
            self._renew()
            return False
        return True

    def _renew(self) -> None:
        """After a broken header the library takes every next one for broken too."""
        self._library.tj3Destroy(self._handle)
        self._handle = self._library.tj3Init(_DECOMPRESS)


def _certainly_upright(data: bytes) -> bool:
    """Whether no segment before the pixels of a JPEG could say that it is turned."""
    at = len(_START)
    while data[at : at + 1] == b"\xff" and at + 4 <= len(data):
        marker = data[at + 1]
        if marker == _SCAN:
            return True
        if marker == _APP1:
            return False
        # A byte that fills up stands alone, as do the markers that hold nothing.
        at += (
            1
            if marker == 0xFF
            else 2
            if marker == 1 or 0xD0 <= marker <= 0xD8
            else 2 + int.from_bytes(data[at + 2 : at + 4])
        )
    return False
