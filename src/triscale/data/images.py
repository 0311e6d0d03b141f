"""From an image file to pixels: a list of allowed formats, a limit by header, and every mode brought to RGB."""

import io
import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from triscale.data.fit import STUDY, fitted
from triscale.data.near import DECODED, look_of
from triscale.data.resize import Pictures, Size
from triscale.errors import InputError
from triscale.spec import Preprocessing

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")
MAX_PIXELS = 50_000_000
TOO_LARGE = f"more than {MAX_PIXELS // 10**6} megapixels"
FOREIGN = "not a picture of an allowed format"
ORIENTATION = 0x0112
"""The tag of EXIF."""
END_OF_JPEG = b"\xff\xd9"


class UnreadableError(Exception):
    """A file that is no picture we take; the text is the reason in a few words."""


@dataclass(frozen=True, slots=True)
class Member:
    """A file inside of an uncompressed tar archive: `size` bytes from `offset` on.

    With `mended` a JPEG that is cut off is given an end: its decoder then leaves grey what is missing.
    """

    archive: Path
    offset: int
    size: int
    mended: bool = False


File = Path | Member
"""Where the bytes of a picture lie."""

Stamp = tuple[int, int]
"""Size in bytes and time of change in nanoseconds of a file (of a member's archive): another one, another file."""


@dataclass(frozen=True, slots=True)
class Look:
    """What one decoding shows: `(height, width)` of the upright picture, whether it has several frames, its look."""

    size: Size
    moving: bool = False
    look: str = ""


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


def examine(file: File) -> Look:
    """Size and frames of a picture after the whole file was decoded once; `UnreadableError` if it cannot be."""
    with opened(file) as image:
        wide, high = image.size
        moving, jpeg = bool(getattr(image, "is_animated", False)), image.format in {"JPEG", "MPO"}
        if jpeg and orientation(image) >= 5:
            wide, high = high, wide
        image.draft(None, (DECODED, DECODED))  # a JPEG is decoded whole also at a part of its size, and faster
        upright = upright_rgb(image)
        return Look((high, wide) if jpeg else (upright.height, upright.width), moving, look_of(upright))


def orientation(image: Image.Image) -> int:
    """How EXIF says that the picture is turned: 1 is upright, from 5 on height and width are exchanged."""
    value = image.getexif().get(ORIENTATION, 1)
    return value if value in range(1, 9) else 1


def decode(file: File | bytes, size: Size, how: Preprocessing = STUDY) -> Pictures:
    """Upright RGB pixels `[*size, 3]`, cut and resized as `how` says; `UnreadableError` if there are none."""
    with opened(file) as image:
        if how.interpolation == "area":
            # Four times the target: what JPEG's own scaling rounds is averaged away afterwards.
            side = 4 * max(how.before_crop(size))
            image.draft(None, (side, side))
        upright = upright_rgb(image)
    return fitted(upright, size, how)


@contextmanager
def opened(file: File | bytes, stamp: Stamp | None = None) -> Iterator[Image.Image]:
    """The picture with its header read and its pixels not yet.

    Args:
        file: where it lies, or what such a file holds.
        stamp: what the file was when it was checked; another one is refused.

    Raises:
        UnreadableError: it is no picture that we take; whatever fails inside of the block becomes this error too.
    """
    try:
        with _stream(file, stamp) as stream, Image.open(stream, formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise UnreadableError(TOO_LARGE)
            yield image
    except (UnreadableError, MemoryError):
        raise
    except Exception as error:  # a broken file makes Pillow's parsers raise anything
        raise UnreadableError(_reason(file, error)) from error


def content(file: File, stamp: Stamp) -> bytes | None:
    """All bytes of a file; None if it cannot be read, or is not what it was when it was checked."""
    try:
        with _stream(file, stamp) as stream:
            return stream.read()
    except (UnreadableError, OSError):
        return None


@contextmanager
def _stream(file: File | bytes, stamp: Stamp | None) -> Iterator[BinaryIO]:
    if isinstance(file, bytes):
        if not file:
            raise UnreadableError("it is empty")
        yield io.BytesIO(file)
        return
    path = file if isinstance(file, Path) else file.archive
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):  # opening a pipe would wait forever
        raise UnreadableError("not a regular file")
    if stamp is not None and stamp != (status.st_size, status.st_mtime_ns):
        raise UnreadableError("it was replaced after the data was checked")
    if (status.st_size if isinstance(file, Path) else file.size) == 0:
        raise UnreadableError("it is empty")
    with path.open("rb") as whole:
        if isinstance(file, Path):
            yield whole
        else:
            whole.seek(file.offset)
            yield io.BytesIO(whole.read(file.size) + END_OF_JPEG * file.mended)


def mended(file: File) -> Member:
    """The same file with an end to its JPEG."""
    if isinstance(file, Member):
        return replace(file, mended=True)
    return Member(file, 0, file.stat().st_size, mended=True)


def stamp_of(file: File) -> Stamp:
    """Size and time of change; `(0, 0)` if there is nothing."""
    try:
        status = (file if isinstance(file, Path) else file.archive).stat()
    except OSError:
        return 0, 0
    return status.st_size, status.st_mtime_ns


def _reason(file: File | bytes, error: Exception) -> str:
    match error:
        case FileNotFoundError() if isinstance(file, Path) and file.is_symlink():
            return "a link to nothing"
        case UnidentifiedImageError():
            return FOREIGN
        case Image.DecompressionBombError() | Image.DecompressionBombWarning():
            return TOO_LARGE
        case OSError() if error.strerror:
            return error.strerror.lower()
    return "broken: " + " ".join(str(error).split())[:80]


def upright_rgb(image: Image.Image) -> Image.Image:
    """Decode: turned as EXIF says, every mode brought to RGB of 8 bits, what is transparent white."""
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
