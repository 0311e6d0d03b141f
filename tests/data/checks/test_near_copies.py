"""Near copies: what PIL makes of a photo looks like it, and another photo does not."""

import io
import random
from collections.abc import Callable, Mapping
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from tests.paths import real_data
from triscale.data import CheckOptions, SplitRule, open_data
from triscale.data.checks.near_copies import BYTES, COARSE, COLOUR, FINE, alike, look_of, looks_of, near_groups
from triscale.data.decode.image import examine

LANCZOS = Image.Resampling.LANCZOS


def encoded(image: Image.Image, kind: str, quality: int) -> Image.Image:
    stream = io.BytesIO()
    image.save(stream, kind, quality=quality)
    return Image.open(io.BytesIO(stream.getvalue())).convert("RGB")


def scaled(image: Image.Image, by: float) -> Image.Image:
    return image.resize((round(image.width * by), round(image.height * by)), LANCZOS)


COPIES: Mapping[str, Callable[[Image.Image], Image.Image]] = {
    "half": lambda image: scaled(image, 0.5),
    "double": lambda image: scaled(image, 2),
    "another shape": lambda image: image.resize((image.width, image.height * 3 // 4), LANCZOS),
    "jpeg": lambda image: encoded(image, "JPEG", 40),
    "webp": lambda image: encoded(image, "WEBP", 50),
    "smaller and jpeg": lambda image: encoded(scaled(image, 0.66), "JPEG", 75),
    "brighter": lambda image: ImageEnhance.Brightness(image).enhance(1.15),
    "paler": lambda image: ImageEnhance.Contrast(image).enhance(0.85),
}


def clothing(count: int) -> list[Path]:
    return random.Random(0).sample(sorted(real_data("clothing").rglob("*.jpg")), count)


@pytest.mark.parametrize("kind", COPIES)
def test_copies_that_pil_makes_of_photos_are_found(kind: str) -> None:
    """At least 39 of 40."""
    found = 0
    for path in clothing(40):
        with Image.open(path) as photo:
            found += near_groups([examine(path).look, look_of(COPIES[kind](photo.convert("RGB")))]) == [0, 0]
    assert found >= 39


def test_different_photos_are_not_near() -> None:
    """Of 300 photos, 44,850 pairs; the one pair of the whole set that is near is a copy."""
    looks = [examine(path).look for path in clothing(300)]
    assert all(looks)
    assert near_groups(looks) == list(range(300))


def test_a_photo_looks_the_same_however_exif_turns_it(tmp_path: Path) -> None:
    with Image.open(clothing(1)[0]) as photo:
        upright, exif = photo.convert("RGB"), Image.Exif()
    exif[0x0112] = 6
    upright.save(tmp_path / "upright.png")
    upright.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "turned.png", exif=exif)
    assert examine(tmp_path / "upright.png").look == examine(tmp_path / "turned.png").look


@pytest.mark.parametrize("colour", ["white", "black", (200, 30, 40)])
def test_an_image_that_shows_nothing_has_no_look(colour: str) -> None:
    assert look_of(Image.new("RGB", (64, 64), colour)) == ""


def test_arrays_look_as_the_images_in_them() -> None:
    draws = np.random.default_rng(0)
    for side in (16, 40, 100, 200):
        images = draws.integers(0, 256, (3, side, side + 7, 3), dtype=np.uint8)
        assert looks_of(images) == [look_of(Image.fromarray(one)) for one in images]


def test_small_images_have_no_look_and_equal_ones_of_no_look_are_not_near() -> None:
    assert looks_of(np.random.default_rng(0).integers(0, 256, (2, 12, 28, 3), dtype=np.uint8)) == ["", ""]
    assert near_groups(["", ""]) == [0, 1]


def test_the_same_shape_in_another_colour_is_another_image() -> None:
    shapes = [Image.new("RGB", (64, 64), "white") for _ in range(2)]
    for image, colour in zip(shapes, ("red", "blue"), strict=True):
        image.paste(colour, (10, 20, 40, 60))
    assert near_groups([look_of(image) for image in shapes]) == [0, 1]


def near_by_definition(one: str, other: str) -> bool:
    a, b = (np.frombuffer(bytes.fromhex(look), np.uint8) for look in (one, other))
    signs = np.unpackbits(a[:40] ^ b[:40])
    colour = 2 * np.abs(a[40:].astype(int) - b[40:]).mean()
    return bool(signs[:64].sum() <= COARSE and signs[64:].sum() <= FINE and colour <= COLOUR)


def test_groups_are_those_of_all_pairs() -> None:
    """The tables miss no pair that a comparison of each with each finds."""
    draws = np.random.default_rng(0)
    base = draws.integers(1, 256, (40, BYTES), dtype=np.uint8)
    some = np.repeat(base, 6, axis=0)
    some[:, :40] ^= np.packbits(draws.random((240, 320)) < draws.choice([0.0, 0.02, 0.06, 0.12], (240, 1)), axis=1)
    looks = [one.tobytes().hex() for one in some]
    groups = {index: {index} for index in range(240)}
    for one, other in combinations(range(240), 2):
        if near_by_definition(looks[one], looks[other]):
            joined = groups[one] | groups[other]
            groups.update(dict.fromkeys(joined, joined))
    assert len({min(group) for group in groups.values()}) in range(41, 240), "some are near, some are not"
    assert near_groups(looks) == [min(groups[index]) for index in range(240)]


def test_a_group_is_named_by_its_least_digest_in_any_order() -> None:
    look = looks_of(np.random.default_rng(0).integers(0, 256, (1, 40, 40, 3), dtype=np.uint8))[0]
    assert alike(["b", "a", "c"], [look, look, ""]) == {"a": "a", "b": "a"}


def test_near_copies_are_reported_and_kept_together_where_that_is_asked_for(tmp_path: Path, cache: Path) -> None:
    root, shapes = tmp_path / "set", np.random.default_rng(0).integers(0, 256, (2, 20, 16, 16, 3), dtype=np.uint8)
    for label, name in enumerate(("cat", "dog")):
        (root / name).mkdir(parents=True)
        for index, pixels in enumerate(shapes[label]):
            image = Image.fromarray(pixels).resize((128, 128), Image.Resampling.BICUBIC)
            image.save(root / name / f"{index}.png")
            scaled(image, 0.75).save(root / name / f"{index} small.jpg", quality=80)
    apart = open_data(root, cache=cache)
    found = next(one for one in apart.findings if one.kind == "near copies")
    assert (found.count, found.serious) == (40, False)
    assert "--group-by near" in found.text
    together = open_data(root, cache=cache, policy=CheckOptions(split=SplitRule(group_by="near")))
    stems = {
        split: {part.name(index)[:-4].removesuffix(" small") for index in range(len(part.labels))}
        for split, part in together.parts.items()
    }
    assert not stems["train"] & stems["test"]
    assert {len(part.labels) for part in together.parts.values()} == {64, 16}
    split = together.training_split(seed=0)
    named = [{together.parts["train"].name(one)[:-4].removesuffix(" small") for one in some}
             for some in (split.training, split.validation)]  # fmt: skip
    assert not named[0] & named[1]
    assert together.fingerprint == apart.fingerprint


def test_one_near_copy_is_reported_in_the_singular(tmp_path: Path, cache: Path) -> None:
    images = np.random.default_rng(0).integers(0, 200, (12, 32, 32, 3), dtype=np.uint8)
    np.savez(tmp_path / "train.npz", images=images, labels=np.arange(12) % 2)
    np.savez(tmp_path / "test.npz", images=images[:1] + 3, labels=[0])
    (found,) = (one.text for one in open_data(tmp_path, cache=cache).findings if one.kind == "near copies")
    assert found.startswith("1 image is a near copy of another (resized, re-encoded), and 1 of the images to test ")
    assert "validate on looks like a training image;" in found


def test_near_copies_in_arrays_are_found(tmp_path: Path, cache: Path) -> None:
    images = np.random.default_rng(0).integers(0, 200, (12, 32, 32, 3), dtype=np.uint8)
    np.savez(tmp_path / "train.npz", images=images, labels=np.arange(12) % 2)
    np.savez(tmp_path / "test.npz", images=images[:4] + 3, labels=np.arange(4) % 2)
    for _ in range(2):  # the second time from memory
        found = {one.kind: one for one in open_data(tmp_path, cache=cache).findings}
        assert found["near copies"].count == 4
        assert "4 of the images to test or validate on look like training images" in found["near copies"].text
