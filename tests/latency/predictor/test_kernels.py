"""Kernels of networks: every layer once, terms that count what vector kernels do."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.latency.predictor.world import VECTORS
from triscale.families.by_name import network, registry
from triscale.latency.predictor.block_kernels import SILU, block_kernels
from triscale.latency.predictor.calibration_networks import ANCHORS, calibration_networks, is_short
from triscale.latency.predictor.kernel_features import Vectors, convolution_kernel
from triscale.spec import content_hash, resolve
from triscale.spec.layer import convolution
from triscale.spec.rounding import Padding

UNCALIBRATED = {"grouped", "norm"}
"""Kinds of SENet-154, of pre-activation and cells: predicted by kinds that are alike."""


@given(
    height=st.integers(7, 40), width=st.integers(7, 40),
    kernel=st.sampled_from([1, 3, 5, 7]), stride=st.sampled_from([1, 2]),
    padding=st.sampled_from(["same", "symmetric"]), channels=st.sampled_from([16, 24, 40]),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_the_work_of_a_depthwise_kernel_is_counted_pixel_by_pixel(
    height: int, width: int, kernel: int, stride: int, padding: Padding, channels: int
) -> None:
    """The oracle goes over every output row and kernel row, and over every pixel at an edge."""
    layer = convolution(
        "d", (channels, channels), (height, width), padding, kernel=kernel, stride=stride, groups=channels
    )
    top, _, left, _ = layer.pad
    rows = sum(0 <= y * stride - top + k < height for y in range(layer.output[0]) for k in range(kernel))
    edge = sum(x * stride < left or x * stride - left + kernel > width for x in range(layer.output[1]))
    terms, blocks = convolution_kernel(layer, VECTORS).terms, -(-channels // 16)
    assert terms["work"] == rows * kernel * blocks * layer.output[1]
    assert terms["edge"] == rows * kernel * blocks * edge


def test_ragged_channels_cost_whole_blocks_unless_masked() -> None:
    masked = Vectors(block=16, pixels=6, depthwise_pixels=6, narrow=5, masked=True)
    kernels = [
        [convolution_kernel(convolution("c", (32, out), (8, 8), "same"), vectors) for out in (24, 32)]
        for vectors in (VECTORS, masked)
    ]
    (ragged, full), (less, more) = kernels
    assert ragged.terms["work"] == full.terms["work"]
    assert ragged.terms["out"] == full.terms["out"]
    assert less.terms["macs"] < more.terms["macs"]
    assert less.terms["out"] < more.terms["out"]


@pytest.mark.parametrize("name", [name for name in registry() if name not in ("efficientnet_l2", "resnet1001")])
def test_every_convolution_of_a_registered_network_is_one_kernel_of_terms_above_0(name: str) -> None:
    """And its kinds are those that a calibration meets, but for what only old networks have."""
    met = {
        k.kind for net in calibration_networks() for run in resolve(net).runs for k in block_kernels(run.block, VECTORS)
    }
    for block in {run.block for run in resolve(network(name)).runs}:
        kernels = block_kernels(block, VECTORS)
        convolutions = [
            one.role for one in block.layers if one.kind == "conv" and one.role not in ("squeeze", "excite")
        ]
        found = [kernel.role for kernel in kernels if "work" in kernel.terms]
        assert found == convolutions
        assert {kernel.kind for kernel in kernels} <= met | UNCALIBRATED
        assert all(value >= 0 for kernel in kernels for value in kernel.terms.values())


def test_silu_is_a_kernel_of_its_own_or_a_term() -> None:
    block = resolve(network("efficientnet_b0")).runs[0].block
    fused = replace(VECTORS, separate_silu=False)
    assert [kernel.role for kernel in block_kernels(block, VECTORS)] == ["conv", "conv" + SILU]
    (only,) = block_kernels(block, fused)
    assert only.terms["silu"] == 112 * 112 * 32


def test_calibration_networks_are_fixed_varied_and_none_is_registered() -> None:
    """The seed decides them: a hash of the first and the last, so that a change of the recipe is noticed."""
    nets = calibration_networks()
    known = {content_hash(net) for _, net in registry().values()}
    assert len({content_hash(net) for net in nets} - known) == len(nets) == 25 + 16
    assert set(ANCHORS) <= {net.name for net in nets}
    assert {net.activation for net in nets} == {"relu", "relu6", "silu", "hard_swish"}
    assert min(net.resolution for net in nets) < (30, 30) < (270, 270) < max(net.resolution for net in nets)
    assert {is_short(net) for net in nets[:25]} == {False}
    assert {is_short(net) for net in nets[25:]} == {True}
