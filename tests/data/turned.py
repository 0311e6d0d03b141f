"""One scene stored in every way that says how it is turned, for each of EXIF's eight orientations."""

import io
import struct
import zlib
from collections.abc import Callable

from PIL import Image, PngImagePlugin

from tests.data.hostile import scene

TURNS = {2: "FLIP_LEFT_RIGHT", 3: "ROTATE_180", 4: "FLIP_TOP_BOTTOM", 5: "TRANSPOSE", 6: "ROTATE_90"}
TURNS |= {7: "TRANSVERSE", 8: "ROTATE_270"}
LARGE_PROFILE = b"\0" * 400_000

Saved = Callable[[Image.Image, int], bytes]
"""From the stored pixels and what says how they are turned to a file."""


def stored(orientation: int) -> Image.Image:
    """The pixels that `orientation` turns into the scene."""
    return scene() if orientation == 1 else scene().transpose(Image.Transpose[TURNS[orientation]])


def exif(orientation: int) -> bytes:
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags.tobytes()


def xmp(orientation: int) -> bytes:
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="{orientation}"/>'
        "</rdf:RDF></x:xmpmeta>"
    ).encode()


def saved(kind: str, **options: object) -> Saved:
    def make(image: Image.Image, orientation: int) -> bytes:
        stream = io.BytesIO()
        image.save(stream, kind, exif=exif(orientation), **options)
        return stream.getvalue()

    return make


def _mpo(image: Image.Image, orientation: int) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "MPO", save_all=True, append_images=[image.resize((16, 9))], exif=exif(orientation), quality=95)
    return stream.getvalue()


def _jpeg_xmp(image: Image.Image, orientation: int) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "JPEG", xmp=xmp(orientation), quality=95)
    return stream.getvalue()


def _late_exif(image: Image.Image, orientation: int) -> bytes:
    """A JPEG whose EXIF stands behind a colour profile of 400 KB."""
    stream = io.BytesIO()
    image.save(stream, "JPEG", icc_profile=LARGE_PROFILE, quality=95)
    head, body = stream.getvalue()[:2], stream.getvalue()[2:]
    payload = exif(orientation)
    app1 = b"\xff\xe1" + struct.pack(">H", len(payload) + 2) + payload
    at = body.index(b"\xff\xdb")
    return head + body[:at] + app1 + body[at:]


def _png_text(image: Image.Image, orientation: int) -> bytes:
    """EXIF as ImageMagick wrote it before PNG had a chunk for it."""
    text, content = PngImagePlugin.PngInfo(), exif(orientation)
    text.add_text("Raw profile type exif", f"\nexif\n{len(content):8}\n{content.hex()}\n", zip=True)
    stream = io.BytesIO()
    image.save(stream, "PNG", pnginfo=text)
    return stream.getvalue()


def _png_late(image: Image.Image, orientation: int) -> bytes:
    """EXIF behind the pixels, as exiftool adds it."""
    stream = io.BytesIO()
    image.save(stream, "PNG")
    whole, content = stream.getvalue(), exif(orientation).removeprefix(b"Exif\0\0")
    chunk = struct.pack(">I", len(content)) + b"eXIf" + content + struct.pack(">I", zlib.crc32(b"eXIf" + content))
    return whole[:-12] + chunk + whole[-12:]


def _tiff(image: Image.Image, orientation: int) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "TIFF", tiffinfo={274: orientation}, compression="tiff_lzw")
    return stream.getvalue()


def _tiff_xmp(image: Image.Image, orientation: int) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "TIFF", tiffinfo={700: xmp(orientation)})
    return stream.getvalue()


def _in_mode(mode: str, of: Saved) -> Saved:
    return lambda image, orientation: of(image.convert(mode), orientation)


WAYS: dict[str, Saved] = {
    "JPEG": saved("JPEG", quality=95),
    "JPEG, progressive": saved("JPEG", quality=95, progressive=True),
    "JPEG, grey": _in_mode("L", saved("JPEG", quality=95)),
    "JPEG, CMYK": _in_mode("CMYK", saved("JPEG", quality=95)),
    "JPEG, XMP": _jpeg_xmp,
    "JPEG, late EXIF": _late_exif,
    "MPO": _mpo,
    "PNG": saved("PNG"),
    "PNG, palette": _in_mode("P", saved("PNG")),
    "PNG, text": _png_text,
    "PNG, late EXIF": _png_late,
    "WebP": saved("WEBP", quality=95),
    "WebP, lossless": saved("WEBP", lossless=True),
    "TIFF": _tiff,
    "TIFF, plain": saved("TIFF"),
    "TIFF, XMP": _tiff_xmp,
    "TIFF, 16 bits": _in_mode("I;16", saved("TIFF")),
    "AVIF": saved("AVIF", quality=95),
    "HEIC": saved("HEIF", quality=95),
}
