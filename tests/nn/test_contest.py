"""Which way is faster, on simulated machines: how often load makes a slower way win, and whether a faster one does."""

import random
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch

from tests.nn.machines import Machine
from tests.nn.networks import TINY
from triscale.nn import build
from triscale.nn.contest import STOCK, Comparison, compare, fastest, process_seconds
from triscale.nn.tune import measured
from triscale.speed_plan import SpeedPlan

TRIES = 400

LOADS: dict[str, dict[str, Any]] = {
    "quiet": {},
    "noisy": {"noise": 0.15},
    "spikes": {"spikes": 0.3},
    "drift": {"drift": 0.02},
    "drift the other way": {"drift": -0.02},
    "load in half of the rounds": {"loaded": lambda number, _: number // 8 % 2 == 0, "seen": False},
    "load at random": {"loaded": lambda _, draw: draw.random() < 0.5, "seen": False},
    "load that ends": {"loaded": lambda number, _: number < 6, "seen": False},
    "load that begins": {"loaded": lambda number, _: number >= 8, "seen": False},
    "load all along": {"loaded": lambda *_: True},
    "load and spikes": {"loaded": lambda *_: True, "spikes": 0.3},
}
"""Where a load is not `seen`, the rounds alone must tell."""


def wins(seconds: float, how: dict[str, Any], gain: Callable[[Machine], float] = lambda _: 1.05) -> float:
    """How often a way that takes so long in quiet, where stock takes 1, is taken."""
    taken = 0
    for seed in range(TRIES):
        machine = Machine({STOCK: 1.0, "native": seconds}, random.Random(seed), **how)
        found = compare({STOCK: lambda: 0, "native": lambda: 0}, machine.measure, partial(gain, machine))
        taken += fastest(found) == "native"
    return taken / TRIES


def as_tuned(machine: Machine) -> float:
    """What a part must win by."""
    return 2.0 if machine.load().crowded else 1.05


@pytest.mark.parametrize("seconds", [1.0, 1.25, 2.0])
@pytest.mark.parametrize("load", LOADS)
def test_a_way_that_is_no_faster_hardly_ever_wins(load: str, seconds: float) -> None:
    """In 1 of 100 tries at most; in 3 where only the rounds tell of the load. The whole step is a second try."""
    unseen = not LOADS[load].get("seen", True)
    assert wins(seconds, LOADS[load], as_tuned) < (0.03 if unseen else 0.01)


@pytest.mark.parametrize("how", [{}, {"spikes": 0.05}, {"drift": 0.02}, {"drift": -0.02}], ids=str)
def test_a_way_that_is_1_3_times_as_fast_wins_in_most_tries(how: dict[str, Any]) -> None:
    assert wins(1 / 1.3, how, as_tuned) > 0.95


def test_a_way_that_is_several_times_as_fast_wins_in_any_crowd() -> None:
    assert wins(1 / 4, LOADS["load all along"], as_tuned) > 0.99


def test_at_the_gain_that_is_asked_for_the_error_is_the_binomial_one() -> None:
    """Eight of eight rounds, or twelve of fourteen: 1.04% of all tries, for a way that is exactly that much faster."""
    most = (1 + (1 + 14 + 91) / 2**6) / 2**8
    assert most < 0.0105
    assert wins(1 / 1.05, LOADS["noisy"]) < most + 3 * (most / TRIES) ** 0.5


@pytest.mark.parametrize(
    ("stock", "way", "won", "over"),
    [
        ([1] * 7, [0.5] * 7, False, False),
        ([1] * 8, [0.5] * 8, True, True),
        ([1] * 8, [0.5] * 7 + [2], False, False),
        ([1] * 14, [0.5] * 12 + [2] * 2, True, True),
        ([1] * 14, [0.5] * 11 + [2] * 3, False, True),
        ([1] * 3, [2] * 3, False, True),
        ([1] * 3, [0.2] * 3, True, True),
        ([1, 1, 2], [0.2] * 3, False, False),  # unsteady: not believed yet
        ([2] * 12 + [1] * 2, [1.5] * 14, False, True),
        ([2] * 11 + [1] * 3, [1.9] * 11 + [0.9] * 3, True, True),
        ([3] * 12 + [1] * 2, [1.4] * 12 + [1.3] * 2, True, True),
        ([2] * 8, [1] * 7 + [1.96], False, False),
    ],
)
def test_what_wins_and_what_needs_more_rounds(stock: list[float], way: list[float], *, won: bool, over: bool) -> None:
    found = Comparison(stock=tuple(stock), way=tuple(way), gain=1.05)
    assert (found.won, found.over) == (won, over)


def test_of_several_ways_the_fastest_that_won_is_taken() -> None:
    machine = Machine({STOCK: 1.0, "rewritten": 0.7, "native": 0.5, "slow": 3.0}, random.Random(0))
    found = compare(dict.fromkeys(machine.seconds, lambda: 0), machine.measure, lambda: 1.05)
    assert fastest(found) == "native"
    assert len(found["slow"].ratios) == 3, "a way that loses is not tried again"


def test_the_real_clock_finds_the_faster_way() -> None:
    """Four times the work; its own time, so that other programs do not matter."""

    def busy(rounds: int) -> None:
        for _ in range(rounds):
            torch.ones(1000).sum()

    found = compare({STOCK: lambda: busy(400), "native": lambda: busy(100)}, process_seconds, lambda: 1.05)
    assert fastest(found) == "native"
    found = compare({STOCK: lambda: busy(100), "native": lambda: busy(400)}, process_seconds, lambda: 1.05)
    assert fastest(found) == STOCK


SLOW_PARTS = {STOCK: 1.0, "rewritten": 1.3, "native": 1.2, "inner": 1.1, "plan": 1.2}
FAST_PARTS_SLOW_STEP = SLOW_PARTS | {"native": 0.7, "inner": 0.7}


@pytest.mark.parametrize("seconds", [SLOW_PARTS, FAST_PARTS_SLOW_STEP], ids=["parts lose", "the step loses"])
@pytest.mark.parametrize("load", LOADS)
def test_no_plan_is_kept_that_makes_the_step_no_faster(load: str, seconds: dict[str, float]) -> None:
    """A network whose kernels lose, or win alone and lose together: `measured` leaves them out."""
    model = build(TINY["mbconv_se"]).train()
    for seed in range(3):
        halves = load in {"load in half of the rounds", "load at random"}
        machine = Machine(seconds, random.Random(seed), **LOADS[load] | {"seen": not halves})
        tuned = measured(model, 4, (15, 18), "float32", measure=machine.measure, load=machine.load)
        assert tuned.plan == SpeedPlan()


def test_a_plan_that_gains_is_kept_and_says_by_how_much() -> None:
    model = build(TINY["mbconv_se"]).train()
    seconds = {STOCK: 1.0, "rewritten": 0.7, "native": 0.6, "inner": 0.6, "plan": 0.7}
    machine = Machine(seconds, random.Random(0), noise=0.01)
    tuned = measured(model, 4, (15, 18), "float32", measure=machine.measure, load=machine.load)
    assert tuned.plan != SpeedPlan()
    assert tuned.sure
    assert tuned.step
    assert tuned.step.interval.low < 1 / 0.7 < tuned.step.interval.high
    document = tuned.document()
    assert document["step"]["times_faster"]["median"] == tuned.step.interval.median
    assert not document["load"]["crowded"]


def test_what_was_measured_in_a_crowd_is_unsure_and_kept_only_if_it_is_far_faster() -> None:
    model = build(TINY["mbconv_se"]).train()
    always = LOADS["load all along"]
    for seconds in (0.7, 0.2):
        ways = {STOCK: 1.0} | dict.fromkeys(("rewritten", "native", "inner", "plan"), seconds)
        machine = Machine(ways, random.Random(0), **always | {"bias": 1.3})
        tuned = measured(model, 4, (15, 18), "float32", measure=machine.measure, load=machine.load)
        assert not tuned.sure
        assert "busy" in tuned.told()
        assert (tuned.plan != SpeedPlan()) is (seconds < 0.5)
