"""A part of a JPEG: the pixels of a whole decoding by Pillow, or none at all."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from triscale.data.jpeg import part_decoder

WIDE, HIGH = 203, 149


def picture(mode: str = "RGB", **options: Any) -> bytes:
    """Waves with edges of colours, of odd sides, as a JPEG."""
    rows, columns = np.mgrid[:HIGH, :WIDE]
    waves = [127 + 100 * np.sin(rows / (3 + k) + columns / (7 - k)) + 27 * ((columns // 9 + k) % 2) for k in range(3)]
    image = Image.fromarray(np.clip(np.stack(waves, axis=2), 0, 255).astype(np.uint8))
    stream = io.BytesIO()
    image.convert(mode).save(stream, "JPEG", **options)
    return stream.getvalue()


@pytest.fixture
def decode() -> Any:
    found = part_decoder()
    if found is None:
        pytest.skip("libjpeg-turbo 3, of the extra `fast`, is not installed")
    return found


@pytest.mark.parametrize("options", [
    {"subsampling": 0}, {"subsampling": 1}, {"subsampling": 2}, {"quality": 30}, {"progressive": True},
    {"restart_marker_blocks": 3},
])  # fmt: skip
def test_every_part_has_the_pixels_of_a_whole_decoding(decode: Any, options: dict[str, Any]) -> None:
    """Also where colours are interpolated across the edges of blocks; at full size, a half, a quarter and an eighth."""
    data, draws = picture(**options), np.random.default_rng(0)
    for times in (1, 2, 4, 8):
        with Image.open(io.BytesIO(data)) as image:
            image.draft("RGB", (WIDE // times, HIGH // times))
            whole = np.asarray(image)
        assert whole.shape == (-(-HIGH // times), -(-WIDE // times), 3)
        for _ in range(40):
            left, right = sorted(draws.choice(whole.shape[1] + 1, 2, replace=False))
            top, bottom = sorted(draws.choice(whole.shape[0] + 1, 2, replace=False))
            part = decode(data, (HIGH, WIDE), times, (int(left), int(top), int(right), int(bottom)))
            np.testing.assert_array_equal(part, whole[top:bottom, left:right], f"1/{times}")


def test_what_is_no_plain_jpeg_in_colours_gives_nothing(decode: Any) -> None:
    """Grey, CMYK, another size than was told, bytes of something else, and a file that is cut off within the part."""
    whole, box = (HIGH, WIDE), (0, 0, WIDE, HIGH)
    assert decode(picture(), whole, 1, box) is not None
    data = picture()
    for wrong in (picture("L"), b"", b"GIF89a", data[:100], data[: len(data) // 2]):
        assert decode(wrong, whole, 1, box) is None
    assert decode(data, (HIGH, WIDE - 1), 1, box) is None
    assert decode(data, whole, 1, box) is not None, "the handle has no memory of it"


def test_a_broken_file_gives_nothing_or_a_picture_and_never_ends_the_process(decode: Any) -> None:
    for seed in range(30):
        data, draws = bytearray(picture()), np.random.default_rng(seed)
        for at in draws.integers(0, len(data), 20):
            data[at] = draws.integers(256)
        found = decode(bytes(data), (HIGH, WIDE), 1, (10, 10, 100, 100))
        assert found is None or found.shape == (90, 90, 3), seed
        assert decode.size(picture()) == (HIGH, WIDE), "the next file does not suffer"
