"""Recomputed blocks: the same bits as kept ones, statistics taken in once, and less memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import NamedTuple

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from tests.nn.networks import TINY
from triscale.families import network
from triscale.families.amoebanet import amoebanet
from triscale.nn import Model, build
from triscale.spec import Network

NAMED = ("efficientnet_b0", "resnet18", "mobilenet_v3_small", "efficientnetv2_b0")
NETWORKS = [network(name) for name in NAMED] + [amoebanet("small", cells=1, filters=16, side=33, classes=10)]


class Learned(NamedTuple):
    """Gradients of the last step; weights and buffers after it."""

    gradients: dict[str, Tensor]
    state: dict[str, Tensor]


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def random(of: Network) -> Network:
    """At 33 px, with stochastic depth and dropout."""
    return replace(
        of, resolution=(33, 33), classes=10, stochastic_depth=0.3, head=replace(of.head, dropout=0.3)
    )  # fmt: skip


def learned(of: Network, *, recompute: bool, bfloat16: bool = False, parts: int = 1, compiled: bool = False) -> Learned:
    """What three steps of SGD make of a network."""
    torch.manual_seed(0)
    model = build(of)
    model.recompute = recompute
    forward = torch.compile(model, backend="aot_eager") if compiled else model
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    pictures, labels = torch.randn(4, 3, *of.resolution), torch.arange(4)
    for step in range(3):
        torch.manual_seed(step)
        optimizer.zero_grad()
        for some, own in zip(pictures.tensor_split(parts), labels.tensor_split(parts), strict=True):
            with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
                logits = forward(some)
            F.cross_entropy(logits.float(), own).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    gradients = {name: one.grad for name, one in model.named_parameters() if one.grad is not None}
    return Learned(gradients, model.state_dict())


def differing(one: Learned, two: Learned) -> list[str]:
    """Names of what differs in any bit, and of what only one of them has."""
    return [
        name
        for ours, theirs in zip(one, two, strict=True)
        for name in {**ours, **theirs}
        if name not in ours or name not in theirs or not torch.equal(ours[name], theirs[name])
    ]


@pytest.mark.parametrize("of", [*map(random, NETWORKS), *TINY.values()], ids=lambda of: of.name)
def test_recomputed_blocks_learn_the_same_bits(of: Network) -> None:
    kept, again = learned(of, recompute=False), learned(of, recompute=True)
    assert kept.gradients
    assert differing(kept, again) == []


@pytest.mark.parametrize("of", [TINY["mbconv_se"], TINY["cell"]], ids=lambda of: of.name)
@pytest.mark.parametrize("way", [{"bfloat16": True}, {"parts": 2}], ids="".join)
def test_recomputed_blocks_learn_the_same_bits_under_autocast_and_in_parts(of: Network, way: dict[str, int]) -> None:
    kept = learned(of, recompute=False, **way)  # type: ignore[arg-type]
    assert differing(kept, learned(of, recompute=True, **way)) == []  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["mbconv_se", pytest.param("cell", marks=pytest.mark.slow)])
def test_recomputed_blocks_learn_the_same_bits_when_compiled(kind: str) -> None:
    of = replace(TINY[kind], stages=TINY[kind].stages[:1])
    results = []
    for recompute in (False, True):
        torch._dynamo.reset()
        results.append(learned(of, recompute=recompute, compiled=True))
    assert differing(*results) == []


@contextmanager
def saved_bytes(found: list[int]) -> Iterator[None]:
    """Collects the bytes of the maps that the graph holds."""

    def note(tensor: Tensor) -> Tensor:
        if tensor.ndim == 4:
            found.append(tensor.nbytes)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        yield


def kept_bytes(model: Model) -> int:
    found: list[int] = []
    with saved_bytes(found):
        model(torch.randn(4, 3, 32, 32))
    return sum(found)


def test_recomputed_blocks_keep_their_inputs_alone() -> None:
    model = build(random(NETWORKS[0]))
    plain = kept_bytes(model)
    model.recompute = True
    assert kept_bytes(model) < plain / 3


def test_frozen_norms_stay_as_they_are() -> None:
    """In evaluation mode with gradients, as fine-tuning with frozen statistics has it."""
    model = build(random(NETWORKS[0])).eval()
    model.recompute = True
    before = {name: one.clone() for name, one in model.named_buffers()}
    model(torch.randn(2, 3, 33, 33)).sum().backward()
    assert all(torch.equal(one, before[name]) for name, one in model.named_buffers())


def test_recomputation_changes_no_name_in_the_state() -> None:
    model = build(TINY["cell"])
    names = list(model.state_dict())
    model.recompute = True
    model(torch.randn(2, 3, 32, 32)).sum().backward()
    assert names == list(model.state_dict())
