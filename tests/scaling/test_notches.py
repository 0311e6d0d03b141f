"""The solver for costs that are not counted: the largest network that keeps every limit, held against brute force."""

import math
import re
from collections import Counter
from functools import partial

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.scaling.test_budget import COUNTED, costs, limits_of, monotone, rules, shares
from triscale.costs import ANYWHERE, Metric, Target, count, registered
from triscale.errors import InputError, UsageError
from triscale.families import network
from triscale.quantities import PER_SECOND, SECONDS
from triscale.scaling import Factors, Limit, UnboundedError, factors, fit, fit_budget, scan
from triscale.scaling.network_budget import _key
from triscale.scaling.notches import notches
from triscale.spec import Network, content_hash, scale

NET = network("smallnet_24")
B0 = network("efficientnet_b0")


def straight(phi: float) -> Factors:
    return Factors(depth=phi)


class Staircase:
    """Networks that change at `borders` of phi, the cost of each step, and how often each was asked for."""

    def __init__(self, borders: list[float], heights: list[float]) -> None:
        self.borders, self.heights = sorted(borders), heights
        self.asked: Counter[int] = Counter()

    def step(self, phi: float) -> int:
        """The network at phi."""
        return sum(phi >= border for border in self.borders)

    def cost(self, where: Factors) -> dict[str, float]:
        """Of the network there, noting that it was asked for."""
        self.asked[self.step(where.depth)] += 1
        return {"macs": float(self.step(where.depth)), "latency": self.heights[self.step(where.depth)]}

    def largest(self, limits: dict[str, Limit]) -> int | None:
        """By brute force over the steps in reach."""
        kept = [
            step for step in range(len(self.borders) + 1)
            if limits["latency"].kept_by(self.heights[step])
            and ("macs" not in limits or limits["macs"].kept_by(step))
        ]  # fmt: skip
        return max(kept, default=None)


@st.composite
def staircases(draw: st.DrawFn) -> Staircase:
    """Any borders within reach, apart by more than the solver tells phis apart, and any heights."""
    places = draw(st.lists(st.integers(-9_999_999, 9_999_999), min_size=1, max_size=40, unique=True))
    heights = draw(st.lists(st.floats(0, 10), min_size=len(places) + 1, max_size=len(places) + 1))
    return Staircase([place / 1e6 for place in places], heights)


@settings(max_examples=150, deadline=None)
@given(staircases(), st.floats(0.1, 10), st.none() | st.integers(1, 40), st.booleans())
def test_the_answer_on_any_staircase_is_that_of_brute_force(
    stairs: Staircase, latency: float, most: int | None, at_least: bool
) -> None:
    limits = {"latency": Limit(value=latency, at_least=at_least)}
    top = None
    if most is not None and most < len(stairs.borders):
        limits["macs"] = Limit(value=most)
        top = fit(straight, stairs.cost, {"macs": limits["macs"]})
    stairs.asked.clear()
    wanted = stairs.largest(limits)
    if wanted is None or (top is None and wanted == len(stairs.borders)):
        with pytest.raises(InputError, match="cannot be reached" if wanted is None else "largest network in reach"):
            scan(straight, stairs.step, stairs.cost, limits, top=top)
        return
    found = scan(straight, stairs.step, stairs.cost, limits, top=top)
    assert stairs.step(found.phi) == wanted
    assert stairs.step(found.notch.phi) == wanted + 1
    assert 0 < found.notch.phi - found.phi <= 2e-9 * max(1, abs(found.phi))
    assert found.binding
    assert not found.notch.keeps(limits)
    assert max(stairs.asked.values()) == 1


def test_each_notch_is_walked_once_from_the_largest_down() -> None:
    stairs = Staircase([-1.0, 0.25, 0.5], [0.0] * 4)
    found = list(notches(stairs.step, 1.0, -2.0))
    assert [stairs.step(phi) for _, phi in found] == [3, 2, 1, 0]
    assert [phi for _, phi in found] == pytest.approx([1.0, 0.5, 0.25, -1.0], abs=2e-9)
    assert [stairs.step(beyond) for beyond, _ in found] == [3, 3, 2, 1]


@pytest.mark.parametrize("rule", ["compound", "width", "depth", "fast"])
def test_no_network_of_a_real_curve_is_stepped_over(rule: str) -> None:
    """The networks at 5,000 phis are among those that were walked."""
    key = partial(_key, NET, partial(factors, rule))
    walked = {key(phi) for _, phi in notches(key, 2.0, -2.0)}
    assert {key(-2 + step / 1250) for step in range(5001)} <= walked


@settings(max_examples=10, deadline=None)
@given(monotone, rules, shares)
def test_on_counted_costs_the_walk_and_the_bisection_agree(net: Network, rule: str, share: dict[str, float]) -> None:
    """From the answer of a looser budget down, which is not as far as from the end of the reach."""
    limits = {name: Limit(value=value) for name, value in limits_of(net, share).items()}
    looser = {name: Limit(value=1.5 * limit.value) for name, limit in limits.items()}
    curve = partial(factors, rule)

    def cost_of(where: Factors) -> dict[str, float]:
        return costs(scale(net, **where._asdict()))

    try:
        bisected, top = fit(curve, cost_of, limits), fit(curve, cost_of, looser)
    except InputError:
        assume(False)
        raise
    walked = scan(curve, partial(_key, net, curve), cost_of, limits, top=top)
    assert walked.phi == pytest.approx(bisected.phi, abs=3e-9 * max(1, abs(bisected.phi)))
    assert (walked.cost, walked.binding) == (bisected.cost, bisected.binding)


