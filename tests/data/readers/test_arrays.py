"""Arrays of images and labels in the forms in which people keep them are the same images and labels."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.data.readers.test_npz import store
from triscale.data import open_data, open_split
from triscale.data.decode.image import upright_rgb
from triscale.data.readers.arrays import labels_of
from triscale.errors import InputError
from triscale.evaluation import matched_labels

Array = NDArray[Any]

COLOUR: NDArray[np.uint8] = np.random.default_rng(0).integers(0, 256, (20, 6, 7, 3), dtype=np.uint8)
GREY = np.ascontiguousarray(COLOUR[..., :1].repeat(3, axis=3))
INK = (COLOUR[..., :1] > 127).repeat(3, axis=3) * np.uint8(255)
LABELS = np.arange(20) % 2

IMAGES: Mapping[str, tuple[Array, Array]] = {
    "as documented": (COLOUR, COLOUR),
    "channels first": (COLOUR.transpose(0, 3, 1, 2), COLOUR),
    "floats from 0 to 1": (COLOUR / 255, COLOUR),
    "half floats from 0 to 1": ((COLOUR / 255).astype(np.float16), COLOUR),
    "floats from 0 to 255": (COLOUR.astype(np.float32), COLOUR),
    "int64": (COLOUR.astype(np.int64), COLOUR),
    "uint16 from 0 to 255": (COLOUR.astype(np.uint16), COLOUR),
    "grey": (GREY[..., 0], GREY),
    "grey with a channel": (GREY[..., :1], GREY),
    "grey with a channel first": (GREY[:, None, :, :, 0], GREY),
    "grey floats": (GREY[..., 0] / 255, GREY),
    "grey floats, channel first": ((GREY[..., 0] / 255).astype(np.float32)[:, None], GREY),
    "opaque": (np.concatenate([COLOUR, np.full((20, 6, 7, 1), 255, np.uint8)], axis=3), COLOUR),
    "black and white": (INK[..., 0] > 0, INK),
    "zeros and ones": ((INK[..., 0] > 0).astype(np.int32), INK),
}


@pytest.mark.parametrize("form", IMAGES)
def test_every_form_of_pictures_gives_the_same_pixels(tmp_path: Path, cache: Path, form: str) -> None:
    """In training, one by one, and in an evaluation."""
    images, wanted = IMAGES[form]
    store(tmp_path / "train.npz", {"images": images, "labels": LABELS})
    store(tmp_path / "test.npz", {"images": images[:8], "labels": LABELS[:8]})
    source = open_data(tmp_path, cache=cache)
    np.testing.assert_array_equal(source.pictures("train", (6, 7)), wanted)
    np.testing.assert_array_equal(source.pictures("test", (6, 7)), wanted[:8])
    with source.parts["train"].opened(3) as image:
        np.testing.assert_array_equal(np.asarray(image), wanted[3])
    held = open_split(tmp_path / "test.npz", cache=cache)
    np.testing.assert_array_equal(np.concatenate(list(held.part.render((6, 7)))), wanted[:8])
    assert any("read as images of 6x7 px" in note for note in source.notes) == (form != "as documented")


def test_what_is_transparent_is_white_as_in_files(tmp_path: Path, cache: Path) -> None:
    """Within a step of Pillow's own rounding."""
    images = np.concatenate([COLOUR, COLOUR[..., :1]], axis=3)
    store(tmp_path / "train.npz", {"images": images, "labels": LABELS})
    store(tmp_path / "test.npz", {"images": images, "labels": LABELS})
    wanted = np.stack([np.asarray(upright_rgb(Image.fromarray(one))) for one in images]).astype(int)
    assert np.abs(open_data(tmp_path, cache=cache).pictures("test", (6, 7)).astype(int) - wanted).max() <= 1


LABELLED: Mapping[str, tuple[Callable[[Array], Array], tuple[str, ...]]] = {
    "numbers": (lambda y: y, ("0", "1")),
    "a column": (lambda y: y[:, None], ("0", "1")),
    "a row": (lambda y: y[None], ("0", "1")),
    "bytes": (lambda y: y.astype(np.uint8)[:, None], ("0", "1")),
    "floats": (lambda y: y.astype(np.float32), ("0", "1")),
    "truth values": (lambda y: y == 1, ("0", "1")),
    "one-hot": (lambda y: np.eye(2, dtype=int)[y], ("0", "1")),
    "one-hot floats": (lambda y: np.eye(2, dtype=np.float32)[y], ("0", "1")),
    "texts": (lambda y: np.array(["cat", "dog"])[y], ("cat", "dog")),
    "a column of texts": (lambda y: np.array(["cat", "dog"])[y][:, None], ("cat", "dog")),
    "byte strings": (lambda y: np.array([b"cat", b"dog"])[y], ("cat", "dog")),
    "numbers as texts": (lambda y: np.array(["9", "10"])[y], ("9", "10")),
    "a gap": (lambda y: y * 3 + 1, ("1", "4")),
    "numbers far apart": (lambda y: y * 10**12 + 7, ("7", "1000000000007")),
    "a column without images": (lambda y: np.eye(5, dtype=int)[y * 3 + 1], ("1", "4")),
}


