"""The table of names against the peers themselves: settings, names, shapes, logits and the way back."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from tests.nn.networks import REGISTERED, without_numbers
from tests.weights.peer_models import peer_model, small_state
from triscale.errors import InputError
from triscale.families import network
from triscale.nn import build
from triscale.spec import Network
from triscale.weights.mapping import from_peer, table, to_peer
from triscale.weights.peers import PEERS
from triscale.weights.strict import shapes

ONE_OF_A_KIND = [
    ("torchvision", "efficientnet_b0"),
    ("torchvision", "mobilenet_v3_small"),
    ("torchvision", "resnet18"),
    ("timm", "mobilenetv1_100"),
    ("timm", "mnasnet_small"),
    ("timm", "tf_mobilenetv3_small_075"),
    ("timm", "tf_efficientnetv2_b0"),
]

ANOTHER_OF_A_KIND = [
    ("torchvision", "efficientnet_v2_s"),
    ("torchvision", "mobilenet_v2"),
    ("torchvision", "mnasnet1_0"),
    ("torchvision", "resnet50"),
    ("timm", "efficientnet_b0"),
    ("timm", "tf_efficientnet_b0"),
    ("timm", "tf_efficientnet_lite0"),
    ("timm", "tf_efficientnet_es"),
    ("timm", "mobilenetv2_050"),
    ("timm", "mobilenetv3_large_075"),
    ("timm", "semnasnet_100"),
    ("timm", "mnasnet_100"),
    ("timm", "resnet50"),
    ("timm_legacy", "legacy_senet154"),
]


def ours(peer: str, model: str) -> Network:
    return PEERS[peer].network(model)


@pytest.mark.parametrize("peer", ["torchvision", "timm", "timm_legacy"])
def test_names_shapes_padding_and_norm_are_the_peers_own(peer: str) -> None:
    """Every model of the table, without its numbers."""
    for model in PEERS[peer].models:
        with without_numbers():
            made = peer_model(peer, model)
        of = ours(peer, model)
        state = made.state_dict()
        padded_at_run_time = any("Same" in type(module).__name__ for module in made.modules())
        norms = {(m.eps, round(m.momentum or 0, 9)) for m in made.modules() if isinstance(m, nn.BatchNorm2d)}

        assert {entry.theirs: entry.their_shape for entry in table(of, peer)} == shapes(state), model
        assert of.padding == ("same" if padded_at_run_time else "symmetric"), model
        assert norms == {(of.norm.eps, of.norm.momentum)}, model


def test_our_names_and_shapes_are_those_of_the_built_network() -> None:
    """Of every network that a peer has."""
    for of in REGISTERED:
        peers = [peer for peer in PEERS.values() if any(model.network == of.name for model in peer.models.values())]
        with without_numbers():
            state = build(of).state_dict() if peers else {}
        counted = {name: shape for name, shape in shapes(state).items() if not name.endswith("num_batches_tracked")}

        for peer in peers:
            found = {entry.ours: entry.shape for entry in table(of, peer.name)}
            assert found == (shapes(state) if peer.counts else counted), (of.name, peer.name)


@pytest.mark.parametrize(
    ("peer", "model"),
    [*ONE_OF_A_KIND, *(pytest.param(*one, marks=pytest.mark.slow) for one in ANOTHER_OF_A_KIND)],
    ids=str,
)
def test_logits_match_the_peer_and_its_weights_come_back(peer: str, model: str) -> None:
    torch.manual_seed(0)
    made = peer_model(peer, model, num_classes=10)
    of = replace(ours(peer, model), classes=10)
    exported = made.state_dict()
    imported = from_peer(exported, of, peer)
    mine = build(of).eval()
    mine.load_state_dict(imported)
    x = torch.randn(2, 3, *((64, 96) if peer == "timm_legacy" else (49, 65)))
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
    state = small_state()
    bare = {name: tensor for name, tensor in state.items() if not name.endswith("num_batches_tracked")}

    imported = from_peer(bare, of, "timm")

    assert imported.keys() == build(of).state_dict().keys()
    assert imported["stem.norm.num_batches_tracked"] == 0


def test_what_does_not_belong_is_listed_with_both_shapes() -> None:
    of = replace(ours("timm", "mnasnet_small"), classes=2)
    state = small_state(3)
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
    state = small_state()
    state["bn1.weight"] = broken

    with pytest.raises(InputError, match=f"bn1.weight holds {said}"):
        from_peer(state, of, "timm")


@pytest.mark.parametrize("peer", PEERS)
def test_a_network_that_a_peer_lacks_is_refused_by_name(peer: str) -> None:
    with pytest.raises(InputError, match="has no network 'smallnet_24'"):
        table(network("smallnet_24"), peer)


@pytest.mark.parametrize("peer", PEERS)
def test_every_tensor_has_a_name_of_its_own_on_both_sides(peer: str) -> None:
    for model in PEERS[peer].models:
        entries = table(ours(peer, model), peer)
        assert len({entry.ours for entry in entries}) == len({entry.theirs for entry in entries}) == len(entries)


@pytest.mark.parametrize(
    ("peer", "model", "expected"),
    [
        ("lukemelas", "efficientnet-b1", {
            "_conv_stem.weight": (32, 3, 3, 3), "_bn0.running_var": (32,),
            "_blocks.0._depthwise_conv.weight": (32, 1, 3, 3), "_blocks.0._se_reduce.bias": (8,),
            "_blocks.22._expand_conv.weight": (1920, 320, 1, 1),
            "_blocks.22._bn0.num_batches_tracked": (), "_blocks.22._project_conv.weight": (320, 1920, 1, 1),
            "_conv_head.weight": (1280, 320, 1, 1), "_bn1.bias": (1280,), "_fc.weight": (1000, 1280),
        }),
        ("keras", "EfficientNetB0", {
            "stem_conv/kernel": (3, 3, 3, 32), "stem_bn/moving_variance": (32,), "block1a_dwconv/kernel": (3, 3, 32, 1),
            "block1a_bn/gamma": (32,), "block2b_expand_conv/kernel": (1, 1, 24, 144), "block2b_se_expand/bias": (144,),
            "block7a_project_bn/beta": (320,), "top_conv/kernel": (1, 1, 320, 1280), "predictions/kernel": (1280, 1000),
        }),
        ("keras", "EfficientNetV2B0", {
            "block1a_project_conv/kernel": (3, 3, 32, 16), "block2a_expand_conv/kernel": (3, 3, 16, 64),
            "block4a_dwconv2/kernel": (3, 3, 192, 1), "block6h_bn/moving_mean": (1152,),
        }),
    ],
)  # fmt: skip
def test_names_and_shapes_of_libraries_that_are_not_installed_here(
    peer: str, model: str, expected: dict[str, tuple[int, ...]]
) -> None:
    """As printed by efficientnet-pytorch 0.7.1 and Keras 3.15."""
    found = {entry.theirs: entry.their_shape for entry in table(ours(peer, model), peer)}

    assert {name: found.get(name) for name in expected} == expected


@pytest.mark.parametrize(("peer", "model"), [("keras", "EfficientNetV2B0"), ("timm", "mobilenetv3_small_075")])
def test_what_is_exported_comes_back_equal(peer: str, model: str) -> None:
    """Axes in another order, and a linear layer kept as a convolution."""
    of = replace(ours(peer, model), classes=4)
    torch.manual_seed(0)
    state = build(of).state_dict()

    back = from_peer(to_peer(state, of, peer), of, peer)

    assert back.keys() == state.keys()
    assert all(torch.equal(back[name], tensor) for name, tensor in state.items())
