"""From an image file to pixels: a list of allowed formats, a limit by header, and every mode brought to RGB."""

import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from triscale.data.fit import STUDY, fitted
from triscale.data.resize import Pictures, Size
from triscale.errors import InputError
from triscale.spec import Preprocessing

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")
MAX_PIXELS = 50_000_000


class UnreadableError(Exception):
    """A file that is no picture we take; the text is the reason in a few words."""


def load_picture(path: str | Path, size: Size, how: Preprocessing = STUDY) -> Pictures:
    """One picture, cut and resized.

    Args:
        path: JPEG, PNG, WebP, BMP, GIF or TIFF; of several frames the first.
        size: `(height, width)` in pixels.
        how: by default as in a study.

    Returns:
        uint8 `[height, width, 3]`.

    Raises:
        InputError: it cannot be read; the message names the file and the reason.
    """
    try:
        with pillow_warnings_off():
            return decode(Path(path), size, how)
    except UnreadableError as error:
        raise InputError(
            f"The picture {str(path)!r} cannot be read: {error}.\nGive a JPEG, PNG, WebP, BMP, GIF or TIFF file."
        ) from error


@contextmanager
def pillow_warnings_off() -> Iterator[None]:
    """Silence Pillow's warnings: what a file is worth must not depend on the warning filters of the caller.

    The filters belong to the process, so this is to be entered outside of decoding threads, not within each.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def examine(path: Path) -> int:
    """The shorter side in pixels, after the whole file was decoded once; `UnreadableError` if it cannot be."""
    with _opened(path) as image:
        shorter = min(image.size)
        image.draft(None, (1, 1))  # a JPEG is decoded whole also at an eighth of its size, and faster
        _rgb(image)
        return shorter


def decode(path: Path, size: Size, how: Preprocessing = STUDY) -> Pictures:
    """Upright RGB pixels `[*size, 3]`, cut and resized as `how` says; `UnreadableError` if there are none."""
    with _opened(path) as image:
        if how.interpolation == "area":
            # Four times the target: what JPEG's own scaling rounds is averaged away afterwards.
            side = 4 * max(how.before_crop(size))
            image.draft(None, (side, side))
        upright = _rgb(image)
    return fitted(upright, size, how)


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):  # opening a pipe would wait forever
            raise UnreadableError("not a regular file")
        if status.st_size == 0:
            raise UnreadableError("it is empty")
        with Image.open(path, formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise UnreadableError(f"more than {MAX_PIXELS // 10**6} megapixels")
            yield image
    except (UnreadableError, MemoryError):
        raise
    except Exception as error:  # a broken file makes Pillow's parsers raise anything
        raise UnreadableError(_reason(path, error)) from error


def _reason(path: Path, error: Exception) -> str:
    match error:
        case FileNotFoundError() if path.is_symlink():
            return "a link to nothing"
        case UnidentifiedImageError():
            return "not a picture of an allowed format"
        case Image.DecompressionBombError():
            return f"more than {MAX_PIXELS // 10**6} megapixels"
        case OSError() if error.strerror:
            return error.strerror.lower()
    return "broken: " + " ".join(str(error).split())[:80]


def _rgb(image: Image.Image) -> Image.Image:
    image = ImageOps.exif_transpose(image)
    if image.mode in {"I", "F"} or image.mode.startswith("I;16"):
        return Image.fromarray(_eight_bits(np.asarray(image))).convert("RGB")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB")


def _eight_bits(grey: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Grey of 16 bits, or of floats in [0, 1], to 8 bits; Pillow itself would cut off everything above 255."""
    values = grey.astype(np.float64)
    if grey.dtype.kind != "f":
        values /= 65535
    if not (values.min() >= 0 and values.max() <= 1):
        raise UnreadableError("grey values outside of 16 bits, or of 0 to 1 for floats")
    return np.rint(values * 255).astype(np.uint8)
