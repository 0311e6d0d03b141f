"""The table of names against the peers themselves: settings, names, shapes, logits and the way back."""

from dataclasses import replace
from typing import Any

import pytest
import timm
import torch
import torchvision
from torch import nn

from tests.nn.networks import REGISTERED, randomise
from triscale.errors import InputError
from triscale.families import network
from triscale.nn import build
from triscale.spec import Network
from triscale.weights.mapping import from_peer, table, to_peer
from triscale.weights.peers import PEERS
from triscale.weights.strict import shapes

MODELS = [(peer.name, model) for peer in PEERS.values() for model in peer.models]

ONE_OF_A_FAMILY = [
    ("torchvision", "efficientnet_b0"),
    ("torchvision", "efficientnet_v2_s"),
    ("torchvision", "mobilenet_v2"),
    ("torchvision", "mobilenet_v3_small"),
    ("torchvision", "mnasnet1_0"),
    ("torchvision", "resnet18"),
    ("torchvision", "resnet50"),
    ("timm", "efficientnet_b0"),
    ("timm", "tf_efficientnet_b0"),
    ("timm", "tf_efficientnet_lite0"),
    ("timm", "tf_efficientnet_es"),
    ("timm", "tf_efficientnetv2_b0"),
    ("timm", "mobilenetv1_100"),
    ("timm", "mobilenetv2_050"),
    ("timm", "mobilenetv3_large_075"),
    ("timm", "tf_mobilenetv3_small_075"),
    ("timm", "mnasnet_small"),
    ("timm", "semnasnet_100"),
    ("timm", "mnasnet_100"),
    ("timm", "resnet18"),
    ("timm", "resnet50"),
]


def theirs(peer: str, model: str, **options: Any) -> nn.Module:
    """The peer's own model."""
    made: nn.Module = (
        torchvision.models.get_model(model, **options) if peer == "torchvision" else timm.create_model(model, **options)
    )
    return made


def ours(peer: str, model: str) -> Network:
    return PEERS[peer].network(model)


@pytest.mark.parametrize(("peer", "model"), MODELS, ids=str)
def test_names_shapes_padding_and_norm_are_the_peers_own(peer: str, model: str) -> None:
    """Every model of the table, without its numbers."""
    with torch.device("meta"):
        made = theirs(peer, model)
    of = ours(peer, model)
    state = made.state_dict()
    padded_at_run_time = any("Same" in type(module).__name__ for module in made.modules())
    norms = {(m.eps, round(m.momentum or 0, 9)) for m in made.modules() if isinstance(m, nn.BatchNorm2d)}

    assert {entry.theirs: entry.their_shape for entry in table(of, peer)} == shapes(state)
    assert of.padding == ("same" if padded_at_run_time else "symmetric")
    assert norms == {(of.norm.eps, of.norm.momentum)}


@pytest.mark.parametrize("of", REGISTERED, ids=lambda of: of.name)
def test_our_names_and_shapes_are_those_of_the_built_network(of: Network) -> None:
    peers = [peer for peer in PEERS.values() if any(model.network == of.name for model in peer.models.values())]
    with torch.device("meta"):
        state = build(of).state_dict() if peers else {}
    counted = {name: shape for name, shape in shapes(state).items() if not name.endswith("num_batches_tracked")}

    for peer in peers:
        found = {entry.ours: entry.shape for entry in table(of, peer.name)}
        assert found == (shapes(state) if peer.counts else counted)


@pytest.mark.parametrize(("peer", "model"), ONE_OF_A_FAMILY, ids=str)
def test_logits_match_the_peer_and_its_weights_come_back(peer: str, model: str) -> None:
    torch.manual_seed(0)
    options = {"num_classes": 10}
    made = theirs(peer, model, **options).eval()
    randomise(made)
    of = replace(ours(peer, model), classes=10)
    exported = made.state_dict()
    imported = from_peer(exported, of, peer)
    mine = build(of).eval()
    mine.load_state_dict(imported)
    x = torch.randn(2, 3, 49, 65)
    with torch.inference_mode():
        expected = made(x)
        found = mine(x)
    back = to_peer(imported, of, peer)

    assert expected.std() > 1e-3
    assert (found - expected).abs().max() <= 1e-5 * expected.abs().max()
    assert back.keys() == exported.keys()
    assert all(
        torch.equal(back[name], tensor) and back[name].dtype == tensor.dtype for name, tensor in exported.items()
    )


def test_a_file_without_counters_is_read_as_counting_from_zero() -> None:
    of = replace(ours("timm", "mnasnet_small"), classes=2)
    state = theirs("timm", "mnasnet_small", num_classes=2).state_dict()
    bare = {name: tensor for name, tensor in state.items() if not name.endswith("num_batches_tracked")}

    imported = from_peer(bare, of, "timm")

    assert imported.keys() == build(of).state_dict().keys()
    assert imported["stem.norm.num_batches_tracked"] == 0


def test_what_does_not_belong_is_listed_with_both_shapes() -> None:
    of = replace(ours("timm", "mnasnet_small"), classes=2)
    state = dict(theirs("timm", "mnasnet_small", num_classes=3).state_dict())
    state["bl\nocks"] = state.pop("bn1.weight")

    with pytest.raises(InputError) as caught:
        from_peer(state, of, "timm")

    assert "4 tensors differ" in str(caught.value)
    assert "classifier.weight: (3, 1280), wanted (2, 1280)" in str(caught.value)
    assert "bn1.weight: missing, wanted (8,)" in str(caught.value)
    assert "bl\\nocks: (8,), wanted none" in str(caught.value)
    assert len(str(caught.value).splitlines()) <= 3


@pytest.mark.parametrize(
    ("broken", "said"),
    [(torch.full((8,), float("nan")), "NaN or infinity"), (torch.ones(8, dtype=torch.int32), "int32 numbers")],
)
def test_tensors_that_hold_no_weights_are_refused(broken: torch.Tensor, said: str) -> None:
    of = replace(ours("timm", "mnasnet_small"), classes=2)
    state = dict(theirs("timm", "mnasnet_small", num_classes=2).state_dict())
    state["bn1.weight"] = broken

    with pytest.raises(InputError, match=f"bn1.weight holds {said}"):
        from_peer(state, of, "timm")


@pytest.mark.parametrize("peer", ["torchvision", "timm"])
def test_a_network_that_a_peer_lacks_is_refused_by_name(peer: str) -> None:
    with pytest.raises(InputError, match=f"{peer} has no network 'smallnet_24'"):
        table(network("smallnet_24"), peer)
