"""Forecast memory against the peak of torch's CPU allocator.

That depends on the machine's kernels, so these tests mean something else on each machine: `make check`
runs them as they are and with oneDNN held to AVX2.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import triscale
from benchmarks.memory import PAIRS, WAYS, at, infer, train_two_steps
from tests.nn.networks import TINY
from triscale.api import kernels_of
from triscale.cost import (
    Kernels,
    Optimizer,
    Precision,
    inference_memory,
    known_here,
    training_memory,
)
from triscale.families.amoebanet import amoebanet
from triscale.nn import kept_kernels, measured_kernels, scratch
from triscale.nn.scratch import allocator_peak
from triscale.scaling import network as named


@pytest.fixture(autouse=True, params=[2], ids="{}threads".format)
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    """With one thread torch takes another path for small 1x1 convolutions, one without oneDNN's copies."""
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def here(precision: Precision = "float32") -> Kernels:
    """Those of this machine, with the threads that torch has now."""
    found = kernels_of(precision=precision)
    assert found
    return found


THREADS = pytest.mark.parametrize("threads", [1, 2], indirect=True)


@THREADS
@pytest.mark.parametrize(
    ("name", "side", "batch"),
    [
        *PAIRS,
        ("senet154@depth=0.1", 64, 2),
        pytest.param("senet154", 64, 2, marks=pytest.mark.slow),  # more of the same blocks, and 20 times the others
        ("efficientnetv2_b0", 64, 4),
    ],
)
def test_training_memory_matches_the_allocators_peak(name: str, side: int, batch: int) -> None:
    of = replace(named(name), resolution=(side, side))

    peak = allocator_peak(lambda: train_two_steps(of, batch, "sgd"))

    assert training_memory(of, batch, "sgd", kernels=here()) == pytest.approx(peak, rel=0.005)


def test_the_public_cost_is_that_of_this_machine_and_says_what_its_kernels_take() -> None:
    """ResNet-18 at 64 px ends in maps smaller than its kernels, for which oneDNN copies weights on AVX2."""
    found, of = triscale.cost("resnet18", resolution=64, batch=8), at("resnet18", 64)

    assert found.training_memory == training_memory(of, 8, kernels=here())
    assert found.training_memory - found.training_kernels == training_memory(of, 8)
    assert (found.kernels, found.threads) == (here().name, 2)
    assert triscale.cost("resnet18", batch=8, kernels=None).training_kernels == 0


@THREADS
def test_kernels_are_measured_as_they_are_known(threads: int) -> None:
    """On a machine whose instruction set is known, a measurement finds what the table says."""
    known = known_here(threads, bfloat16=True)
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

    forecast = training_memory(of, batch, precision=precision, recompute=recompute, kernels=here(precision))
    assert forecast == pytest.approx(peak, rel=0.01 if known_here(bfloat16=precision == "bfloat16") else 0.1)


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_memory_of_cells_in_every_way_matches_the_allocators_peak(way: str) -> None:
    """A recomputed cell keeps both of its inputs."""
    (precision, recompute), of = WAYS[way], amoebanet("small", cells=1, filters=32, side=33, classes=10)

    peak = allocator_peak(lambda: train_two_steps(of, 4, "sgd", precision=precision, recompute=recompute))

    forecast = training_memory(of, 4, precision=precision, recompute=recompute, kernels=here(precision))
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
