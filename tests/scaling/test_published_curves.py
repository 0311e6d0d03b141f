"""Rules of later papers against what these papers and their authors' code print."""

import math

import pytest
import timm
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

from triscale.costs import count
from triscale.families import network
from triscale.scaling import PAPER, Factors, factors, scale_by_rule
from triscale.scaling.published_curves import RESNET_RS, RESNET_RS_PACE, TINYNETS, resnet_rs

B0_REPEATS, B0_CHANNELS = (1, 2, 2, 3, 3, 4, 1), (16, 24, 40, 80, 112, 192, 320)
"""Stages of EfficientNet-B0 (Tan & Le 2019, table 1)."""


PRINTED_MACS = {"a": 339e6, "b": 202e6, "c": 100e6, "d": 52e6, "e": 24e6}
"""Of the authors' repository (tinynet_pytorch/README.md) and paper."""


def exponents(found: Factors) -> tuple[float, float, float]:
    return math.log2(found.depth), math.log2(found.width), math.log2(found.resolution)


def nominal(depth: float, width: float, resolution: float) -> float:
    """Where these factors lie on the axis of phi."""
    return math.log2(depth * width**2 * resolution**2)


def pycls(scale_type: dict[str, float]) -> tuple[float, float, float]:
    """Exponents of depth, width and resolution by the authors' rule: weights a dimension, two of three as a square."""
    whole = sum(scale_type.values())
    return scale_type["d"] / whole, scale_type["w"] / whole / 2, scale_type["r"] / whole / 2


def test_fast_compound_and_uniform_match_the_released_scaler_of_their_authors() -> None:
    """In pycls (models/scaler.py) they are d1_w8_r1 and d1_w1_r1."""
    assert exponents(factors("fast_compound", 1)) == pytest.approx(pycls({"d": 1, "w": 8, "r": 1}))
    assert exponents(factors("uniform", 1)) == pytest.approx(pycls({"d": 1, "w": 1, "r": 1}))


def test_activations_grow_as_table_4_of_fast_compound_scaling_says() -> None:
    """Of cost s they grow as s^0.6 (alpha 0.8), s^0.83 (alpha 1/3), s^0.5 (width): depth x width x resolution^2."""
    for rule, printed in (("fast_compound", 0.6), ("uniform", 0.83), ("width", 0.5), ("depth", 1), ("resolution", 1)):
        depth, width, resolution = exponents(factors(rule, 1))
        assert depth + width + 2 * resolution == pytest.approx(printed, abs=0.004), rule


@pytest.mark.parametrize(("letter", "triple"), TINYNETS)
def test_a_tinynet_lies_on_the_curve_and_is_the_network_of_timm(
    letter: str, triple: tuple[float, float, float]
) -> None:
    """The networks in timm are those that the authors released, which round repeats to the nearest."""
    found = factors("tinynet", nominal(*triple))
    assert found == pytest.approx(triple)
    with torch.device("meta"):
        theirs = timm.create_model(f"tinynet_{letter}")
    repeats = [max(1, round(found.depth * one)) for one in B0_REPEATS]
    assert repeats == [len(stage) for stage in theirs.blocks]
    assert [rounded(found.width * one) for one in B0_CHANNELS] == [_channels(stage) for stage in theirs.blocks]
    assert int(224 * found.resolution) == theirs.pretrained_cfg["input_size"][1]
    assert _macs(theirs) == pytest.approx(PRINTED_MACS[letter], rel=0.015)


def _macs(model: timm.models.EfficientNet) -> float:
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        model.eval()(torch.zeros(1, *model.pretrained_cfg["input_size"]))
    return float(counter.get_total_flops()) / 2


def rounded(channels: float) -> int:
    """To a multiple of 8, and at least 90% of what is wanted: the rounding of B0."""
    nearest = max(8, int(channels + 4) // 8 * 8)
    return nearest + 8 if nearest < 0.9 * channels else nearest


def _channels(stage: torch.nn.Module) -> int:
    """Of its last norm."""
    return [one.num_features for one in stage.modules() if isinstance(one, torch.nn.BatchNorm2d)][-1]


def test_tinynet_keeps_more_depth_and_resolution_than_the_papers_compound_at_equal_cost() -> None:
    """What section 3 observes: for tiny networks resolution and depth are more important than width."""
    for phi in (-1.5, -2, -3):
        tiny, compound = factors("tinynet", phi), factors("compound", phi / math.log2(1.2 * 1.1**2 * 1.15**2))
        assert tiny.width < compound.width
        assert tiny.depth > compound.depth
        assert tiny.resolution > compound.resolution


@given(st.floats(-12, -1e-6), st.floats(-12, -1e-6))
def test_no_factor_of_tinynet_falls_as_phi_grows(one: float, other: float) -> None:
    low, high = sorted((one, other))
    for less, more in zip(factors("tinynet", low), factors("tinynet", high), strict=True):
        assert less <= more * (1 + 1e-12)


@pytest.mark.parametrize("name", ["resnetrs50", "resnetrs101", "resnetrs152", "resnetrs420"])
def test_the_blocks_of_the_resnet_rs_table_match_timm(name: str) -> None:
    with torch.device("meta"):
        theirs = timm.create_model(name)
    blocks = {f"resnetrs{depth}": blocks for depth, blocks, _ in RESNET_RS}
    assert blocks[name] == sum(len(getattr(theirs, f"layer{stage}")) for stage in range(1, 5))


def test_resnet_rs_predicts_each_member_of_the_published_family() -> None:
    """Depth within 25% and side within 16%; where its authors step both at once, within 9% and 3%."""
    for depth, blocks, side in RESNET_RS[1:]:
        found = Factors(*resnet_rs(nominal(blocks / 16, 1, side / 160), overfits=True))
        assert found.width == 1
        off = abs(math.log(16 * found.depth / blocks)), abs(math.log(160 * found.resolution / side))
        assert off[0] < math.log(1.33)
        assert off[1] < math.log(1.16), (depth, side)
        if (depth, side) in ((152, 224), (200, 256), (420, 320)):
            assert off[0] < math.log(1.09)
            assert off[1] < math.log(1.04), (depth, side)


def test_resnet_rs_scales_the_resolution_more_slowly_than_the_compound_rule() -> None:
    """Strategy 2 (section 6.2), for each doubling of nominal cost."""
    doubling = 1 / math.log2(PAPER.alpha * PAPER.beta**2 * PAPER.gamma**2)
    assert 1 < 2**RESNET_RS_PACE < PAPER.gamma**doubling


@given(st.floats(-8, 8))
def test_resnet_rs_scales_depth_where_training_overfits_and_width_where_not(phi: float) -> None:
    deep, wide = factors("resnet_rs_depth", phi), factors("resnet_rs_width", phi)
    assert deep.resolution == wide.resolution
    assert (deep.width, wide.depth) == (1, 1)
    assert deep.depth == pytest.approx(wide.width**2)


@given(st.sampled_from(["fast_compound", "resnet_rs_depth", "resnet_rs_width"]), st.floats(-6, 3), st.floats(0.01, 3))
def test_the_counted_cost_never_falls_as_phi_grows(rule: str, phi: float, more: float) -> None:
    b0 = network("efficientnet_b0")
    assert count(scale_by_rule(b0, rule, phi)).macs <= count(scale_by_rule(b0, rule, phi + more)).macs
