"""Equal logits with equal weights: torchvision for symmetric padding, timm's TensorFlow port for SAME."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import timm
import torch
import torchvision
from torch import Tensor, nn

from tests.nn.networks import at, randomise
from triscale.nn import Model, build
from triscale.nn.blocks import Basic, Bottleneck
from triscale.spec import Network, Norm


def _copy_in_order(source: nn.Module, target: Model) -> None:
    """Copies tensors kind by kind: but for the shortcut, both define their modules in the order of the data."""
    for kind in (nn.Conv2d, nn.BatchNorm2d, nn.Linear):
        theirs = [m for m in source.modules() if isinstance(m, kind)]
        ours = [m for m in target.modules() if isinstance(m, kind)]
        assert len(theirs) == len(ours)
        for one, other in zip(theirs, ours, strict=True):
            other.load_state_dict(one.state_dict())


def _shortcuts_last(model: Model) -> Model:
    """The projecting shortcut behind its branch, where torchvision defines it."""
    for block in model.modules():
        if isinstance(block, Basic | Bottleneck):
            block._modules["shortcut"] = block._modules.pop("shortcut")
    return model


def _assert_equal_logits(theirs: nn.Module, of: Network, batch: int = 2) -> None:
    ours = _shortcuts_last(build(of)).eval()
    randomise(theirs.eval())
    _copy_in_order(theirs, ours)
    x = torch.randn(batch, 3, *of.resolution)
    with torch.no_grad():
        expected: Tensor = theirs(x)
        found = ours(x)
    assert expected.std() > 1e-3
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4 * expected.abs().max().item())


@pytest.mark.parametrize("name", ["mobilenet_v2", "resnet18", "resnet50"])
def test_logits_match_torchvision(name: str) -> None:
    theirs: Callable[[], nn.Module] = getattr(torchvision.models, name)

    _assert_equal_logits(theirs(), at(name, 64, 64))


def test_efficientnet_b0_with_symmetric_padding_matches_torchvision() -> None:
    of = replace(at("efficientnet_b0", 64, 64), padding="symmetric", norm=Norm(eps=1e-5, momentum=0.1))

    _assert_equal_logits(torchvision.models.efficientnet_b0(), of)


@pytest.mark.parametrize("size", [(64, 64), (65, 65), (61, 90)], ids=str)
def test_efficientnet_b0_with_same_padding_matches_timm_tf(size: tuple[int, int]) -> None:
    _assert_equal_logits(timm.create_model("tf_efficientnet_b0"), at("efficientnet_b0", *size))
