"""Forecast memory: tensors against torch's bookkeeping, kernels against its CPU allocator, and properties.

The allocator's peak depends on the machine's kernels, so these tests mean something else on each machine: `make check`
runs them as they are and with oneDNN held to AVX2.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import triscale
from benchmarks.memory import PAIRS, WAYS, allocator_peak, at, infer, train_two_steps
from tests.cost.live import live_peak
from tests.nn.networks import TINY
from triscale.api import kernels_of
from triscale.cost import (
    Kernels,
    Optimizer,
    Precision,
    count,
    inference_memory,
    kernels,
    known_here,
    largest_batch,
    training_memory,
)
from triscale.cost.eager import Way
from triscale.cost.memory import _step
from triscale.errors import InputError, UsageError
from triscale.families import network, registry
from triscale.families.amoebanet import amoebanet
from triscale.nn import kept_kernels, measured_kernels, scratch
from triscale.spec import Network, resolve, scale


@pytest.fixture(autouse=True, params=[2], ids="{}threads".format)
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    """With one thread torch takes another path for small 1x1 convolutions, one without oneDNN's copies."""
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def here() -> Kernels:
    """Those of this machine, with the threads that torch has now."""
    found = kernels_of()
    assert found
    return found


THREADS = pytest.mark.parametrize("threads", [1, 2], indirect=True)


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


@THREADS
@pytest.mark.parametrize(("name", "side", "batch"), [*PAIRS, ("senet154", 64, 2), ("efficientnetv2_b0", 64, 4)])
def test_training_memory_matches_the_allocators_peak(name: str, side: int, batch: int) -> None:
    of = at(name, side)

    peak = allocator_peak(lambda: train_two_steps(of, batch, "sgd"))

    assert training_memory(of, batch, "sgd", kernels=here()) == pytest.approx(peak, rel=0.005)


def test_the_public_cost_is_that_of_this_machine_and_says_what_its_kernels_take() -> None:
    """ResNet-18 at 64 px ends in maps smaller than its kernels, for which oneDNN copies weights on AVX2."""
    found, of = triscale.cost("resnet18", resolution=64, batch=8), at("resnet18", 64)

    assert found.training_memory == training_memory(of, 8, kernels=here())
    assert found.training_memory - found.training_kernels == training_memory(of, 8)
    assert (found.kernels, found.threads) == (here().name, 2)
    assert triscale.cost("resnet18", batch=8, kernels=None).training_kernels == 0


@pytest.mark.parametrize(("isa", "kernel_bytes"), [("avx2", 62_914_560), ("avx512", 6_291_456)])
def test_another_machines_kernels_can_be_named(isa: str, kernel_bytes: int) -> None:
    assert triscale.cost("resnet18", resolution=64, batch=8, kernels=kernels(isa, 2)).training_kernels == kernel_bytes
    with pytest.raises(UsageError, match="unknown instruction set 'mmx'; known are avx2, avx512"):
        kernels("mmx", 2)


@THREADS
def test_kernels_are_measured_as_they_are_known(threads: int) -> None:
    """On a machine whose instruction set is known, a measurement finds what the table says."""
    known = known_here(threads)
    if known is None:
        pytest.skip("this machine's instruction set is not in the table of known kernels")
    assert measured_kernels(threads, known.name) == known


def test_a_measurement_of_kernels_is_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TRISCALE_CACHE", str(tmp_path))
    found = kept_kernels()
    monkeypatch.setattr(scratch, "measured_kernels", None)
    assert kept_kernels() == found
    (file,) = tmp_path.iterdir()
    file.write_text("{", encoding="utf-8")
    monkeypatch.setattr(scratch, "measured_kernels", lambda _: found)
    assert kept_kernels() == found


