"""Resizing: exact averages down, bicubic up."""

import numpy as np
import pytest
from PIL import Image

from triscale.data.transforms.area_resize import axis_weights, resize, resized_chunks

DRAWS = np.random.default_rng(0)


def test_integer_shrinking_matches_the_mean_of_blocks() -> None:
    pictures = DRAWS.integers(0, 256, (3, 12, 18, 3), dtype=np.uint8)
    blocks = pictures.reshape(3, 4, 3, 6, 3, 3).mean(axis=(2, 4))
    assert np.abs(resize(pictures, (4, 6)) - blocks).max() <= 0.5 + 1e-3


@pytest.mark.parametrize("side", [31, 24, 17, 5, 1])
def test_fractional_shrinking_keeps_the_mean(side: int) -> None:
    """Each input pixel enters with the same total weight, which Pillow's BOX does not give."""
    np.testing.assert_allclose(axis_weights(32, 32, side).sum(axis=0), side / 32, rtol=1e-5)


@pytest.mark.parametrize("size", [(13, 31), (40, 40), (11, 12)])
def test_enlarging_matches_pillow_bicubic(size: tuple[int, int]) -> None:
    picture = DRAWS.integers(60, 200, (10, 12, 3), dtype=np.uint8)
    pillow = np.asarray(Image.fromarray(picture).resize(size[::-1], Image.Resampling.BICUBIC))
    assert np.abs(resize(picture[None], size)[0].astype(int) - pillow).max() <= 1


def test_the_same_size_is_the_same_picture() -> None:
    pictures = DRAWS.integers(0, 256, (2, 7, 9, 3), dtype=np.uint8)
    np.testing.assert_array_equal(pictures, resize(pictures, (7, 9)))
    np.testing.assert_array_equal(pictures[:, :3], resize(pictures, (3, 9), (3, 9)))


def test_chunks_join_to_the_whole() -> None:
    pictures = DRAWS.integers(0, 256, (600, 4, 4, 3), dtype=np.uint8)
    np.testing.assert_array_equal(resize(pictures, (3, 3)), np.concatenate(list(resized_chunks(pictures, (3, 3)))))
