"""Where a search stands is known at any time: the front so far, the best by what is maximised, and the time left."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from tests.report.search_sample import EPOCHS, FINAL, QUESTION, TRIALS, write_search
from tests.search.explorations.searches import LONG, Enough, Pretends, search
from triscale.cli.app import main
from triscale.costs import count
from triscale.intervals import wilson
from triscale.search.explorations.watching.search_standing import standing_of
from triscale.spec import Network
from triscale.trials import Stored, TrialStore, read
from triscale.trials.searches.search_outcomes import outcomes
from triscale.trials.searches.search_records import SearchRecord


def begun(stored: Stored) -> SearchRecord:
    record = stored.one(SearchRecord)
    assert record is not None
    return record


def steep(network: Network) -> dict[str, float]:
    """Costs by which the best reward is not the highest accuracy: each MAC of a network counts twentyfold."""
    return {"macs": float(count(network).macs) ** 20}


def test_the_status_of_an_interrupted_search_has_its_front_the_best_reward_and_the_time_left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same keys as those of the end; 12.5 s a training of 5 epochs, two at a time."""
    folder = write_search(tmp_path, stop=9, costs=steep)
    stored = read(folder)
    known = [one for one in outcomes(stored) if one.accuracy is not None]
    objective = QUESTION.to_objective(begun(stored).costs)
    rewards = {one.proposal.number: objective.scores(one.accuracy or 0, one.proposal.costs) for one in known}
    best = max(rewards, key=lambda one: rewards[one])
    assert best != max(known, key=lambda one: one.accuracy or 0).proposal.number, "the reward decides"
    assert main(["search", "status", str(folder), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["found"] is None
    assert document["best_trial"]["proposal"] == best
    assert document["best_trial"]["score"] == pytest.approx(rewards[best])
    top = document["front"][-1]
    assert top["accuracy"] == max(one.accuracy or 0 for one in known)
    assert top["interval"] == pytest.approx(wilson(900 * top["accuracy"], 900))
    costs = [one["costs"]["macs"] for one in document["front"]]
    assert costs == sorted(costs)
    epochs = (TRIALS - 9) * EPOCHS + (QUESTION.finalists + 1) * QUESTION.seeds * FINAL
    assert document["seconds_left"] == pytest.approx(epochs * 12.5 / EPOCHS / 2)
    assert main(["search", "status", str(folder)]) == 0
    text = capsys.readouterr().out
    assert f"the best trial so far: proposal {best}: " in text
    assert f"reward {rewards[best]:.4f}" in text
    assert text.count("\n  proposal ") == len(document["front"])
    assert "no answer yet, about " in text
    whole = write_search(tmp_path / "whole")
    assert main(["search", "status", str(whole), "--json"]) == 0
    end = json.loads(capsys.readouterr().out)
    assert end.keys() == document.keys()
    assert end["seconds_left"] == 0
    assert [one["name"] for one in end["predictors"]] == ["params", "macs", "depth"]
    assert document["predictors"] == []
    assert "Size alone ranks the accuracies of the trials with Kendall's tau" in " ".join(end["lines"])


def test_the_time_left_is_what_was_predicted_until_a_training_is_done_and_counts_the_rungs(tmp_path: Path) -> None:
    """Half of 48 networks and 4 more for 10 epochs, before the 9 trainings of 20."""
    stored = read(write_search(tmp_path / "none", stop=0))
    assert standing_of(stored, begun(stored)).seconds_left == begun(stored).predicted_seconds
    stored = read(write_search(tmp_path / "rungs", stop=9, question=replace(QUESTION, rungs=2)))
    left = (TRIALS - 9) * 5 + 28 * 10 + 9 * 20
    assert standing_of(stored, begun(stored)).seconds_left == pytest.approx(left * 2.5 / 2)


def test_a_metric_that_only_the_searching_process_knows_leaves_the_accuracies(tmp_path: Path) -> None:
    folder = write_search(tmp_path, stop=9)
    with TrialStore(folder) as store:
        record = begun(store)
        store.add(msgspec.structs.replace(record, question={**record.question, "cost": "joules"}))
    stored = read(folder)
    standing = standing_of(stored, begun(stored))
    assert (standing.score, standing.seconds_left) == (None, None)
    assert standing.best is not None
    assert standing.best.accuracy == max(one.accuracy or 0 for one in standing.known)
    assert main(["search", "status", str(folder)]) == 0


def test_a_search_that_was_killed_has_a_status(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Enough):
        search(replace(LONG, trials=12, lag=4), tmp_path / "search", engine=Pretends(kill_after=9)).run()
    assert main(["search", "status", str(tmp_path / "search"), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["front"]
    assert document["best_trial"]["accuracy"] >= document["front"][0]["accuracy"]
    assert document["seconds_left"] > 0


def test_the_status_of_a_search_loads_no_torch(tmp_path: Path) -> None:
    folder = write_search(tmp_path, stop=5)
    code = (
        f"from triscale.cli import main; main(['search', 'status', {str(folder)!r}]); "
        "import sys; assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
