"""The embedded set, by statistics: balanced, repeatable, with a signal in the outline and another that needs pixels."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from triscale.data import open_data
from triscale.data.flowers import CLASSES, PETALS, SIDE, _flower, draw, open_flowers
from triscale.data.resize import resize
from triscale.errors import InputError, UsageError


def test_twelve_classes_in_equal_numbers(cache: Path) -> None:
    source = open_data("flowers", cache=cache)
    assert len(set(CLASSES)) == 12
    assert "5 petals, checks" in source.classes
    assert np.bincount(source.labels("train")).tolist() == [800] * 12
    assert np.bincount(source.labels("test")).tolist() == [200] * 12
    assert (source.native, source.test_from) == ((96, 96), "test")
    assert not cache.exists()


def test_a_picture_depends_on_seed_split_and_index_alone() -> None:
    np.testing.assert_array_equal(draw(0, "train", 5), draw(0, "train", 5))
    others = [draw(1, "train", 5), draw(0, "test", 5), draw(0, "train", 17)]
    assert all(np.abs(draw(0, "train", 5).astype(int) - other).mean() > 5 for other in others)


def test_few_pictures_can_be_asked_for(cache: Path) -> None:
    source = open_data("flowers:96", cache=cache)
    assert (len(source.labels("train")), len(source.labels("test"))) == (96, 24)
    assert source.pictures("train", (96, 96)).shape == (96, 96, 96, 3)
    np.testing.assert_array_equal(draw(0, "train", 95), source.pictures("train", (96, 96))[95])
    np.testing.assert_array_equal(
        resize(source.pictures("test", (96, 96)), (24, 32)), source.pictures("test", (24, 32))
    )
    assert source.name == "flowers:96"
    assert source.fingerprint != open_data("flowers", cache=cache).fingerprint


def test_no_colour_or_brightness_tells_the_class() -> None:
    means = np.stack([draw(0, "train", i).mean(axis=(0, 1)) for i in range(480)]).reshape(40, 12, 3)
    within = means.std(axis=0).mean() / np.sqrt(40)
    assert means.mean(axis=0).std(axis=0).max() < 3 * within


def outline(index: int) -> NDArray[np.float32]:
    """Where the flower of class `index` covers, found by laying it over black and over white."""
    planes = [np.full((3, SIDE, SIDE), value, np.float32) for value in (0, 1)]
    for plane in planes:
        _flower(plane, np.random.default_rng(index), PETALS[index % 12 // 3], "rings")
    cover: NDArray[np.float32] = 1 - (planes[1] - planes[0])[0]
    return cover


@pytest.mark.parametrize("petals", PETALS)
def test_the_outline_has_as_many_lobes_as_the_class_says(petals: int) -> None:
    """The strongest frequency of the radius over the angle, but for the second, which squashing makes."""
    right = 0
    for index in range(PETALS.index(petals) * 3, 480, 12):
        cover = outline(index)
        down, across = np.nonzero(cover > 0.5)
        angle = np.arctan2(down - down.mean(), across - across.mean())
        bins = np.clip(((angle + np.pi) / (2 * np.pi) * 48).astype(int), 0, 47)
        area = np.bincount(bins, minlength=48)
        strength = np.abs(np.fft.rfft(area))[3:8]
        right += 3 + int(strength.argmax()) == petals
    assert right >= 0.8 * 40


def texture(side: int) -> float:
    """Energy of the weave inside of flowers after averaging to `side`: what differs from the same flower without it."""
    energy = []
    for index in range(60):
        planes = []
        for weave in (0.0, 1.0):
            plane = np.full((3, SIDE, SIDE), 0.5, np.float32)
            _flower(plane, np.random.default_rng(index), 5, ("stripes", "checks", "rings")[index % 3])
            planes.append(plane if weave else np.full_like(plane, plane.mean()))
        pictures = np.clip(np.stack(planes) * 255, 0, 255).astype(np.uint8).transpose(0, 2, 3, 1)
        small = resize(pictures, (side, side)).astype(float)
        energy.append(np.square(np.diff(small[1], n=2, axis=0)).mean())
    return float(np.mean(energy))


@pytest.mark.parametrize("where", ["flowers:", "flowers:abc", "flowers:-5", "flowers:12"])
def test_a_number_that_cannot_be_drawn_is_an_input_error(where: str) -> None:
    with pytest.raises(InputError, match="cannot be drawn"):
        open_data(where)


def test_fewer_flowers_than_classes_are_refused(cache: Path) -> None:
    with pytest.raises(UsageError, match="at least 12"):
        open_flowers(train=11, test=12, cache=cache)
