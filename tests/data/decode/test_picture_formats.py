"""Formats: what is read, and what the reason says about a file that is not."""

import io
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.data.hostile import scene
from tests.data.pages import tiff
from triscale.data import load_picture, open_data
from triscale.data.decode.image import ForeignError, UnreadableError, decode
from triscale.data.decode.picture_formats import reads_heic
from triscale.errors import InputError

SIZE = (24, 32)
HEIC = b"\0\0\0\x24ftypheic\0\0\0\0mif1MiHEmiafheic" + b"\0" * 400


@pytest.fixture
def without_heic(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    reads_heic.cache_clear()


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    yield
    reads_heic.cache_clear()


@pytest.mark.parametrize("suffix", ["avif", "jp2", "j2k", "ppm", "heic"])
def test_every_newer_format_gives_the_same_picture(tmp_path: Path, suffix: str) -> None:
    if suffix == "heic" and not reads_heic():
        pytest.skip("pillow-heif, of the extra `heic`, is not installed")
    scene().save(tmp_path / f"a.{suffix}", quality=95)
    wanted = np.asarray(scene().reduce(3)).astype(int)
    assert np.abs(load_picture(tmp_path / f"a.{suffix}", SIZE) - wanted).mean() < 4


@pytest.mark.parametrize(("suffix", "kind"), [("pgm", "grey"), ("pgm", "grey of 16 bits"), ("pbm", "bits")])
def test_every_kind_of_portable_map_is_read(tmp_path: Path, suffix: str, kind: str) -> None:
    grey = np.linspace(0, 255, 72 * 96).reshape(72, 96).astype(np.uint8)
    content = {
        "grey": b"P5 96 72 255\n" + grey.tobytes(),
        "grey of 16 bits": b"P5 96 72 65535\n" + (grey.astype(">u2") * 257).tobytes(),
        "bits": b"P4 96 72\n" + np.packbits(grey < 128, axis=1).tobytes(),
    }[kind]
    (tmp_path / f"a.{suffix}").write_bytes(content)
    found = load_picture(tmp_path / f"a.{suffix}", (72, 96))[..., 0].astype(int)
    assert np.abs(found - (255 * (grey >= 128) if kind == "bits" else grey)).max() <= 1


SVG = b"<?xml version='1.0'?>\n<!-- by hand -->\n<!DOCTYPE svg PUBLIC '-//W3C//DTD SVG 1.1//EN' 'svg11.dtd'>\n<svg/>"
TOLD = {
    "HEIC of an iPhone": (HEIC, "HEIC"),
    "HEIC under a general brand": (b"\0\0\0\x1cftypmif1\0\0\0\0mif1heicmiaf" + b"\0" * 99, "HEIC"),
    "AVIF that is broken": (b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf" + b"\0" * 99, "AVIF"),
    "Canon CR3": (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom", "RAW photo (Canon CR3)"),
    "Canon CR2": (b"II*\0\x10\0\0\0CR\x02\0" + b"\0" * 99, "RAW photo (Canon CR2)"),
    "Fujifilm": (b"FUJIFILMCCD-RAW 0201", "RAW photo (Fujifilm RAF)"),
    "Olympus": (b"IIRO\x08\0\0\0", "RAW photo (Olympus ORF)"),
    "Panasonic": (b"IIU\0\x18\0\0\0", "RAW photo (Panasonic RW2)"),
    "SVG": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
    "SVG behind its declarations": (SVG, "SVG"),
    "SVG in UTF-16": ("\ufeff<svg/>".encode("utf-16-le"), "SVG"),
    "HTML": (b"\n<!DOCTYPE html>\n<html><head>", "HTML"),
    "HTML in capitals": (b"<HTML><BODY>404", "HTML"),
    "XHTML": (b'<?xml version="1.0"?><!DOCTYPE html PUBLIC "x"><html>', "HTML"),
    "XML": (b"<?xml version='1.0'?><annotation>", "XML"),
    "PDF": (b"%PDF-1.7\n", "PDF"),
    "PostScript": (b"%!PS-Adobe-3.0 EPSF-3.0\n", "PostScript"),
    "MP4": (b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41", "video (MP4)"),
    "MOV": (b"\0\0\0\x14ftypqt  \0\0\0\0qt  ", "video (QuickTime)"),
    "MOV of old": (b"\0\0\0\x08wide\0\0\0\0mdat", "video (QuickTime)"),
    "WebM": (b"\x1aE\xdf\xa3\x9fB\x86\x81", "video"),
    "AVI": (b"RIFF\0\0\0\0AVI LIST", "video (AVI)"),
    "MP3": (b"ID3\4\0\0", "sound"),
    "JPEG XL": (b"\xff\x0a\x01", "JPEG XL"),
    "Photoshop": (b"8BPS\0\1", "PSD"),
    "OpenEXR": (b"v/1\x01\2\0\0\0", "OpenEXR"),
    "DICOM": (b"\0" * 128 + b"DICM", "DICOM"),
    "zeros": (b"\0" * 4096, "zero bytes"),
    "ZIP": (b"PK\3\4\x14\0", "ZIP"),
    "gzip": (b"\x1f\x8b\x08\0", "gzip"),
    "NumPy": (b"\x93NUMPY\1\0", "NumPy"),
    "Git LFS": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "git lfs pull"),
    "JSON": (b'{"error": "not found"}', "JSON"),
    "AppleDouble": (b"\0\5\x16\7\0\2\0\0Mac OS X", "AppleDouble"),
    "text": (b"hello", "not an image of an allowed format"),
}


@pytest.mark.parametrize("kind", TOLD)
def test_the_reason_names_what_the_first_bytes_tell(kind: str) -> None:
    content, name = TOLD[kind]
    with pytest.raises(UnreadableError) as caught:
        decode(content, SIZE)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("without_heic")
def test_heic_without_its_extra_names_the_format_and_the_extra(tmp_path: Path) -> None:
    (tmp_path / "IMG_1.HEIC").write_bytes(HEIC)
    with pytest.raises(InputError, match=r"IMG_1.HEIC.*HEIC.*pip install 'triscale\[heic\]'"):
        load_picture(tmp_path / "IMG_1.HEIC", SIZE)
    with pytest.raises(ForeignError):
        decode(HEIC, SIZE)


def test_heic_that_was_left_out_is_read_once_the_extra_is_there(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No remembered verdict and no rendered pixels of the smaller set are taken for the larger one."""
    if not reads_heic():
        pytest.skip("pillow-heif, of the extra `heic`, is not installed")
    for label, name in enumerate(("cat", "dog")):
        (tmp_path / "d" / name).mkdir(parents=True)
        for index in range(6):
            picture = Image.new("RGB", (20, 20), (40 * index, 100 * label, 0))
            picture.save(tmp_path / "d" / name / (f"{index}.heic" if index < 2 else f"{index}.png"))
    with monkeypatch.context() as bare:
        bare.setitem(sys.modules, "pillow_heif", None)
        reads_heic.cache_clear()
        before = open_data(tmp_path / "d", cache=cache)
        shape = before.pictures("train", (8, 8)).shape
    reads_heic.cache_clear()
    after = open_data(tmp_path / "d", cache=cache)
    assert (before.skipped, after.skipped) == (4, 0)
    assert before.fingerprint != after.fingerprint
    assert after.pictures("train", (8, 8)).shape[0] > shape[0]


@pytest.mark.parametrize(
    ("tags", "maker"),
    [({50706: b"\1\4\0\0"}, "DNG"), ({254: 1, 271: "NIKON CORPORATION", 330: 8}, "NIKON CORPORATION")],
)
def test_the_preview_in_a_raw_photo_is_not_taken_for_the_photo(tags: dict[int, object], maker: str) -> None:
    """Most RAW formats are TIFFs, whose first page is a small preview."""
    stream = io.BytesIO()
    scene().save(stream, "TIFF", tiffinfo=tags)
    with pytest.raises(UnreadableError, match=rf"RAW photo \({maker}\)"):
        decode(stream.getvalue(), SIZE)


GREY = np.tile(np.linspace(0, 255, 32).round().astype(np.uint8), (8, 1))


def packed(values: NDArray[np.int64], bits: int, order: str) -> bytes:
    """Grey values as a TIFF holds them: 12 bits in three bytes for two, whole bytes in an order."""
    if bits != 12:
        return values.astype(f"{order}u{bits // 8}").tobytes()
    pairs = values.reshape(8, 16, 2).astype(np.uint32)
    both = pairs[..., 0] << 12 | pairs[..., 1]
    return np.stack([both >> 16, both >> 8 & 255, both & 255], -1).astype(np.uint8).tobytes()


PLAIN, DEFLATE, PREDICTOR = "plain", "deflate", "predictor"
KINDS = [
    *((8, order, way) for order in "<>" for way in (PLAIN, DEFLATE, PREDICTOR)),
    *((16, order, way) for order in "<>" for way in (PLAIN, DEFLATE, PREDICTOR)),
    *((12, "<", way) for way in (PLAIN, DEFLATE)),
    *((32, "<", way) for way in (PLAIN, DEFLATE)),
]
"""Bits, order of bytes and storage of the grey that Pillow reads where zero is black."""


@pytest.mark.parametrize(("bits", "order", "way"), KINDS)
def test_a_tiff_whose_zero_is_white_shows_what_one_with_a_black_zero_shows(bits: int, order: str, way: str) -> None:
    top = {32: 65535}.get(bits, 2**bits - 1)
    shown = []
    for photometric in (1, 0):
        values = GREY.astype(np.int64) * top // 255
        values = values if photometric else 2**bits - 1 - values
        if way == PREDICTOR:
            values[:, 1:] = np.diff(values, axis=1)
            values %= 2**bits
        data = packed(values, bits, order)
        data = data if way == PLAIN else zlib.compress(data)
        file = tiff(
            data,
            (8, 32),
            bits,
            photometric,
            order,
            compression=1 if way == PLAIN else 8,
            predictor=1 + (way == PREDICTOR),
        )
        shown.append(decode(file, (8, 32))[..., 0].astype(int))
    for found in shown:
        assert np.abs(found - GREY).max() <= 1


def test_floats_and_alpha_whose_zero_is_white_are_turned_too() -> None:
    shares = (1 - GREY.astype(np.float32) / 255).astype("<f4").tobytes()
    assert np.abs(decode(tiff(shares, (8, 32), 32, 0, "<", kind=3), (8, 32))[..., 0].astype(int) - GREY).max() <= 1
    opaque = np.dstack([255 - GREY, np.full_like(GREY, 255)]).tobytes()
    assert np.abs(decode(tiff(opaque, (8, 32), 8, 0, "<", alpha=True), (8, 32))[..., 0].astype(int) - GREY).max() <= 1
