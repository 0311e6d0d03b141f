"""The module itself: features, class-activation identity, any input size, stochastic depth, fresh weights, refusals."""

import math
from dataclasses import replace

import pytest
import torch
from torch import nn
from torchvision.ops import SqueezeExcitation

from tests.nn.networks import TINY, at, randomise, tiny_network
from triscale.errors import InputError
from triscale.families import network
from triscale.nn import Model, build
from triscale.nn.blocks import FusedMBConv, MBConv
from triscale.nn.cells import advance, current
from triscale.nn.primitives import MaxPool, SqueezeExcite, StochasticDepth
from triscale.spec import Network, resolve, scale

__all__ = ["tiny_network"]


def test_features_have_the_resolved_shape_and_name_of_every_part(tiny_network: Network) -> None:
    maps = build(tiny_network).features(torch.randn(2, 3, *tiny_network.resolution))

    runs = resolve(tiny_network).runs
    last_of_stage = {run.stage: run.block for run in runs}
    expected = {"stem": (2, runs[0].block.out_channels, *runs[0].block.output)}
    expected |= {f"stage{s}": (2, b.out_channels, *b.output) for s, b in last_of_stage.items() if s > 0}
    expected["head"] = (2, runs[-1].block.inner_channels, *runs[-1].block.input)
    assert expected == {name: tuple(value.shape) for name, value in maps.items()}
    assert list(expected) == list(maps)


def test_logits_are_the_classifier_on_the_mean_of_the_head_map(tiny_network: Network) -> None:
    model = build(tiny_network).eval()
    randomise(model)
    x = torch.randn(2, 3, 33, 20)

    with torch.no_grad():
        maps = model.features(x)
        torch.testing.assert_close(model.classifier(model.hidden(maps["head"].mean((2, 3)))), model(x))
        torch.testing.assert_close(maps["head"], model.forward_features(x))


def test_features_are_not_overwritten_by_later_layers(tiny_network: Network) -> None:
    model = build(tiny_network).eval()
    x = torch.randn(2, 3, *tiny_network.resolution)

    with torch.no_grad():
        kept = model.features(x)
        torch.testing.assert_close(model.stem(x), kept["stem"])
        first = model.stages[0](model.stem(x))
        torch.testing.assert_close(current(first), kept["stage1"])
        torch.testing.assert_close(current(advance(model.stages[1], first)), kept["stage2"])


@pytest.mark.parametrize("side", range(1, 12))
def test_any_input_size_works(side: int) -> None:
    for of in TINY.values():
        assert build(of).eval()(torch.randn(1, 3, side, 12 - side)).shape == (1, 5)


def test_channels_last_gives_the_same_logits(tiny_network: Network) -> None:
    model = build(tiny_network).eval()
    x = torch.randn(2, 3, *tiny_network.resolution)

    with torch.no_grad():
        expected = model(x)
        maps = model.to(memory_format=torch.channels_last).features(x.to(memory_format=torch.channels_last))
        torch.testing.assert_close(expected, model(x.to(memory_format=torch.channels_last)), rtol=1e-4, atol=1e-5)
    assert maps["stage2"].is_contiguous(memory_format=torch.channels_last)


def test_padded_pixels_never_win_the_max_pooling() -> None:
    x = -torch.ones(1, 1, 4, 5)

    assert torch.equal(MaxPool("same")(x), -torch.ones(1, 1, 2, 3))
    assert torch.equal(MaxPool("symmetric")(x), -torch.ones(1, 1, 2, 3))


def test_a_full_convolution_is_squeezed_as_torchvision_does() -> None:
    """Convolution, norm and activation, then torchvision's squeeze-excite with the same weights."""
    model = build(TINY["single_se"]).eval()
    randomise(model)
    block, x = next(one for one in model.modules() if isinstance(one, FusedMBConv)), torch.randn(2, 8, 15, 18)
    layers = block.squeeze_excite
    assert isinstance(layers, SqueezeExcite)
    theirs = SqueezeExcitation(16, layers.reduce.out_channels)
    theirs.fc1.load_state_dict(layers.reduce.state_dict())
    theirs.fc2.load_state_dict(layers.expand.state_dict())
    torch.testing.assert_close(block(x), theirs(block.conv(x)))


