"""The pre-activation ResNets have no peer by name; a class of timm's, given their table, stands in its place."""

from collections.abc import Iterator
from typing import Any

import timm.models.resnetv2 as theirs
import torch
from timm.layers import BatchNormAct2d, create_conv2d
from torch import nn

from tests.nn.networks import at, randomise
from triscale.families import network
from triscale.nn import Model, build
from triscale.nn.blocks import Preactivation


def _timm(layers: int) -> Any:  # torch cannot say what an attribute of a module is
    """The class with a stem for 32 px and, as in the authors' code, a block's stride in its first convolution."""
    made = theirs.ResNetV2(
        layers=[(layers - 2) // 9] * 3, channels=(64, 128, 256), num_classes=10, stem_chs=16, stem_type="",
        conv_layer=create_conv2d, norm_layer=BatchNormAct2d,
    )  # fmt: skip
    made.stem = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
    for stage in made.stages[1:]:
        first = stage.blocks[0]
        first.conv1.stride, first.conv2.stride = first.conv2.stride, first.conv1.stride
    return made


def _in_order(model: Model) -> Iterator[nn.Module]:
    """Our modules with the projecting shortcut in front of its branch, where timm defines it."""
    for module in model.modules():
        if isinstance(module, Preactivation) and module.shortcut is not None:
            module._modules = {"shortcut": module._modules.pop("shortcut"), **module._modules}
    return model.modules()


def test_resnet164_with_equal_weights_matches_timm() -> None:
    torch.manual_seed(0)
    peer, ours = _timm(164).eval(), build(at("resnet164", 32, 32)).eval()
    randomise(peer)
    for kind in (nn.Conv2d, nn.BatchNorm2d):
        for one, other in zip(
            (m for m in peer.modules() if isinstance(m, kind) and m is not peer.head.fc),
            (m for m in _in_order(ours) if isinstance(m, kind)),
            strict=True,
        ):
            other.load_state_dict(one.state_dict())
    ours.classifier.load_state_dict(
        {k: v.flatten(1) if v.ndim > 1 else v for k, v in peer.head.fc.state_dict().items()}
    )
    x = torch.randn(4, 3, 32, 32)

    with torch.no_grad():
        expected, found = peer(x), ours(x)

    assert expected.std(0).max() > 1e-2
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5 * expected.abs().max().item())


def test_resnet1001_differs_from_resnet164_in_its_repeats_alone() -> None:
    short, long = network("resnet164"), network("resnet1001")

    assert [stage.repeats for stage in short.stages] == [18, 18, 18]
    assert [stage.repeats for stage in long.stages] == [111, 111, 111]
