"""Augmentation: the paper's crop, the policies, and pixels that are those of the plain chain."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.data.hostile import scene
from triscale.data.decode.image import UnreadableError, opened
from triscale.data.decode.jpeg_part import Box, part_decoder
from triscale.data.feed.in_memory import to_tensor
from triscale.data.transforms.auto_augment import AUTOAUGMENT_V0, autoaugment, randaugment
from triscale.data.transforms.auto_operations import OPS
from triscale.data.transforms.normalize import normalised
from triscale.data.transforms.random_crop import RandomCrop, cut, draft_of, reduced
from triscale.data.transforms.train_augment import PhotoAugmentation, draws_for, jpeg_photo, photo
from triscale.errors import UsageError
from triscale.spec import IMAGENET, Preprocessing

SIZE = (48, 64)
NONE = PhotoAugmentation(crop=None, flip=0)


def photograph(width: int = 500, height: int = 375, seed: int = 0) -> Image.Image:
    """Smooth forms of several sizes with a little noise, as photos have them."""
    draws = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width]
    waves = np.zeros((height, width, 3))
    for s in (4, 11, 40):
        waves += np.stack(
            [np.sin(rows / s + draws.uniform(0, 6)) * np.cos(columns / s + draws.uniform(0, 6)) for _ in "rgb"], -1
        )
    return Image.fromarray(np.clip(127 + 35 * waves + draws.normal(0, 6, waves.shape), 0, 255).astype(np.uint8))


def augmented(
    path: Path, augmentation: PhotoAugmentation, number: int = 0, how: Preprocessing = IMAGENET
) -> np.ndarray:
    with opened(path) as image:
        return photo(image, SIZE, how, augmentation, draws_for(0, 0, number)).numpy()


@pytest.fixture(scope="module")
def jpeg(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("photo") / "a.jpg"
    photograph().save(path, quality=92)
    return path


# --- the crop


@given(height=st.integers(1, 900), width=st.integers(1, 900), number=st.integers(0, 10**6))
def test_a_random_crop_keeps_its_limits(height: int, width: int, number: int) -> None:
    box = RandomCrop().drawn((height, width), draws_for(0, 0, number))
    if box is None:
        return
    left, top, right, bottom = box
    assert 0 <= left < right <= width
    assert 0 <= top < bottom <= height
    assert 0.1 * height * width <= (right - left) * (bottom - top) <= height * width
    wide, high = right - left, bottom - top
    # Within the rounding of either side to whole pixels.
    assert (wide - 1) / (high + 1) <= 4 / 3
    assert (wide + 1) / max(high - 1, 0.5) >= 3 / 4


def test_heights_of_crops_of_one_ratio_are_even_as_in_tensorflow() -> None:
    """Between the roots of the least and largest area; torchvision's would crowd at the small end."""
    crop = RandomCrop(ratio=(1.0, 1.0), cover=0)
    boxes = [crop.drawn((200, 200), draws_for(0, 0, number)) for number in range(4000)]
    heights = np.array([box[3] - box[1] for box in boxes if box])
    assert (heights.min(), heights.max()) == (57, 200)
    quartiles = np.quantile(heights, [0.25, 0.5, 0.75])
    np.testing.assert_allclose(quartiles, np.quantile(np.arange(57, 201), [0.25, 0.5, 0.75]), atol=4)


def test_where_no_crop_fits_the_centre_is_taken(tmp_path: Path) -> None:
    """A strip has no part of a tenth of its area that is nearly square."""
    Image.new("RGB", (1000, 1), (9, 8, 7)).save(tmp_path / "a.png")
    assert RandomCrop().drawn((1, 1000), draws_for(0, 0, 0)) is None
    np.testing.assert_array_equal(
        augmented(tmp_path / "a.png", PhotoAugmentation(), how=Preprocessing())[0, 0], [9, 8, 7]
    )


@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (3000, 1), (7, 5)])
def test_every_shape_survives_every_augmentation(tmp_path: Path, shape: tuple[int, int]) -> None:
    Image.new("RGB", shape, (10, 20, 30)).save(tmp_path / "a.png")
    for policy in ("none", "autoaugment", "randaugment"):
        got = augmented(tmp_path / "a.png", PhotoAugmentation(policy=policy, jitter=0.4, erase=1))
        assert got.shape == (*SIZE, 3)


# --- pixels


def exact(path: Path, box: Box, by: Image.Resampling) -> np.ndarray:
    """Decoded whole, cut, then resized by Pillow."""
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB").crop(box).resize(SIZE[::-1], by)).astype(int)


@pytest.mark.parametrize(
    ("name", "by"), [("bicubic", Image.Resampling.BICUBIC), ("bilinear", Image.Resampling.BILINEAR)]
)
def test_a_cut_without_reduction_is_that_of_pillow_to_the_level(jpeg: Path, name: str, by: Image.Resampling) -> None:
    for box in ((10, 20, 100, 110), (0, 0, 64, 48), (3, 3, 40, 30), (100, 50, 180, 140)):
        with opened(jpeg) as image:
            assert draft_of(image, box, SIZE) == 1
            got = cut(image, box, SIZE, name).numpy().astype(int)  # type: ignore[arg-type]
        assert np.abs(got - exact(jpeg, box, by)).max() <= 1


