"""The budget solver: the largest network within every limit, held against a scan of the whole curve."""

import math
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.scaling.rules_there_are import BOTH_WAYS
from tests.spec.strategies import networks
from triscale.costs import count, read_limit
from triscale.errors import InputError, UsageError
from triscale.families import network
from triscale.families.amoebanet import amoebanet
from triscale.scaling import BudgetFit, Factors, Fit, Limit, factors, fill, fit, fit_budget
from triscale.scaling.limit import OutOfReachError
from triscale.spec import Network, content_hash, scale

COUNTED = ("macs", "params", "activations")
B0 = network("efficientnet_b0")
quick = settings(max_examples=20, deadline=None)

# Residual stages may lose a projecting shortcut when two widths meet, so their cost can fall as phi grows.
monotone = networks(operators=("mbconv", "separable"))
rules = st.sampled_from(BOTH_WAYS)
shares = st.dictionaries(st.sampled_from(COUNTED), st.floats(0.1, 30), min_size=1)


def costs(net: Network) -> dict[str, float]:
    return dict(count(net)._asdict())


def limits_of(net: Network, share: Mapping[str, float]) -> dict[str, float]:
    """Limits as shares of the network's own cost."""
    return {name: costs(net)[name] * part for name, part in share.items()}


def solved(net: Network, rule: str, share: Mapping[str, float]) -> tuple[BudgetFit, dict[str, float]]:
    """The answer and its limits; an example whose budget cannot be met or never binds is passed over."""
    limits = limits_of(net, share)
    try:
        return fit_budget(net, limits, rule=rule), limits
    except InputError:
        assume(False)
        raise


def keeps(net: Network, limits: Mapping[str, float]) -> bool:
    """Whether the network keeps every limit; one too large to be counted does not."""
    try:
        cost = costs(net)
    except InputError:
        return False
    return all(cost[name] <= limit for name, limit in limits.items())


def keeps_at(net: Network, rule: str, phi: float, limits: Mapping[str, float]) -> bool:
    """Whether the network at phi keeps every limit; one too large does not."""
    try:
        return keeps(scale(net, **factors(rule, phi)._asdict()), limits)
    except InputError:
        return False


def runs_at(net: Network, rule: str, phi: float) -> bool:
    """Whether the network at phi can be counted at all."""
    try:
        count(scale(net, **factors(rule, phi)._asdict()))
    except InputError:
        return False
    return True


@quick
@given(networks(), rules, shares)
def test_the_answer_keeps_every_limit_and_one_notch_more_breaks_one(
    net: Network, rule: str, share: dict[str, float]
) -> None:
    found, limits = solved(net, rule, share)
    assert keeps(found.network, limits)
    notch = scale(net, **factors(rule, found.fit.notch.phi)._asdict())
    assert not keeps(notch, limits)
    assert content_hash(notch) != content_hash(found.network)
    assert 0 < found.fit.notch.phi - found.phi <= 2e-9 * max(1, abs(found.phi))


@quick
@given(monotone, rules, shares)
def test_the_answer_agrees_with_a_dense_scan_of_phi(net: Network, rule: str, share: dict[str, float]) -> None:
    found, limits = solved(net, rule, share)
    for step in range(-20, 21):
        phi = found.phi + step / 5
        if phi < found.phi and not runs_at(net, rule, phi):
            continue  # too small for a stem without padding
        assert keeps_at(net, rule, phi, limits) == (phi <= found.phi), phi


@quick
@given(monotone, st.floats(0.02, 0.95))
def test_a_rule_that_only_shrinks_agrees_with_a_dense_scan_below_0(net: Network, share: float) -> None:
    """TinyNet's first step adds a fifth to the depth and takes a seventh off the sides: of few pixels that is none."""
    assume(min(net.resolution) >= 8)
    found, limits = solved(net, "tinynet", {"macs": share})
    assert found.phi < 0
    assert keeps(found.network, limits)
    for step in range(-10, 21):
        phi = found.phi + step / 5
        if phi >= 0 or (phi < found.phi and not runs_at(net, "tinynet", phi)):
            continue
        assert keeps_at(net, "tinynet", phi, limits) == (phi <= found.phi), phi


def test_a_rule_that_only_shrinks_rejects_a_budget_that_the_baseline_keeps() -> None:
    for limits in ({"macs": 1e9}, {"macs": count(B0).macs}, {"file_size": 1e9}):
        with pytest.raises(InputError, match=r"^rule tinynet only shrinks a network, and efficientnet_b0 keeps"):
            fit_budget(B0, limits, rule="tinynet")


