"""What a model's methods are called, they do as timm's: the same weights in both, of each kind of head."""

from dataclasses import replace
from typing import Any

import pytest
import timm
import torch

from tests.nn.networks import randomise
from tests.weights.peer_models import tensors_of
from triscale.errors import UsageError
from triscale.nn import Model, build
from triscale.weights.mapping import from_peer
from triscale.weights.peers import PEERS

HEADS = ["mnasnet_small", "tf_mobilenetv3_small_075", "resnet18"]
"""Linear after pooling with a convolution before it; a layer between pooling and the classifier; neither."""


def pair(name: str) -> tuple[Any, Model]:
    """A model of timm and ours, with the same weights and a dropout of a half."""
    torch.manual_seed(0)
    theirs = timm.create_model(name, num_classes=7, drop_rate=0.5)
    randomise(theirs)
    of = replace(PEERS["timm"].network(name), classes=7, stochastic_depth=0.0)
    ours = build(replace(of, head=replace(of.head, dropout=0.5)))
    ours.load_state_dict(from_peer(tensors_of(theirs), ours.network, "timm"))
    return theirs, ours


@pytest.mark.parametrize("name", HEADS)
def test_features_and_both_ends_of_the_head_match_timm(name: str) -> None:
    theirs, ours = (one.eval() for one in pair(name))
    x = torch.randn(2, 3, 64, 48)
    with torch.inference_mode():
        last, ours_last = theirs.forward_features(x), ours.forward_features(x)
        torch.testing.assert_close(ours_last, last, rtol=1e-4, atol=1e-5)
        for pre_logits in (False, True):
            wanted = theirs.forward_head(last, pre_logits=pre_logits)
            torch.testing.assert_close(
                ours.forward_head(ours_last, pre_logits=pre_logits), wanted, rtol=1e-4, atol=1e-5
            )
        assert torch.equal(ours.forward_head(ours_last), ours(x))
    assert ours.num_classes == theirs.num_classes == 7


@pytest.mark.parametrize("name", HEADS[:2])
def test_dropout_stands_before_the_classifier_and_counts_before_the_logits_as_in_timm(name: str) -> None:
    theirs, ours = (one.train() for one in pair(name))
    last = theirs.forward_features(torch.randn(4, 3, 64, 64)).detach()
    found = []
    for model in (theirs, ours):
        torch.manual_seed(3)
        found.append(model.forward_head(last, pre_logits=True))
    torch.testing.assert_close(*found, rtol=1e-4, atol=1e-5)
    assert 0.3 < (found[1] == 0).float().mean() < 0.7


def test_a_reset_classifier_is_fresh_where_the_old_one_was_and_leaves_all_else() -> None:
    _, ours = pair("mnasnet_small")
    ours = ours.double().eval()
    ours.classes = tuple("abcdefg")
    before = {name: one.clone() for name, one in ours.state_dict().items()}
    ours.reset_classifier(3)
    assert (ours.num_classes, ours.network.classes, ours.classes) == (3, 3, ())
    assert ours.classifier.weight.dtype == torch.float64
    assert ours.classifier.weight.abs().max() <= 1 / 3**0.5  # the authors' initialisation
    assert ours.classifier.bias.count_nonzero() == 0
    kept = {name: one for name, one in ours.state_dict().items() if not name.startswith("classifier.")}
    assert len(kept) == len(before) - 2
    assert all(one.equal(before[name]) for name, one in kept.items())
    ours(torch.rand(1, 3, 32, 32, dtype=torch.float64)).sum().backward()
    assert ours.classifier.weight.grad is not None


@pytest.mark.parametrize("wrong", [0, -1, 2.0, "2", None, True])
def test_a_number_of_classes_that_is_none_changes_nothing(wrong: Any) -> None:
    _, ours = pair("mnasnet_small")
    with pytest.raises(UsageError, match="num_classes is"):
        ours.reset_classifier(wrong)
    assert ours.num_classes == ours.network.classes == 7