@pytest.mark.parametrize(("box", "times"), [((0, 0, 500, 375), 4), ((20, 20, 300, 250), 4), ((50, 40, 210, 160), 2)])
def test_a_reduced_decoding_is_near_the_exact_chain(jpeg: Path, box: Box, times: int) -> None:
    """The mean error is that of JPEG's own halving, about a level, and nothing is moved."""
    with opened(jpeg) as image:
        assert draft_of(image, box, SIZE) == times
        got = cut(image, box, SIZE, "bicubic").numpy().astype(int)
    left, top, right, bottom = moved = [edge * times for edge in reduced(box, times)]
    assert max(abs(there - asked) for there, asked in zip(moved, box, strict=True)) <= times / 2
    error = np.abs(got - exact(jpeg, (left, top, min(right, 500), min(bottom, 375)), Image.Resampling.BICUBIC))
    assert error.mean() < 2.5
    assert np.abs(got.mean() - exact(jpeg, box, Image.Resampling.BICUBIC).mean()) < 1


@pytest.mark.parametrize("decoder", ["simplejpeg", "turbojpeg"])
def test_the_fast_decoders_give_the_pixels_of_pillow(jpeg: Path, monkeypatch: pytest.MonkeyPatch, decoder: str) -> None:
    """Whole and reduced; so pixels do not depend on what is installed."""
    if (part_decoder() if decoder == "turbojpeg" else find_spec(decoder)) is None:
        pytest.skip(f"{decoder}, of the extra `fast`, is not installed")
    if decoder == "simplejpeg":
        monkeypatch.setattr("triscale.data.transforms.random_crop.part_decoder", lambda: None)

    def cuts() -> list[np.ndarray]:
        found = []
        for box in ((0, 0, 500, 375), (10, 20, 100, 110), (20, 20, 300, 250), (50, 40, 210, 160)):
            with opened(jpeg) as image:
                found.append(cut(image, box, SIZE, "bicubic").numpy())
        return found

    fast = cuts()
    monkeypatch.setattr("triscale.data.transforms.random_crop._fast_decoder", lambda: None)
    monkeypatch.setattr("triscale.data.transforms.random_crop.part_decoder", lambda: None)
    for one, other in zip(fast, cuts(), strict=True):
        np.testing.assert_array_equal(other, one)


