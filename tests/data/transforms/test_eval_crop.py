"""The preprocessing lock in pixels: what torchvision and timm make of an image, to the level."""

import warnings
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from triscale.data.feed.in_memory import to_tensor
from triscale.data.transforms.area_resize import resize
from triscale.data.transforms.eval_crop import STUDY, fitted, fitted_block
from triscale.errors import InputError
from triscale.spec import IMAGENET, INCEPTION, TFLITE, Interpolation, Preprocessing

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from timm.data import create_transform
    from torchvision.transforms import InterpolationMode, v2

SHAPES = [(298, 224), (224, 298), (640, 427), (7, 5), (1, 1), (9, 190), (190, 9), (257, 256)]
SIZES = [(112, 112), (33, 33), (64, 96), (97, 61)]
CROPS = (0.875, 0.904, 1.0)
FILTERS: tuple[Interpolation, ...] = ("nearest", "bilinear", "bicubic", "lanczos")


def photo(shape: tuple[int, int]) -> Image.Image:
    """Smooth colours with noise on top, (height, width)."""
    draws = np.random.default_rng(shape[0] * 1000 + shape[1])
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    waves = np.stack([np.sin(rows / 9 + k) * np.cos(columns / (5 + k)) for k in range(3)], -1)
    return Image.fromarray(np.clip(127 + 90 * waves + draws.normal(0, 30, waves.shape), 0, 255).astype(np.uint8))


def timm_transform(size: tuple[int, int], how: Preprocessing) -> Any:
    modes = {"centre": "center", "squash": "squash"}
    return create_transform(
        (3, *size),
        interpolation=how.interpolation,
        mean=how.mean,
        std=how.std,
        crop_pct=how.crop,
        crop_mode=modes[how.fit],
    )


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_tensor_matches_timm(shape: tuple[int, int]) -> None:
    """Every size with every filter, and with every crop."""
    for (i, size), (j, interpolation) in product(enumerate(SIZES), enumerate(FILTERS[1:])):
        how = replace(IMAGENET, interpolation=interpolation, crop=CROPS[(i + j) % len(CROPS)])
        ours = to_tensor(fitted(photo(shape), size, how)[None], how.mean, how.std)[0]
        theirs = timm_transform(size, how)(photo(shape))
        assert torch.allclose(ours, theirs, rtol=0, atol=1e-6), (size, how)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_squashed_tensor_matches_timm(shape: tuple[int, int]) -> None:
    for size in SIZES:
        for crop in (0.875, 1.0):
            how = replace(INCEPTION, fit="squash", crop=crop)
            ours = to_tensor(fitted(photo(shape), size, how)[None], how.mean, how.std)[0]
            assert torch.allclose(ours, timm_transform(size, how)(photo(shape)), rtol=0, atol=1e-6), (size, crop)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_pixels_match_torchvision(shape: tuple[int, int]) -> None:
    """The sizes of its own presets (resize, crop), of which every filter has three of six."""
    presets = ((256, 224), (232, 224), (256, 240), (288, 288), (320, 300), (384, 380))
    for i, interpolation in enumerate(FILTERS):
        for resized, side in presets[i % 2 :: 2]:
            how = replace(IMAGENET, interpolation=interpolation, crop=side / resized)
            mode = InterpolationMode(interpolation)
            peer = v2.Compose([v2.Resize(resized, interpolation=mode, antialias=True), v2.CenterCrop(side)])
            wanted = np.asarray(peer(photo(shape)))
            assert np.array_equal(fitted(photo(shape), (side, side), how), wanted), (interpolation, resized, side)


def test_an_extreme_shape_is_cut_before_it_is_blown_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """1x10000 px would become 256x2,560,000; what is kept of it is the same as far as Pillow's 32-bit boxes allow."""
    assert fitted(photo((1, 10_000)), (224, 224), IMAGENET).shape == (224, 224, 3)
    whole = fitted(photo((40, 2000)), (64, 64), IMAGENET)
    monkeypatch.setattr("triscale.data.transforms.eval_crop.MOST_RESIZED", 100)
    cut = fitted(photo((40, 2000)), (64, 64), IMAGENET)
    assert np.abs(whole.astype(int) - cut).max() <= 1


