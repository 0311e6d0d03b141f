"""What cost counts is what nn builds: parameters, MACs and activations, to the unit; or both reject it alike."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from tests.nn.networks import REGISTERED, TINY, at, without_numbers
from tests.spec.strategies import networks
from triscale.costs import Counts, count
from triscale.errors import InputError
from triscale.families import network
from triscale.families.amoebanet import amoebanet
from triscale.nn import build
from triscale.scaling import fit_budget
from triscale.scaling import network as named
from triscale.spec import Network, Stem, scale

SIDES = st.integers(17, 90)
FACTORS = st.floats(0.5, 2.0)
DEPTHS, STRONG = st.floats(0.02, 1.3), st.floats(0.02, 3.0)
"""Factors that leave one layer, one channel and one pixel of a network, or triple it; deep networks take long here."""
CELLS = amoebanet("cells", cells=1, filters=16, side=40, classes=5)
CELLS = replace(CELLS, stages=CELLS.stages[1:3])
GROUPED = [
    f"senet154@depth=0.03,{scaling}"
    for scaling in ("width=0.75", "width=0.95", "width=1.1", "width=0.03,resolution=0.02")
]
"""Widths at which the first convolution of a bottleneck is on no multiple of its 64 groups."""


def measured(of: Network) -> Counts:
    """Counts of the built module: parameters, FlopCounterMode, and the elements that convolutions return."""
    activations = 0

    def add(_module: nn.Module, _inputs: object, output: Tensor) -> None:
        nonlocal activations
        activations += output.numel()

    with without_numbers():
        model = build(of).eval()  # in training batch norm rejects a single pixel
        picture = torch.empty(1, of.input_channels, *of.resolution)
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(add)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(picture)
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


def told(of: Callable[[Network], Counts], network: Network) -> Counts | str:
    """The counts, or the message with which the network is rejected."""
    try:
        return of(network)
    except InputError as error:
        return str(error)


def check_counted_is_built(of: Network) -> None:
    """The property; what torch cannot run is an error of torch, which is not an InputError, and fails."""
    assert told(count, of) == told(measured, of)


def check_scaled(of: Network, depth: float, width: float, resolution: float) -> None:
    check_counted_is_built(scale(of, depth=depth, width=width, resolution=resolution))


@settings(max_examples=25, deadline=None)
@given(of=networks(fits=False), depth=DEPTHS, width=STRONG, resolution=STRONG)
def test_whatever_is_counted_is_built_and_runs_at_any_scale(
    of: Network, depth: float, width: float, resolution: float
) -> None:
    check_scaled(of, depth, width, resolution)


@pytest.mark.slow
@settings(max_examples=2000, deadline=None)
@given(of=networks(fits=False), depth=DEPTHS, width=STRONG, resolution=STRONG)
def test_whatever_is_counted_is_built_in_a_longer_search(
    of: Network, depth: float, width: float, resolution: float
) -> None:
    check_scaled(of, depth, width, resolution)


@pytest.mark.parametrize("name", GROUPED)
def test_a_grouped_network_is_built_at_every_width_as_counted(name: str) -> None:
    check_counted_is_built(named(name))


@settings(max_examples=10, deadline=None)
@given(height=st.integers(1, 12), width=st.integers(1, 12))
def test_cells_are_built_as_counted_or_rejected_alike_on_very_small_images(height: int, width: int) -> None:
    check_counted_is_built(replace(CELLS, resolution=(height, width)))


def test_the_message_names_the_network_the_size_the_kernel_and_what_to_do() -> None:
    with pytest.raises(InputError) as raised:
        count(replace(CELLS, resolution=(40, 2)))

    assert str(raised.value) == (
        "cells cannot run on images of 40x2 px: the 3x3 convolution\n"
        "in its stem has no padding and gets a map of 40x2 px. Use a larger resolution."
    )


def test_every_convolution_of_a_deep_stem_without_padding_shrinks_the_map() -> None:
    """15 px leave 7 after the first, 5 and 3 after the others, 1 after the pooling; 14 px leave nothing."""
    of = replace(TINY["basic"], stem=Stem(channels=8, deep=(4, 4), padding="valid", pool=True), resolution=(15, 15))

    assert count(of) == measured(of)
    with pytest.raises(InputError, match=r"the 3x3 pooling\n.* gets a map of 2x3 px"):
        count(replace(of, resolution=(14, 15)))


@settings(max_examples=8, deadline=None)
@given(of=networks(), phi=st.floats(-12, 3), filled=st.booleans())
def test_what_the_solver_proposes_is_built_as_counted(of: Network, phi: float, *, filled: bool) -> None:
    found = fit_budget(of, {"macs": 2**phi * count(of).macs + 1e5}, filled=filled, rule="uniform")

    assert found.fit.cost["macs"] == count(found.network).macs == measured(found.network).macs
