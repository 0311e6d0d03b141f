"""What is maximised ranks the finalists, and a limit holds for the baseline too."""

from collections.abc import Mapping

import msgspec
import pytest

from tests.report.search_sample import opening, space
from triscale.search.explorations.finals.finalist_ranking import broken, ranked
from triscale.search.explorations.search_answer import answer_lines
from triscale.search.explorations.search_question import SearchQuestion
from triscale.search.objectives import Accuracy, Front, Reward
from triscale.trials.searches.search_records import FinalistRecord, FoundRecord

BASELINE = FinalistRecord(id="base", rule="baseline", n=3, costs={"macs": 1000.0}, validation=0.80, test=0.8)
CHEAP = FinalistRecord(
    id="cheap", rule="found", number=5, n=3, costs={"macs": 500.0}, validation=0.79, test=0.8, difference=-0.01,
    interval=(-0.02, 0.0),
)  # fmt: skip
REWARD = Reward(target=1000.0)


def lines_of(question: SearchQuestion, rows: tuple[FinalistRecord, ...]) -> tuple[str, ...]:
    found = FoundRecord(best=rows[0].id, finalists=rows, front=(), lines=())
    return answer_lines(opening(space(), question), found, [], failed=0, drawn_first=0, folder="runs")


@pytest.mark.parametrize(
    ("score", "best", "number"),
    [
        (REWARD.scores, "cheap", 0.79 * 0.5**-0.07),
        (Accuracy().scores, "base", 0.80),
        (Front(("macs",)).scores, "base", 0.80),
    ],
    ids=["the reward", "accuracy", "a front"],
)
def test_what_is_maximised_ranks_the_finalists(score: object, best: str, number: float) -> None:
    """Half the cost is worth 5% of the accuracy, and costs 1 point here: only the reward prefers it."""
    rows = ranked((BASELINE, CHEAP), score, {})  # type: ignore[arg-type]
    assert rows[0].id == best
    assert rows[0].score == pytest.approx(number)


def test_of_equal_finalists_the_baseline_is_the_first() -> None:
    equal = msgspec.structs.replace(CHEAP, validation=0.80, costs=BASELINE.costs)
    assert [one.id for one in ranked((equal, BASELINE), REWARD.scores, {})] == ["base", "cheap"]


@pytest.mark.parametrize("limits", [{"macs": 900.0}, {"macs": 900.0, "params": 5.0}])
def test_a_baseline_that_breaks_a_limit_is_compared_with_and_never_the_best(limits: Mapping[str, float]) -> None:
    bad, base = (
        msgspec.structs.replace(one, validation=validation, costs={**one.costs, "params": 4.0})
        for one, validation in ((CHEAP, 0.1), (BASELINE, 0.9))
    )
    rows = ranked((bad, base), Accuracy().scores, limits)
    assert [one.id for one in rows] == ["cheap", "base"]
    assert [one.breaks for one in rows] == [(), ("macs",)]
    assert broken(rows[1], limits) == "macs 1,000 > 900"
    assert rows[1].only_compared
    lines = lines_of(SearchQuestion(objective="accuracy", budget=limits), rows)
    assert "The baseline breaks the budget (macs 1,000 > 900): it is compared with, and cannot be chosen." in lines
    kept = ranked((bad, base), Accuracy().scores, {"macs": 1000.0})
    assert [one.id for one in kept] == ["base", "cheap"], "exactly at a limit it is kept"


def test_a_proposal_that_breaks_the_latency_as_measured_loses_to_all_but_a_baseline_that_breaks_a_limit() -> None:
    slow, fast, base = (
        msgspec.structs.replace(one, id=id_, costs={"latency": 1e-3}, measured=measured, validation=validation)
        for one, id_, measured, validation in (
            (CHEAP, "slow", 3e-3, 0.9), (CHEAP, "fast", 1e-3, 0.5), (BASELINE, "base", 4e-3, 0.95),
        )
    )  # fmt: skip
    limits = {"latency": 2e-3}
    assert [one.id for one in ranked((base, slow, fast), Accuracy().scores, limits)] == ["fast", "slow", "base"]
    assert [one.id for one in ranked((base, slow), Accuracy().scores, limits)] == ["slow", "base"]


def test_the_answer_says_what_the_choice_went_by() -> None:
    rows = ranked((BASELINE, CHEAP), REWARD.scores, {})
    by_reward = lines_of(SearchQuestion(), rows)
    assert by_reward[0].startswith("Proposal 5 is the best, -1.0 points against the baseline on validation")
    assert "Chosen by the reward on validation: proposal 5 0.8293, baseline 0.8000." in by_reward
    front = lines_of(SearchQuestion(objective="front"), ranked((BASELINE, CHEAP), Front(("macs",)).scores, {}))
    assert "Chosen by accuracy: of the front, the most accurate network is taken." in front
    alone = lines_of(SearchQuestion(objective="accuracy"), ranked((BASELINE, CHEAP), Accuracy().scores, {}))
    assert not any(line.startswith("Chosen") for line in alone)
