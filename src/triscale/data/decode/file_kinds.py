"""What a file is, where its first bytes tell: tables of signatures, for the reason why it is not read.

Sources: the specifications of each format; the brands of `ftyp` boxes as the MP4 registration authority lists them.
"""

import re
from dataclasses import dataclass

HEAD = 2048
"""Bytes of a file that are looked at."""
HEIC = "HEIC"


@dataclass(frozen=True, slots=True)
class FileKind:
    """What a file is: its name with an article where it takes one, and whether it is an image at all."""

    name: str
    picture: bool = False


def kind_of(head: bytes) -> FileKind | None:
    """What a file is, by its first `HEAD` bytes; None where they do not tell."""
    if head[4:8] == b"ftyp":
        return _of_boxes(head)
    for at, signature, kind in _SIGNATURES:
        if head.startswith(signature, at):
            return kind
    for begin, inside, kind in _CONTAINERS:
        if head.startswith(begin) and head[8:12] == inside:
            return kind
    return _of_text(head)


def is_heic(head: bytes) -> bool:
    """Whether these bytes begin a file of the HEIF family that holds HEVC, such as a photo of an iPhone."""
    return kind_of(head) == FileKind(HEIC, picture=True)


def _of_boxes(head: bytes) -> FileKind:
    """The brand of an ISO media file says what it holds; a general one leaves that to the compatible brands."""
    size = int.from_bytes(head[:4], "big")
    brands = [head[8:12], *(head[at : at + 4] for at in range(16, min(max(size, 16), 256, len(head)), 4))]
    for brand in brands:
        for known, kind in _BRANDS.items():
            if brand in known:
                return kind
    if brands[0] in _HEIF_BRANDS:
        return FileKind(HEIC, picture=True)
    return FileKind("a video (MP4)")


def _of_text(head: bytes) -> FileKind | None:
    """Markup and other text; an SVG may follow a declaration and comments."""
    text = head
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if head.startswith(mark):
            text = head[len(mark) :].decode(encoding, "ignore").encode()
    text = text.lstrip().lower()
    return next((kind for pattern, kind in _TEXTS if pattern.match(text)), None)


def _picture(name: str) -> FileKind:
    return FileKind(name, picture=True)


def _raw(maker: str) -> FileKind:
    return FileKind(f"a RAW photo ({maker})", picture=True)


