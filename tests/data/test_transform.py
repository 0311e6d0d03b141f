"""The transform of a network: the pixels that a prediction uses, of an image wherever it is."""

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps
from torchvision import transforms

from triscale.data import Transform
from triscale.data.decode.image import decode
from triscale.data.feed.in_memory import to_tensor
from triscale.errors import InputError
from triscale.spec import IMAGENET, Preprocessing

SIZE = (24, 24)
STUDY = Transform(preprocessing=Preprocessing(), size=SIZE)
BICUBIC = Transform(preprocessing=IMAGENET, size=SIZE)


@pytest.fixture(scope="module", params=["jpg", "png"])
def photo(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Large enough that a JPEG is decoded at a part of its size, and turned by EXIF."""
    draws = np.random.default_rng(0)
    rough = Image.fromarray(draws.integers(0, 256, (60, 90, 3), dtype=np.uint8))
    path = tmp_path_factory.mktemp("photo") / f"photo.{request.param}"
    exif = Image.Exif()
    exif[0x0112] = 6
    rough.resize((900, 600), Image.Resampling.BICUBIC).save(path, exif=exif)
    return path


def predicted(one: Transform, path: Path) -> torch.Tensor:
    """As `triscale.predict` makes a file's tensor."""
    how = one.preprocessing
    return to_tensor(decode(path, one.size, how)[None], how.mean, how.std)[0]


@pytest.mark.parametrize("one", [STUDY, BICUBIC], ids=["area", "bicubic"])
def test_a_path_and_an_open_image_give_the_pixels_of_a_prediction(photo: Path, one: Transform) -> None:
    wanted = predicted(one, photo)
    assert wanted.shape == (3, 24, 24)
    assert torch.equal(one(photo), wanted)
    assert torch.equal(one(str(photo)), wanted)
    with Image.open(photo) as image:
        assert torch.equal(one(image), wanted)
        assert image.size == (900, 600)
        assert torch.equal(one(image), wanted)


def test_a_decoded_image_and_its_array_give_them_too_where_nothing_is_decoded_small(photo: Path) -> None:
    with Image.open(photo) as image:
        image.load()
        assert torch.equal(BICUBIC(image), predicted(BICUBIC, photo))
        assert (STUDY(image) - predicted(STUDY, photo)).abs().mean() < 0.1
        upright = ImageOps.exif_transpose(image)
    assert torch.equal(BICUBIC(np.asarray(upright)), predicted(BICUBIC, photo))


def test_the_tensor_is_torchvisions(photo: Path) -> None:
    """Resize, CenterCrop, ToTensor, Normalize of the same image."""
    with Image.open(photo) as opened:
        image = ImageOps.exif_transpose(opened).convert("RGB")
    bicubic = transforms.InterpolationMode.BICUBIC
    theirs = transforms.Compose(
        [
            transforms.Resize(int(24 / 0.875), bicubic),
            transforms.CenterCrop(24),
            transforms.ToTensor(),
            transforms.Normalize(IMAGENET.mean, IMAGENET.std),
        ]
    )
    torch.testing.assert_close(BICUBIC(image), theirs(image), rtol=1e-5, atol=1e-5)


def test_grey_and_transparent_arrays_are_taken_as_files_are() -> None:
    draws = np.random.default_rng(0)
    grey = draws.integers(0, 256, (40, 30), dtype=np.uint8)
    colour = np.repeat(grey[..., None], 3, axis=2)
    assert torch.equal(STUDY(grey), STUDY(colour))
    assert torch.equal(STUDY(grey[..., None]), STUDY(colour))
    clear = np.concatenate([colour, np.zeros((40, 30, 1), np.uint8)], axis=2)
    assert torch.equal(STUDY(clear), STUDY(np.full((40, 30, 3), 255, np.uint8)))
    alone = Transform(preprocessing=Preprocessing(mean=(0.5,), std=(0.25,)), size=SIZE)
    assert torch.equal(alone(colour)[0], STUDY(colour)[0])


def test_a_copy_of_a_transform_is_the_same_as_for_the_workers_of_a_loader() -> None:
    again = copy.deepcopy(BICUBIC)
    assert again == BICUBIC
    assert again != replace(BICUBIC, size=(32, 32))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (np.zeros((3, 8, 9), np.uint8), r"\[3, 8, 9\] has its channels first; give \[h, w, 3\]: array.transpose"),
        (np.zeros((8, 9, 3), np.float32), r"holds float32; give uint8 levels from 0 to 255.\nOf fractions of white"),
        (np.zeros((2, 8, 9, 3), np.uint8), "holds several images"),
        (np.zeros((0, 9, 3), np.uint8), "is not an image"),
        (np.zeros((8, 9, 5), np.uint8), "is not an image"),
        (np.zeros(8, np.uint8), "is not an image"),
        (torch.zeros(3, 8, 9), r"a Tensor is not an image.*\nOf a uint8 tensor"),
        ([[1, 2]], "a list is not an image"),
        (None, "a NoneType is not an image"),
        ("nothing.jpg", "nothing.jpg' cannot be read: no such file"),
    ],
)
def test_what_is_no_picture_is_rejected_with_what_to_give(wrong: Any, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        STUDY(wrong)
    assert len(str(caught.value).splitlines()) <= 3


def test_an_image_that_was_closed_before_it_was_decoded_is_named(photo: Path) -> None:
    with Image.open(photo) as image:
        pass
    with pytest.raises(InputError, match="the image cannot be read"):
        STUDY(image)
