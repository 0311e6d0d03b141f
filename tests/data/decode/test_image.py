"""Decoding: every mode and orientation to the same RGB, everything hostile rejected with a reason."""

import contextlib
import os
from pathlib import Path

import numpy as np
import PIL
import pytest
from PIL import Image

from tests.data.hostile import png_claiming, scene
from triscale.data import load_picture
from triscale.data.decode.image import UnreadableError, decode, examine
from triscale.errors import InputError

SIZE = (24, 32)


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "bmp", "gif", "tiff"])
def test_every_allowed_format_gives_the_same_picture(tmp_path: Path, suffix: str) -> None:
    scene().save(tmp_path / f"a.{suffix}", quality=95)
    wanted = np.asarray(scene().reduce(3)).astype(int)
    assert np.abs(load_picture(tmp_path / f"a.{suffix}", SIZE) - wanted).mean() < 4


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tiff"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_is_upright(tmp_path: Path, orientation: int, suffix: str) -> None:
    undo = {2: "FLIP_LEFT_RIGHT", 3: "ROTATE_180", 4: "FLIP_TOP_BOTTOM", 5: "TRANSPOSE", 6: "ROTATE_90"}
    undo |= {7: "TRANSVERSE", 8: "ROTATE_270"}
    stored = scene() if orientation == 1 else scene().transpose(Image.Transpose[undo[orientation]])
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / f"a.{suffix}", exif=exif, quality=95)
    wanted = np.asarray(scene().reduce(3)).astype(int)
    assert np.abs(load_picture(tmp_path / f"a.{suffix}", SIZE) - wanted).mean() < 4


@pytest.mark.parametrize("mode", ["L", "1", "P", "CMYK", "YCbCr"])
def test_every_mode_keeps_its_brightness(tmp_path: Path, mode: str) -> None:
    if mode == "YCbCr" and PIL.__version__.startswith("12."):
        pytest.skip("Pillow 12 cannot read the YCbCr TIFF that it writes")
    suffix = "tiff" if mode in {"CMYK", "YCbCr"} else "png"
    image = scene().convert(mode)
    image.save(tmp_path / f"a.{suffix}")
    got = load_picture(tmp_path / f"a.{suffix}", SIZE)
    assert abs(got.mean() - np.asarray(image.convert("RGB")).mean()) < 2


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_is_transparent_is_white(tmp_path: Path, mode: str) -> None:
    if mode == "P":
        image = Image.new("P", (20, 20), 1)
        image.putpalette([0, 0, 0, 9, 9, 9])
        image.paste(0, (0, 0, 10, 20))
        image.save(tmp_path / "a.png", transparency=1)
    else:
        image = Image.new("RGBA", (20, 20), (0, 0, 0, 0))
        image.paste((0, 0, 0, 255), (0, 0, 10, 20))
        image.convert(mode).save(tmp_path / "a.png")
    got = load_picture(tmp_path / "a.png", (2, 2))
    assert got[:, 0].max() <= 1
    assert got[:, 1].min() >= 254


@pytest.mark.parametrize("suffix", ["png", "tiff"])
def test_grey_of_16_bits_is_scaled(tmp_path: Path, suffix: str) -> None:
    ramp = np.linspace(0, 65535, 64 * 64).astype(np.uint16).reshape(64, 64)
    Image.fromarray(ramp).save(tmp_path / f"a.{suffix}")
    got = load_picture(tmp_path / f"a.{suffix}", (64, 64))
    assert abs(got.mean() - 127.5) < 1
    assert (got.min(), got.max()) == (0, 255)


def test_float_grey_is_scaled_from_zero_to_one_and_else_refused(tmp_path: Path) -> None:
    ramp = np.linspace(0, 1, 64 * 64, dtype=np.float32).reshape(64, 64)
    Image.fromarray(ramp).save(tmp_path / "a.tiff")
    assert abs(load_picture(tmp_path / "a.tiff", (64, 64)).mean() - 127.5) < 1
    Image.fromarray(ramp * 255).save(tmp_path / "b.tiff")
    with pytest.raises(InputError, match="grey values"):
        load_picture(tmp_path / "b.tiff", (64, 64))


