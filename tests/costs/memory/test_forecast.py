"""Forecast memory: tensors against torch's own bookkeeping, and properties that need no torch."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import triscale
from benchmarks.memory import at, infer, train_two_steps
from tests.costs.live import live_peak
from tests.nn.networks import TINY
from triscale.costs import (
    Precision,
    count,
    inference_memory,
    kernels,
    largest_batch,
    training_memory,
)
from triscale.costs.memory.eager import Way
from triscale.costs.memory.forecast import _step
from triscale.errors import InputError, UsageError
from triscale.families import network, registry
from triscale.spec import Network, resolve, scale


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("kind", TINY)
def test_what_training_keeps_is_what_torch_says_lives(kind: str, precision: Precision) -> None:
    """Odd sides, so that rounding and padding differ. Sizes do not depend on the layout, which such tensors lack."""
    of = replace(TINY[kind], resolution=(61, 90))

    peak = live_peak(lambda: train_two_steps(of, 8, "sgd", precision=precision, layout=torch.contiguous_format))

    assert training_memory(of, 8, "sgd", precision=precision) == pytest.approx(peak, rel=0.002)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("name", ["efficientnet_b0", "resnet18"])
def test_what_recomputing_training_keeps_is_what_torch_says_lives(name: str, precision: Precision) -> None:
    """Of whole networks: torch leaves out the last operations of a block that is run again, which tiny ones feel."""
    of, plain = at(name, 64), torch.contiguous_format

    peak = live_peak(lambda: train_two_steps(of, 8, "sgd", precision=precision, recompute=True, layout=plain))

    assert training_memory(of, 8, precision=precision, recompute=True) == pytest.approx(peak, rel=0.002)


@pytest.mark.slow
@pytest.mark.parametrize("of", [n for _, n in registry().values() if count(n).macs < 1e11], ids=lambda n: n.name)
def test_what_every_network_keeps_is_what_torch_says_lives(of: Network) -> None:
    of = replace(of, resolution=(75, 64))

    plain = torch.contiguous_format
    trained = live_peak(lambda: train_two_steps(of, 3, "sgd", layout=plain))
    inferred = live_peak(lambda: infer(of, 3, layout=plain))

    assert training_memory(of, 3) == pytest.approx(trained, rel=0.003)
    assert inference_memory(of, 3) == pytest.approx(inferred, rel=0.003)


@pytest.mark.parametrize(("isa", "kernel_bytes"), [("avx2", 62_914_560), ("avx512", 6_291_456)])
def test_another_machines_kernels_can_be_named(isa: str, kernel_bytes: int) -> None:
    assert triscale.cost("resnet18", resolution=64, batch=8, kernels=kernels(isa, 2)).training_kernels == kernel_bytes
    with pytest.raises(UsageError, match="unknown instruction set 'mmx'; known are avx2, avx512"):
        kernels("mmx", 2)


@pytest.mark.parametrize(("item", "recompute"), [(4, False), (4, True), (2, False), (2, True)])
def test_after_backward_the_gradients_alone_are_left(item: int, *, recompute: bool) -> None:
    """Of every registered network and every kind of block."""
    way = Way(item, recompute, kernels("avx2", 2))
    for of in (*(one for _, one in registry().values()), *TINY.values()):
        assert 4 * count(of).params == _step(resolve(of), 3, way)[1], of.name


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
    # Of one small image, the block that is made again can hold more than was spared.
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
