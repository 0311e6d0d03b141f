"""Predicted memory against the peak of torch's CPU allocator, and properties that need no torch."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.memory import PAIRS, WAYS, allocator_peak, at, infer, train_two_steps
from tests.nn.networks import TINY
from triscale.cost import Optimizer, count, inference_memory, largest_batch, training_memory
from triscale.cost.memory import _step
from triscale.errors import InputError, UsageError
from triscale.families import network, registry
from triscale.families.amoebanet import amoebanet
from triscale.spec import Network, resolve, scale


@pytest.fixture(autouse=True)
def _two_threads() -> Iterator[None]:
    """With one thread torch takes another path for small 1x1 convolutions, one without oneDNN's copies."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(("name", "side", "batch"), PAIRS)
def test_training_memory_matches_the_allocators_peak(name: str, side: int, batch: int) -> None:
    of = at(name, side)

    peak = allocator_peak(lambda: train_two_steps(of, batch, "sgd"))

    assert training_memory(of, batch, "sgd") == pytest.approx(peak, rel=0.02)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("name", "side", "batch"), [("mobilenet_v3_small", 64, 8), ("smallnet_32", 32, 32)])
def test_training_memory_in_bfloat16_and_with_recomputation_matches_the_allocators_peak(
    name: str, side: int, batch: int, way: str
) -> None:
    (precision, recompute), of = WAYS[way], at(name, side)

    peak = allocator_peak(lambda: train_two_steps(of, batch, "sgd", precision=precision, recompute=recompute))

    assert training_memory(of, batch, precision=precision, recompute=recompute) == pytest.approx(peak, rel=0.01)


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_memory_of_cells_in_every_way_matches_the_allocators_peak(way: str) -> None:
    """A recomputed cell keeps both of its inputs."""
    (precision, recompute), of = WAYS[way], amoebanet("small", cells=1, filters=32, side=33, classes=10)

    peak = allocator_peak(lambda: train_two_steps(of, 4, "sgd", precision=precision, recompute=recompute))

    assert training_memory(of, 4, precision=precision, recompute=recompute) == pytest.approx(peak, rel=0.03)


def test_training_memory_holds_the_moving_average() -> None:
    of = at("resnet18", 32)

    peak = allocator_peak(lambda: train_two_steps(of, 2, "sgd", ema=True))

    assert training_memory(of, 2, ema=True) == pytest.approx(peak, rel=0.05)


@pytest.mark.parametrize("optimizer", ["rmsprop", "adam", "adamw"])
@pytest.mark.parametrize(("name", "batch"), [("resnet18", 2), ("smallnet_32", 32)])
def test_training_memory_holds_the_optimizers_state(name: str, batch: int, optimizer: Optimizer) -> None:
    of = at(name, 32)

    peak = allocator_peak(lambda: train_two_steps(of, batch, optimizer))

    assert training_memory(of, batch, optimizer) == pytest.approx(peak, rel=0.05)


@pytest.mark.parametrize(("name", "side", "batch"), [*PAIRS, ("efficientnet_b0", 224, 1)])
def test_inference_memory_matches_the_allocators_peak(name: str, side: int, batch: int) -> None:
    of = at(name, side)

    peak = allocator_peak(lambda: infer(of, batch))

    assert inference_memory(of, batch) == pytest.approx(peak, rel=0.02)


@pytest.mark.parametrize("kind", TINY)
def test_memory_of_every_block_kind_matches_the_allocators_peak(kind: str) -> None:
    of = replace(TINY[kind], resolution=(61, 90))

    trained = allocator_peak(lambda: train_two_steps(of, 8, "sgd"))
    inferred = allocator_peak(lambda: infer(of, 8))

    assert training_memory(of, 8) == pytest.approx(trained, rel=0.05)
    assert inference_memory(of, 8) == pytest.approx(inferred, rel=0.05)


def test_memory_of_amoebanet_matches_the_allocators_peak() -> None:
    """Cells share their inputs, and a state many operations."""
    of = amoebanet("small", cells=1, filters=32, side=65, classes=10)

    trained = allocator_peak(lambda: train_two_steps(of, 4, "sgd"))
    inferred = allocator_peak(lambda: infer(of, 4))

    assert training_memory(of, 4) == pytest.approx(trained, rel=0.02)
    assert inference_memory(of, 4) == pytest.approx(inferred, rel=0.02)


@pytest.mark.parametrize("of", [n for _, n in registry().values()] + list(TINY.values()), ids=lambda n: n.name)
@pytest.mark.parametrize(("item", "recompute"), [(4, False), (4, True), (2, False), (2, True)])
def test_after_backward_the_gradients_alone_are_left(of: Network, item: int, *, recompute: bool) -> None:
    assert 4 * count(of).params == _step(resolve(of), 3, recompute=recompute, item=item)[1]


@settings(max_examples=50, deadline=None)
@given(batch=st.integers(1, 200), depth=st.floats(0.5, 2), width=st.floats(0.5, 2), resolution=st.floats(0.5, 2))
def test_memory_grows_with_the_batch_and_training_takes_more(
    batch: int, depth: float, width: float, resolution: float
) -> None:
    of = scale(network("smallnet_32"), depth=depth, width=width, resolution=resolution)

    assert inference_memory(of, batch) < inference_memory(of, batch + 1)
    assert training_memory(of, batch) < training_memory(of, batch + 1)
    assert inference_memory(of, batch) < training_memory(of, batch)
    assert training_memory(of, batch, "sgd") <= training_memory(of, batch, "adam")
    assert training_memory(of, batch) < training_memory(of, batch, ema=True)
    # Of one small picture, the block that is made again can hold more than was spared.
    assert training_memory(of, batch + 15, recompute=True) < training_memory(of, batch + 15)


@settings(max_examples=30, deadline=None)
@given(mebibytes=st.integers(100, 20_000))
def test_the_largest_batch_fits_and_one_more_does_not(mebibytes: int) -> None:
    of, limit = network("efficientnet_b0"), mebibytes * 2**20
    if training_memory(of, 1) > limit:
        with pytest.raises(InputError, match="batch of 1"):
            largest_batch(of, limit)
        return

    batch = largest_batch(of, limit)

    assert training_memory(of, batch) <= limit < training_memory(of, batch + 1)


def test_what_cannot_be_meant_is_refused() -> None:
    with pytest.raises(InputError, match=f"{training_memory(network('resnet18'), 1):,}"):
        largest_batch(network("resnet18"), 10**6)
    with pytest.raises(UsageError, match="float32, bfloat16"):
        training_memory(network("resnet18"), 1, precision="half")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="sgd, rmsprop, adam"):
        training_memory(network("resnet18"), 1, "lion")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="batch is -1"):
        inference_memory(network("resnet18"), -1)
