"""Budgets of memory: the limit is kept by the network that would be built, and one notch more breaks one."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import triscale
from triscale.costs import Target, arena, count, file_size, inference_memory, training_memory
from triscale.errors import InputError
from triscale.families import network
from triscale.scaling import fit_budget, scale_by_rule
from triscale.spec import Network

MIB = 2**20


@settings(max_examples=20, deadline=None)
@given(
    name=st.sampled_from(["efficientnet_b0", "mobilenet_v2", "smallnet_32"]),
    rule=st.sampled_from(["compound", "width", "depth", "resolution"]),
    factor=st.floats(0.3, 6),
    batch=st.integers(1, 64),
)
def test_the_answer_trains_within_the_memory_and_one_notch_more_does_not(
    name: str, rule: str, factor: float, batch: int
) -> None:
    base = network(name)
    limit = int(factor * training_memory(base, batch))
    try:
        found = fit_budget(base, {"training_memory": limit}, rule=rule, target=Target(batch=batch))
    except InputError as error:
        assert "cannot be reached" in str(error)  # noqa: PT017  depth cannot shrink a network of single blocks
        return
    assert training_memory(found.network, batch) <= limit
    assert found.fit.notch.cost is not None
    assert found.fit.notch.cost["training_memory"] > limit
    assert found.fit.binding == ("training_memory",)


def test_recomputation_makes_room_for_a_larger_network() -> None:
    base = network("smallnet_32")
    limit = 2.0 * training_memory(base, 32)
    plain = triscale.fit_budget(base, batch=32, training_memory=limit)
    again = triscale.fit_budget(base, batch=32, recompute=True, training_memory=limit)
    assert count(plain.network).macs < count(again.network).macs
    assert training_memory(again.network, 32, recompute=True) <= limit


def test_three_limits_of_which_the_tightest_binds() -> None:
    limits = {"macs": 1e9, "inference_memory": 40 * MIB, "training_memory": 4096 * MIB}
    found = fit_budget(network("efficientnet_b0"), limits, target=Target(batch=16))
    assert count(found.network).macs <= limits["macs"]
    assert inference_memory(found.network, 16) <= limits["inference_memory"]
    assert training_memory(found.network, 16) <= limits["training_memory"]
    assert set(found.fit.binding) <= set(limits)
    assert found.fit.slack["macs"] == pytest.approx(1e9 - count(found.network).macs)


CHIP = {"arena": 512e3, "file_size": 1e6}
"""A microcontroller's RAM and flash."""


@pytest.mark.parametrize("name", ["mobilenet_v2", "mobilenet_v3_small"])
def test_a_chips_ram_and_flash_give_the_largest_member_resolution_included(name: str) -> None:
    """In int8. Truth is a search of everything: each phi in steps of 0.02, then each resolution, one pixel apart."""
    base, target = network(name), Target(weights="int8")
    found = fit_budget(base, CHIP, target=target, filled=True).network
    members = [scale_by_rule(base, "compound", phi / 50) for phi in range(-600, 51)]
    largest = max((one for one in members if fits(one)), key=lambda one: count(one).params)
    assert fits(found)
    assert count(found).params >= count(largest).params
    sides = [side for side in range(16, 400) if fits(replace(found, resolution=(side, side)))]
    assert found.resolution == (max(sides), max(sides))


def fits(one: Network) -> bool:
    return arena(one, precision="int8") <= CHIP["arena"] and file_size(one, "int8") <= CHIP["file_size"]
