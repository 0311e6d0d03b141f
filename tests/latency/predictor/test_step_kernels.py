"""The kernels of compiled networks: one for each step of the plan, each with the work that the code does."""

from dataclasses import replace

import numpy as np
import pytest

from tests.nn.networks import TINY
from tests.runtime.test_compiled_networks import COMPILER, images_for
from triscale.costs import Target
from triscale.engines.native_code import NativeEngine
from triscale.errors import UsageError
from triscale.families.by_name import network, registry
from triscale.latency.predictor.kernel_features import Kernel
from triscale.latency.predictor.profiles.profiled_native import profile_native
from triscale.latency.predictor.step_kernels import step_kernels
from triscale.runtime import best_isa, plan, planned
from triscale.runtime.steps import Convolve, Ring
from triscale.spec import Network

LANES = 16
NET = TINY["mbconv_se"]


def kernels_of(net: Network, kind: str) -> list[Kernel]:
    return [one for one in step_kernels(net, LANES) if one.kind == kind]


@pytest.mark.parametrize("name", [one for one in registry() if not one.startswith("amoebanet")])
def test_every_step_of_a_registered_network_is_one_kernel_of_terms_above_0(name: str) -> None:
    net = network(name)
    found = step_kernels(net, LANES)
    assert [one.role.split(" ", 1)[1] for one in found] == [step.name for step in plan(net, LANES).steps]
    assert [one.role for one in found if min(one.terms.values()) < 0 or one.terms["one"] != 1] == []


def test_work_is_counted_in_registers_of_pixels_that_are_there() -> None:
    """Of B0: the first projection, 32 channels to 16 at 112 px, and the last convolution, 320 to 1,280 at 7 px."""
    first, last = (
        kernels_of(network("efficientnet_b0"), "pointwise")[0],
        kernels_of(network("efficientnet_b0"), "pointwise")[-1],
    )
    assert first.terms["work"] == 32 * 1 * 112**2
    assert last.terms["work"] == 320 * 80 * 7**2
    assert last.terms["weights"] == 320 * 1280


def test_transformed_tiles_count_as_they_are_made() -> None:
    """ResNet-50's 3x3 convolutions of 64 channels at 56 px: 16 products for 4 outputs, not 36."""
    steps = [step for step in plan(network("resnet50"), LANES).steps if isinstance(step, Convolve) and step.winograd]
    found = kernels_of(network("resnet50"), "winograd")
    assert len(found) == len(steps) > 0
    assert found[0].terms["work"] == 64 * 4 * 56**2 * 9 * 16 / 36


def test_a_convolution_and_the_depthwise_one_behind_it_are_one_kernel() -> None:
    found = [one for one in step_kernels(network("mobilenet_v2"), LANES) if "ring" in one.kind]
    rings = [step for step in plan(network("mobilenet_v2"), LANES).steps if isinstance(step, Ring)]
    assert len(found) == len(rings) == 17
    assert found[1].terms["first.work"] == 16 * 6 * 112**2
    assert found[1].terms["work"] == 9 * 6 * 56**2


@COMPILER
def test_a_profile_has_every_step_in_its_order_and_changes_no_logit() -> None:
    """Of a network with gates and means that are functions of their own in the source."""
    net = replace(network("efficientnet_b0"), resolution=(96, 96))
    target = Target(runtime="native")
    images = images_for(net, 1)
    nodes = profile_native(NativeEngine(), net, target, images, 5)
    assert [one.name for one in nodes] == [one.role for one in step_kernels(net, planned(net, best_isa()).lanes)]
    opened = NativeEngine().opened(net, target)
    logits = opened(images)
    assert min(opened.step_times(images[0])) >= 0
    assert np.array_equal(opened(images), logits)
    with pytest.raises(UsageError, match=r"give float32 \[n, 3, 96, 96\]"):
        opened.step_times(images[0, :, :5])
