"""Resolving: sizes chain from block to block and from layer to layer, and silly networks are rejected unbuilt."""

import time
from dataclasses import replace
from itertools import pairwise
from typing import Literal

import pytest
from hypothesis import given, settings

from tests.spec.strategies import networks
from triscale.errors import InputError
from triscale.families import network
from triscale.spec import Block, Branch, Head, Network, Size, SqueezeExcite, Stage, Stem, resolve
from triscale.spec.cell_layers import Previous
from triscale.spec.resolved import _most_layers

quick = settings(max_examples=30, deadline=None)


@pytest.mark.parametrize(("of", "squeezed"), [("input", 2), ("inner", 6), ("output", 6)])
def test_a_full_convolution_has_its_squeeze_excite_behind_it(
    of: Literal["input", "inner", "output"], squeezed: int
) -> None:
    """With expand 1 the inner channels are those that leave the convolution."""
    stage = Stage(
        operator="fused_mbconv", repeats=1, channels=24, squeeze_excite=SqueezeExcite(ratio=0.25, of=of), skip=False
    )
    one = Network(name="one", resolution=(8, 8), stem=Stem(channels=8), stages=(stage,), head=Head(channels=None))
    layers = resolve(one).runs[1].block.layers
    assert [(layer.role, layer.in_channels, layer.out_channels) for layer in layers] == [
        ("conv", 8, 24),
        ("squeeze", 24, squeezed),
        ("excite", squeezed, 24),
    ]


def with_repeats(*repeats: int) -> Network:
    """A network of separable stages (two layers a block), a stem of one layer and a classifier."""
    return Network(
        name="deep",
        resolution=(8, 8),
        stem=Stem(channels=8),
        stages=tuple(Stage(operator="separable", repeats=n, channels=8) for n in repeats),
        head=Head(channels=None),
    )


@quick
@given(networks())
def test_channels_and_sizes_chain_from_block_to_block(net: Network) -> None:
    blocks = [block for _, block in resolve(net).flat()]
    assert (net.input_channels, net.resolution) == (blocks[0].in_channels, blocks[0].input)
    for one, two in pairwise(blocks):
        assert (one.out_channels, one.output) == (two.in_channels, two.input)
    assert net.classes == blocks[-1].out_channels


@quick
@given(networks())
def test_channels_and_sizes_chain_through_the_layers_of_a_block(net: Network) -> None:
    for run in resolve(net).runs:
        if run.block.cell:
            continue
        channels, size = run.block.in_channels, run.block.input
        for layer in run.block.layers:
            if layer.role == "shortcut":
                assert (run.block.in_channels, run.block.input) == (layer.in_channels, layer.input)
                assert (run.block.out_channels, run.block.output) == (layer.out_channels, layer.output)
            else:
                assert channels == layer.in_channels
                assert layer.input == ((1, 1) if layer.role in ("squeeze", "excite", "hidden", "classifier") else size)
                channels = layer.out_channels
                size = size if layer.input == (1, 1) else layer.output
        assert run.block.out_channels == channels
        assert layer.in_channels % layer.groups == 0


@quick
@given(networks())
def test_flat_expands_to_the_repeats_of_every_stage(net: Network) -> None:
    resolved = resolve(net)
    flat = list(resolved.flat())
    assert sum(run.repeats for run in resolved.runs) == len(flat)
    expected = [0, *(index for index, stage in enumerate(net.stages, 1) for _ in range(stage.repeats)), -1]
    assert expected == [stage for stage, _ in flat]


@quick
@given(networks())
def test_only_the_first_block_of_a_stage_strides(net: Network) -> None:
    flat = list(resolve(net).flat())
    for index, stage in enumerate(net.stages, 1):
        first, *rest = [block for at, block in flat if at == index]
        assert stage.stride == first.stride
        assert all(block.stride == 1 for block in rest)
        assert all(block == rest[-1] for block in rest[1 if stage.cell else 0 :])


@quick
@given(networks())
def test_equal_blocks_in_a_row_are_one_run_and_no_block_has_more_layers_than_foreseen(net: Network) -> None:
    runs = resolve(net).runs
    assert all(one.stage != two.stage or one.block != two.block for one, two in pairwise(runs))
    assert all(len(run.block.layers) <= _most_layers(run.block) for run in runs)