def wavy(net: Network, _: Target) -> float:
    """Seconds that grow with the MACs, and a half more where a side is odd: not monotone."""
    return count(net).macs / 1e9 * (1 + 0.5 * (net.resolution[0] % 2))


LATENCY = Metric(name="latency", unit=SECONDS, evaluate=wavy, deterministic=True)
THROUGHPUT = Metric(
    name="throughput", unit=PER_SECOND, evaluate=lambda net, target: 1 / wavy(net, target), deterministic=True,
    at_least=True,
)  # fmt: skip


@pytest.mark.parametrize("share", [0.7, 1.3, 2.5])
def test_a_budget_of_a_metric_that_is_not_monotone_agrees_with_a_dense_scan(share: float) -> None:
    limit = share * wavy(NET, ANYWHERE)
    with registered(LATENCY):
        found = fit_budget(NET, {"latency": limit, "macs": 4 * count(NET).macs})
    assert wavy(found.network, ANYWHERE) <= limit
    for step in range(1, 3000):
        larger = scale(NET, **factors("compound", found.phi + 1e-8 + step / 1000)._asdict())
        assert wavy(larger, ANYWHERE) > limit or count(larger).macs > 4 * count(NET).macs
    smaller = (scale(NET, **factors("compound", found.phi - step / 1000)._asdict()) for step in range(1, 1000))
    assert any(wavy(one, ANYWHERE) > limit for one in smaller), "the example is monotone: it proves nothing"


def test_a_limit_from_below_and_one_from_above_on_the_same_thing_agree() -> None:
    limit = 1.4 * wavy(NET, ANYWHERE)
    with registered(LATENCY), registered(THROUGHPUT):
        above = fit_budget(NET, {"latency": limit})
        below = fit_budget(NET, {"throughput": 1 / limit})
    assert above.network == below.network
    assert below.fit.binding == ("throughput",)
    assert below.fit.slack["throughput"] == 1 / wavy(below.network, ANYWHERE) - 1 / limit >= 0


def test_a_noisy_metric_is_drawn_once_for_each_network_and_only_below_the_counted_limits() -> None:
    drawn: Counter[str] = Counter()
    sizes: list[int] = []

    def noisy(net: Network, _: Target) -> float:
        drawn[content_hash(net)] += 1
        sizes.append(count(net).macs)
        return count(net).macs * (1 + 0.2 * math.sin(1e6 * sum(drawn.values())))

    limit = count(B0).macs
    with registered(Metric(name="latency", unit=SECONDS, evaluate=noisy, deterministic=False)):
        found = fit_budget(B0, {"latency": limit, "macs": 2 * limit}, filled=True)
    assert set(drawn.values()) == {1}
    assert sum(size > 2 * limit for size in sizes) <= 2, "only what is shown as the next notch"
    assert found.fit.cost["latency"] <= limit
    assert found.fit.slack["macs"] >= 0


@pytest.mark.parametrize("filled", [False, True])
def test_filling_spends_what_a_metric_that_is_not_monotone_leaves(filled: bool) -> None:
    limit = 1.3 * wavy(NET, ANYWHERE)
    with registered(LATENCY):
        plain = fit_budget(NET, {"latency": limit})
        found = fit_budget(NET, {"latency": limit}, filled=filled)
    assert wavy(found.network, ANYWHERE) <= limit
    assert all(costs(found.network)[name] >= costs(plain.network)[name] for name in COUNTED)
    assert filled == (found.fit.left_rule != (1.0, 1.0))


def test_a_budget_out_of_reach_says_how_near_it_gets() -> None:
    with registered(LATENCY), pytest.raises(InputError) as caught:
        fit_budget(NET, {"latency": 1e-9})
    message = str(caught.value)
    assert message.startswith("the budget cannot be reached: of ")
    assert " networks on this rule's curve, the nearest has latency " in message
    proposed = re.search(r" us > 0\.001 us\. Give latency=([0-9.]+us) or more\.$", message)
    assert proposed is not None
    with registered(LATENCY):
        assert fit_budget(NET, {"latency": SECONDS.read(proposed[1])}).network, "what it proposes can be kept"


def test_limits_that_can_each_be_kept_but_not_together_are_out_of_reach() -> None:
    """No network takes at most so long, and at least twice as long."""
    time = wavy(NET, ANYWHERE)
    longer = Metric(name="pause", unit=SECONDS, evaluate=wavy, deterministic=True, at_least=True)
    with (
        registered(LATENCY),
        registered(longer),
        pytest.raises(InputError, match=r"the nearest has (latency .* or more|pause .* or less)\.$"),
    ):
        fit_budget(NET, {"latency": time, "pause": 2 * time})


def test_a_metric_that_nothing_bounds_asks_for_another_limit() -> None:
    with registered(LATENCY), pytest.raises(UnboundedError, match=r"keeps latency; add one such as macs\.$"):
        fit_budget(NET, {"latency": 1e9}, rule="width")


def test_a_senseless_limit_is_a_usage_error_here_too() -> None:
    with (
        registered(LATENCY),
        pytest.raises(UsageError, match=r"^the limit latency is -1; give a finite number above 0"),
    ):
        fit_budget(NET, {"latency": -1})


def test_a_metric_that_cannot_say_leaves_a_network_out() -> None:
    """As a predictor that does not know large sizes."""

    def unsure(net: Network, target: Target) -> float:
        if net.resolution[0] > 40:
            raise InputError("too large for the table")
        return wavy(net, target)

    with registered(Metric(name="latency", unit=SECONDS, evaluate=unsure, deterministic=True)):
        found = fit_budget(NET, {"latency": 1.2 * wavy(NET, ANYWHERE)})
    assert found.network.resolution[0] <= 40
