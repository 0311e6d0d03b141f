"""Rules at equal latency, with clocks whose law is known."""

from collections.abc import Callable, Sequence

import pytest

from triscale.costs import Metric, Target, count, registered
from triscale.families import network
from triscale.latency import equal_latency
from triscale.latency.clocked_networks import Clocked
from triscale.latency.equal_latency import FITTED, at_equal_latency
from triscale.quantities import SECONDS
from triscale.spec import Network

BASE = network("finenet_24")
RULES = ("depth", "width", "resolution", "uniform", "fast_compound")


def by_macs(net: Network, _: Target | None = None) -> float:
    """Seconds where each MAC takes as long."""
    return count(net).macs / 1e9


def by_activations(net: Network, _: Target | None = None) -> float:
    """Seconds where writing maps is all that takes time."""
    return count(net).activations / 1e8


Law = Callable[[Network], float]


def clock(law: Law, error: float) -> Callable[[Sequence[Network]], list[Clocked]]:
    """A clock by which deeper networks are slower than predicted."""

    def seconds(one: Network) -> float:
        return law(one) * (1 + error * (one.stages[1].repeats > BASE.stages[1].repeats))

    return lambda networks: [Clocked(seconds(one)) for one in networks]


@pytest.mark.parametrize("error", [0.0, 0.08])
def test_every_rule_takes_as_long_as_the_compound_member_by_the_clock(
    monkeypatch: pytest.MonkeyPatch, error: float
) -> None:
    metric = Metric(name="latency", unit=SECONDS, evaluate=by_macs, deterministic=True)
    monkeypatch.setattr(equal_latency, "LATENCY", metric)
    monkeypatch.setattr(equal_latency, "STEPS", 2)
    with registered(metric):
        found = at_equal_latency(BASE, RULES, target=Target(), clock=clock(by_macs, error))

    assert [one.ruled.rule for one in found] == ["compound", *RULES, FITTED]
    for one in found[1:]:
        assert 0.85 * found[0].seconds <= one.seconds <= (1.005 + error / 4) * found[0].seconds, one.ruled.rule


def test_where_maps_take_the_time_width_buys_most_macs(monkeypatch: pytest.MonkeyPatch) -> None:
    """MACs grow as the square of the width, activations as the width: Dollar et al. 2021 (arXiv 2103.06877)."""
    metric = Metric(name="latency", unit=SECONDS, evaluate=by_activations, deterministic=True)
    monkeypatch.setattr(equal_latency, "LATENCY", metric)
    monkeypatch.setattr(equal_latency, "STEPS", 2)
    with registered(metric):
        found = at_equal_latency(BASE, RULES, target=Target(), clock=clock(by_activations, 0.0))

    macs = {one.ruled.rule: count(one.ruled.network).macs for one in found}
    assert macs[FITTED] == max(macs.values()) == macs["width"]
    assert macs["fast_compound"] > macs["compound"] > macs["resolution"]
