"""Params and MACs of the families are those of torchvision, timm and PyTorch's FLOP counter, to the unit."""

from triscale.cost import count
from triscale.families import network

# Trainable parameters as torchvision and timm publish them (`num_params` of their weights).
PARAMS = {
    "efficientnet_b0": 5_288_548,
    "efficientnet_b1": 7_794_184,
    "efficientnet_b2": 9_109_994,
    "efficientnet_b3": 12_233_232,
    "efficientnet_b4": 19_341_616,
    "efficientnet_b5": 30_389_784,
    "efficientnet_b6": 43_040_704,
    "efficientnet_b7": 66_347_960,
    "efficientnet_b8": 87_413_142,
    "efficientnet_l2": 480_309_308,
    "efficientnet_lite0": 4_652_008,
    "efficientnet_lite4": 13_006_568,
    "mobilenet_v1": 4_231_976,
    "mobilenet_v2": 3_504_872,
    "resnet18": 11_689_512,
    "resnet34": 21_797_672,
    "resnet50": 25_557_032,
    "resnet101": 44_549_160,
    "resnet152": 60_192_808,
    "resnet200": 64_673_832,
}

# Half of what `torch.utils.flop_counter` counts for the built networks.
MACS = {
    "efficientnet_b0": 385_814_752,
    "efficientnet_b4": 4_393_771_024,
    "efficientnet_b7": 37_745_884_192,
    "efficientnet_l2": 475_703_653_280,
    "resnet50": 4_089_184_256,
    "mobilenet_v2": 300_774_272,
}

# Multiply-adds in billions, as counted independently with the released code; rounded as written.
BILLIONS = {
    "efficientnet_b1": "0.6868",
    "efficientnet_b2": "0.9936",
    "efficientnet_b3": "1.8271",
    "efficientnet_b5": "10.2664",
    "efficientnet_b6": "19.0676",
    "efficientnet_b8": "62.5975",
    "mobilenet_v1": "0.569",
    "resnet18": "1.814",
    "resnet34": "3.664",
    "resnet101": "7.801",
    "resnet152": "11.514",
    "resnet200": "15.01",
}

# Elements that convolutions return, in millions, as counted independently.
MILLION_ACTIVATIONS = {
    "b0": 6.7, "b1": 10.9, "b2": 13.8, "b3": 23.8, "b4": 49.5, "b5": 98.9, "b6": 167.4, "b7": 289.9,
    "b8": 442.9, "l2": 1707,
}  # fmt: skip


def test_params_match_the_published_checkpoints_to_the_unit() -> None:
    assert {name: count(network(name)).params for name in PARAMS} == PARAMS


def test_macs_match_the_flop_counter_to_the_unit() -> None:
    assert {name: count(network(name)).macs for name in MACS} == MACS


def test_macs_match_independent_counts_to_their_last_digit() -> None:
    for name, printed in BILLIONS.items():
        digits = len(printed.split(".")[1])
        assert f"{count(network(name)).macs / 1e9:.{digits}f}" == printed, name


def test_activations_match_the_convolution_outputs_of_the_released_members() -> None:
    found = {name: count(network(f"efficientnet_{name}")).activations / 1e6 for name in MILLION_ACTIVATIONS}
    assert {name: round(one, 1 if one < 1000 else None) for name, one in found.items()} == MILLION_ACTIVATIONS
