"""Grey of more than 8 bits, and grey whose zero is white: brought to 8 bits whose zero is black.

A TIFF says by its tag PhotometricInterpretation (262) whether zero is white, as in X-rays and scans (TIFF 6.0, section
4). Pillow turns such grey of up to 8 bits; what is wider it leaves as it is, or does not open.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, TiffImagePlugin

_BITS, _PHOTOMETRIC = 258, 262
_WHITE_IS_ZERO, _BLACK_IS_ZERO = 0, 1


@lru_cache(maxsize=1)
def open_white_is_zero() -> None:
    """Let Pillow open every kind of grey also where zero is white: its table lacks wide, big-endian and alpha kinds.

    The pixels come as those of the same kind with a black zero; `white_is_zero` tells who has to turn them.
    """
    table = TiffImagePlugin.OPEN_INFO
    for (order, photometric, sample, fill, bits, extra), modes in dict(table).items():
        if photometric == _BLACK_IS_ZERO:
            table.setdefault((order, _WHITE_IS_ZERO, sample, fill, bits, extra), modes)


def white_is_zero(image: Image.Image) -> bool:
    """Whether the pixels that Pillow gives are a negative."""
    tags = getattr(image, "tag_v2", {})
    return tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO and image.mode not in {"1", "L"}


def is_wide(image: Image.Image) -> bool:
    """Whether a pixel is grey of more than 8 bits."""
    return image.mode in {"I", "F"} or image.mode.startswith("I;16")


def eight_bits(image: Image.Image, *, negative: bool) -> Image.Image | None:
    """Wide grey as mode L; Pillow itself would cut off everything above 255.

    Args:
        image: floats in [0, 1]; whole numbers of as many bits as a TIFF says, of 16 elsewhere.
        negative: whether zero is white.

    Returns:
        None where values lie outside.
    """
    grey = np.asarray(image)
    if grey.dtype.kind == "f":
        shares = grey.astype(np.float64)
    else:
        bits = getattr(image, "tag_v2", {}).get(_BITS, (16,))
        shares = _shares(grey, min(bits[0], 16), negative=negative)
    if not (shares.min() >= 0 and shares.max() <= 1):
        return None
    return Image.fromarray(np.rint((1 - shares if negative else shares) * 255).astype(np.uint8))


def _shares(grey: NDArray[np.generic], bits: int, *, negative: bool) -> NDArray[np.float64]:
    """Whole numbers as shares of the largest one; a negative of 32 bits may count down from the top of these."""
    values: NDArray[np.float64] = grey.astype(np.float64)
    if negative and grey.dtype == np.int32 and values.max() < 0:
        values += 2**bits
    values /= 2**bits - 1
    return values