@pytest.mark.parametrize(
    ("shape", "size"), [((1, 1), (8, 8)), ((1, 3000), (8, 8)), ((3000, 1), (5, 9)), ((50, 80), (99, 7))]
)
def test_every_shape_becomes_the_size_asked(tmp_path: Path, shape: tuple[int, int], size: tuple[int, int]) -> None:
    Image.new("RGB", shape, (10, 20, 30)).save(tmp_path / "a.png")
    got = load_picture(tmp_path / "a.png", size)
    assert got.shape == (*size, 3)
    assert np.abs(got - np.array([10, 20, 30])).max() <= 1


def test_the_centre_is_kept(tmp_path: Path) -> None:
    image = Image.new("RGB", (100, 40), "black")
    image.paste((255, 255, 255), (30, 0, 70, 40))
    image.save(tmp_path / "a.png")
    assert load_picture(tmp_path / "a.png", (20, 20)).min() == 255
    assert load_picture(tmp_path / "a.png", (20, 22)).min() == 0


def test_a_large_photo_is_averaged_as_a_small_one(tmp_path: Path) -> None:
    """Neither JPEG's own scaling nor the reduction before the last step shows in the result."""
    draws = np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    large = Image.fromarray(draws).resize((1600, 1200), Image.Resampling.BICUBIC)
    large.save(tmp_path / "a.png")
    large.save(tmp_path / "a.jpg", quality=95)
    wanted = np.asarray(large).reshape(24, 50, 32, 50, 3).mean(axis=(1, 3))
    assert np.abs(decode(tmp_path / "a.png", SIZE) - wanted).mean() < 1.5
    assert np.abs(decode(tmp_path / "a.jpg", SIZE) - wanted).mean() < 2


HOSTILE = {
    "empty": (b"", "empty"),
    "text": (b"<html>not found</html>", "not an image"),
    "vector": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "not an image"),
    "postscript": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not an image"),
    "bomb": (png_claiming(12_000, 12_000), "50 megapixels"),
    "larger bomb": (png_claiming(60_000, 60_000), "50 megapixels"),
    "header only": (png_claiming(20, 20), "broken"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_is_no_picture_is_an_input_error_that_names_it(tmp_path: Path, kind: str) -> None:
    content, reason = HOSTILE[kind]
    (tmp_path / "a.jpg").write_bytes(content)
    with pytest.raises(InputError, match=reason) as caught:
        load_picture(tmp_path / "a.jpg", SIZE)
    assert "a.jpg" in str(caught.value)
    assert str(caught.value).count("\n") < 3


@pytest.mark.parametrize("suffix", ["jpg", "png", "gif", "webp", "bmp", "tiff"])
def test_a_truncated_file_is_never_half_a_picture(tmp_path: Path, suffix: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / f"a.{suffix}")
    content = (tmp_path / f"a.{suffix}").read_bytes()
    for share in (0.1, 0.5, 0.9):
        (tmp_path / f"a.{suffix}").write_bytes(content[: int(len(content) * share)])
        for read in (examine, lambda path: decode(path, SIZE)):
            with pytest.raises(UnreadableError):
                read(tmp_path / f"a.{suffix}")


def test_mutated_files_are_pictures_or_unreadable_and_nothing_else(tmp_path: Path) -> None:
    draws = np.random.default_rng(0)
    for suffix in ("jpg", "png", "gif", "webp", "tiff"):
        scene(32, 24).save(tmp_path / f"a.{suffix}")
        content = np.frombuffer((tmp_path / f"a.{suffix}").read_bytes(), np.uint8)
        for _ in range(60):
            mutant = content.copy()
            mutant[draws.integers(0, len(mutant), 4)] = draws.integers(0, 256, 4)
            (tmp_path / "mutant").write_bytes(mutant.tobytes())
            with contextlib.suppress(InputError):
                assert load_picture(tmp_path / "mutant", (8, 8)).shape == (8, 8, 3)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("folder", "not a regular file"),
        ("pipe", "not a regular file"),
        ("dangling", "a link to nothing"),
        ("loop", "symbolic links"),
        ("missing", "no such file"),
    ],
)
def test_what_is_no_file_never_blocks(tmp_path: Path, kind: str, reason: str) -> None:
    path = tmp_path / "x.jpg"
    match kind:
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case "dangling":
            path.symlink_to(tmp_path / "nowhere")
        case "loop":
            path.symlink_to(path)
    with pytest.raises(InputError, match=rf"x\.jpg' cannot be read: .*{reason}"):
        load_picture(path, SIZE)