def test_every_crop_of_timms_weights_resizes_to_the_same_side() -> None:
    """The crop is kept as a fraction, for a side that is whole."""
    from timm.models._registry import _model_default_cfgs

    configs = [one for family in _model_default_cfgs.values() for one in family.cfgs.values()]
    assert len(configs) > 1000
    for config in configs:
        for (_, *side), crop in (
            (config.input_size, config.crop_pct),
            (config.test_input_size or config.input_size, config.test_crop_pct or config.crop_pct),
        ):
            if crop <= 1:
                before = replace(IMAGENET, crop=crop).before_crop((side[0], side[1]))
                assert before == tuple(int(some / crop) for some in side), (side, crop)


def test_a_study_cuts_and_averages_areas() -> None:
    """The old rule, word for word: the largest part of the shape wanted, from the middle, averaged."""
    pixels = np.asarray(photo((40, 24)))
    wanted = resize(pixels[None, 8:32], (12, 12))[0]
    assert np.array_equal(fitted(Image.fromarray(pixels), (12, 12), STUDY), wanted)
    part = fitted(Image.fromarray(pixels), (6, 6), replace(STUDY, crop=0.5))
    assert np.array_equal(part, resize(pixels[None, 14:26, 6:18], (6, 6))[0])
    squashed = fitted(Image.fromarray(pixels), (10, 12), replace(STUDY, fit="squash"))
    assert np.array_equal(squashed, resize(pixels[None], (10, 12))[0])


def test_a_block_goes_the_way_of_its_pictures() -> None:
    pictures = np.stack([np.asarray(photo((20, 30))), np.asarray(photo((20, 30)))[::-1]])
    by_filter = fitted_block(pictures, (16, 16), IMAGENET)
    assert np.array_equal(by_filter[1], fitted(Image.fromarray(pictures[1]), (16, 16), IMAGENET))
    assert np.array_equal(fitted_block(pictures, (10, 10), STUDY), resize(pictures, (10, 10)))


def test_tflite_is_x_minus_127_over_128() -> None:
    levels = np.arange(256, dtype=np.uint8)[None, :, None, None].repeat(3, 3)
    wanted = (torch.arange(256.0) - 127) / 128
    assert torch.allclose(to_tensor(levels, TFLITE.mean, TFLITE.std)[0, 0, :, 0], wanted, rtol=0, atol=1e-6)


def test_one_channel_is_pillows_grey_and_two_are_refused() -> None:
    image = photo((30, 30))
    grey = np.asarray(image.convert("L"))
    ours = to_tensor(np.asarray(image)[None], (0.0,), (1.0,))[0, 0]
    assert np.array_equal(np.rint(255 * ours.numpy()), grey)
    with pytest.raises(InputError, match="takes 2"):
        to_tensor(np.asarray(image)[None], (0.0, 0.0), (1.0, 1.0))


@pytest.mark.parametrize(
    "wrong",
    [
        replace(IMAGENET, interpolation="bilinear"),
        replace(IMAGENET, interpolation="area"),
        replace(IMAGENET, crop=1.0),
        replace(IMAGENET, crop=0.9),
        replace(IMAGENET, fit="squash"),
        replace(IMAGENET, mean=INCEPTION.mean),
        replace(IMAGENET, std=INCEPTION.std),
        replace(IMAGENET, mean=IMAGENET.mean[::-1], std=IMAGENET.std[::-1]),
        replace(TFLITE, mean=INCEPTION.mean, std=INCEPTION.std, interpolation="bicubic"),
    ],
)
def test_every_wrong_preprocessing_is_another_tensor(wrong: Preprocessing) -> None:
    """The measure that calls ours the same as timm's calls each of these different."""
    right = timm_transform((64, 64), IMAGENET)(photo((298, 224)))
    ours = to_tensor(fitted(photo((298, 224)), (64, 64), wrong)[None], wrong.mean, wrong.std)[0]
    assert not torch.allclose(ours, right, rtol=0, atol=0.02)
