"""`predict`, `explain` and `export` in a notebook: a model or weights, and images in any form."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import triscale
from tests.nn.networks import randomise
from triscale.errors import InputError, OutputError, TriscaleError, UsageError
from triscale.nn import Model
from triscale.spec import IMAGENET
from triscale.weights import Checkpoint, save

CLASSES = ("cat", "dog", "bird")


@pytest.fixture(scope="module")
def best(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of three classes, with random weights that tell images apart."""
    torch.manual_seed(0)
    model = triscale.build("smallnet_24", num_classes=3)
    randomise(model)
    path = tmp_path_factory.mktemp("weights") / "best.safetensors"
    how = replace(IMAGENET, crop=1.0)
    save(path, Checkpoint(network=model.network, state=model.state_dict(), classes=CLASSES, preprocessing=how))
    return path


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three images in a folder of a folder."""
    draws, root = np.random.default_rng(0), tmp_path_factory.mktemp("photos") / "sub"
    root.mkdir()
    for index in range(3):
        pixels = draws.integers(0, 256, (5, 7, 3), dtype=np.uint8)
        Image.fromarray(pixels).resize((70, 50), Image.Resampling.BICUBIC).save(root / f"{index}.png")
    return sorted(root.iterdir())


def modes(model: torch.nn.Module) -> list[bool]:
    """Of every part."""
    return [one.training for one in model.modules()]


def test_a_prediction_is_the_model_on_its_own_transform(best: Path, photos: list[Path]) -> None:
    model = triscale.load(best)
    (found,) = triscale.predict(model, photos[0], top=3)
    with torch.inference_mode():
        wanted = model(model.transform(Image.open(photos[0]))[None]).double().softmax(1)[0]
    assert [one.probability for one in found.top] == pytest.approx(sorted(wanted.tolist(), reverse=True), rel=1e-6)
    assert found.top[0].name == CLASSES[int(wanted.argmax())]
    assert found.top[0].to_dict().keys() == {"class", "name", "probability"}
    assert repr(found).startswith(f"Prediction({photos[0]}: {found.top[0].name} ")


def test_pictures_may_be_paths_folders_patterns_images_and_arrays(best: Path, photos: list[Path]) -> None:
    wanted = [one.top for one in triscale.predict(best, photos)]
    assert len(set(wanted)) == 3
    arrays = [np.asarray(Image.open(one)) for one in photos]
    root = photos[0].parent
    given: list[Any] = [
        [str(one) for one in photos], root, str(root.parent / "**" / "*.png"), [Image.open(one) for one in photos],
        arrays, np.stack(arrays), (one for one in arrays), [photos[0], arrays[1], Image.open(photos[2])],
    ]  # fmt: skip
    for images in given:
        assert [one.top for one in triscale.predict(best, images)] == wanted
    (alone,) = triscale.predict(best, Image.open(photos[1]))  # whose last bits depend on its batch
    assert [one.name for one in alone.top] == [one.name for one in wanted[1]]


def test_a_model_keeps_the_mode_of_every_part(best: Path, photos: list[Path]) -> None:
    model = triscale.load(best).train()
    assert isinstance(model, Model)
    model.stages[0].eval()
    before, state = modes(model), {name: one.clone() for name, one in model.state_dict().items()}
    found = triscale.predict(model, photos)
    triscale.explain(model, photos[:1], layer="stage1")
    triscale.evaluate(model, [(torch.zeros(2, 3, 24, 24), torch.tensor([0, 1]))])
    assert modes(model) == before
    assert all(one.equal(state[name]) for name, one in model.state_dict().items())
    assert all(one.grad is None for one in model.parameters())
    assert [one.top for one in found] == [one.top for one in triscale.predict(best, photos)]


def test_a_file_that_cannot_be_read_has_a_reason_beside_others_and_is_an_error_alone(
    best: Path, photos: list[Path], tmp_path: Path
) -> None:
    (tmp_path / "a.jpg").write_text("no image")
    for function in (triscale.predict, triscale.explain):
        found: list[Any] = function(best, [photos[0], tmp_path / "a.jpg"])
        assert [one.reason is None for one in found] == [True, False]
        with pytest.raises(InputError, match=r"none of 1 images can be read; the first, '.*a\.jpg': "):
            function(best, tmp_path / "a.jpg")


def test_names_are_given_to_a_model_that_has_none(best: Path, photos: list[Path]) -> None:
    model = triscale.load(best)
    assert isinstance(model, Model)
    model.reset_classifier(2)
    assert {one.name for one in triscale.predict(model, photos[0])[0].top} == {"0", "1"}
    assert {one.name for one in triscale.predict(model, photos[0], classes=["no", "yes"])[0].top} == {"no", "yes"}


@pytest.mark.parametrize("target", ["dog", 1])
def test_a_map_is_drawn_of_any_picture_for_a_class_by_name_or_index(
    best: Path, photos: list[Path], target: Any
) -> None:
    (file,) = triscale.explain(best, photos[0], target=target)
    (array,) = triscale.explain(triscale.load(best), np.asarray(Image.open(photos[0])), target=target)
    assert file.shown == array.shown
    assert file.shown is not None
    assert (file.shown.name, file.shown.index, file.method) == ("dog", 1, "CAM")
    assert file.picture is not None
    assert array.picture is not None
    assert np.array_equal(np.asarray(file.picture), np.asarray(array.picture))


@pytest.fixture(scope="module")
def exported(best: Path) -> Path:
    """The same weights in ONNX."""
    model = triscale.load(best).train()
    assert isinstance(model, Model)
    made = triscale.export(model, best.with_name("exported.onnx"))
    assert made.proof.holds
    assert all(modes(model))
    return best.with_name("exported.onnx")


@pytest.mark.slow
def test_an_exported_model_answers_as_the_model(best: Path, exported: Path, photos: list[Path]) -> None:
    wanted, found = (triscale.predict(one, photos) for one in (best, exported))
    for one, other in zip(wanted, found, strict=True):
        assert [guess.name for guess in one.top] == [guess.name for guess in other.top]
        assert [guess.probability for guess in one.top] == pytest.approx([guess.probability for guess in other.top])


@pytest.mark.slow
def test_an_exported_file_shows_no_maps_and_takes_no_batches(exported: Path, photos: list[Path]) -> None:
    with pytest.raises(UsageError, match="an exported file has no maps to look at"):
        triscale.explain(exported, photos)
    with pytest.raises(UsageError, match="an exported file is evaluated on a data set"):
        triscale.evaluate(exported, [(torch.zeros(2, 3, 24, 24), torch.tensor([0, 1]))])


def wrong_uses(best: Path, model: Model) -> dict[str, Any]:
    """What is typed wrong, by what is said about it."""
    grey = np.zeros((8, 8, 3), np.uint8)
    return {
        "is the name of a network, not of weights": lambda: triscale.predict("smallnet_24", grey),
        "no such run folder or checkpoint": lambda: triscale.predict("nowhere", grey),
        "a Linear has no .transform": lambda: triscale.predict(torch.nn.Linear(1, 1), grey),
        "a Flatten has no .transform": lambda: triscale.evaluate(torch.nn.Flatten(), "pictures/"),
        "top is 0; give a whole number above 0": lambda: triscale.predict(model, grey, top=0),
        "batch is 2.5": lambda: triscale.predict(model, grey, batch=2.5),  # type: ignore[arg-type]
        "2 names are given for the 3 classes": lambda: triscale.predict(model, grey, classes=["a", "b"]),
        "name their classes already": lambda: triscale.predict(best, grey, classes=["a", "b", "c"]),
        "interpolation is 'cubic'": lambda: triscale.predict(best, grey, override={"interpolation": "cubic"}),
        "no image is given": lambda: triscale.predict(best, []),
        "a NoneType is not an image": lambda: triscale.predict(best, None),  # type: ignore[arg-type]
        "a Tensor is not an image": lambda: triscale.predict(best, torch.zeros(3, 8, 8)),
        "channels first": lambda: triscale.predict(best, np.zeros((3, 8, 8), np.uint8)),
        "no image at": lambda: triscale.predict(best, "nothing/*.jpg"),
        "no class 'horse' among the 3": lambda: triscale.explain(best, grey, target="horse"),
        "no class 3 among the 3": lambda: triscale.explain(best, grey, target=3),
        "has no layer 'conv'": lambda: triscale.explain(best, grey, layer="conv"),
        "does not end in .onnx": lambda: triscale.export(best, best.with_name("a.tflite")),
    }


def test_what_is_typed_wrong_is_told_in_three_lines(best: Path) -> None:
    for said, use in wrong_uses(best, triscale.build("smallnet_24", num_classes=3)).items():
        with pytest.raises(TriscaleError) as caught:
            use()
        assert said in str(caught.value)
        assert len(str(caught.value).splitlines()) <= 3


def test_a_folder_that_is_not_there_is_found_before_the_weights_are_read(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="does not exist"):
        triscale.export("nowhere", tmp_path / "none" / "a.onnx")