_HEIF_BRANDS = (b"mif1", b"msf1", b"miaf", b"MiHB", b"MiHE")
_BRANDS = {
    (b"avif", b"avis"): _picture("AVIF"),
    (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"): _picture(HEIC),
    (b"crx ",): _raw("Canon CR3"),
    (b"jxl ",): _picture("JPEG XL"),
    (b"qt  ",): FileKind("a video (QuickTime)"),
}

_VIDEO_BOXES = (b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
_SIGNATURES: tuple[tuple[int, bytes, FileKind], ...] = (
    (0, b"\xff\xd8\xff", _picture("JPEG")),
    (0, b"\x89PNG\r\n\x1a\n", _picture("PNG")),
    (0, b"GIF8", _picture("GIF")),
    (0, b"\0\0\0\x0cJXL \r\n\x87\n", _picture("JPEG XL")),
    (0, b"\xff\x0a", _picture("JPEG XL")),
    (0, b"\0\0\0\x0cjP  \r\n\x87\n", _picture("JPEG 2000")),
    (0, b"\xff\x4f\xff\x51", _picture("JPEG 2000")),
    (0, b"FUJIFILMCCD-RAW", _raw("Fujifilm RAF")),
    (8, b"CR\x02\0", _raw("Canon CR2")),
    (6, b"HEAPCCDR", _raw("Canon CRW")),
    (0, b"IIU\0", _raw("Panasonic RW2")),
    *((0, mark, _raw("Olympus ORF")) for mark in (b"IIRO", b"IIRS", b"MMOR")),
    (0, b"FOVb", _raw("Sigma X3F")),
    (0, b"\0MRM", _raw("Minolta MRW")),
    (0, b"II\xbc", _picture("JPEG XR")),
    *((0, mark, _picture("TIFF")) for mark in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")),
    (0, b"8BPS", _picture("a Photoshop file (PSD)")),
    (0, b"gimp xcf", _picture("a GIMP file (XCF)")),
    (0, b"\0\0\1\0", _picture("an icon (ICO)")),
    (0, b"icns", _picture("an icon (ICNS)")),
    (0, b"v/1\x01", _picture("OpenEXR")),
    (0, b"#?RADIANCE", _picture("Radiance HDR")),
    (0, b"#?RGBE", _picture("Radiance HDR")),
    (0, b"DDS ", _picture("DDS")),
    (0, b"qoif", _picture("QOI")),
    (0, b"\x01\xda", _picture("SGI")),
    (0, b"\x59\xa6\x6a\x95", _picture("a Sun raster")),
    (0, b"SIMPLE  =", _picture("FITS")),
    (128, b"DICM", _picture("DICOM")),
    (0, b"\x8aMNG", _picture("MNG")),
    (0, b"FLIF", _picture("FLIF")),
    (0, b"BPG\xfb", _picture("BPG")),
    (0, b"AT&TFORM", FileKind("a DjVu document")),
    (0, b"\xd7\xcd\xc6\x9a", FileKind("a drawing (WMF)")),
    (40, b" EMF", FileKind("a drawing (EMF)")),
    (0, b"%PDF-", FileKind("a PDF document")),
    (0, b"%!PS", FileKind("PostScript")),
    (0, b"\xc5\xd0\xd3\xc6", FileKind("PostScript")),
    (0, b"\x1aE\xdf\xa3", FileKind("a video (Matroska or WebM)")),
    *((0, mark, FileKind("a video (MPEG)")) for mark in (b"\0\0\1\xba", b"\0\0\1\xb3")),
    (0, b"FLV\1", FileKind("a video (Flash)")),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", FileKind("a video (Windows Media)")),
    *((4, box, FileKind("a video (QuickTime)")) for box in _VIDEO_BOXES),
    (0, b"OggS", FileKind("Ogg sound or video")),
    (0, b"ID3", FileKind("sound (MP3)")),
    (0, b"fLaC", FileKind("sound (FLAC)")),
    (0, b"PK\3\4", FileKind("a ZIP archive or an Office document")),
    (0, b"PK\5\6", FileKind("an empty ZIP archive")),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", FileKind("an Office document")),
    (0, b"{\\rtf", FileKind("an RTF document")),
    (0, b"\x1f\x8b", FileKind("gzip data")),
    (0, b"BZh", FileKind("bzip2 data")),
    (0, b"\xfd7zXZ\0", FileKind("xz data")),
    (0, b"\x28\xb5\x2f\xfd", FileKind("zstd data")),
    (0, b"7z\xbc\xaf\x27\x1c", FileKind("a 7z archive")),
    (0, b"Rar!", FileKind("a RAR archive")),
    (257, b"ustar", FileKind("a tar archive")),
    (0, b"\x93NUMPY", FileKind("a NumPy array")),
    (0, b"\x89HDF\r\n\x1a\n", FileKind("an HDF5 file")),
    (0, b"SQLite format 3\0", FileKind("an SQLite database")),
    (0, b"bplist00", FileKind("a property list of macOS")),
    (0, b"\0\5\x16\7", FileKind("macOS metadata (AppleDouble)")),
    (0, b"\0\5\x16\0", FileKind("macOS metadata (AppleSingle)")),
    (0, b"L\0\0\0\1\x14\2\0", FileKind("a Windows shortcut")),
    (0, b"\x7fELF", FileKind("a program")),
    (0, b"MZ", FileKind("a program")),
    (0, b"\0" * 64, FileKind("zero bytes, as an interrupted copy leaves them")),
    (0, b"BM", _picture("BMP")),
)
"""Where a signature stands, the signature, and what has it; the first one that fits counts."""

_CONTAINERS = (
    (b"RIFF", b"WEBP", _picture("WebP")),
    (b"RIFF", b"AVI ", FileKind("a video (AVI)")),
    (b"RIFF", b"WAVE", FileKind("sound (WAV)")),
)

_BEFORE = rb"(?:<\?xml.*?\?>|<!--.*?-->|<!doctype svg.*?>|\s)*"
_TEXTS = (
    (re.compile(_BEFORE + rb"<(?:svg:)?svg\b", re.DOTALL), FileKind("an SVG drawing")),
    (re.compile(rb"<!doctype svg", re.DOTALL), FileKind("an SVG drawing")),
    (
        re.compile(_BEFORE + rb"<(?:!doctype html|html|head|body|title|script|meta|div|center|h1|p)\b", re.DOTALL),
        FileKind("an HTML page"),
    ),
    (re.compile(rb"<\?xml|<[a-z]+:?[a-z]*[ >]"), FileKind("XML")),
    (re.compile(rb"version https://git-lfs"), FileKind("a pointer of Git LFS: fetch the file by `git lfs pull`")),
    (re.compile(rb"\[internetshortcut\]"), FileKind("a link of Windows")),
    (re.compile(rb"""[\[{]\s*(?:"|\{|\[|\d|\}|\])"""), FileKind("JSON")),
)
