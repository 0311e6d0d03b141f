"""EfficientNet of Hugging Face transformers: its own folders give its own answers."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from tests.nn.networks import randomise
from triscale.data.decode.image import decode
from triscale.data.feed.in_memory import to_tensor
from triscale.errors import InputError
from triscale.weights import load_classifier, load_weights

transformers = pytest.importorskip(
    "transformers", reason="transformers is not installed: pip install transformers, to compare with it"
)

SIZES = {"b0": (1.0, 1.0, 224, 1280, []), "b1": (1.0, 1.1, 240, 1280, [16]), "b2": (1.1, 1.2, 260, 1408, [5, 8, 16])}
"""Width, depth, pixels, width of the head and the padding of strided blocks, as in Google's configs on the hub."""

STD = (0.47853944, 0.4732864, 0.47434163)
"""Google's: the square roots of ImageNet's, since `include_top` divides twice."""


def config_of(size: str, **changed: Any) -> Any:
    width, depth, side, hidden, padding = SIZES[size]
    names = {0: "cat", 1: "dog", 2: "cow"}
    fields = {
        "width_coefficient": width,
        "depth_coefficient": depth,
        "image_size": side,
        "hidden_dim": hidden,
        "depthwise_padding": padding,
        "id2label": names,
        "label2id": {name: index for index, name in names.items()},
    }
    return transformers.EfficientNetConfig(**fields | changed)


def saved(folder: Path, config: Any, how: dict[str, Any] | None = None) -> Any:
    """The model that transformers made and saved, in evaluation mode."""
    torch.manual_seed(0)
    model = transformers.EfficientNetForImageClassification(config)
    randomise(model)
    model.eval().save_pretrained(folder)
    if how is not None:
        transformers.EfficientNetImageProcessor(**how).save_pretrained(folder)
    return model


@pytest.mark.parametrize("size", SIZES)
def test_logits_match_transformers(size: str, tmp_path: Path) -> None:
    theirs = saved(tmp_path, config_of(size))
    side = SIZES[size][2]
    x = torch.randn(2, 3, side, side).cumsum(3).mul(0.1)

    found = load_weights(tmp_path)
    with torch.inference_mode():
        expected, answers = theirs(x).logits, found.model()(x)

    assert float((answers - expected).abs().max()) <= 1e-5 * float(expected.abs().max())
    assert found.classes == ("cat", "dog", "cow")
    assert found.network.name == f"efficientnet_{size}"
    assert found.preprocessing.resolution == (side, side)
    assert not any("depthwise_padding" in note for note in found.notes)


@pytest.mark.parametrize(
    "how",
    [
        {"image_mean": [0.485, 0.456, 0.406], "image_std": STD, "resample": 2},
        {"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.4, 0.5], "include_top": False, "resample": 3},
        {"rescale_factor": 1 / 127.5, "rescale_offset": True, "include_top": False, "resample": 2},
        {"do_normalize": False, "include_top": False, "resample": 2},
        {"do_center_crop": True, "crop_size": {"height": 42, "width": 42}, "resample": 3},
    ],
)
def test_pixels_match_the_image_processor(how: dict[str, Any], tmp_path: Path) -> None:
    """To one of 255 levels, by which the resizing of torchvision differs from Pillow's."""
    saved(tmp_path, config_of("b0"), how | {"size": {"height": 56, "width": 56}})
    smooth = np.random.default_rng(0).integers(0, 256, (9, 7, 3), dtype=np.uint8)
    image = Image.fromarray(smooth).resize((140, 180), Image.Resampling.BICUBIC)
    image.save(tmp_path / "x.png")

    one = load_classifier(tmp_path)
    pixels = decode((tmp_path / "x.png").read_bytes(), one.resolution, one.preprocessing)
    ours = to_tensor(pixels[None], one.preprocessing.mean, one.preprocessing.std)
    theirs = transformers.EfficientNetImageProcessor.from_pretrained(tmp_path)(image, return_tensors="pt")[
        "pixel_values"
    ]
    level = 1.01 / (255 * min(one.preprocessing.std))

    assert ours.shape == theirs.shape
    assert float((ours - theirs).abs().max()) <= level
    assert float((ours - theirs).abs().mean()) <= 0.1 * level


def test_a_network_without_its_classifier_begins_a_training(tmp_path: Path) -> None:
    """`EfficientNetModel` saves the same tensors without the first word of their names."""
    model = saved(tmp_path / "whole", config_of("b0"))
    model.efficientnet.save_pretrained(tmp_path / "base")

    whole = load_weights(tmp_path / "whole")
    base = load_weights(tmp_path / "base", headless=True)

    assert base.lacks == "it holds no classifier"
    assert base.state.keys() == whole.state.keys() - {"classifier.weight", "classifier.bias"}
    assert all(torch.equal(tensor, whole.state[name]) for name, tensor in base.state.items())


def test_padding_of_another_size_is_said(tmp_path: Path) -> None:
    saved(tmp_path, config_of("b1", image_size=64))

    assert any("transformers itself answers a little otherwise" in note for note in load_weights(tmp_path).notes)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"model_type": "resnet"}, "'resnet'"),
        ({"hidden_act": "relu"}, "hidden_act relu"),
        ({"pooling_type": "max"}, "pooling_type max"),
        ({"strides": [1, 2, 2, 1, 1, 2, 1]}, "strides"),
        ({"batch_norm_eps": "x"}, "batch_norm_eps"),
    ],
)
def test_a_config_of_something_else_is_refused_by_name(changed: dict[str, Any], said: str, tmp_path: Path) -> None:
    saved(tmp_path, config_of("b0"))
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | changed))

    with pytest.raises(InputError, match=said) as caught:
        load_weights(tmp_path)

    assert "config.json" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_timm_wrapper_answers_as_transformers_does(tmp_path: Path) -> None:
    """It saves timm's models with timm's own words in the config, under a prefix."""
    config = transformers.TimmWrapperConfig(architecture="mnasnet_small", num_labels=3, label_names=["a", "b", "c"])
    theirs = transformers.TimmWrapperForImageClassification(config)
    randomise(theirs)
    theirs.eval().save_pretrained(tmp_path)
    x = torch.randn(2, 3, 48, 48)

    found = load_weights(tmp_path)
    with torch.inference_mode():
        expected, answers = theirs(x).logits, found.model()(x)

    assert float((answers - expected).abs().max()) <= 1e-5 * float(expected.abs().max())
    assert found.classes == ("a", "b", "c")
