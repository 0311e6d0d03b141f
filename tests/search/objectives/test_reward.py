"""The paper's reward, weights out of sentences, and what a sampler is told of limits."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triscale.costs import Metric, registered
from triscale.errors import UsageError
from triscale.quantities import PER_SECOND
from triscale.search.objectives import WEIGHT, Accuracy, Front, Objective, Reward, weight_in, weight_of


def test_twice_the_cost_takes_five_percent_as_the_paper_says() -> None:
    """MnasNet, section 3: 2x the latency at 5% relative gain has the same reward at w = -0.07."""
    reward = Reward(target=400e6)
    assert reward.scores(0.76, {"macs": 400e6}) == 0.76
    assert reward.scores(0.76, {"macs": 800e6}) / 0.76 == pytest.approx(2**-0.07)
    assert reward.scores(0.76 * 1.05, {"macs": 800e6}) == pytest.approx(0.76, rel=5e-4)
    assert reward.scores(0.76, {"macs": 200e6}) > 0.76


def test_the_hard_form_weighs_only_what_is_beyond_the_target() -> None:
    """MnasNet, equation 3: an exponent of 0 below the target."""
    hard = Reward(target=75.0, metric="params", weight=-1, form="hard")
    assert hard.scores(0.8, {"params": 50}) == 0.8
    assert hard.scores(0.8, {"params": 75}) == 0.8
    assert hard.scores(0.8, {"params": 150}) == pytest.approx(0.4)


@given(times=st.floats(1.5, 64), gain=st.floats(0.001, 1), accuracy=st.floats(0.1, 99), cost=st.floats(1e3, 1e9))
def test_a_derived_weight_makes_the_trade_even(times: float, gain: float, accuracy: float, cost: float) -> None:
    reward = Reward(target=1e6, weight=weight_of(times, gain))
    before = reward.scores(accuracy, {"macs": cost})
    assert reward.scores(accuracy * (1 + gain), {"macs": cost * times}) == pytest.approx(before)


def test_a_sentence_has_a_weight() -> None:
    metric, weight = weight_in("2x cost must buy 5% accuracy")
    assert metric is None
    assert weight == pytest.approx(math.log(1.05**-1) / math.log(2))
    assert weight_in("4 times the params must buy 10.5% more accuracy.") == ("params", weight_of(4, 0.105))
    assert weight_in("2x macs must buy 5%")[1] == pytest.approx(WEIGHT, abs=5e-4)


@pytest.mark.parametrize(
    ("sentence", "fault"),
    [
        ("twice as good", "write for example: 2x macs must buy 5% accuracy"),
        ("2x love must buy 5% accuracy", "unknown metric 'love'"),
        ("1x macs must buy 5% accuracy", "must be above 1"),
        ("2x macs must buy 0% accuracy", "would make w 0"),
        ("2x macs must buy -5% accuracy", "would make w positive"),
    ],
)
def test_a_sentence_that_gives_no_weight_is_rejected(sentence: str, fault: str) -> None:
    with pytest.raises(UsageError, match=fault):
        weight_in(sentence)


def test_a_weight_of_the_wrong_sign_is_explained() -> None:
    with pytest.raises(UsageError, match=r"would rise with macs\.\nFor macs, w lies below 0, such as -0\.07"):
        Reward(target=1e6, weight=0.07)
    speed = Metric(name="speed", unit=PER_SECOND, evaluate=lambda *_: 1.0, deterministic=False, at_least=True)
    with registered(speed):
        with pytest.raises(UsageError, match=r"would fall with speed\.\nFor speed, w lies above 0, such as 0\.07"):
            Reward(target=100, metric="speed")
        fast = Reward(target=100, metric="speed", weight=1, form="hard")
        assert [fast.scores(0.8, {"speed": value}) for value in (50, 100, 200)] == [0.4, 0.8, 0.8]
        assert Objective(goal=Front(("speed",))).scores(0.8, {"speed": 40.0}) == (0.8, 40.0)


def test_what_is_no_reward_is_rejected() -> None:
    for target, metric, weight, fault in (
        (0, "macs", -0.07, "must be a number above 0"),
        (1, "flops", -0.07, "unknown metric 'flops'"),
        (1, "macs", 0, "other than 0"),
        (1, "macs", math.nan, "other than 0"),
        (1, "macs", -70, r"1\.18e\+21 times"),
    ):
        with pytest.raises(UsageError, match=fault):
            Reward(target=target, metric=metric, weight=weight)
    with pytest.raises(UsageError, match="above 0, got 0"):
        Reward(target=1).scores(0.5, {"macs": 0})


def test_an_objective_says_its_costs_and_scores() -> None:
    front = Objective(goal=Front(("macs", "params")), limits={"params": 4e6, "file_size": 1e6})
    costs = {"macs": 3.0, "params": 5e6, "file_size": 5e5}
    assert front.metrics == ("macs", "params", "file_size")
    assert front.scores(0.5, costs) == (0.5, -3.0, -5e6)
    alone = Objective(goal=Accuracy())
    assert (alone.metrics, alone.scores(0.5, {})) == ((), 0.5)


def test_what_is_no_objective_is_rejected() -> None:
    for names in ((), ("macs", "macs"), ("macs", "params", "file_size")):
        with pytest.raises(UsageError, match="one or two costs"):
            Front(names)
    with pytest.raises(UsageError, match="unknown limit 'love'"):
        Objective(goal=Accuracy(), limits={"love": 1})
    with pytest.raises(UsageError, match="the limit macs must be a number above 0"):
        Objective(goal=Accuracy(), limits={"macs": -1})
