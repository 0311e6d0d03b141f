"""Class activation maps are exact: their mean plus the bias is the logit."""

import numpy as np
import pytest
import torch

from triscale.explanation import class_activation_maps, overlay
from triscale.families import network
from triscale.nn import build


@pytest.mark.parametrize("name", ["smallnet_24", "mobilenet_v1", "resnet18"])
def test_the_mean_of_a_map_plus_the_bias_is_the_logit(name: str) -> None:
    torch.manual_seed(0)
    model = build(network(name)).eval()
    x = torch.randn(2, 3, 40, 56)
    with torch.inference_mode():
        expected = model(x)
        logits, maps = class_activation_maps(model, x)
    assert torch.allclose(expected, logits, atol=1e-4)
    assert torch.allclose(maps.mean((2, 3)) + model.classifier.bias, expected, atol=1e-4)
    assert maps.shape[:2] == expected.shape


def test_behind_a_hidden_layer_the_mean_of_a_map_is_the_logit_minus_what_the_biases_give() -> None:
    """MobileNetV3: without biases, the mean of the map is the logit itself."""
    torch.manual_seed(0)
    model = build(network("mobilenet_v3_small")).eval()
    x = torch.randn(2, 3, 40, 56)
    logits, maps = class_activation_maps(model, x)
    with torch.inference_mode():
        assert torch.allclose(model(x), logits, atol=1e-5)
    assert torch.allclose(maps.mean((2, 3)), logits, atol=1e-5)
    linear = model.hidden[0]
    assert isinstance(linear, torch.nn.Linear)
    torch.nn.init.normal_(linear.bias)
    torch.nn.init.normal_(model.classifier.bias)
    logits, maps = class_activation_maps(model, x)
    with torch.inference_mode():
        pooled = model.forward_features(x).mean((2, 3))
        gates = model.hidden(pooled) / linear(pooled)
        biases = model.classifier(gates * linear.bias)
    assert torch.allclose(maps.mean((2, 3)) + biases, logits, atol=1e-4)


def test_an_overlay_is_brightest_red_where_the_map_is_highest() -> None:
    picture = np.full((16, 16, 3), 128, np.uint8)
    activation = np.zeros((4, 4), np.float32)
    activation[3, 0] = 1.0
    shown = np.asarray(overlay(picture, activation)).astype(int)
    side = shown.shape[0]
    assert side == 160
    assert shown[side - 1, 0, 0] - shown[side - 1, 0, 2] > 60
    assert shown[0, side - 1, 2] > shown[0, side - 1, 0]


def test_a_flat_map_does_not_divide_by_zero() -> None:
    assert overlay(np.zeros((8, 8, 3), np.uint8), np.zeros((2, 2), np.float32)).size == (160, 160)
