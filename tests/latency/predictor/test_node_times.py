"""Nodes of a real engine's profile count for the kernels that they are of."""

from dataclasses import replace

import numpy as np
import pytest

from triscale.costs import parse_target
from triscale.families.by_name import network
from triscale.latency.predictor.block_kernels import HEAD, SILU, SQUEEZE, block_kernels
from triscale.latency.predictor.node_times import NodeTimes, kernel_times
from triscale.latency.predictor.profiles.profiling import profiler_of, vectors_of
from triscale.spec import Network, Resolved, resolve

SMALL = replace(network("efficientnet_b0"), resolution=(32, 32))


def profiled(network: Network, target: str) -> tuple[NodeTimes, ...]:
    """Two runs of the network in the engine of a target."""
    pytest.importorskip("onnxruntime")
    where = parse_target(target)
    return profiler_of(where).prepared(network, where).profile(np.zeros((1, 3, 32, 32), np.float32), 2)


def alone(resolved: Resolved, node: NodeTimes) -> set[str]:
    """The roles that get time where this node alone took some."""
    return {role for (_, role), value in kernel_times(resolved, [node], 1.0).items() if value}


@pytest.mark.parametrize("target", ["onnxruntime:float32:t1", "onnxruntime:int8:t1"])
def test_a_sigmoid_counts_for_silu_and_never_for_the_convolution_in_front_of_it(target: str) -> None:
    resolved = resolve(SMALL)
    nodes = [one for one in profiled(SMALL, target) if "Sigmoid" in one.operation or "Gelu" in one.operation]
    roles = set[str]().union(*(alone(resolved, node) for node in nodes))
    assert SQUEEZE in roles
    assert roles <= {"conv" + SILU, "expand" + SILU, "depthwise" + SILU, SQUEEZE}


def test_in_int8_a_mean_in_float32_pays_for_its_dequantised_map() -> None:
    resolved = resolve(SMALL)
    nodes = [one for one in profiled(SMALL, "onnxruntime:int8:t1") if one.operation == "DequantizeLinear"]
    assert nodes
    assert all(alone(resolved, node) <= {SQUEEZE, HEAD} for node in nodes)


@pytest.mark.parametrize("target", ["onnxruntime:float32:t1", "onnxruntime:int8:t1"])
def test_nodes_are_placed_on_kernels_that_are_there(target: str) -> None:
    resolved = resolve(SMALL)
    vectors = vectors_of(parse_target(target))
    there = {
        (number, kernel.role) for number, (_, block) in enumerate(resolved.flat())
        for kernel in block_kernels(block, vectors)
    }  # fmt: skip
    assert kernel_times(resolved, profiled(SMALL, target), 1.0).keys() <= there