def test_stochastic_depth_drops_whole_samples_and_keeps_the_mean() -> None:
    torch.manual_seed(0)
    layer, x = StochasticDepth(0.25), torch.ones(20_000, 2, 2, 1)

    dropped = layer(x)

    per_sample = dropped.flatten(1)
    assert torch.equal(per_sample.min(1).values, per_sample.max(1).values)
    assert set(per_sample[:, 0].tolist()) == {0.0, (torch.tensor(1.0) / 0.75).item()}
    assert dropped.mean().item() == pytest.approx(1.0, abs=0.02)
    assert layer.eval()(x) is x


def test_block_i_of_n_drops_with_rate_i_over_n() -> None:
    model = build(network("efficientnet_b0"))

    rates = [block.stochastic_depth for block in model.modules() if isinstance(block, MBConv)]
    expected = {i: 0.2 * i / 16 for i, layer in enumerate(rates) if layer is not None}
    assert expected == {i: layer.rate for i, layer in enumerate(rates) if layer is not None}
    assert list(expected) == [2, 4, 6, 7, 9, 10, 12, 13, 14]


def test_training_differs_from_eval_by_stochastic_depth_and_dropout_alone() -> None:
    of = TINY["mbconv_se"]
    quiet = build(replace(of, stochastic_depth=0.0, head=replace(of.head, dropout=0.0)))
    noisy = build(of)
    x = torch.randn(4, 3, *of.resolution)

    assert torch.equal(quiet(x), quiet(x))
    assert not torch.equal(noisy(x), noisy(x))


def _deviations(model: Model) -> list[tuple[str, float]]:
    """Sample deviation over wanted deviation of every large convolution."""
    found = []
    for name, conv in model.named_modules():
        if isinstance(conv, nn.Conv2d) and conv.weight.numel() > 5_000:
            fan_out = conv.kernel_size[0] ** 2 * conv.out_channels / conv.groups
            found.append((name, conv.weight.std().item() / math.sqrt(2 / fan_out)))
    return found


@pytest.mark.parametrize("name", ["efficientnet_b0", "resnet18"])
def test_fresh_weights_follow_the_authors_code(name: str) -> None:
    torch.manual_seed(0)
    model = build(network(name))

    deviations = _deviations(model)
    assert len(deviations) > 15
    assert {module: 1.0 for module, _ in deviations} == pytest.approx(dict(deviations), abs=0.05)
    largest = max((m.weight / m.weight.std()).abs().max().item() for m in model.modules() if isinstance(m, nn.Conv2d))
    assert largest > 4  # a truncated normal would stop at 2
    bound = 1000**-0.5
    assert bound == pytest.approx(model.classifier.weight.abs().max().item(), rel=1e-3)
    assert bound / 3**0.5 == pytest.approx(model.classifier.weight.std().item(), rel=0.01)


def test_fresh_biases_are_zero_and_norms_are_the_identity() -> None:
    model = build(network("efficientnet_b0"))

    for name, value in model.state_dict().items():
        if name.endswith(("norm.weight", "running_var")):
            assert torch.equal(torch.ones_like(value), value)
        elif name.endswith(("bias", "running_mean")):
            assert not value.any()


def test_norm_settings_come_from_the_spec() -> None:
    norms = [m for m in build(network("efficientnet_b0")).modules() if isinstance(m, nn.BatchNorm2d)]

    assert {(1e-3, 0.01)} == {(norm.eps, norm.momentum) for norm in norms}


def test_names_in_the_state_dict_are_a_contract() -> None:
    names = set(build(network("smallnet_24")).state_dict())

    assert {
        "stem.conv.weight",
        "stem.norm.running_var",
        "stages.0.1.expand.conv.weight",
        "stages.0.1.depthwise.norm.weight",
        "stages.0.1.squeeze_excite.reduce.weight",
        "stages.0.1.squeeze_excite.expand.bias",
        "stages.2.0.project.norm.bias",
        "head.conv.weight",
        "classifier.weight",
        "classifier.bias",
    } <= names
    assert {"stages.0.0.conv1.conv.weight", "stages.1.0.shortcut.norm.weight"} <= set(build(TINY["basic"]).state_dict())


def test_networks_too_large_to_be_meant_are_refused_before_building() -> None:
    with pytest.raises(InputError, match="layers"):
        build(scale(network("efficientnet_b0"), depth=500))
    with pytest.raises(InputError, match="MACs"):
        build(scale(at("efficientnet_l2", 800, 800), width=12, resolution=8))