@quick
@given(networks(operators=("cell",)))
def test_every_branch_of_a_cell_takes_its_state_and_returns_one_of_the_cells_width_and_size(net: Network) -> None:
    blocks = [block for _, block in resolve(net).flat()]
    for one, two in pairwise(blocks):
        if two.cell is None:
            continue
        before = two.previous or Previous(two.in_channels, two.input, 1)
        assert two.previous == (Previous(one.in_channels, one.input, one.stride) if one.cell else None)
        plan, filters = two.plan, two.inner_channels
        states = [after(plan.current, (two.in_channels, two.input)), after(plan.previous, before[:2])]
        assert states[0] == (filters, two.input)
        assert two.previous is None or states[1] == states[0]
        made = [after(branch, states[branch.source]) for branch in plan.operations if branch.source < 2]
        assert all(state == (filters, two.output) for state in made)
        states += [(filters, two.output)] * (len(plan.operations) // 2)
        for branch in (*plan.operations, *plan.outputs):
            assert after(branch, states[branch.source]) == (filters, two.output)
        assert two.out_channels == filters * len(plan.outputs)


def after(branch: Branch, state: tuple[int, Size]) -> tuple[int, Size]:
    """Channels and size that a branch leaves of a state, each layer asserted to fit the one before."""
    if branch.pool:
        assert (branch.pool.channels, branch.pool.input) == state
        state = branch.pool.channels, branch.pool.output
    if branch.reduces:
        even, odd, norm = branch.layers
        assert (even.in_channels, even.input) == (odd.in_channels, odd.input) == state
        assert even.output == odd.output == norm.input
        return even.out_channels + odd.out_channels, norm.output
    for layer in branch.layers:
        assert (layer.in_channels, layer.input) == state
        state = layer.out_channels, layer.output
    return state


def test_a_third_cell_of_a_stage_is_the_first_that_repeats() -> None:
    runs = resolve(network("amoebanet_b")).runs
    group = [1, 1, 4]
    assert [1, 1, 1, *group, 1, *group, 1, *group, 1] == [run.repeats for run in runs]
    assert [run.stage for run in runs] == [0, 1, 2, 3, 3, 3, 4, 5, 5, 5, 6, 7, 7, 7, -1]
    assert [run.block.previous for run in runs[1:6]] == [
        None,
        Previous(32, (239, 239), 2),
        Previous(256, (120, 120), 2),
        Previous(512, (60, 60), 1),
        Previous(2048, (60, 60), 1),
    ]


@quick
@given(networks())
def test_a_skip_stands_where_the_shape_stays_or_a_shortcut_projects(net: Network) -> None:
    for at, block in resolve(net).flat():
        if at < 1:
            continue
        stays = block.stride == 1 and block.in_channels == block.out_channels
        projected = any(layer.role == "shortcut" for layer in block.layers)
        residual = block.operator in ("basic", "bottleneck", "preactivation")
        wanted = net.stages[at - 1].skip and block.operator not in ("separable", "cell") and (stays or residual)
        assert (wanted, wanted and not stays) == (block.skip, projected)


def test_squeeze_excite_is_a_ratio_of_the_blocks_input_in_efficientnet() -> None:
    """The second block of B0's third stage: 24 channels in, 144 inside, 6 squeezed."""
    block = next(block for at, block in resolve(network("efficientnet_b0")).flat() if at == 3)
    assert (block.in_channels, block.inner_channels, block.squeeze_channels) == (24, 144, 6)


def test_inner_widths_that_are_whole_numbers_stay_exact_in_spite_of_floating_point_noise() -> None:
    """0.07 * 100 is 7.000000000000001 and 2.2 * 25 is 55.00000000000001: not 8 and 56 inner channels."""
    stage = Stage(operator="mbconv", repeats=1, channels=8, expand=2.2)
    assert inner(stage, channels=25) == 55
    assert inner(replace(stage, expand=0.07), channels=100) == 7
    assert inner(replace(stage, expand=1.15), channels=10) == 16


def inner(stage: Stage, channels: int) -> int:
    """The inner channels of a stage's first block that has `channels` at its input."""
    net = replace(with_repeats(1), stem=Stem(channels=channels), stages=(stage,))
    block: Block = resolve(net).runs[1].block
    return block.inner_channels


def test_10_000_layers_are_the_most() -> None:
    assert resolve(with_repeats(4999)).runs
    with pytest.raises(InputError, match=r"deep has 10,002 layers, the most is 10,000; use a smaller depth or phi"):
        resolve(with_repeats(5000))


def test_silly_depth_is_refused_without_building_its_layers() -> None:
    """100 stages of 100,000 blocks: 20 million layers would take a minute; the distinct ones take a millisecond."""
    started = time.process_time()
    with pytest.raises(InputError, match="20,000,002 layers"):
        resolve(with_repeats(*[100_000] * 100))
    assert time.process_time() - started < 2
