"""Sections of a model, one after the other, are the model."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from tests.nn.networks import TINY
from triscale.costs.sections import cut
from triscale.nn import SectionModel, build
from triscale.spec import Network, resolve

BLOCKS = 6
"""Of every tiny network: a stem, four blocks, a head."""


def quiet(of: Network) -> Network:
    """Without anything drawn at random."""
    return replace(of, stochastic_depth=0.0, head=replace(of.head, dropout=0.0))


def chained(parts: list[SectionModel], pictures: Tensor) -> Tensor:
    given: tuple[Tensor, ...] = (pictures,)
    for part in parts:
        takes, gives = part.shapes(len(pictures), (pictures.shape[2], pictures.shape[3]))
        assert takes == [tuple(one.shape) for one in given]
        after = part(*given)
        given = after if isinstance(after, tuple) else (after,)
        assert gives == [tuple(one.shape) for one in given]
        assert all(one.is_contiguous() for one in given)
    return given[0]


@pytest.mark.parametrize(
    ("kind", "layout"),
    [
        *((kind, torch.channels_last) for kind in TINY),
        *((kind, torch.contiguous_format) for kind in ("mbconv", "cell")),
    ],
)
def test_sections_in_a_row_are_the_model_wherever_it_is_cut(kind: str, layout: torch.memory_format) -> None:
    of = quiet(TINY[kind])
    model = build(of).to(memory_format=layout)
    pictures = torch.randn(2, 3, 15, 18).to(memory_format=layout)
    for count in (2, BLOCKS):
        twin = build(of).to(memory_format=layout)
        twin.load_state_dict(model.state_dict())
        sections = cut(resolve(of), count)
        parts = [SectionModel(twin, sections, index) for index in range(count)]
        expected = model(pictures)
        found = chained(parts, pictures)
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)
        model.load_state_dict({name: value for part in parts for name, value in part.state_dict().items()})


@pytest.mark.parametrize("kind", TINY)
def test_the_states_of_the_sections_are_the_state_of_the_model(kind: str) -> None:
    model = build(TINY[kind])
    parts = [SectionModel(model, cut(TINY[kind], 3), index) for index in range(3)]
    states = [part.state_dict() for part in parts]
    names = [name for state in states for name in state]
    assert sorted(names) == sorted(model.state_dict())
    assert [name for part in parts for name, _ in part.named_parameters()] == [n for n, _ in model.named_parameters()]
    assert all(isinstance(part, nn.Module) for part in parts)
