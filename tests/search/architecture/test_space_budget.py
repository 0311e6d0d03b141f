"""Limits on any metric: what is inside is drawn evenly, and an empty space says what comes nearest."""

import re
from collections import Counter
from random import Random

import pytest

from tests.search.architecture.spaces import little
from triscale.costs import Metric, Target, count, registered
from triscale.errors import InputError, UsageError
from triscale.quantities import COUNT, SECONDS
from triscale.search.architecture import budget, load_space, nearest, sample
from triscale.spec import Network

SPACE = little()
ALL = [SPACE.network(SPACE.combination(number)) for number in range(SPACE.size)]
MACS = sorted(count(network).macs for network in ALL)


def test_what_keeps_the_budget_is_drawn_as_often() -> None:
    """Of the networks between two limits, looked up one by one, each is drawn, evenly, and no other."""
    low, high = MACS[10], MACS[30]
    inside = {number for number, network in enumerate(ALL) if low <= count(network).macs <= high}
    limits, random = budget({"macs": high}, at_least={"macs": low}), Random(1)
    drawn = Counter(SPACE.number(sample(SPACE, random, limits)) for _ in range(50 * len(inside)))
    assert set(drawn) == inside
    assert sum((drawn[number] - 50) ** 2 / 50 for number in inside) < 47  # 20 degrees of freedom, 999 of 1,000


@pytest.mark.parametrize("name", ["macs", "params", "activations", "inference_memory", "training_memory", "file_size"])
def test_every_counted_metric_can_limit(name: str) -> None:
    """The limit is the median of 20 random networks, so that about half of all are inside."""
    space, random = load_space("small_24"), Random(2)
    tight = budget({name: 1e18}, target=Target(batch=8))
    costs = sorted(tight.costs(space.network(sample(space, random)))[name] for _ in range(20))
    limits = budget({name: costs[10]}, target=Target(batch=8))
    assert limits.costs(space.network(sample(space, random, limits)))[name] <= costs[10]


def test_an_empty_space_names_the_nearest_network_and_its_cost() -> None:
    """The nearest of all 72, which a search by single changes finds."""
    with pytest.raises(InputError) as caught:
        sample(SPACE, Random(0), budget({"macs": MACS[0] - 1}))
    message = str(caught.value)
    assert f"no network of the space little keeps macs at most {MACS[0] - 1:,}" in message
    assert f"with macs {MACS[0]:,}" in message
    assert len(message.splitlines()) == 3
    proposed = re.search(r"Give macs=(\S+) or more, or take", message)
    assert proposed is not None
    assert sample(SPACE, Random(0), budget({"macs": proposed[1]})), "what it proposes can be kept"
    with pytest.raises(InputError, match=r"Give macs=\S+ or less, or take"):
        sample(SPACE, Random(0), budget({"macs": 1e18}, at_least={"macs": 1e17}))


def test_a_network_that_random_draws_miss_is_named() -> None:
    space = load_space("mnasnet_b0")
    with pytest.raises(InputError, match=r"(?s)of 101 random networks .* none keeps .*;\nmnasnet_b0_\w+ does \(macs "):
        sample(space, Random(0), budget({"macs": "55M"}), tries=101)


def test_the_nearest_network_keeps_the_budget_where_single_changes_lead_there() -> None:
    space = load_space("small_24")
    limits = budget({"params": 12_000, "macs": "1.2M"})
    found = nearest(space, limits, space.combination(space.size - 1))
    assert limits.keeps(space.network(found))


def test_limits_that_contradict_each_other_are_rejected() -> None:
    with pytest.raises(UsageError, match=r"contradict each other: macs at least 500,000,000 and at most 400,000,000"):
        budget({"macs": "400M"}, at_least={"macs": "500M"})


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({}, "no limit given"),
        ({"flops": 1}, "unknown limit 'flops'"),
        ({"macs": -1}, "the limit macs is -1; give a finite number above 0"),
        ({"macs": float("nan")}, "the limit macs is nan"),
        ({"macs": "4 apples"}, "is not the limit macs"),
    ],
    ids=["none", "unknown", "negative", "nan", "no number"],
)
def test_a_senseless_limit_is_rejected(limits: dict[str, float | str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        budget(limits)


def test_a_limit_of_which_more_is_better_bounds_from_below() -> None:
    metric = Metric(
        name="per_mac", unit=COUNT, deterministic=True, at_least=True, evaluate=lambda one, _: 1e9 / count(one).macs
    )
    with registered(metric):
        limits = budget({"per_mac": 1e9 / MACS[20]})
        assert str(limits).startswith("per_mac at least")
        assert count(SPACE.network(sample(SPACE, Random(0), limits))).macs <= MACS[20]


def test_what_must_be_measured_is_measured_inside_the_counted_limits_alone() -> None:
    measured = []

    def evaluate(network: Network, _: Target) -> float:
        measured.append(count(network).macs)
        return 0.001

    with registered(Metric(name="waiting", unit=SECONDS, deterministic=False, evaluate=evaluate)):
        sample(SPACE, Random(4), budget({"waiting": "10ms", "macs": MACS[5]}))
    assert measured
    assert max(measured) <= MACS[5]


def test_a_metric_that_the_target_cannot_give_says_so_itself() -> None:
    def evaluate(_: Network, __: Target) -> float:
        raise InputError("no latency is known of this machine: measure it first.")

    with (
        registered(Metric(name="waiting", unit=SECONDS, deterministic=False, evaluate=evaluate)),
        pytest.raises(InputError, match=r"has the costs that the budget limits: no latency is known of this machine"),
    ):
        sample(SPACE, Random(0), budget({"waiting": "10ms"}))


def test_what_is_inside_a_budget_reads_as_people_write_it() -> None:
    assert (
        str(budget({"macs": "400M"}, at_least={"macs": 1e8})) == "macs at least 100,000,000, macs at most 400,000,000"
    )
