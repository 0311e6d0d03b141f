"""The largest network within limits: no made-up pixels, weights as they are, and a file that keeps what is promised."""

import re
from collections.abc import Mapping

import pytest

from triscale.costs import ANYWHERE, count, file_size, read_limit
from triscale.errors import InputError
from triscale.latency.silent_watch import SilentWatch
from triscale.scaling import network as named
from triscale.scaling.limit import OutOfReachError
from triscale.shipping.baseline_choice import Baseline
from triscale.shipping.rehearsal import Rehearsal
from triscale.shipping.within_limits import FLAT, Solver
from triscale.spec import Network, Size
from triscale.weights import Checkpoint


def unseen(network: Network, uses: Mapping[str, float]) -> Rehearsal:
    """A file that breaks nothing."""
    del network, uses
    return Rehearsal(uses={})


def solver(name: str, native: Size | None = None, rule: str | None = None, *, begun: bool = False) -> Solver:
    """For a baseline that begins with weights, or not."""
    network = named(name)
    weights = Checkpoint(network=network, state={}, classes=(), preprocessing=None) if begun else None  # type: ignore[arg-type]
    baseline = Baseline(network=network, reasons=(), weights=weights)
    return Solver(baseline, native, ANYWHERE, SilentWatch(), rule)


def test_the_flat_curve_doubles_the_cost_without_pixels() -> None:
    assert FLAT.gamma == 1
    assert FLAT.alpha * FLAT.beta**2 == pytest.approx(2, abs=0.03)


@pytest.mark.parametrize("macs", [2e6, 40e6, 200e6])
def test_no_pixel_is_made_up(macs: float) -> None:
    found = solver("smallnet_32", (32, 32)).within({"macs": macs}, unseen)
    assert max(found.network.resolution) <= 32
    assert 0.6 * macs < count(found.network).macs <= macs
    assert bool(found.reasons) == (macs > count(named("smallnet_32")).macs), "the answer says why it left the rule"


def test_a_rule_that_is_named_is_kept_though_it_enlarges() -> None:
    found = solver("smallnet_32", (32, 32), "resolution").within({"macs": 40e6}, unseen)
    assert min(found.network.resolution) > 32
    assert found.network.stages == named("smallnet_32").stages


def test_twice_the_cost_lies_on_the_same_curve() -> None:
    found = solver("efficientnet_lite0", (500, 500)).within({"macs": 50e6}, unseen)
    assert found.larger is not None
    assert count(found.larger).macs / count(found.network).macs == pytest.approx(2, abs=0.5)


def test_weights_keep_their_depth_and_width() -> None:
    found = solver("efficientnet_lite0", (500, 500), begun=True).within({"macs": 50e6}, unseen)
    assert found.network.stages == named("efficientnet_lite0").stages
    assert count(found.network).macs <= 50e6
    assert found.binding == ("macs",)
    assert found.larger is not None
    assert found.larger.stages == found.network.stages


def test_weights_take_no_more_pixels_than_their_own_and_then_no_limit_binds() -> None:
    for limits in ({"macs": 5e9}, {"params": 9e6}):
        found = solver("efficientnet_lite0", (500, 500), begun=True).within(limits, unseen)
        assert found.network == named("efficientnet_lite0")
        assert (found.binding, found.larger) == ((), None)


def test_weights_that_break_a_limit_at_any_resolution_are_an_error() -> None:
    with pytest.raises(InputError, match="params"):
        solver("efficientnet_lite0", (500, 500), begun=True).within({"params": 1e6}, unseen)


def test_a_file_that_takes_more_than_its_network_makes_the_network_smaller() -> None:
    """A file with 30 kB beside its weights: the network that fits leaves room for them."""
    limit, beside = 200_000.0, 30_000

    def rehearse(network: Network, uses: Mapping[str, float]) -> Rehearsal:
        return Rehearsal(uses={"file_size": file_size(network) + beside}, counted=uses["file_size"])

    plain = solver("smallnet_32", (32, 32)).within({"file_size": limit}, unseen)
    found = solver("smallnet_32", (32, 32)).within({"file_size": limit}, rehearse)
    assert file_size(plain.network) + beside > limit, "the case is one"
    assert file_size(found.network) + beside <= limit
    assert found.uses["file_size"] == file_size(found.network) + beside


def test_a_file_that_never_keeps_its_limit_ends_the_search() -> None:
    def rehearse(network: Network, uses: Mapping[str, float]) -> Rehearsal:
        return Rehearsal(uses={"file_size": 2e5}, counted=uses["file_size"] - 1 + 0 * len(network.stages))

    with pytest.raises(InputError, match="file_size"):
        solver("smallnet_32", (32, 32)).within({"file_size": 1e5}, rehearse)


def test_a_budget_that_no_file_keeps_is_answered_with_one_that_the_smallest_file_keeps() -> None:
    """A file with 30 kB beside its weights; the limit that the message proposes is for the file."""
    beside = 30_000

    def rehearse(network: Network, uses: Mapping[str, float]) -> Rehearsal:
        return Rehearsal(uses={"file_size": file_size(network) + beside}, counted=uses["file_size"])

    for limits in ({"file_size": 1_000.0}, {"file_size": 20_000.0, "macs": 10.0}):
        with pytest.raises(OutOfReachError, match="file of the smallest network has") as error:
            solver("smallnet_32", (32, 32)).within(limits, rehearse)
        proposed = dict(re.findall(r"(\w+)=([0-9.]+k?B?) or more", str(error.value)))
        wider = limits | {name: read_limit(name, text) for name, text in proposed.items()}
        assert wider["file_size"] > beside
        found = solver("smallnet_32", (32, 32)).within(wider, rehearse)
        assert all(found.uses[name] <= limit for name, limit in wider.items())
        with pytest.raises(OutOfReachError):
            solver("smallnet_32", (32, 32)).within(wider | {"file_size": 0.9 * wider["file_size"]}, rehearse)