@pytest.mark.parametrize("form", LABELLED)
def test_every_form_of_labels_gives_the_same_labels(tmp_path: Path, cache: Path, form: str) -> None:
    made, classes = LABELLED[form]
    for split in ("train", "test"):
        store(tmp_path / f"{split}.npz", {"images": COLOUR, "labels": made(LABELS)})
    source = open_data(tmp_path, cache=cache)
    assert source.classes == classes
    assert source.labels("test").tolist() == LABELS.tolist()


@pytest.mark.parametrize("form", LABELLED)
def test_a_network_is_evaluated_on_the_labels_that_it_was_trained_on(tmp_path: Path, cache: Path, form: str) -> None:
    """Also where a test has one of the classes only, so that its numbers alone do not say which are left out."""
    made, classes = LABELLED[form]
    store(tmp_path / "train.npz", {"images": COLOUR, "labels": made(LABELS)})
    held = open_split(tmp_path / "train.npz", cache=cache)
    assert matched_labels(held, classes).tolist() == LABELS.tolist()
    labels = made(LABELS)
    store(tmp_path / "some.npz", {"images": COLOUR[::2], "labels": labels[:, ::2] if len(labels) == 1 else labels[::2]})
    assert matched_labels(open_split(tmp_path / "some.npz", cache=cache), classes).tolist() == [0] * 10


def test_pictures_of_names_that_training_lacks_are_left_out(tmp_path: Path, cache: Path) -> None:
    store(tmp_path / "train.npz", {"images": COLOUR, "labels": np.array(["cat", "dog"])[LABELS]})
    store(tmp_path / "test.npz", {"images": COLOUR, "labels": np.array(["dog", "cow"])[LABELS]})
    source = open_data(tmp_path, cache=cache)
    assert (source.classes, source.labels("test").tolist()) == (("cat", "dog"), [1] * int((LABELS == 0).sum()))
    assert source.findings[0].text.endswith("since training has no class 'cow'.")
    assert source.findings[0].serious


@pytest.mark.parametrize(("named", "said"), [("train", "numbers"), ("test", "texts")])
def test_names_in_one_split_and_numbers_in_the_other_are_refused(
    tmp_path: Path, cache: Path, named: str, said: str
) -> None:
    for split in ("train", "test"):
        labels = np.array(["cat", "dog"])[LABELS] if split == named else LABELS
        store(tmp_path / f"{split}.npz", {"images": COLOUR, "labels": labels})
    with pytest.raises(InputError, match=rf"test\.npz' has {said} for labels, and the training") as caught:
        open_data(tmp_path, cache=cache)
    assert str(caught.value).count("\n") < 3


def test_a_label_between_those_of_training_is_no_class(tmp_path: Path, cache: Path) -> None:
    store(tmp_path / "train.npz", {"images": COLOUR, "labels": LABELS * 3 + 1})
    store(tmp_path / "test.npz", {"images": COLOUR, "labels": LABELS + 1})
    source = open_data(tmp_path, cache=cache)
    assert (source.classes, set(source.labels("test").tolist())) == (("1", "4"), {0})
    assert source.findings[0].text.endswith("since training has no class '2'.")


def test_texts_follow_the_classes_that_the_file_names(tmp_path: Path, cache: Path) -> None:
    arrays = {"images": COLOUR, "labels": np.array(["cat", "dog"])[LABELS], "classes": np.array(["dog", "cat"])}
    store(tmp_path / "train.npz", arrays)
    store(tmp_path / "test.npz", {"images": COLOUR, "labels": np.array(["cat", "dog"])[LABELS]})
    source = open_data(tmp_path, cache=cache)
    assert (source.classes, source.labels("test").tolist()) == (("dog", "cat"), (1 - LABELS).tolist())


def test_one_row_is_one_picture_whatever_its_form() -> None:
    assert labels_of(np.array([[3]]), 1).numbers.tolist() == [3]
    assert labels_of(np.array([[0, 1]]), 1).numbers.tolist() == [1]
