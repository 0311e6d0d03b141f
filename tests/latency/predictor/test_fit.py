"""A fit on a machine that is a formula predicts unseen networks, whatever disturbed the measurements."""

from dataclasses import replace
from random import Random

import numpy as np
import pytest

from tests.latency.predictor.world import VECTORS, network_ms, nodes, sample
from triscale.families.by_name import network
from triscale.latency.predictor.block_kernels import block_kernels
from triscale.latency.predictor.calibration_networks import calibration_networks
from triscale.latency.predictor.latency_model import LatencyModel
from triscale.latency.predictor.model_fit import fit
from triscale.latency.predictor.node_times import NodeTimes, kernel_times, lowest
from triscale.spec import resolve, scale

UNSEEN = ("efficientnet_b0", "efficientnetv2_b0", "mobilenet_v2", "mobilenet_v3_large", "mnasnet_a1", "resnet50")


@pytest.fixture(scope="module")
def model() -> LatencyModel:
    random = Random(0)
    return fit([sample(net, random) for net in calibration_networks()], VECTORS)


def test_unseen_networks_are_predicted_within_the_noise(model: LatencyModel) -> None:
    """The oracle is the formula; a tenth of all runs in the profiles were held up for 2 ms."""
    for name in UNSEEN:
        net = network(name)
        found = model.predict(net)
        assert found.low < found.milliseconds < found.high
        assert found.milliseconds == pytest.approx(network_ms(net), rel=0.03), name


def test_short_networks_that_are_faster_than_their_kernels_tell_change_no_long_one() -> None:
    """Their maps stay in near caches: here they take 0.7 of what the formula says."""
    random = Random(2)
    samples = [sample(net, random) for net in calibration_networks()]
    short = [replace(one, milliseconds=0.7 * one.milliseconds) if one.milliseconds < 2 else one for one in samples]
    assert 16 < sum(one is not two for one, two in zip(samples, short, strict=True)) < 24
    found = fit(short, VECTORS)
    for name in UNSEEN:
        net = network(name)
        assert found.predict(net).milliseconds == pytest.approx(network_ms(net), rel=0.03), name
    tiny = scale(network("mobilenet_v2"), resolution=0.25)
    assert network_ms(tiny) < 2
    assert found.predict(tiny).milliseconds < 0.85 * network_ms(tiny)


def test_networks_of_microseconds_are_predicted_from_others_like_them(model: LatencyModel) -> None:
    """There starting kernels is most of the time, and no profile saw it."""
    for name in ("finenet_20", "finenet_32", "smallnet_24", "smallnet_48"):
        found = model.predict(network(name))
        assert found.milliseconds == pytest.approx(network_ms(network(name)), rel=0.1), name


def test_starting_a_kernel_is_read_off_short_networks_alone() -> None:
    """A profile's clock adds to every kernel of the long ones; here it is as much again as starting one."""
    random = Random(3)
    samples = [sample(net, random) for net in calibration_networks()]
    slower = [
        replace(one, milliseconds=one.milliseconds + 0.004 * len(one.nodes)) if one.milliseconds >= 3 else one
        for one in samples
    ]
    found = fit(slower, VECTORS)
    tiny = network("finenet_20")
    assert found.predict(tiny).milliseconds == pytest.approx(network_ms(tiny), rel=0.1)


def test_below_the_shortest_network_of_the_calibration_the_interval_widens(model: LatencyModel) -> None:
    tiny = network("finenet_20")
    middle = model.predict(tiny).milliseconds
    like, shorter = (
        replace(model, correction=replace(model.correction, least=least)).predict(tiny)
        for least in (middle, 4 * middle)
    )
    assert shorter.high / middle == pytest.approx(2 * like.high / middle)


def test_the_interval_covers_most_networks_and_is_narrow(model: LatencyModel) -> None:
    inside = [f.low <= network_ms(n) <= f.high for n in map(network, UNSEEN) for f in (model.predict(n),)]
    assert np.mean(inside) >= 0.8
    assert 0 < model.spread < 0.1
    assert 0 < model.short_spread < 0.2


def test_a_kind_that_was_never_measured_costs_as_much_as_one_that_is_alike(model: LatencyModel) -> None:
    found = model.predict(network("resnet164")).milliseconds
    assert found == pytest.approx(network_ms(network("resnet164")), rel=0.5)
    assert model.predict(replace(network("senet154"), resolution=(64, 64))).milliseconds > 1


def test_a_kernel_that_was_always_held_up_moves_the_fit_little() -> None:
    """A long kernel outlasts its time slice in every run; the profile of its network is not believed alone."""
    random = Random(1)
    samples = [sample(net, random) for net in calibration_networks()]
    victim = samples[6]
    longest = max(victim.nodes, key=lambda node: min(node.microseconds))
    held = longest._replace(microseconds=tuple(value * 2 for value in longest.microseconds))
    samples[6] = replace(victim, nodes=tuple(held if node is longest else node for node in victim.nodes))
    moved = fit(samples, VECTORS)
    for name in UNSEEN:
        found = moved.predict(network(name)).milliseconds
        assert found == pytest.approx(network_ms(network(name)), rel=0.05), name


def test_every_node_belongs_to_a_kernel_and_nothing_is_lost() -> None:
    """Reorders, which have no name of ours, count for their neighbours."""
    net = network("mobilenet_v3_small")
    given = [
        *nodes(net, Random(0)),
        NodeTimes("logits", "Gemm", (50.0,)),
        NodeTimes("Reorder_7", "ReorderOutput", (9.0,)),
    ]
    given.insert(5, NodeTimes("Reorder_1", "ReorderInput", (7.0,)))
    found = kernel_times(resolve(net), given, 1.0)
    kernels = {(n, k.role) for n, (_, b) in enumerate(resolve(net).flat()) for k in block_kernels(b, VECTORS)}
    assert set(found) <= kernels
    assert sum(found.values()) == pytest.approx(sum(lowest(node.microseconds, 1.0) for node in given))


def test_the_time_of_a_node_ignores_runs_that_were_held_up() -> None:
    assert lowest((100.0, 101.0, 102.0, 103.0, 4000.0, 9000.0), 1.0) == pytest.approx(0.1005)
    assert lowest((94.0, 106.0, 4000.0, 100.0), 6.0) == pytest.approx(0.1)
