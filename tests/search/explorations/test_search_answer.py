"""The answer of a search in words: what doubts there are stands in it, and one thing is not called several."""

from pathlib import Path

import msgspec
import numpy as np
import pytest

from tests.report.search_sample import opening, space
from triscale.search.explorations.guessing import beside_guessing
from triscale.search.explorations.search_answer import all_failed, answer_lines
from triscale.trials.searches.search_doubts import drawn_line, guessing_line
from triscale.trials.searches.search_records import FinalistRecord, FoundRecord, ProposalRecord
from triscale.trials.searches.worth_records import DrawnRecord, GuessingRecord

DRAWN = DrawnRecord(
    n=20, best=0.5, mean=0.4, chosen=44, chosen_best=0.5, chosen_mean=0.41, difference=0.01, interval=(-0.01, 0.03)
)
BASELINE = FinalistRecord(id="base", rule="baseline", n=3, costs={}, validation=0.5, test=0.5)
PROPOSALS = [ProposalRecord(number=k, chosen={}, network=str(k), costs={}) for k in range(3)]


def found_line(*rows: FinalistRecord, failed: int = 0, proposed: int = 3) -> str:
    found = FoundRecord(best=rows[0].id, finalists=rows, front=(), lines=())
    lines = answer_lines(
        opening(space()), found, PROPOSALS[:proposed], failed=failed, drawn_first=proposed, folder="runs"
    )
    assert all("  " not in line and line.endswith(".") for line in lines)
    return lines[0]


def test_the_best_of_many_guessers_does_not_count_as_a_network_that_learned_something() -> None:
    """By simulation: of 64 networks that guess one passes in no more than 5% of searches; one that knows 35% passes."""
    rng, images, n, trials = np.random.default_rng(0), 500, 64, 400
    passed = 0
    for right in rng.binomial(images, 0.25, (trials, n)) / images:
        record = beside_guessing(right.tolist(), images, 0.25)
        assert record is not None
        passed += record.beaten
    assert passed <= 0.05 * trials
    knows = beside_guessing([0.25] * 63 + [0.35], images, 0.25)
    assert knows is not None
    assert knows.beaten
    assert beside_guessing([], images, 0.25) is None


def test_a_search_without_a_network_that_beats_guessing_says_so_and_what_helps() -> None:
    record = GuessingRecord(accuracy=0.083, images=48, n=64, best=0.104, low=0.02)
    line = guessing_line(record, 5)
    assert line == (
        "The search had nothing to go by: after 5 epochs no network beats guessing. Of 48 validation images the best "
        "of 64 networks knows 10.4%, and whoever always names the most frequent class 8.3%. "
        "Give more --epochs or more images."
    )
    assert "its one network knows" in str(guessing_line(msgspec.structs.replace(record, n=1), 5))
    assert guessing_line(msgspec.structs.replace(record, low=0.09), 5) is None


def test_a_sampler_is_said_to_beat_random_draws_or_not_or_not_to_be_compared() -> None:
    no = "The networks that evolution chose are no better on average than those drawn at random"
    assert drawn_line(DRAWN, "evolution", 64, 20) == f"{no} (44 beside 20: +1.0 points, -1.0 to +3.0)."
    yes = msgspec.structs.replace(DRAWN, interval=(0.005, 0.015))
    assert str(drawn_line(yes, "evolution", 64, 20)).startswith(
        "The networks that evolution chose are better on average"
    )
    assert str(drawn_line(None, "evolution", 16, 16)) == (
        "Whether evolution beats random draws is not known: all 16 were drawn at random, before it knew enough; "
        "give more --trials."
    )
    none = str(drawn_line(None, "controller", 64, 0))
    assert "0 of 64 networks were drawn at random, too few of one kind to compare; search with --sampler random" in none
    assert drawn_line(None, "random", 64, 64) is None


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ((BASELINE,), "the last trainings of all others failed"),
        ((msgspec.structs.replace(BASELINE, number=4),), "it is itself the best proposal"),
        (
            (BASELINE, FinalistRecord(id="a", rule="found", n=3, costs={}, validation=0.4)),
            "the best proposal is not better",
        ),
        (
            (BASELINE, *(FinalistRecord(id=one, rule="found", n=3, costs={}, validation=0.4) for one in "ab")),
            "none of the 2 best proposals is better",
        ),
    ],
    ids=["no finalist is left", "the baseline was proposed", "one finalist", "two finalists"],
)
def test_a_baseline_that_stays_has_a_reason(rows: tuple[FinalistRecord, ...], words: str) -> None:
    assert found_line(*rows).startswith(f"The baseline stays: {words};")


def test_one_network_is_one_network() -> None:
    assert "; 1 network of 46,656,000 was trained for 5 epochs; 2 trials failed." in found_line(BASELINE, failed=2)
    assert "; 2 networks of 46,656,000 were trained for 5 epochs; 1 trial failed." in found_line(BASELINE, failed=1)
    assert found_line(BASELINE).endswith("; 3 networks of 46,656,000 were trained for 5 epochs.")


def test_a_search_in_which_all_failed_says_why_and_where_to_look() -> None:
    error = all_failed("trial of the search", [], Path("runs/one"))
    assert str(error).splitlines()[1] == "`triscale search status runs/one` says how far the search is."
