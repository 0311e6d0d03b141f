"""The arena against sums by hand, and against the lifetimes of the maps in a graph that others run."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triscale.costs import Target, arena, metric_named
from triscale.errors import UsageError
from triscale.families import network


def test_the_arena_of_b0_is_the_depthwise_convolution_that_first_halves_96_maps() -> None:
    assert arena(network("efficientnet_b0"), precision="int8") == 96 * 112**2 + 96 * 56**2


def test_the_arena_of_resnet_50_is_the_sum_of_its_first_block() -> None:
    """The shortcut, the branch, and their sum: 256 maps of 56 x 56 px each."""
    assert arena(network("resnet50"), precision="int8") == 3 * 256 * 56**2


def test_the_arena_of_a_pre_activation_network_is_a_sum_too() -> None:
    """The map that the skip hands on (as wide as the sum), the branch, the sum: 64 maps of 32 x 32 px."""
    assert arena(network("resnet164"), precision="int8") == 3 * 64 * 32**2


@given(name=st.sampled_from(["finenet_20", "mobilenet_v3_large", "senet154", "amoebanet_b"]), batch=st.integers(1, 9))
def test_the_arena_grows_with_the_batch_and_with_the_bytes_of_an_element(name: str, batch: int) -> None:
    one = arena(network(name), precision="int8")

    assert arena(network(name), batch, "int8") == batch * one
    assert arena(network(name), batch, "bfloat16") == 2 * batch * one
    assert arena(network(name), batch) == 4 * batch * one


def test_a_limit_on_the_arena_reads_precision_and_batch_of_the_target() -> None:
    b0 = network("efficientnet_b0")

    assert metric_named("arena").of(b0, Target(precision="int8", batch=2)) == arena(b0, 2, "int8")


def test_a_batch_below_1_is_rejected() -> None:
    with pytest.raises(UsageError, match="the batch is 0"):
        arena(network("finenet_20"), 0)
