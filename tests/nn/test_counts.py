"""What cost counts is what nn builds: parameters, MACs and activations, to the unit."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from tests.nn.networks import REGISTERED, TINY, at
from triscale.cost import Counts, count
from triscale.families import network
from triscale.nn import build
from triscale.spec import Network, scale

SIDES = st.integers(17, 90)
FACTORS = st.floats(0.5, 2.0)


def measured(of: Network) -> Counts:
    """Counts of the built module: parameters, FlopCounterMode, and the elements that convolutions return."""
    activations = 0

    def add(_module: nn.Module, _inputs: object, output: Tensor) -> None:
        nonlocal activations
        activations += output.numel()

    with torch.device("meta"):
        model = build(of).eval()  # in training batch norm refuses a single pixel
        for module in model.modules():
            if isinstance(module, nn.Conv2d):
                module.register_forward_hook(add)
        with FlopCounterMode(display=False) as counter:
            model(torch.empty(1, of.input_channels, *of.resolution))
    params = sum(p.numel() for p in model.parameters() if p.requires_grad)
    assert counter.get_total_flops() % 2 == 0
    return Counts(params, counter.get_total_flops() // 2, activations)


@pytest.mark.parametrize("of", REGISTERED, ids=lambda n: n.name)
def test_every_registered_network_costs_what_flop_counter_mode_counts(of: Network) -> None:
    assert count(of) == measured(of)


@pytest.mark.parametrize("of", TINY.values(), ids=TINY)
def test_every_block_kind_costs_what_flop_counter_mode_counts(of: Network) -> None:
    assert count(of) == measured(of)


@settings(max_examples=8, deadline=None)
@given(
    name=st.sampled_from(["efficientnet_b0", "mobilenet_v1", "resnet18", "resnet50"]),
    height=SIDES,
    width=SIDES,
    same=st.booleans(),
)
def test_odd_and_non_square_sizes_cost_what_flop_counter_mode_counts(
    name: str, height: int, width: int, *, same: bool
) -> None:
    of = replace(at(name, height, width), padding="same" if same else "symmetric")

    assert count(of) == measured(of)


@settings(max_examples=8, deadline=None)
@given(depth=FACTORS, width=FACTORS, resolution=FACTORS)
def test_scaled_networks_cost_what_flop_counter_mode_counts(depth: float, width: float, resolution: float) -> None:
    of = scale(network("smallnet_32"), depth=depth, width=width, resolution=resolution)

    assert count(of) == measured(of)
