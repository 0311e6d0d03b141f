"""Predicted memory against the peak of torch's CPU allocator, and properties that need no torch."""

from collections.abc import Callable
from dataclasses import replace
from typing import cast

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.profiler import ProfilerActivity, profile

from tests.nn.networks import TINY
from triscale.cost import Optimizer, count, inference_memory, largest_batch, training_memory
from triscale.cost.memory import _step
from triscale.errors import InputError, UsageError
from triscale.families import network, registry
from triscale.nn import build
from triscale.spec import Network, resolve, scale

OPTIMIZERS: dict[Optimizer, Callable[[nn.Module], torch.optim.Optimizer]] = {
    "sgd": lambda m: torch.optim.SGD(m.parameters(), lr=0.01, momentum=0.9),
    "rmsprop": lambda m: torch.optim.RMSprop(m.parameters(), lr=0.001, momentum=0.9),
    "adam": lambda m: torch.optim.Adam(m.parameters(), lr=0.001),
}
PAIRS = [
    ("efficientnet_b0", 96, 8),
    ("mobilenet_v2", 96, 8),
    ("mobilenet_v1", 96, 8),
    ("resnet18", 64, 8),
    ("resnet50", 64, 4),
    ("smallnet_32", 32, 128),
]


def allocator_peak(work: Callable[[], object]) -> int:
    """Peak of the allocator's running total, from the profiler's memory events; all that `work` allocates counts."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as prof:
        work()
    assert prof.profiler is not None
    events = [e for e in prof.profiler.kineto_results.events() if e.name() == "[memory]"]
    live = peak = 0
    for event in sorted(events, key=lambda e: cast("int", e.start_ns())):
        live += event.nbytes()
        peak = max(peak, live)
    return peak


@pytest.fixture(autouse=True)
def two_threads() -> object:
    """With one thread torch takes another path for small 1x1 convolutions, one without oneDNN's copies."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def train_two_steps(of: Network, batch: int, optimizer: Optimizer) -> None:
    model = build(of)
    stepper = OPTIMIZERS[optimizer](model)
    x, labels = torch.randn(batch, of.input_channels, *of.resolution), torch.randint(of.classes, (batch,))
    for _ in range(2):
        stepper.zero_grad()
        loss = nn.functional.cross_entropy(model(x), labels)
        loss.backward()  # type: ignore[no-untyped-call]
        stepper.step()


def infer(of: Network, batch: int) -> None:
    model = build(of).eval()
    x = torch.randn(batch, of.input_channels, *of.resolution)
    with torch.inference_mode():
        model(x)


def _named(name: str, side: int) -> Network:
    return replace(network(name), resolution=(side, side))


@pytest.mark.parametrize(("name", "side", "batch"), PAIRS)
def test_training_memory_matches_the_allocators_peak(name: str, side: int, batch: int) -> None:
    of = _named(name, side)

    peak = allocator_peak(lambda: train_two_steps(of, batch, "sgd"))

    assert training_memory(of, batch, "sgd") == pytest.approx(peak, rel=0.02)


@pytest.mark.parametrize("optimizer", ["rmsprop", "adam"])
@pytest.mark.parametrize(("name", "batch"), [("resnet18", 2), ("smallnet_32", 32)])
def test_training_memory_holds_the_optimizers_state(name: str, batch: int, optimizer: Optimizer) -> None:
    of = _named(name, 32)

    peak = allocator_peak(lambda: train_two_steps(of, batch, optimizer))

    assert training_memory(of, batch, optimizer) == pytest.approx(peak, rel=0.05)


@pytest.mark.parametrize(("name", "side", "batch"), [*PAIRS, ("efficientnet_b0", 224, 1)])
def test_inference_memory_matches_the_allocators_peak(name: str, side: int, batch: int) -> None:
    of = _named(name, side)

    peak = allocator_peak(lambda: infer(of, batch))

    assert inference_memory(of, batch) == pytest.approx(peak, rel=0.02)


@pytest.mark.parametrize("kind", TINY)
def test_memory_of_every_block_kind_matches_the_allocators_peak(kind: str) -> None:
    of = replace(TINY[kind], resolution=(61, 90))

    trained = allocator_peak(lambda: train_two_steps(of, 8, "sgd"))
    inferred = allocator_peak(lambda: infer(of, 8))

    assert training_memory(of, 8) == pytest.approx(trained, rel=0.05)
    assert inference_memory(of, 8) == pytest.approx(inferred, rel=0.05)


@pytest.mark.parametrize("of", [n for _, n in registry().values()] + list(TINY.values()), ids=lambda n: n.name)
def test_after_backward_the_gradients_alone_are_left(of: Network) -> None:
    assert 4 * count(of).params == _step(resolve(of), 3)[1]


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
    with pytest.raises(UsageError, match="sgd, rmsprop, adam"):
        training_memory(network("resnet18"), 1, "lion")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="batch is -1"):
        inference_memory(network("resnet18"), -1)
