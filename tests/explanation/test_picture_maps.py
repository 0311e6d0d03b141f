"""Explaining files: the lock of the weights decides what the network sees and what is drawn."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.nn.networks import randomise
from triscale.errors import NumericError, UsageError
from triscale.explanation import Explanation, explanations, overlay
from triscale.explanation.picture_maps import class_index
from triscale.families import network
from triscale.nn import build
from triscale.spec import TFLITE, Preprocessing
from triscale.weights import Classifier

HOW = replace(TFLITE, resolution=(96, 96))


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    draws = np.random.default_rng(0)
    rough = Image.fromarray(draws.integers(0, 256, (6, 9, 3), dtype=np.uint8))
    rough.resize((180, 120), Image.Resampling.BICUBIC).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def classifier(how: Preprocessing = HOW) -> Classifier:
    torch.manual_seed(0)
    model = build(network("smallnet_24"))
    randomise(model)
    classes = tuple(f"class {index}" for index in range(model.network.classes))
    return Classifier(model=model, classes=classes, preprocessing=how)


def explained(how: Preprocessing, photo: Path) -> Explanation[Path]:
    (found,) = explanations(classifier(how), [photo], wanted="class 3")
    return found


def pixels(one: Explanation[Path]) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    assert one.picture is not None
    return np.asarray(one.picture).astype(np.int64)


def test_the_map_lies_over_the_very_pixels_that_the_network_saw(photo: Path) -> None:
    """By hand: 120 px resized to 96 / 0.875 = 109, the centre cut out, (x - 127) / 128."""
    whole = Image.open(photo).resize((int(109 * 180 / 120), 109), Image.Resampling.BICUBIC)
    left, top = round((whole.width - 96) / 2), round((whole.height - 96) / 2)
    seen = np.asarray(whole.crop((left, top, left + 96, top + 96)))
    normal = torch.from_numpy((seen.astype(np.float32) - 127) / 128).permute(2, 0, 1)[None]
    model = classifier().own_model.eval()
    with torch.inference_mode():
        expected = torch.einsum("chw,c->hw", model.forward_features(normal)[0], model.classifier.weight[3])

    by_hand = np.asarray(overlay(seen, expected.numpy())).astype(np.int64)
    assert np.abs(pixels(explained(HOW, photo)) - by_hand).max() <= 1


@pytest.mark.parametrize(
    "other",
    [
        {"mean": (0.2, 0.5, 0.8)},
        {"std": (0.25, 0.25, 0.25)},
        {"crop": 0.5},
        {"interpolation": "nearest"},
        {"fit": "squash"},
        {"resolution": (64, 96)},
    ],
)
def test_another_lock_gives_another_map_and_another_probability(photo: Path, other: dict[str, object]) -> None:
    one, two = explained(HOW, photo), explained(replace(HOW, **other), photo)  # type: ignore[arg-type]

    assert one.shown is not None
    assert two.shown is not None
    assert abs(one.shown.probability - two.shown.probability) > 1e-6
    assert pixels(one).shape != pixels(two).shape or np.abs(pixels(one) - pixels(two)).max() > 2


def test_a_turned_picture_is_drawn_upright(photo: Path, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned right by 90 degrees
    turned = tmp_path / "turned.png"
    Image.open(photo).transpose(Image.Transpose.ROTATE_90).save(turned, exif=exif)
    assert np.array_equal(pixels(explained(HOW, photo)), pixels(explained(HOW, turned)))


def test_the_order_is_that_of_the_files_with_bad_ones_between(photo: Path) -> None:
    files = [photo, Path(__file__), photo, photo, photo, photo.with_name("none.png"), photo]
    found = list(explanations(classifier(), files))
    assert [one.image for one in found] == files
    assert [one.reason is None for one in found] == [True, False, True, True, True, False, True]
    shown = [one.shown for one in found if one.shown]
    assert {one.name for one in shown} == {shown[0].name}
    # An image's last bits depend on how many stand in its batch.
    assert [one.probability for one in shown] == pytest.approx([shown[0].probability] * len(shown))


def test_a_class_is_found_by_name_before_index() -> None:
    names = ["1", "dog", "golden retriever"]
    assert [class_index(names, text) for text in ("1", "0", "2", "golden retriever")] == [0, 0, 2, 2]
    with pytest.raises(UsageError, match="did you mean golden retriever"):
        class_index(names, "golden retreiver")
    with pytest.raises(UsageError, match=r"no class '3' among the 3 .*: they are 1, dog, golden retriever$"):
        class_index(names, "3")


def test_weights_that_are_not_numbers_are_said_so_with_the_picture(photo: Path) -> None:
    broken = classifier()
    torch.nn.init.constant_(broken.own_model.classifier.bias, float("nan"))
    with pytest.raises(NumericError, match=r"photo\.png"):
        list(explanations(broken, [photo]))
