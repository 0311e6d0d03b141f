"""A question in which options contradict each other, or mean nothing, is rejected with what to do."""

from dataclasses import replace

import pytest

import triscale
from triscale.cli.commands.search import SearchArguments
from triscale.cli.options.doubtful import LEFT_OUT
from triscale.errors import UsageError
from triscale.search.explorations.search_question import SearchQuestion

PARAMS = "2x params must buy 5% accuracy"
LATENCY = "2x latency must buy 5% accuracy"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"objective": "front", "exponent": -0.1}, "--exponent is for a reward, and the objective is front: give"),
        ({"objective": "accuracy", "exponent": 0.1}, "--exponent is for a reward, and the objective is accuracy"),
        ({"objective": "front", "reward_target": 4e6}, "--reward-target is for a reward"),
        ({"objective": "accuracy", "reward_target": 4e6}, "--reward-target is for a reward"),
        ({"objective": "accuracy", "worth": PARAMS}, "--worth is for a reward"),
        ({"objective": "accuracy", "cost": "params"}, "--cost params has no part in --objective accuracy: limit it by"),
        ({"worth": PARAMS, "exponent": 0.07}, "--worth and --exponent both say what more cost must buy: leave one"),
        ({"worth": PARAMS, "cost": "file_size"}, "--worth is about params, and --cost names file_size: leave --cost"),
        ({"reward_target": 0.0}, "the target of macs must be a number above 0, got 0"),
        ({"reward_target": -1}, "the target of macs must be a number above 0, got -1"),
    ],
)
def test_options_that_mean_nothing_together_are_rejected(fields: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        SearchQuestion(**fields)  # type: ignore[arg-type]
    assert len(str(caught.value).splitlines()) <= 3


@pytest.mark.parametrize(
    "fields",
    [
        {"objective": "front", "cost": "params"},
        {"objective": "accuracy"},
        {"worth": PARAMS, "cost": "params"},
        {"worth": "2x cost must buy 5% accuracy", "cost": "params"},
        {"worth": PARAMS, "reward_target": 4e6},
    ],
)
def test_options_that_agree_are_taken(fields: dict[str, object]) -> None:
    SearchQuestion(**fields)  # type: ignore[arg-type]


def test_the_target_of_a_reward_is_read_in_the_metric_that_the_sentence_names() -> None:
    asked = SearchArguments(worth=LATENCY, reward_target="5ms", target="onnxruntime:float32:t1")
    question = asked.question(None, LEFT_OUT)
    assert question.reward_target == pytest.approx(5e-3)
    assert question.command().endswith("--reward-target 5ms --worth '2x latency must buy 5% accuracy'")
    assert replace(question, worth=None, cost="macs", reward_target=4e6).command().endswith("--reward-target 4M")
    with pytest.raises(UsageError, match="give a target"):  # so 5ms was read
        triscale.search_architecture(data="nowhere", worth=LATENCY, reward_target="5ms")
    with pytest.raises(UsageError, match="--reward-target is for a reward"):  # not: unknown metric 'macs,params'
        SearchArguments(objective="front", cost="macs,params", reward_target="4M").question(None, LEFT_OUT)
