"""An architecture search: it proposes the same whatever its workers do, loses no trial, and compares what it found."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.simulated import Chances
from tests.search.explorations.fronts_of import front_of
from tests.search.explorations.searches import (
    LONG,
    SMALL,
    Enough,
    Pretends,
    outcomes,
    proposals,
    search,
)
from tests.search.studies import study
from triscale.cli.app import main
from triscale.costs import count, read_limit
from triscale.errors import InputError, UsageError
from triscale.search.explorations.architecture_search import ArchitectureSearch
from triscale.search.explorations.finals.finalist_ranking import ranked
from triscale.search.explorations.finals.finalists import finalists
from triscale.search.explorations.search_question import SearchQuestion
from triscale.search.objectives import Accuracy, fronts
from triscale.spec import content_hash, from_dict
from triscale.trials import VALIDATION, TrialStore, read
from triscale.trials.searches import search_outcomes
from triscale.trials.searches.search_records import FoundRecord, ProposalRecord, SearchRecord


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRISCALE_CACHE", str(tmp_path_factory.getbasetemp() / "search-cache"))


@pytest.fixture
def exploring(monkeypatch: pytest.MonkeyPatch) -> None:
    """What workers pretend to train has no weights, so the last trainings and the test are left out."""
    monkeypatch.setattr(ArchitectureSearch, "_finish", lambda *_: None)
    monkeypatch.setattr(ArchitectureSearch, "_answer", lambda *_: None)


def test_a_search_from_end_to_end_trains_what_it_proposed_and_compares_the_best_with_the_baseline(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "search"
    asked = [*SMALL.command().split()[1:], "--out", str(folder), "--jobs", "1", "--threads", "1", "--device", "cpu"]
    assert main([*asked, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    stored = read(folder)
    record, found = stored.one(SearchRecord), stored.one(FoundRecord)
    assert record is not None
    assert found is not None
    assert len(proposals(folder)) == 6 == document["trials"]
    assert {one.state for one in stored} == {"done"}
    assert {one.purpose for one in stored} == {"search", "final"}
    assert [one.n for one in found.finalists] == [2, 2]
    assert content_hash(from_dict(document["found"])) == found.best
    assert json.loads((folder / "best.json").read_text()) == document["found"]
    assert (folder / "best.safetensors").exists()
    assert document.keys() >= {"found", "score", "trials", "front", "sampler", "seconds"}
    best = {one.network: one for one in stored.all(ProposalRecord)}[document["front"][-1]["id"]]
    assert document["front"][-1]["costs"] == dict(best.costs)
    (folder / "best.json").unlink()
    assert main([*asked]) == 0, "an answered search trains nothing again"
    assert (folder / "best.json").exists(), "but it writes its files again"
    assert capsys.readouterr().out.splitlines() == [*document["lines"], f"Report: {folder / 'report.html'}"]
    assert document["report"] == str(folder / "report.html")
    assert found.scores.keys() == {one.network for one in proposals(folder)}
    assert [one.name for one in found.predictors] == ["params", "macs", "depth"]
    assert "All trials" in (folder / "report.html").read_text(encoding="utf-8")
    assert main(["search", "status", str(folder)]) == 0
    assert "6 of 6 networks trained by evolution" in capsys.readouterr().out


@pytest.mark.usefixtures("exploring")
@pytest.mark.parametrize("sampler", ["evolution", "surrogate"])
def test_any_number_of_workers_up_to_the_lag_gets_the_same_proposals(tmp_path: Path, sampler: str) -> None:
    question, seen = replace(LONG, trials=40, sampler=sampler), []
    for slots, order in ((1, 0), (3, 1), (6, 2)):
        folder = tmp_path / str(slots)
        search(question, folder, engine=Pretends(slots=slots, order=order)).run()
        seen.append((proposals(folder), outcomes(read(folder))))
    assert seen[0] == seen[1] == seen[2]
    assert len(seen[0][0]) == 40


@pytest.mark.usefixtures("exploring")
def test_80_trials_on_4_workers_that_die_end_as_80_trials(tmp_path: Path) -> None:
    """A worker that is lost costs its trial a retry: nothing is trained twice, and nothing is left."""
    search(LONG, tmp_path / "calm", engine=Pretends()).run()
    search(LONG, tmp_path / "wild", engine=Pretends(chances=Chances(die=0.05, twice=0.2), order=3)).run()
    stored = read(tmp_path / "wild")
    assert len(proposals(tmp_path / "wild")) == 80
    assert {one.state for one in stored} == {"done"}
    assert outcomes(stored) == outcomes(read(tmp_path / "calm"))
    assert sum(one.losses for one in stored) >= 2


@pytest.mark.usefixtures("exploring")
def test_a_driver_that_is_killed_at_10_points_proposes_the_same_and_has_the_same_front(tmp_path: Path) -> None:
    search(LONG, tmp_path / "whole", engine=Pretends()).run()
    folder, kills = tmp_path / "killed", 0
    for after in (1, 3, 5, 8, 13, 9, 21, 17, 12, 30):
        try:
            search(LONG, folder, engine=Pretends(order=after, kill_after=after)).run()
        except Enough:
            kills += 1
    search(LONG, folder, engine=Pretends(slots=2)).run()
    assert kills == 10
    assert proposals(folder) == proposals(tmp_path / "whole")
    assert outcomes(read(folder)) == outcomes(read(tmp_path / "whole"))
    fronts = [front_of(read(one), ["macs"]) for one in (folder, tmp_path / "whole")]
    assert fronts[0] == fronts[1] != ()


@pytest.mark.usefixtures("exploring")
def test_a_trial_that_fails_is_told_as_that_and_the_others_go_on(tmp_path: Path) -> None:
    search(LONG, tmp_path / "wild", engine=Pretends(chances=Chances(fail=0.1), order=1)).run()
    stored = read(tmp_path / "wild")
    failed = [one for one in stored if one.state == "failed"]
    assert len(proposals(tmp_path / "wild")) == 80
    assert failed
    assert {one.failure for one in failed} == {"ArithmeticError"}


@pytest.mark.usefixtures("exploring")
def test_every_proposal_keeps_the_budget(tmp_path: Path) -> None:
    most = 0.9 * search(LONG).baseline_costs["macs"]
    question = replace(LONG, budget={"macs": most, "params": 40_000.0})
    search(question, tmp_path / "small", engine=Pretends()).run()
    assert all(one.costs["macs"] <= most and one.costs["params"] <= 40_000 for one in proposals(tmp_path / "small"))


def _record(folder: Path) -> SearchRecord:
    found = read(folder).one(SearchRecord)
    assert found is not None
    return found


def test_a_front_is_told_to_the_sampler_as_several_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ArchitectureSearch, "_finish", lambda *_: None)
    monkeypatch.setattr(ArchitectureSearch, "_answer", lambda *_: None)
    question = replace(LONG, trials=20, objective="front", cost="macs,params")
    search(question, tmp_path / "front", engine=Pretends()).run()
    stored = read(tmp_path / "front")
    ids = front_of(stored, ["macs", "params"])
    costs = {one.network: one.costs for one in proposals(tmp_path / "front")}
    assert [costs[one]["macs"] for one in ids] == sorted(costs[one]["macs"] for one in ids)
    points = {one.proposal.network: (one.accuracy, *(-one.proposal.costs[name] for name in ("macs", "params")))
              for one in search_outcomes.outcomes(stored) if one.accuracy is not None}  # fmt: skip
    first = fronts([tuple(map(float, point)) for point in points.values()])[0]
    assert set(ids) == {list(points)[at] for at in first}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"exponent": 0.07}, "wrong sign"),
        ({"cost": "joules"}, "unknown metric 'joules'"),
        ({"cost": "macs,params"}, "unknown metric"),
        ({"objective": "front", "worth": "2x macs must buy 5% accuracy"}, "--worth is for a reward"),
        ({"worth": "please"}, "write for example: 2x macs must buy 5% accuracy"),
        ({"trials": 1}, "trials is 1; give at least 2"),
        ({"lag": 0}, "lag is 0; give at least 1"),
        ({"sampler": "annealing"}, "unknown sampler 'annealing'; the samplers are evolution, random"),
        ({"sampler": "controller", "objective": "front"}, "the controller maximises one score"),
    ],
)
def test_a_wrong_question_says_what_to_give(changed: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        replace(SMALL, **changed)  # type: ignore[arg-type]


def test_a_sentence_says_what_more_cost_must_buy() -> None:
    goal = SearchQuestion(worth="2x params must buy 10% accuracy").to_objective({"params": 1000.0})
    assert goal.scores(0.5, {"params": 2000.0}) * 1.1 == pytest.approx(0.5)  # type: ignore[operator]


def test_an_empty_space_under_a_budget_names_the_nearest_network(tmp_path: Path) -> None:
    """Its name, its cost, and a limit that it keeps."""
    asked = search(replace(SMALL, budget={"macs": 1000.0}), tmp_path / "none")
    with pytest.raises(InputError, match="keeps macs at most 1,000:") as caught:
        asked.run()
    words = re.search(r"the nearest is small_24_(\w+) with macs ([\d,]+)\.\nGive macs=(\S+) or more", str(caught.value))
    assert words is not None
    network = asked.space.network(asked.space.combination(int(words[1], 36)))
    assert count(network).macs == int(words[2].replace(",", ""))
    assert all(
        count(asked.space.network(one)).macs >= count(network).macs
        for one in asked.space.neighbours(asked.space.chosen(network))
    )
    assert read_limit("macs", words[3]) >= count(network).macs


def test_a_folder_with_other_files_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").write_text("mine")
    assert main(["search", "architecture", "--data", "flowers:240", "--out", str(tmp_path / "other")]) == 73


def test_a_study_and_a_search_reject_each_others_folder(tmp_path: Path) -> None:
    with pytest.raises(Enough):
        search(folder=tmp_path / "search", engine=Pretends(kill_after=0)).run()
    with pytest.raises(InputError, match="holds a search, not a study"):
        study(folder=tmp_path / "search").run()
    with pytest.raises(Enough):
        study(folder=tmp_path / "study", engine=Pretends(kill_after=0)).run()
    with pytest.raises(InputError, match="holds a study, not a search"):
        search(folder=tmp_path / "study").run()
    with pytest.raises(InputError, match=r"holds another search \(or its data changed\)"):
        search(replace(SMALL, trials=7), folder=tmp_path / "search").run()


@pytest.mark.parametrize(
    ("changed", "costs"),
    [
        ({"worth": "2x params must buy 5% accuracy"}, {"params"}),
        ({"objective": "accuracy", "budget": {"params": 60_000.0}}, {"macs", "params"}),
        ({"objective": "front", "cost": "macs,params"}, {"macs", "params"}),
    ],
    ids=["a sentence names the cost", "accuracy within a budget", "a front"],
)
def test_a_search_comes_to_its_end_whatever_it_maximises(
    tmp_path: Path, changed: dict[str, object], costs: set[str]
) -> None:
    question = replace(SMALL, trials=3, seeds=1, final_epochs=2, **changed)  # type: ignore[arg-type]
    stored = search(question, tmp_path / "search").run()
    found = stored.one(FoundRecord)
    assert found is not None
    assert found.front
    assert all(one.costs.keys() == costs for one in stored.all(ProposalRecord))


def test_of_equal_networks_the_baseline_stays(tmp_path: Path) -> None:
    stored = search(replace(SMALL, trials=2, seeds=1, final_epochs=2), tmp_path / "search").run()
    record = _record(tmp_path / "search")
    with TrialStore(tmp_path / "search") as store:
        for one in stored:
            store.put(replace(one, metrics={**one.metrics, VALIDATION: 0.5}))
    ids = [one.network for one in proposals(tmp_path / "search")]
    rows = ranked(finalists(read(tmp_path / "search"), record, ids, {"macs": 1.0}), Accuracy().scores, {})
    assert rows[0].rule == "baseline"
    assert rows[0].validation == rows[1].validation
