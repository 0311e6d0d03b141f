"""Turned images: every way of every file decodes, measures and crops in the one upright frame."""

import io
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps

from tests.data.hostile import scene
from tests.data.turned import WAYS, saved, stored
from triscale.data.decode.image import UnreadableError, decode, examine, opened, upright_rgb, upright_size
from triscale.data.decode.picture_formats import reads_heic
from triscale.data.transforms.random_crop import RandomCrop, cut
from triscale.data.transforms.train_augment import PhotoAugmentation, draws_for, jpeg_photo, photo
from triscale.spec import Preprocessing

HOW = Preprocessing(interpolation="bilinear")
SIZE = (24, 32)


def made(way: str, orientation: int) -> bytes:
    if way == "HEIC" and not reads_heic():
        pytest.skip("pillow-heif, of the extra `heic`, is not installed")
    return WAYS[way](stored(orientation), orientation)


def by_pillow(data: bytes) -> Image.Image:
    """The oracle: decoded whole and turned by `ImageOps.exif_transpose`."""
    with Image.open(io.BytesIO(data)) as image:
        return ImageOps.exif_transpose(image).convert("RGB")


@pytest.mark.parametrize("way", WAYS)
def test_every_turned_picture_is_measured_and_decoded_as_by_pillow(way: str) -> None:
    for orientation in range(1, 9):
        data = made(way, orientation)
        wanted = by_pillow(data)
        assert wanted.size == scene().size
        with opened(data) as image:
            assert upright_size(image) == (72, 96), orientation
            upright = upright_rgb(image)
        assert upright.size == (96, 72), orientation
        assert not upright.getexif(), "nothing says to turn it again"
        if way == "TIFF, 16 bits":
            continue  # 8 bits of grey in 16: nearly black, which only the crops below compare
        np.testing.assert_array_equal(np.asarray(upright), np.asarray(wanted), str(orientation))
        if not any(lossy in way for lossy in ("palette", "CMYK", "grey")):
            assert np.abs(np.asarray(upright).astype(int) - np.asarray(scene())).mean() < 5, orientation


@pytest.mark.parametrize("fast", [True, False], ids=["fast", "plain"])
@pytest.mark.parametrize("way", WAYS)
def test_every_crop_of_a_turned_picture_is_that_of_an_upright_copy(
    way: str, fast: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the decoders of the extra `fast` and without; none leaves the image."""
    if not fast:
        for place in ("random_crop.part_decoder", "train_augment.part_decoder", "random_crop._fast_decoder"):
            monkeypatch.setattr(f"triscale.data.transforms.{place}", lambda: None)
    augmentation = PhotoAugmentation(flip=0)
    for orientation in range(2, 9):
        data = made(way, orientation)
        copy = io.BytesIO()
        with opened(data) as image:
            upright_rgb(image).save(copy, "PNG")
        for index in range(6):
            pixels = jpeg_photo(data, SIZE, HOW, augmentation, draws_for(0, 0, index))
            if pixels is None:
                with opened(data) as image:
                    pixels = photo(image, SIZE, HOW, augmentation, draws_for(0, 0, index))
            with opened(copy.getvalue()) as image:
                wanted = photo(image, SIZE, HOW, augmentation, draws_for(0, 0, index))
            np.testing.assert_array_equal(pixels, wanted)


def test_an_upright_mpo_crops_as_the_jpeg_in_front_of_it() -> None:
    """It too is decoded at a half, a quarter or an eighth, whether the extra `fast` is there or not."""
    large = Image.fromarray(np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)).resize((800, 600))
    stream = io.BytesIO()
    large.save(stream, "MPO", save_all=True, append_images=[large.resize((80, 60))], quality=95)
    with opened(stream.getvalue()) as image:
        assert image.format == "MPO"
        box = RandomCrop().drawn(upright_size(image), draws_for(0, 0, 0))
        assert box is not None
        found = cut(image, box, SIZE, "bilinear")
    single = io.BytesIO()
    large.save(single, "JPEG", quality=95)
    with opened(single.getvalue()) as image:
        np.testing.assert_array_equal(found, cut(image, box, SIZE, "bilinear"))


@pytest.mark.parametrize(("way", "mark"), [("JPEG", b"Exif\0\0"), ("MPO", b"Exif\0\0"), ("WebP", b"EXIF")])
def test_exif_that_cannot_be_read_turns_nothing(way: str, mark: bytes) -> None:
    data = bytearray(made(way, 6))
    at = data.index(mark) + len(mark) + (4 if way == "WebP" else 0)
    data[at : at + 8] = b"\xff" * 8
    with opened(bytes(data)) as image:
        assert upright_size(image) == (96, 72)
        assert upright_rgb(image).size == (72, 96)


def test_the_size_that_a_check_tells_is_upright(tmp_path: Path) -> None:
    for way in WAYS:
        (file := tmp_path / "x").write_bytes(made(way, 6))
        look = examine(file)
        assert look.size == (72, 96), way
        assert not look.moving, "what stands behind the photo in an MPO is its preview"


def test_a_crop_that_leaves_the_picture_is_our_fault_and_no_broken_file() -> None:
    """A fault of ours inside of an opened image stays what it is: nobody is sent to restore a sound file."""
    data = saved("JPEG")(scene(), 6)
    with pytest.raises(ValueError, match="leaves the upright image"), opened(data) as image:
        cut(image, (0, 0, 96, 72), SIZE, "bilinear")
    with pytest.raises(ZeroDivisionError), opened(data):
        1 / 0  # noqa: B018
    with pytest.raises(UnreadableError, match="broken"), opened(data[: len(data) // 2]) as image:
        cut(image, (0, 0, 72, 96), SIZE, "bilinear")


def test_a_fault_of_ours_in_a_decoder_is_no_unreadable_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> NDArray[np.uint8]:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr("triscale.data.decode.image.fitted", fail)
    with pytest.raises(RuntimeError, match="a fault of ours"):
        decode(saved("PNG")(scene(), 1), SIZE)
