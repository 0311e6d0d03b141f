"""Plans: every network is planned or rejected by name, and maps that live at once never overlap."""

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.spec.strategies import networks
from triscale.errors import InputError
from triscale.families.by_name import network, registry
from triscale.layer_weights import RandomWeights
from triscale.runtime import LANES, Plan, plan
from triscale.runtime.arena import placed
from triscale.runtime.making import MOST_WEIGHTS, library
from triscale.runtime.packing import weights_of
from triscale.runtime.steps import Convolve, Depthwise, Ring, read, written
from triscale.spec import Operator, resolve

OPERATORS: tuple[Operator, ...] = tuple(one for one in get_args(Operator) if one != "cell")
REFUSED = {"amoebanet_b"}


def overlapping(found: Plan) -> list[tuple[str, str]]:
    """Pairs of maps that use the same floats in the same step; rings are alone in their memory."""
    spans = list(zip(found.places, found.lives, strict=True))
    rings = {number for number, one in enumerate(found.maps) if one.ring}
    return [
        (found.maps[i].name, found.maps[j].name)
        for i, (a, lived) in enumerate(spans)
        for j, (b, others) in enumerate(spans[:i])
        if not {i, j} & rings
        and lived[0] <= others[1] and others[0] <= lived[1]
        and a.offset < b.offset + b.floats and b.offset < a.offset + a.floats
    ]  # fmt: skip


def reach(found: Plan, step: Convolve | Depthwise) -> tuple[int, int]:
    """The first and the last float of a panel that a convolution reads, from the panel's beginning."""
    place, (top, _, left, _) = found.places[step.x], step.layer.pad
    whole = [-(-side // 2) * 2 for side in step.layer.output]  # transformed tiles make two outputs
    sides = whole if isinstance(step, Convolve) and step.winograd else step.layer.output
    rows, columns = ((side - 1) * step.layer.stride + step.layer.kernel - 1 for side in sides)
    if isinstance(step, Depthwise):  # rows outside are left out
        rows, top = min(rows - top, step.layer.input[0] - 1), 0
    first = place.first - top * place.row - left * place.block
    return first, place.first + (rows - top) * place.row + (columns - left + 1) * place.block - 1


def parts(found: Plan) -> list[Convolve | Depthwise]:
    """Every convolution, those of a ring too."""
    both = [(step.first, step.second) if isinstance(step, Ring) else (step,) for step in found.steps]
    return [step for pair in both for step in pair if isinstance(step, Convolve | Depthwise)]


@given(net=networks(OPERATORS), lanes=st.sampled_from(sorted(LANES.values())))
@settings(max_examples=40)
def test_maps_that_live_at_once_never_overlap_and_nothing_is_read_outside(net: object, lanes: int) -> None:
    found = plan(net, lanes)  # type: ignore[arg-type]
    assert overlapping(found) == []
    for one, place in zip(found.maps, found.places, strict=True):
        assert place.offset % 16 == 0
        assert place.offset + place.floats <= (found.own if one.ring else found.floats)
    for step in parts(found):
        if not found.maps[step.x].ring:
            first, last = reach(found, step)
            assert 0 <= first <= last < found.places[step.x].panel


@given(net=networks(OPERATORS), fuse=st.booleans())
@settings(max_examples=40)
def test_every_layer_is_one_step_and_every_map_is_written_before_it_is_read(net: object, fuse: bool) -> None:
    found = plan(net, 8, fuse=fuse)  # type: ignore[arg-type]
    layers = [layer for _, block in resolve(found.network).flat() for layer in block.layers if layer.kind != "norm"]
    planned = [step.layer for step in parts(found)]
    assert sorted(map(str, planned)) == sorted(map(str, layers))
    known: set[int] = set()
    for step in found.steps:
        assert set(read(step)) <= known, step
        assert len(set(written(step))) == len(written(step))
        known.update(written(step))
    assert known == set(range(len(found.maps)))


@pytest.mark.parametrize("lanes", [4, 8, 16])
def test_every_registered_network_is_planned_or_refused_by_name(lanes: int) -> None:
    for name in registry():
        net = network(name)
        if name in REFUSED:
            with pytest.raises(InputError, match=r"stages\.0\.0 has a step that the runtime does not know, Pooling"):
                plan(net, lanes)
        else:
            assert plan(net, lanes).floats > 0


def test_a_network_beyond_what_a_library_holds_is_refused_before_its_weights_take_memory() -> None:
    assert weights_of(plan(network("efficientnet_b7"), 8)) < MOST_WEIGHTS
    with pytest.raises(InputError, match="a library can hold"):
        library(network("efficientnet_l2"), RandomWeights(0))


def test_memory_is_shared_by_maps_of_different_times() -> None:
    """B0's arena holds no more than its two largest neighbours need, although all maps together are ten times that."""
    found = plan(network("efficientnet_b0"), 8)
    assert found.floats < 0.25 * sum(place.floats for place in found.places)


@given(st.lists(st.tuples(st.integers(1, 64), st.integers(0, 9), st.integers(0, 9)), max_size=30))
def test_places_are_as_low_as_the_lives_allow(drawn: list[tuple[int, int, int]]) -> None:
    """Against a table of steps and floats; the largest of one moment always fits into the sum of that moment's."""
    sizes = [16 * size for size, _, _ in drawn]
    lives = [(min(a, b), max(a, b)) for _, a, b in drawn]
    taken = np.zeros((10, sum(sizes) + 1), dtype=int)
    for size, (first, last), offset in zip(sizes, lives, placed(sizes, lives), strict=True):
        taken[first : last + 1, offset : offset + size] += 1
    assert taken.max(initial=0) <= 1
    if sizes:
        assert taken[:, 0].any(), "nothing lies at the beginning"


def test_a_frame_is_as_wide_as_the_widest_reader_wants() -> None:
    """A map that a 3x3 and a 1x1 convolution read has the zeros of the 3x3."""
    found = plan(replace(network("resnet18"), resolution=(33, 35)), 8)
    wanted = {found.frames[step.x] for step in found.steps if isinstance(step, Convolve) and step.layer.kernel == 1}
    assert any(sum(frame) for frame in wanted)
