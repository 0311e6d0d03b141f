"""The embedded set, by statistics: balanced, repeatable, a hint in the colours, an outline, a weave."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from triscale.data import open_data
from triscale.data.readers import flowers
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
    assert np.bincount(source.labels("train")).tolist() == [1000] * 12
    assert np.bincount(source.labels("val")).tolist() == [300] * 12
    assert np.bincount(source.labels("test")).tolist() == [300] * 12
    assert (source.native, source.test_from) == ((64, 64), "test")
    assert source.training_split(seed=0).held == "val"
    assert not cache.exists()


def test_a_picture_depends_on_seed_split_and_index_alone() -> None:
    np.testing.assert_array_equal(draw(0, "train", 5), draw(0, "train", 5))
    others = [draw(1, "train", 5), draw(0, "test", 5), draw(0, "val", 5), draw(0, "train", 17)]
    assert all(np.abs(draw(0, "train", 5).astype(int) - other).mean() > 5 for other in others)


def test_few_pictures_that_were_asked_for(cache: Path) -> None:
    source = open_data("flowers:96", cache=cache)
    assert (len(source.labels("train")), len(source.labels("test"))) == (96, 24)
    assert source.training_split(seed=0).held == "train"
    assert source.pictures("train", (64, 64)).shape == (96, 64, 64, 3)
    np.testing.assert_array_equal(draw(0, "train", 95), source.pictures("train", (64, 64))[95])
    np.testing.assert_array_equal(
        resize(source.pictures("test", (64, 64)), (24, 32)), source.pictures("test", (24, 32))
    )
    assert source.name == "flowers:96"
    assert source.fingerprint != open_data("flowers", cache=cache).fingerprint


def middle(label: int, index: int) -> NDArray[np.float32]:
    """Mean colour around the middle of an image."""
    low, high = SIDE // 2 - 8, SIDE // 2 + 8
    found: NDArray[np.float32] = draw(0, "train", 12 * index + label)[low:high, low:high].mean(axis=(0, 1))
    return found


def test_colour_is_a_hint_and_no_more() -> None:
    """The nearest mean colour of the middle is right more often than guessing (1 in 12), and far less than half."""
    pictures = np.array([[middle(label, index) for index in range(80)] for label in range(12)])
    means = pictures[:, :40].mean(axis=1)
    distances = np.square(pictures[:, 40:, None] - means).sum(axis=-1)
    right = float((distances.argmin(axis=-1) == np.arange(12)[:, None]).mean())
    assert 0.13 < right < 0.45


@pytest.mark.parametrize("petals", PETALS)
def test_the_outline_has_as_many_lobes_as_the_class_says_where_it_can_be_seen(petals: int) -> None:
    """Petals are the strongest frequency of the area over the angle in nearly every image but the hardest."""
    right = 0
    for index in range(40):
        inside = _petals(np.random.default_rng(index), petals, _ACROSS - _HALF, _DOWN - _HALF)
        down, across = np.nonzero(inside > 0)
        angle = np.arctan2(down - down.mean(), across - across.mean())
        area = np.bincount(np.clip(((angle + np.pi) / (2 * np.pi) * 48).astype(int), 0, 47), minlength=48)
        right += 3 + int(np.abs(np.fft.rfft(area))[3:7].argmax()) == petals
    assert right >= 0.6 * 40


def test_flowers_stand_upright_and_look_alike_in_a_mirror() -> None:
    """The mean of many outlines is its own mirror image, and not its own upside down where petals are odd."""
    outlines = [_petals(np.random.default_rng(k), 3, _ACROSS - _HALF, _DOWN - _HALF) > 0 for k in range(400)]
    mean = np.mean(outlines, axis=0)
    assert np.abs(mean - mean[:, ::-1]).mean() < 0.02
    assert np.abs(mean - mean[::-1]).mean() > 0.05


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
    """Every step up brings more of it: little is left at 4 px, most at 12 px, nearly all at 24 px."""
    shares = [faithful(side) for side in (4, 8, 12, 24)]
    assert shares == sorted(shares)
    assert shares[0] < 0.5
    assert shares[1] > 0.6
    assert shares[3] > 0.97


@pytest.mark.parametrize("weave", WEAVES)
def test_every_weave_has_about_the_same_contrast(weave: str) -> None:
    waves = np.stack([wave(index, weave) for index in range(60)])
    assert abs(waves.mean()) < 0.12
    assert abs(waves.std() - np.sqrt(0.5)) < 0.06


@pytest.mark.parametrize("ends", [flowers.LOBES, flowers.CONTRAST, flowers.GRAIN])
def test_pictures_are_graded_from_one_end_to_the_other(ends: tuple[float, float]) -> None:
    drawn = [flowers._graded(np.random.default_rng(k), ends) for k in range(200)]
    easy, hard = sorted(ends)
    assert easy <= min(drawn) < 1.1 * easy
    assert hard / 1.1 < max(drawn) <= hard
    assert np.median(drawn) == pytest.approx((easy * hard) ** 0.5, rel=0.25), "each factor is as likely as the next"


@pytest.mark.parametrize("where", ["flowers:", "flowers:abc", "flowers:-5", "flowers:12"])
def test_a_number_that_cannot_be_drawn_is_an_input_error(where: str) -> None:
    with pytest.raises(InputError, match="cannot be drawn"):
        open_data(where)


def test_fewer_flowers_than_classes_are_refused(cache: Path) -> None:
    with pytest.raises(UsageError, match="at least 12"):
        open_flowers(train=11, test=12, cache=cache)