def test_a_truncated_photo_is_never_cut(jpeg: Path, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(jpeg.read_bytes()[:20_000])
    with pytest.raises(UnreadableError), opened(tmp_path / "a.jpg") as image:
        cut(image, (0, 0, 500, 375), SIZE, "bicubic")


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_boxes_are_those_of_the_upright_picture(tmp_path: Path, orientation: int) -> None:
    undo = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = scene() if orientation == 1 else scene().transpose(undo[orientation])
    stored.save(tmp_path / "a.jpg", exif=exif, quality=95)
    with opened(tmp_path / "a.jpg") as image:
        got = cut(image, (0, 0, 48, 24), SIZE, "bilinear").numpy().astype(int)
    assert np.abs(got - np.array([30, 160, 70])).mean() < 6


def test_grey_palette_and_alpha_are_cut_as_rgb(tmp_path: Path) -> None:
    for mode in ("L", "P", "RGBA", "1"):
        scene().convert(mode).save(tmp_path / "a.png")
        assert augmented(tmp_path / "a.png", PhotoAugmentation()).shape == (*SIZE, 3)


@pytest.mark.parametrize("how", [IMAGENET, Preprocessing(mean=(0.4,), std=(0.3,))])
def test_normalised_values_are_those_of_evaluation(how: Preprocessing) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    out = torch.empty(5, 7, len(how.mean))
    normalised(torch.from_numpy(pixels), how, out)
    wanted = to_tensor(pixels[None], how.mean, how.std)[0].permute(1, 2, 0)
    torch.testing.assert_close(wanted, out, rtol=0, atol=0)


# --- a function of what is drawn

KINDS = {
    "crop": PhotoAugmentation(),
    "autoaugment": PhotoAugmentation(policy="autoaugment"),
    "randaugment": PhotoAugmentation(policy="randaugment", layers=2, magnitude=17),
    "jitter": PhotoAugmentation(jitter=0.4),
    "erase": PhotoAugmentation(erase=1),
}


@pytest.mark.parametrize("kind", KINDS)
def test_pixels_depend_on_seed_epoch_and_index_and_on_nothing_else(jpeg: Path, kind: str) -> None:
    np.testing.assert_array_equal(augmented(jpeg, KINDS[kind], 3), augmented(jpeg, KINDS[kind], 3))
    assert len({augmented(jpeg, KINDS[kind], number).tobytes() for number in range(8)}) == 8


def test_streams_of_neighbours_are_different() -> None:
    drawn = {tuple(draws_for(*key).random(3)) for key in ((0, 0, 0), (0, 0, 1), (0, 1, 0), (1, 0, 0))}
    assert len(drawn) == 4


def test_flips_are_half(jpeg: Path) -> None:
    still, mirrored = augmented(jpeg, NONE), augmented(jpeg, NONE)[:, ::-1]
    got = [augmented(jpeg, PhotoAugmentation(crop=None), number) for number in range(200)]
    flipped = sum(np.array_equal(one, mirrored) for one in got)
    assert flipped + sum(np.array_equal(one, still) for one in got) == 200
    assert 70 < flipped < 130


def test_erasing_leaves_the_rest_as_it_was(jpeg: Path) -> None:
    still = augmented(jpeg, NONE)
    for number in range(10):
        got = augmented(jpeg, PhotoAugmentation(crop=None, flip=0, erase=1), number)
        rows, columns = np.nonzero((got != still).any(axis=2))
        area = (rows.max() - rows.min() + 1) * (columns.max() - columns.min() + 1) / (SIZE[0] * SIZE[1])
        assert 0.01 < area < 0.36


def test_every_operation_of_the_policy_is_known_and_of_25_pairs() -> None:
    assert len(AUTOAUGMENT_V0) == 25
    assert {name for pair in AUTOAUGMENT_V0 for name, _, _ in pair} <= OPS.keys()


def test_the_policy_matches_timm() -> None:
    """The pairs, probabilities and levels; timm shifts by a fraction under another name."""
    timm = pytest.importorskip("timm.data.auto_augment")
    theirs = [[(op.name, op.prob, op.magnitude) for op in pair] for pair in timm.auto_augment_policy_v0({})]
    names = {"TranslateYRel": "TranslateY"}
    assert [[(names.get(n, n), p, m) for n, p, m in pair] for pair in theirs] == [list(pair) for pair in AUTOAUGMENT_V0]


@pytest.mark.parametrize("name", ["AutoContrast", "Equalize", "Invert", "Posterize", "Solarize", "SolarizeAdd", "Color",
                                  "Contrast", "Brightness", "Sharpness"])  # fmt: skip
def test_operations_without_a_place_match_timm(name: str) -> None:
    timm = pytest.importorskip("timm.data.auto_augment")
    for level in (3, 6, 9):
        theirs = timm.AugmentOp(name, prob=1.0, magnitude=level)(photograph(60, 40))
        got = OPS[name](photograph(60, 40), level / 10, draws_for(0, 0, 0))
        np.testing.assert_array_equal(np.asarray(theirs), np.asarray(got))


@pytest.mark.parametrize("name", OPS)
def test_every_operation_keeps_size_and_mode_at_every_level(name: str) -> None:
    picture = photograph(40, 30)
    for level in (0, 1, 10, 17, 28):
        got = OPS[name](picture, level / 10, draws_for(0, 0, level))
        assert (got.size, got.mode) == (picture.size, "RGB")
    np.testing.assert_array_equal(np.asarray(picture), np.asarray(photograph(40, 30)), "the image itself was changed")


def test_policies_change_most_pictures_and_not_all() -> None:
    picture = photograph(40, 30)
    for apply in (autoaugment, lambda image, draws: randaugment(image, 2, 9, draws)):
        same = sum(apply(picture, draws_for(0, 0, number)).tobytes() == picture.tobytes() for number in range(100))
        assert 0 < same < 50


@pytest.mark.parametrize("wrong", [{"flip": 2}, {"erase": -1}, {"jitter": float("nan")}, {"layers": -1}])
def test_numbers_that_cannot_be_meant_are_usage_errors(wrong: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        PhotoAugmentation(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("augmentation", [
    PhotoAugmentation(), PhotoAugmentation(policy="randaugment", jitter=0.3, erase=0.5),
    PhotoAugmentation(crop=RandomCrop(area=(0.01, 0.3))),
])  # fmt: skip
def test_the_bytes_of_a_jpeg_give_the_same_photo_as_its_opened_file(
    jpeg: Path, augmentation: PhotoAugmentation
) -> None:
    if part_decoder() is None:
        pytest.skip("libjpeg-turbo 3, of the extra `fast`, is not installed")
    for number in range(12):
        found = jpeg_photo(jpeg.read_bytes(), SIZE, IMAGENET, augmentation, draws_for(0, 0, number))
        assert found is not None
        np.testing.assert_array_equal(found.numpy(), augmented(jpeg, augmentation, number))


def test_what_may_be_turned_or_is_no_jpeg_is_left_to_pillow(jpeg: Path, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    photograph().save(tmp_path / "turned.jpg", exif=exif)
    photograph().convert("L").save(tmp_path / "grey.jpg")
    photograph().save(tmp_path / "a.png")
    for name in ("turned.jpg", "grey.jpg", "a.png"):
        data = (tmp_path / name).read_bytes()
        assert jpeg_photo(data, SIZE, IMAGENET, PhotoAugmentation(), draws_for(0, 0, 0)) is None
    nothing = PhotoAugmentation(crop=None)
    assert jpeg_photo(jpeg.read_bytes(), SIZE, IMAGENET, nothing, draws_for(0, 0, 0)) is None