@quick
@given(monotone, rules, shares)
def test_slack_binding_and_unused_are_those_of_the_counted_networks(
    net: Network, rule: str, share: dict[str, float]
) -> None:
    found, limits = solved(net, rule, share)
    beyond = costs(scale(net, **found.fit.notch.factors._asdict()))
    assert found.fit.slack == {name: limits[name] - costs(found.network)[name] for name in limits}
    assert set(found.fit.binding) == {name for name in limits if beyond[name] > limits[name]} != set()
    assert found.unused == min(found.fit.slack[name] / limits[name] for name in found.fit.binding)


@quick
@given(monotone, rules, shares)
def test_more_budget_never_gives_less(net: Network, rule: str, share: dict[str, float]) -> None:
    found, limits = solved(net, rule, share)
    try:
        larger = fit_budget(net, {name: 1.5 * limit for name, limit in limits.items()}, rule=rule)
    except InputError:
        return
    assert larger.phi >= found.phi


@quick
@given(monotone, rules, st.dictionaries(st.sampled_from(COUNTED), st.floats(0.5, 10), min_size=1))
def test_filling_never_exceeds_and_never_shrinks(net: Network, rule: str, share: dict[str, float]) -> None:
    found, limits = solved(net, rule, share)
    filled = fit_budget(net, limits, rule=rule, filled=True)
    assert keeps(filled.network, limits)
    assert all(costs(filled.network)[name] >= costs(found.network)[name] for name in COUNTED)
    assert all(new >= old for new, old in zip(filled.network.resolution, found.network.resolution, strict=True))
    assert min(filled.fit.left_rule) >= 1
    assert filled.factors.depth == found.factors.depth
    assert filled.fit.left_rule == pytest.approx(
        (filled.factors.resolution / found.factors.resolution, filled.factors.width / found.factors.width)
    )
    assert filled.fit.slack == {name: limits[name] - costs(filled.network)[name] for name in limits}


@pytest.mark.parametrize("macs", [1.0e9, 3.0e9])
def test_filling_takes_the_largest_resolution_then_the_largest_width(macs: float) -> None:
    filled = fit_budget(B0, {"macs": macs}, filled=True)
    where = filled.factors
    side = filled.network.resolution[0]
    width = fit_budget(B0, {"macs": macs}).factors.width
    taller = scale(B0, depth=where.depth, width=width, resolution=(side + 1) / 224)
    wider = scale(B0, depth=where.depth, width=where.width * 1025 / 1024 + 1e-9, resolution=where.resolution)
    assert count(taller).macs > macs
    assert count(wider).macs > macs or content_hash(wider) == content_hash(filled.network)


def test_filling_leaves_a_factor_alone_that_no_limit_depends_on() -> None:
    """Params do not bound the pixels: filling a params budget must not end at 100,000 px."""
    plain = fit_budget(B0, {"params": 9e6})
    filled = fit_budget(B0, {"params": 9e6}, filled=True)
    assert filled.network.resolution == plain.network.resolution
    assert filled.fit.left_rule[0] == 1
    assert count(plain.network).params <= count(filled.network).params <= 9e6


@pytest.mark.parametrize("share", [0.05, 0.3, 1, 2, 30])
def test_it_works_up_and_down_from_any_baseline(share: float) -> None:
    for name in ("efficientnet_b0", "efficientnet_b4", "resnet50", "smallnet_24"):
        net = network(name)
        limit = share * count(net).macs
        found = fit_budget(net, {"macs": limit})
        assert (found.phi >= 0) == (share >= 1)
        assert limit / 3 < count(found.network).macs <= limit
        assert content_hash(scale(net, **found.factors._asdict())) == content_hash(found.network)


def test_a_budget_of_exactly_the_baseline_keeps_the_baseline() -> None:
    found = fit_budget(B0, {"macs": count(B0).macs})
    assert content_hash(found.network) == content_hash(B0)
    assert (found.fit.slack, found.fit.binding, found.unused) == ({"macs": 0}, ("macs",), 0)


def test_the_answer_is_named_so_that_its_name_makes_it_again() -> None:
    from triscale.scaling import network as named

    for rule in BOTH_WAYS:
        found = fit_budget(B0, {"macs": 1e9}, rule=rule)
        assert named(found.network.name) == found.network
    filled = fit_budget(B0, {"macs": 1e9}, filled=True).network
    assert named(filled.name) == filled


