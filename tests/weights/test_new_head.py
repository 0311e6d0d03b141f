"""Stems for other channels and heads for other classes."""

from dataclasses import replace

import pytest
import torch
from timm.models import adapt_input_conv

from tests.nn.networks import REGISTERED, TINY
from triscale.errors import InputError, UsageError
from triscale.nn import build
from triscale.spec import IMAGENET, Network
from triscale.weights import Checkpoint, begin_with, with_input_channels
from triscale.weights.read.strict import shapes


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


def test_a_new_classifier_leaves_all_else(checkpoint: Checkpoint) -> None:
    model = build(replace(checkpoint.spec, classes=2))
    fresh = {name: one.clone() for name, one in model.state_dict().items()}

    begin_with(model, checkpoint, classifier=False)

    last = {"classifier.weight", "classifier.bias"}
    for name, found in model.state_dict().items():
        assert found.equal((fresh if name in last else checkpoint.state)[name]), name
    assert model(torch.randn(2, 3, 16, 16)).shape == (2, 2)


def test_weights_that_do_not_fit_are_named(checkpoint: Checkpoint) -> None:
    """A classifier of other classes, and a layer that is not there."""
    model = build(replace(checkpoint.spec, classes=2))
    with pytest.raises(InputError, match=r"classifier\.weight"):
        begin_with(model, checkpoint, classifier=True)
    state = {name: one for name, one in checkpoint.state.items() if name != "stem.conv.weight"}
    with pytest.raises(InputError, match=r"stem\.conv\.weight"):
        begin_with(model, replace(checkpoint, state=state), classifier=False)


def test_a_picture_has_a_channel(checkpoint: Checkpoint) -> None:
    with pytest.raises(UsageError, match="at least 1 channel, not 0"):
        with_input_channels(checkpoint, 0)


@pytest.mark.parametrize("of", REGISTERED, ids=lambda of: of.name)
def test_the_first_layer_of_every_network_is_found(of: Network) -> None:
    """Without its numbers."""
    with torch.device("meta"):
        state = build(of).state_dict()
    whole = Checkpoint(network=of, state=state, classes=(), preprocessing=IMAGENET)
    found = with_input_channels(whole, 1)
    with torch.device("meta"):
        assert shapes(found.state) == shapes(build(found.spec).state_dict())
