"""Which image formats are read here, and what is said about a file of another one."""

from functools import lru_cache

from PIL import Image, features

from triscale.data.decode.file_kinds import HEIC, FileKind

_ALWAYS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")
_NAMES = {"WEBP": "WebP", "JPEG2000": "JPEG 2000"}
"""What people call a format, where Pillow calls it otherwise."""
_FEATURES = {"WEBP": "webp", "JPEG2000": "jpg_2000", "AVIF": "avif"}
"""Formats that Pillow reads only where it was built with a library."""
SINCE_THEN = frozenset({"PPM", "JPEG2000", "AVIF", "HEIF"})
"""Formats that were not always read, or are not read everywhere: data sets with such images are other data sets."""

_SUBFILE_TYPE, _MAKE, _SUB_PAGES, _DNG_VERSION = 254, 271, 330, 50706

WANTED = (
    "Give a JPEG, PNG, WebP, BMP, GIF, TIFF, AVIF, JPEG 2000 or PPM file, or HEIC with pip install 'triscale[heic]'."
)
FOREIGN = "not an image of an allowed format"
"""The reason, or its beginning, where the file is an image of another format or nobody knows what it is."""


@lru_cache(maxsize=1)
def formats() -> tuple[str, ...]:
    """The formats that Pillow reads here, by its names."""
    known = (*_ALWAYS, "PPM", "JPEG2000", "AVIF")
    return tuple(one for one in known if one not in _FEATURES or features.check(_FEATURES[one]))


@lru_cache(maxsize=1)
def reads_heic() -> bool:
    """Whether HEIC is read: Pillow learns it from pillow-heif, of the extra `heic`."""
    try:
        from pillow_heif import register_heif_opener  # noqa: PLC0415  an extra, loaded for the first such file
    except ImportError:
        return False
    register_heif_opener()
    return True


def rules() -> str:
    """What decides which files are images, in a few letters; a remembered verdict counts under equal rules only."""
    return "-".join(["2", *(one.lower() for one in formats() if one in SINCE_THEN), *["heif"] * reads_heic()])


def why_not(kind: FileKind | None) -> str:
    """Why a file that no format claims is not read, by what it is."""
    if kind is None:
        return FOREIGN
    if not kind.picture:
        return f"not an image but {kind.name}"
    if kind.name == HEIC and not reads_heic():
        return f"{FOREIGN}: {HEIC}, which pip install 'triscale[heic]' adds"
    if kind.name == "TIFF":
        return "a TIFF whose pixels are of a kind that is not read here, or a broken one"
    if kind.name in {HEIC, *(_NAMES.get(one, one) for one in formats())}:
        return f"broken: this {kind.name} has no readable header"
    return f"{FOREIGN}: {kind.name}"


def raw_maker(image: Image.Image) -> str | None:
    """Whose RAW photo this TIFF is; None where it is none.

    Most RAW formats are TIFFs: what a reader of TIFF finds in them is a small preview. A DNG says so by a tag of its
    own; the others begin with a page of reduced size and hold the photo in a page below it (TIFF 6.0, NewSubfileType).
    """
    tags = getattr(image, "tag_v2", {})
    if _DNG_VERSION in tags:
        return "DNG"
    kind = tags.get(_SUBFILE_TYPE)
    if isinstance(kind, int) and kind & 1 and _SUB_PAGES in tags:
        return " ".join(str(tags.get(_MAKE, "")).replace("\0", " ").split()) or "TIFF"
    return None
