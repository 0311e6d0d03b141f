"""Stems for other channels and heads for other classes."""

import pytest
import torch
from timm.models import adapt_input_conv

from tests.nn.networks import TINY
from triscale.errors import UsageError
from triscale.nn import build
from triscale.spec import IMAGENET, Network
from triscale.weights import Checkpoint, with_input_channels, with_new_head


@pytest.fixture(params=["mbconv_se", "basic"])
def checkpoint(request: pytest.FixtureRequest) -> Checkpoint:
    of: Network = TINY[request.param]
    torch.manual_seed(0)
    names = tuple(f"class {index}" for index in range(of.classes))
    return Checkpoint(network=of, state=build(of).state_dict(), classes=names, preprocessing=IMAGENET)


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 6, 13])
def test_the_stem_matches_timm(checkpoint: Checkpoint, channels: int) -> None:
    expected = adapt_input_conv(channels, checkpoint.state["stem.conv.weight"])

    found = with_input_channels(checkpoint, channels)

    assert torch.allclose(expected, found.state["stem.conv.weight"], atol=1e-7)
    assert len(found.preprocessing.mean) == found.network.input_channels == channels
    assert found.model()(torch.randn(1, channels, 16, 16)).shape == (1, 5)


@pytest.mark.parametrize("channels", [1, 6])
def test_a_grey_picture_gives_what_it_gave(checkpoint: Checkpoint, channels: int) -> None:
    grey = torch.randn(2, 1, 16, 16)
    with torch.inference_mode():
        expected = checkpoint.model()(grey.expand(-1, 3, -1, -1))
        found = with_input_channels(checkpoint, channels).model()(grey.expand(-1, channels, -1, -1))

    torch.testing.assert_close(found, expected)


def test_a_new_head_leaves_all_else(checkpoint: Checkpoint) -> None:
    found = with_new_head(checkpoint, ("cat", "dog"))

    assert (found.network.classes, found.classes) == (2, ("cat", "dog"))
    assert {name for name in found.state if found.state[name] is not checkpoint.state[name]} == {
        "classifier.weight", "classifier.bias",
    }  # fmt: skip
    assert found.model()(torch.randn(1, 3, 16, 16)).shape == (1, 2)


def test_nothing_is_made_of_nothing(checkpoint: Checkpoint) -> None:
    with pytest.raises(UsageError, match="0 channels"):
        with_input_channels(checkpoint, 0)
    with pytest.raises(UsageError, match="1 classes"):
        with_new_head(checkpoint, ("cat",))
