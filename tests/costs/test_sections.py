"""Sections of a network: an exact cut, every block in one of them, and memory that follows from what is in flight."""

from collections.abc import Sequence
from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.nn.networks import TINY
from triscale.costs import count, training_memory
from triscale.costs.sections import balanced, cut, microbatches_for, pipeline_memory, sections_at
from triscale.errors import UsageError
from triscale.families import network, registry
from triscale.families.amoebanet import amoebanet
from triscale.spec import resolve


def costliest(costs: Sequence[int], ends: Sequence[int]) -> int:
    return max(sum(costs[first:end]) for first, end in pairwise((0, *ends)))


@given(costs=st.lists(st.integers(0, 30), min_size=1, max_size=9), runs=st.integers(1, 9))
def test_the_cut_is_as_good_as_the_best_of_all_cuts(costs: list[int], runs: int) -> None:
    runs = min(runs, len(costs))
    ends = balanced(costs, runs)
    assert len(ends) == runs
    assert all(first < end for first, end in pairwise((0, *ends)))
    every = (costliest(costs, (*inner, len(costs))) for inner in combinations(range(1, len(costs)), runs - 1))
    assert costliest(costs, ends) == min(every)


def test_every_block_is_in_one_section() -> None:
    """Of every registered network and every kind of block."""
    for of in (*(one for _, one in registry().values()), *TINY.values()):
        sections = cut(of, 4)
        assert [one.first for one in sections[1:]] == [one.end for one in sections[:-1]], of.name
        assert (sections[0].first, sections[-1].end) == (0, len(list(resolve(of).flat()))), of.name
        counts = [(one.params, one.macs, one.activations) for one in sections]
        assert tuple(map(sum, zip(*counts, strict=True))) == count(of), of.name
        assert [one.takes for one in sections[1:]] == [one.gives for one in sections[:-1]], of.name
        assert all(one.takes for one in sections[1:]), of.name


def test_between_cells_two_maps_are_handed_on() -> None:
    of = amoebanet("small", cells=2, filters=32, side=65, classes=10)
    blocks = len(list(resolve(of).flat()))
    sections = sections_at(resolve(of), range(1, blocks + 1))
    assert [len(one.gives) for one in sections] == [1, *[2] * (blocks - 3), 1, 0]


def test_the_memory_of_one_section_and_one_microbatch_is_that_of_the_network() -> None:
    """But for the labels, of which a pipeline holds two."""
    of = network("smallnet_32")
    assert pipeline_memory(of, cut(of, 1), 16, 1) == (training_memory(of, 16) + 8 * 16,)


@settings(max_examples=20, deadline=None)
@given(sections=st.integers(2, 6), times=st.integers(1, 4), each=st.integers(1, 4))
def test_one_forward_one_backward_takes_no_more_than_gpipe(sections: int, times: int, each: int) -> None:
    of, parts = network("smallnet_32"), sections * times
    cuts = cut(of, sections)
    gpipe, other = (pipeline_memory(of, cuts, parts * each, parts, schedule=one) for one in ("gpipe", "1f1b"))
    assert all(mine <= theirs for mine, theirs in zip(other, gpipe, strict=True))


def test_gpipe_holds_the_maps_of_all_microbatches_and_the_other_those_in_flight() -> None:
    of = network("efficientnet_b7")
    cuts = cut(of, 4)
    few, many = ({s: pipeline_memory(of, cuts, n, n // 4, schedule=s) for s in ("gpipe", "1f1b")} for n in (32, 64))
    assert min(more / less for less, more in zip(few["gpipe"], many["gpipe"], strict=True)) > 1.5
    pictures = 4 * 3 * 600 * 600 * 32
    assert many["1f1b"][0] == few["1f1b"][0] + pictures
    assert many["1f1b"][1:3] == few["1f1b"][1:3]


@given(batch=st.integers(1, 200), sections=st.integers(1, 8))
def test_microbatches_divide_the_batch_and_are_as_many_as_keep_all_sections_busy(batch: int, sections: int) -> None:
    possible = [n for n in range(sections, 4 * sections + 1) if batch % n == 0 and batch // n >= 2]
    if possible:
        assert microbatches_for(batch, sections) == max(possible)
    else:
        with pytest.raises(UsageError, match=f"a multiple of {sections}, {2 * sections} at least"):
            microbatches_for(batch, sections)


def test_what_cannot_be_meant_is_refused() -> None:
    of = network("smallnet_32")
    blocks = len(list(resolve(of).flat()))
    for sections in (0, blocks + 1):
        with pytest.raises(UsageError, match=f"it has {blocks} blocks"):
            cut(of, sections)
    with pytest.raises(UsageError, match="not a whole number of images in each of 3"):
        pipeline_memory(of, cut(of, 2), 16, 3)
    with pytest.raises(UsageError, match="gpipe, 1f1b"):
        pipeline_memory(of, cut(of, 2), 16, 2, schedule="zigzag")  # type: ignore[arg-type]