@pytest.mark.parametrize("rule", [*BOTH_WAYS, "tinynet"])
def test_an_impossible_budget_ends_in_one_line_with_the_smallest_reachable_cost(rule: str) -> None:
    smallest = count(scale(B0, **factors(rule, -500)._asdict())).macs
    with pytest.raises(InputError) as caught:
        fit_budget(B0, {"macs": 10, "params": 1e12}, rule=rule)
    message = str(caught.value)
    assert message.startswith("the budget cannot be reached: ")
    assert f"macs {smallest:,} > 10. Give macs=" in message
    assert "params" not in message
    assert "\n" not in message


@pytest.mark.parametrize(
    "limits",
    [
        {"macs": 10.0},
        {"params": 10.0, "macs": 1e9},
        {"file_size": 1_000.0},
        {"file_size": 1_024.0},
        {"inference_memory": 10.0, "macs": 10.0, "params": 10.0},
        {"training_memory": 4_096.0},
    ],
)
def test_the_budget_that_the_message_proposes_can_be_kept(limits: dict[str, float]) -> None:
    with pytest.raises(OutOfReachError) as caught:
        fit_budget(B0, limits)
    proposed = dict(re.findall(r"(\w+)=([0-9.]+[A-Za-z]*) or more", str(caught.value)))
    assert proposed
    wider = limits | {name: read_limit(name, text) for name, text in proposed.items()}
    assert all(limits[name] < wider[name] for name in proposed)
    assert fit_budget(B0, wider).network
    tighter = limits | {name: 0.9 * wider[name] for name in proposed}
    with pytest.raises(OutOfReachError):
        fit_budget(B0, tighter)


def test_where_images_get_too_small_the_smallest_network_that_runs_is_still_found() -> None:
    """A stem without padding takes no image below 3 px; the doubling grid of phi steps over that network."""
    cells = amoebanet("cells", cells=1, filters=64, side=40)
    least = min(
        count(scale(cells, **factors("compound", -phi / 10)._asdict())).macs
        for phi in range(200)
        if runs(cells, -phi / 10)
    )

    assert count(fit_budget(cells, {"macs": least}).network).macs == least
    with pytest.raises(InputError, match=rf"the smallest network on this rule's curve has macs {least:,} > "):
        fit_budget(cells, {"macs": least - 1})


def runs(net: Network, phi: float) -> bool:
    """Whether the compound rule still gives a network that takes its images."""
    return min(scale(net, **factors("compound", phi)._asdict()).resolution) >= 3


def test_a_baseline_that_cannot_run_is_rejected_for_its_own_reason() -> None:
    cells = replace(amoebanet("cells", cells=1, filters=64, side=40), resolution=(2, 40))

    with pytest.raises(InputError, match=r"^cells cannot run on images of 2x40 px"):
        fit_budget(cells, {"macs": 1e6})


@pytest.mark.parametrize("rule", ["resolution", "depth", "compound", "width"])
def test_a_limit_that_never_binds_is_refused(rule: str) -> None:
    limits = {"params": 6e6} if rule == "resolution" else {"macs": 1e18}
    with pytest.raises(InputError, match=r"this rule (hardly changes|does not change) (params|macs)") as caught:
        fit_budget(B0, limits, rule=rule)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("limit", [0, -1, float("nan"), float("inf")])
def test_a_limit_that_cannot_be_meant_is_named(limit: float) -> None:
    with pytest.raises(UsageError, match=rf"^the limit macs is {limit}; give a finite number above 0"):
        fit_budget(B0, {"macs": limit})


def test_no_limit_and_an_unknown_limit_are_usage_errors() -> None:
    with pytest.raises(UsageError, match=r"^no limit given"):
        fit_budget(B0, {})
    with pytest.raises(UsageError, match=r"^unknown limit 'speed'; the limits are macs, params, activations"):
        fit_budget(B0, {"speed": 1e9})


def counted(calls: list[Factors], where: Factors) -> dict[str, float]:
    """The cost of a scaled B0, noting that it was asked for."""
    calls.append(where)
    return costs(scale(B0, **where._asdict()))


@pytest.mark.parametrize("share", [0.01, 0.5, 1, 2, 100])
def test_b0_with_three_limits_needs_few_evaluations_of_the_cost(share: float) -> None:
    """Each takes about half a millisecond, so the solver answers at once."""
    calls: list[Factors] = []
    shares = {"macs": share, "params": math.sqrt(share) + 0.3, "activations": share}
    limits = {name: Limit(value=value) for name, value in limits_of(B0, shares).items()}
    found: Fit = fit(partial(factors, "compound"), partial(counted, calls), limits)
    assert len(calls) < 60
    fill(found, partial(counted, calls), limits, 224)
    assert len(calls) < 120
