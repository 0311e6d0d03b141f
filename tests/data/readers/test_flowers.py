"""The embedded set, by statistics: balanced, repeatable, with a signal in the outline and another that needs pixels."""

from pathlib import Path

import numpy as np
import pytest

from triscale.data import open_data
from triscale.data.readers.flowers import (
    _ACROSS,
    _DOWN,
    _HALF,
    CLASSES,
    PETALS,
    SIDE,
    WEAVES,
    Field,
    _petals,
    _weave,
    draw,
    open_flowers,
)
from triscale.data.transforms.area_resize import resize
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


@pytest.mark.parametrize("petals", PETALS)
def test_the_outline_has_as_many_lobes_as_the_class_says(petals: int) -> None:
    """It is the strongest frequency of the area over the angle, but for the second, which squashing makes."""
    right = 0
    for index in range(40):
        inside = _petals(np.random.default_rng(index), petals, _ACROSS - _HALF, _DOWN - _HALF)
        down, across = np.nonzero(inside > 0)
        angle = np.arctan2(down - down.mean(), across - across.mean())
        bins = np.clip(((angle + np.pi) / (2 * np.pi) * 48).astype(int), 0, 47)
        area = np.bincount(bins, minlength=48)
        strength = np.abs(np.fft.rfft(area))[3:8]
        right += 3 + int(strength.argmax()) == petals
    assert right >= 0.8 * 40


def wave(index: int, weave: str) -> Field:
    return _weave(np.random.default_rng(index), weave, _ACROSS - _HALF, _DOWN - _HALF)


def faithful(side: int) -> float:
    """Correlation of a weave with what comes back after averaging it to `side` and enlarging it again."""
    scores = []
    for index in range(18):
        picture = np.rint(127.5 + 60 * wave(index, WEAVES[index % 3])).astype(np.uint8)
        small = resize(picture[None, :, :, None].repeat(3, axis=3), (side, side))
        scores.append(np.corrcoef(picture.ravel(), resize(small, (SIDE, SIDE))[0, :, :, 0].ravel())[0, 1])
    return float(np.mean(scores))


def test_the_weave_needs_pixels() -> None:
    """Every step up brings more of it: a half is left at 12 px, most at 24 px, nearly all at 48 px."""
    shares = [faithful(side) for side in (6, 12, 24, 48)]
    assert shares == sorted(shares)
    assert shares[0] < 0.35
    assert 0.4 < shares[1] < 0.65
    assert 0.75 < shares[2] < 0.95
    assert shares[3] > 0.97


@pytest.mark.parametrize("weave", WEAVES)
def test_every_weave_has_the_same_contrast(weave: str) -> None:
    waves = np.stack([wave(index, weave) for index in range(60)])
    assert abs(waves.mean()) < 0.02
    assert abs(waves.std() - np.sqrt(0.5)) < 0.03


@pytest.mark.parametrize("where", ["flowers:", "flowers:abc", "flowers:-5", "flowers:12"])
def test_a_number_that_cannot_be_drawn_is_an_input_error(where: str) -> None:
    with pytest.raises(InputError, match="cannot be drawn"):
        open_data(where)


def test_fewer_flowers_than_classes_are_refused(cache: Path) -> None:
    with pytest.raises(UsageError, match="at least 12"):
        open_flowers(train=11, test=12, cache=cache)