@THREADS
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("name", "side", "batch"), [("mobilenet_v3_small", 64, 8), ("smallnet_32", 32, 32)])
def test_training_memory_in_bfloat16_and_with_recomputation_matches_the_allocators_peak(
    name: str, side: int, batch: int, way: str
) -> None:
    (precision, recompute), of = WAYS[way], at(name, side)

    peak = allocator_peak(lambda: train_two_steps(of, batch, "sgd", precision=precision, recompute=recompute))

    forecast = training_memory(of, batch, precision=precision, recompute=recompute, kernels=here())
    assert forecast == pytest.approx(peak, rel=0.01)


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_memory_of_cells_in_every_way_matches_the_allocators_peak(way: str) -> None:
    """A recomputed cell keeps both of its inputs."""
    (precision, recompute), of = WAYS[way], amoebanet("small", cells=1, filters=32, side=33, classes=10)

    peak = allocator_peak(lambda: train_two_steps(of, 4, "sgd", precision=precision, recompute=recompute))

    forecast = training_memory(of, 4, precision=precision, recompute=recompute, kernels=here())
    assert forecast == pytest.approx(peak, rel=0.02)


def test_training_memory_holds_the_moving_average() -> None:
    of = at("resnet18", 32)

    peak = allocator_peak(lambda: train_two_steps(of, 2, "sgd", ema=True))

    assert training_memory(of, 2, ema=True, kernels=here()) == pytest.approx(peak, rel=0.02)


@pytest.mark.parametrize("optimizer", ["rmsprop", "adam", "adamw"])
@pytest.mark.parametrize(("name", "batch"), [("resnet18", 2), ("smallnet_32", 32)])
def test_training_memory_holds_the_optimizers_state(name: str, batch: int, optimizer: Optimizer) -> None:
    of = at(name, 32)

    peak = allocator_peak(lambda: train_two_steps(of, batch, optimizer))

    assert training_memory(of, batch, optimizer, kernels=here()) == pytest.approx(peak, rel=0.02)


@pytest.mark.parametrize(("name", "side", "batch"), [*PAIRS, ("efficientnet_b0", 224, 1)])
def test_inference_memory_matches_the_allocators_peak(name: str, side: int, batch: int) -> None:
    of = at(name, side)

    peak = allocator_peak(lambda: infer(of, batch))

    assert inference_memory(of, batch, kernels=here()) == pytest.approx(peak, rel=0.02)


@pytest.mark.parametrize("kind", TINY)
def test_memory_of_every_block_kind_matches_the_allocators_peak(kind: str) -> None:
    of = replace(TINY[kind], resolution=(61, 90))

    trained = allocator_peak(lambda: train_two_steps(of, 8, "sgd"))
    inferred = allocator_peak(lambda: infer(of, 8))

    # networks so small that buffers of a few hundred KiB, which each thread takes, are some of their percents
    assert training_memory(of, 8, kernels=here()) == pytest.approx(trained, rel=0.05)
    assert inference_memory(of, 8, kernels=here()) == pytest.approx(inferred, rel=0.05)


def test_memory_of_amoebanet_matches_the_allocators_peak() -> None:
    """Cells share their inputs, and a state many operations."""
    of = amoebanet("small", cells=1, filters=32, side=65, classes=10)

    trained = allocator_peak(lambda: train_two_steps(of, 4, "sgd"))
    inferred = allocator_peak(lambda: infer(of, 4))

    assert training_memory(of, 4, kernels=here()) == pytest.approx(trained, rel=0.02)
    assert inference_memory(of, 4, kernels=here()) == pytest.approx(inferred, rel=0.02)


@pytest.mark.parametrize("of", [n for _, n in registry().values()] + list(TINY.values()), ids=lambda n: n.name)
@pytest.mark.parametrize(("item", "recompute"), [(4, False), (4, True), (2, False), (2, True)])
def test_after_backward_the_gradients_alone_are_left(of: Network, item: int, *, recompute: bool) -> None:
    assert 4 * count(of).params == _step(resolve(of), 3, Way(item, recompute, kernels("avx2", 2)))[1]


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
