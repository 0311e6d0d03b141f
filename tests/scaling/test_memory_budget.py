"""Budgets of memory: the limit is kept by the network that would be built, and one notch more breaks one."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import triscale
from triscale.cost import Target, count, inference_memory, training_memory
from triscale.errors import InputError
from triscale.families import network
from triscale.scaling import fit_budget

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
