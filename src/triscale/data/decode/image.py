"""From an image file to pixels: a list of allowed formats, a limit by header, and every mode brought to RGB."""

import io
import stat
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from PIL import Image, ImageChops, UnidentifiedImageError

from triscale.data.checks.near_copies import DECODED, look_of
from triscale.data.decode.file_kinds import HEAD, is_heic, kind_of
from triscale.data.decode.grey import eight_bits, is_wide, open_white_is_zero, white_is_zero
from triscale.data.decode.picture_formats import FOREIGN, WANTED, formats, raw_maker, reads_heic, why_not
from triscale.data.transforms.area_resize import Pictures, Size
from triscale.data.transforms.eval_crop import STUDY, fitted
from triscale.errors import InputError
from triscale.spec import Preprocessing

MAX_PIXELS = 50_000_000
TOO_LARGE = f"more than {MAX_PIXELS // 10**6} megapixels"
JPEGS = {"JPEG", "MPO"}
"""What Pillow calls a JPEG; an MPO is one that holds further images behind the first, as phones write them."""
ORIENTATION = 0x0112
"""The tag of EXIF."""
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What brings a stored image upright, by its orientation."""
END_OF_JPEG = b"\xff\xd9"


class UnreadableError(Exception):
    """A file that is not an image we take; the text is the reason in a few words."""


class ForeignError(UnreadableError):
    """It is not an image at all, or one of a format that is not read here."""


@dataclass(frozen=True, slots=True)
class ArchiveMember:
    """A file inside of an uncompressed tar archive: `size` bytes from `offset` on.

    With `mended` a JPEG that is cut off is given an end: its decoder then leaves grey what is missing.
    """

    archive: Path
    offset: int
    size: int
    mended: bool = False


File = Path | ArchiveMember
"""Where the bytes of an image lie."""

Stamp = tuple[int, int]
"""Size in bytes and time of change in nanoseconds of a file (of a member's archive): another one, another file."""


@dataclass(frozen=True, slots=True)
class Look:
    """What one decoding shows: `(height, width)` of the upright image, several frames or one, its format and look."""

    size: Size
    moving: bool = False
    format: str = ""
    look: str = ""


def load_picture(path: str | Path, size: Size, how: Preprocessing = STUDY) -> Pictures:
    """One image, cut and resized.

    Args:
        path: a file of a format of `formats()`, or HEIC with the extra of that name; of several frames the first.
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
        raise InputError(f"The image {str(path)!r} cannot be read: {error}.\n{WANTED}") from error


@contextmanager
def pillow_warnings_off() -> Iterator[None]:
    """Silence Pillow's warnings: what a file is worth must not depend on the warning filters of the caller.

    The filters belong to the process, so this is to be entered outside of decoding threads, not within each.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def examine(file: File) -> Look:
    """Size and frames of an image after the whole file was decoded once; `UnreadableError` if it cannot be."""
    with opened(file) as image:
        with reading():
            kind = image.format or ""
            moving = kind != "MPO" and bool(getattr(image, "is_animated", False))  # there it is a preview
        size = upright_size(image)
        image.draft(None, (DECODED, DECODED))  # a JPEG is decoded whole also at a part of its size, and faster
        return Look(size, moving, kind, look_of(upright_rgb(image)))


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
    """The image with its header read and its pixels not yet: `upright_rgb` and `loaded` read them.

    Args:
        file: where it lies, or what such a file holds.
        stamp: what the file was when it was checked; another one is rejected.

    Raises:
        UnreadableError: it is not an image that we take. What fails inside of the block stays what it is.
    """
    with ExitStack() as held:
        with reading(file):
            stream = held.enter_context(_stream(file, stamp))
            image = held.enter_context(_identified(stream))
        yield image


@contextmanager
def reading(file: File | bytes = b"") -> Iterator[None]:
    """Whatever Pillow raises inside of this block becomes an `UnreadableError`: for its calls on a file, and no more.

    A failure of our own must never pass for a broken file.
    """
    try:
        yield
    except (UnreadableError, MemoryError):
        raise
    except Exception as error:  # a broken file makes Pillow's parsers raise anything
        raise UnreadableError(_reason(file, error)) from error


def loaded(image: Image.Image) -> Image.Image:
    """The same image with its pixels read; `UnreadableError` if they cannot be."""
    with reading():
        image.load()
    return image


def _identified(stream: BinaryIO) -> Image.Image:
    """An image of an allowed format and size."""
    head = stream.read(HEAD)
    open_white_is_zero()
    try:
        image = Image.open(stream, formats=("HEIF",) if is_heic(head) and reads_heic() else formats())
    except UnidentifiedImageError:
        reason = why_not(kind_of(head))
        raise (UnreadableError if reason.startswith("broken") else ForeignError)(reason) from None
    if image.width * image.height > MAX_PIXELS:
        raise UnreadableError(TOO_LARGE)
    if (maker := raw_maker(image)) is not None:
        raise ForeignError(f"{FOREIGN}: a RAW photo ({maker}), whose preview alone could be read")
    return image


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


def mended(file: File) -> ArchiveMember:
    """The same file with an end to its JPEG."""
    if isinstance(file, ArchiveMember):
        return replace(file, mended=True)
    return ArchiveMember(file, 0, file.stat().st_size, mended=True)


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
        case Image.DecompressionBombError() | Image.DecompressionBombWarning():
            return TOO_LARGE
        case OSError() if error.strerror:
            return error.strerror.lower()
    return "broken: " + " ".join(str(error).split())[:80]


def upright_size(image: Image.Image) -> Size:
    """`(height, width)` of what `upright_rgb` gives, before that. Of all but a JPEG the pixels are read.

    For the EXIF of a PNG may stand behind its pixels, and Pillow turns a TIFF while it reads it.
    """
    if image.format not in JPEGS:
        loaded(image)
    return (image.width, image.height) if orientation(image) >= 5 else (image.height, image.width)


def orientation(image: Image.Image) -> int:
    """How EXIF says that the image is turned: 1 is upright, from 5 on height and width are exchanged."""
    try:
        value = image.getexif().get(ORIENTATION, 1)
    except Exception:  # noqa: BLE001  Pillow's parsers raise anything; every viewer shows such an image as it lies
        return 1
    return value if value in _TURNS else 1


def upright_rgb(image: Image.Image) -> Image.Image:
    """Decode: turned as EXIF says, every mode brought to RGB of 8 bits, what is transparent white.

    Returns:
        An image without metadata: nothing in it says to turn it once more.
    """
    loaded(image)
    negative, turn = white_is_zero(image), _TURNS.get(orientation(image))
    if is_wide(image):
        grey = eight_bits(image, negative=negative)
        if grey is None:
            raise UnreadableError("grey values outside of 16 bits, or of 0 to 1 for floats")
        image = grey
    with reading():
        image = _rgb(image, negative=negative)
    return image if turn is None else image.transpose(turn)


def _rgb(image: Image.Image, *, negative: bool) -> Image.Image:
    if negative and image.mode == "LA":
        grey, alpha = image.split()
        image = Image.merge("LA", (ImageChops.invert(grey), alpha))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    image = image.convert("RGB")
    image.info.clear()
    return image
