"""Counts against the figures of the papers' code, of torchvision and of timm."""

from dataclasses import replace

import pytest

from triscale.cost import Counts, by_stage, cost, count, separable_versus_standard
from triscale.errors import InputError, UsageError
from triscale.families import network, registry
from triscale.spec import Head, Network, SqueezeExcite, Stage, Stem, resolve, scale

EXACT = {
    "efficientnet_b0": (5_288_548, 385_814_752),
    "efficientnet_b4": (19_341_616, 4_393_771_024),
    "efficientnet_b7": (66_347_960, 37_745_884_192),
    "efficientnet_l2": (480_309_308, 475_703_653_280),
    "resnet50": (25_557_032, 4_089_184_256),
    "mobilenet_v2": (3_504_872, 300_774_272),
}
PARAMS = {
    "efficientnet_b1": 7_794_184,
    "efficientnet_b2": 9_109_994,
    "efficientnet_b3": 12_233_232,
    "efficientnet_b5": 30_389_784,
    "efficientnet_b6": 43_040_704,
    "efficientnet_b8": 87_413_142,
    "mobilenet_v1": 4_231_976,
    "resnet18": 11_689_512,
    "resnet34": 21_797_672,
    "resnet101": 44_549_160,
    "resnet152": 60_192_808,
    "resnet200": 64_673_832,
}
BILLION_MACS = {
    "efficientnet_b1": 0.6868,
    "efficientnet_b2": 0.9936,
    "efficientnet_b3": 1.8271,
    "efficientnet_b5": 10.2664,
    "efficientnet_b6": 19.0676,
    "efficientnet_b8": 62.5975,
    "mobilenet_v1": 0.569,
    "resnet18": 1.814,
    "resnet34": 3.664,
    "resnet101": 7.801,
    "resnet152": 11.514,
    "resnet200": 15.01,
}
MILLION_ACTIVATIONS = {
    "efficientnet_b0": 6.7, "efficientnet_b1": 10.9, "efficientnet_b2": 13.8, "efficientnet_b3": 23.8,
    "efficientnet_b4": 49.5, "efficientnet_b5": 98.9, "efficientnet_b6": 167.4, "efficientnet_b7": 289.9,
    "efficientnet_b8": 442.9, "efficientnet_l2": 1707,
}  # fmt: skip


@pytest.mark.parametrize("name", EXACT)
def test_params_and_macs_are_exact(name: str) -> None:
    counts = count(network(name))

    assert EXACT[name] == (counts.params, counts.macs)


@pytest.mark.parametrize("name", PARAMS)
def test_params_match_torchvision_and_timm(name: str) -> None:
    assert PARAMS[name] == count(network(name)).params


@pytest.mark.parametrize("name", BILLION_MACS)
def test_macs_match_the_independent_count(name: str) -> None:
    digits = len(str(BILLION_MACS[name]).split(".")[1])

    assert BILLION_MACS[name] == round(count(network(name)).macs / 1e9, digits)


@pytest.mark.parametrize("name", MILLION_ACTIVATIONS)
def test_activations_match_the_independent_count(name: str) -> None:
    digits = 0 if MILLION_ACTIVATIONS[name] > 1000 else 1

    assert MILLION_ACTIVATIONS[name] == round(count(network(name)).activations / 1e6, digits)


def test_the_single_dimension_rows_of_table_7_cost_less_than_the_paper_says() -> None:
    b0 = network("efficientnet_b0")
    scaled = (scale(b0, depth=4), scale(b0, width=2), scale(b0, resolution=2))

    assert [round(count(one).macs / 1e9, 3) for one in scaled] == [1.575, 1.450, 1.538]


def test_depth_just_above_one_gives_every_stage_a_block() -> None:
    b0 = network("efficientnet_b0")

    assert count(scale(b0, depth=1.0001)).macs / count(b0).macs == pytest.approx(1.48, abs=0.005)


@pytest.mark.parametrize("name", registry())
def test_stages_add_up_to_the_network(name: str) -> None:
    rows = by_stage(network(name))

    assert count(network(name)) == Counts(
        sum(row.params for row in rows), sum(row.macs for row in rows), sum(row.activations for row in rows)
    )
    assert sum(row.params_share for row in rows) == pytest.approx(1)
    assert sum(row.macs_share for row in rows) == pytest.approx(1)
    assert sum(row.activations_share for row in rows) == pytest.approx(1)
    assert ["stem", *(f"stage{i + 1}" for i in range(len(rows) - 2)), "head"] == [row.stage for row in rows]


def test_stages_of_b0_carry_the_papers_words() -> None:
    rows = by_stage(network("efficientnet_b0"))

    assert rows[5][:3] == ("stage5", "MBConv6, k5x5, se0.25", 3)
    assert rows[0].macs == 112 * 112 * 27 * 32


def test_a_separable_convolution_is_7_9_times_cheaper_than_a_standard_one() -> None:
    found = separable_versus_standard((32, 32), 3, 64, 3)

    assert (found.standard.macs, found.separable.macs) == (1_769_472, 224_256)
    assert found.macs_ratio == pytest.approx(7.89, abs=0.005)
    assert (found.standard.params, found.separable.params) == (27 * 64, 27 + 192)
    assert separable_versus_standard((32, 32), 3, 64, 3, stride=2).separable.macs == 16 * 16 * (27 + 192)


def test_cost_has_the_keys_that_scripts_rely_on() -> None:
    found = cost(network("mobilenet_v1"), batch=3, resolution=(64, 96)).as_dict()

    assert list(found) == [
        "network", "resolution", "params", "macs", "activations", "inference_memory", "training_memory", "batch",
        "inference_kernels", "training_kernels", "kernels", "threads", "file_size", "weights_precision", "metrics",
    ]  # fmt: skip
    assert [found[k] for k in ("network", "resolution", "params", "batch")] == ["mobilenet_v1", [64, 96], 4_231_976, 3]
    assert count(replace(network("mobilenet_v1"), resolution=(64, 96))).macs == found["macs"]


def test_a_batch_or_a_side_that_cannot_be_meant_is_refused() -> None:
    with pytest.raises(UsageError, match="batch is 0"):
        cost(network("resnet18"), batch=0)
    with pytest.raises(InputError, match="resolution"):
        cost(network("resnet18"), resolution=(0, 5))


def test_layers_are_counted_to_the_unit_before_a_deep_network_is_refused() -> None:
    stage = Stage(operator="mbconv", repeats=1999, channels=8, expand=4, squeeze_excite=SqueezeExcite())
    deep = Network(name="deep", resolution=(8, 8), stem=Stem(channels=8), stages=(stage,), head=Head(channels=None))

    assert resolve(deep)
    with pytest.raises(InputError, match="10,002 layers"):
        resolve(replace(deep, stages=(replace(stage, repeats=2000),)))
