"""The answer: what is said of the chosen candidate and of those that the noise does not tell apart from it."""

from typing import Any

import pytest

from triscale.search.answer import _standing
from triscale.search.rank import RULE
from triscale.trials.study_records import ChoiceRecord, CoefficientsRecord

STANDINGS: list[tuple[dict[str, Any], str]] = [
    ({"rule": RULE, "chosen": "a", "tied": ["a"]}, "the best of 5 networks of twice the cost"),
    ({"rule": RULE, "chosen": "a", "tied": ["a", "b"]},
     "the best of 5 networks of twice the cost, not told apart from 1 other"),
    ({"rule": RULE, "chosen": "a", "tied": ["b", "a", "c"]},
     "the best of 5 networks of twice the cost, not told apart from 2 others"),
    ({"chosen": "a", "tied": ["b", "a", "c"]}, "the cheapest of 3 tied among 5 networks of twice the cost"),
    ({"chosen": "a", "tied": ["a"]}, "the best of 5 networks of twice the cost"),
]  # fmt: skip


@pytest.mark.parametrize(("said_of", "said"), STANDINGS)
def test_the_standing_of_the_chosen_is_told_by_the_rule_of_its_record(said_of: dict[str, Any], said: str) -> None:
    choice = ChoiceRecord(
        ranking=(), coefficients=CoefficientsRecord(alpha=1, beta=1, gamma=1), noise_sd=0.1, noise_freedom=1,
        half_agrees=True, **{**said_of, "tied": tuple(said_of["tied"])},
    )  # fmt: skip
    assert _standing(choice, 5) == said
