"""A search with real trainings: what fails is recorded with its reason, and the others go on, whoever is killed."""

import sys
from collections import Counter
from functools import partial
from pathlib import Path

import pytest

from tests.search.explorations.killing import After, done, killed_at, same
from tests.search.explorations.searches import proposals, search
from tests.search.explorations.tiny import FATES, check_reasons, doom, ended, fated, kill_one, tiny_question
from triscale.search.explorations.architecture_search import ArchitectureSearch
from triscale.search.trainings import workers
from triscale.training import numerics_here
from triscale.trials.searches.search_outcomes import SEARCH
from triscale.trials.searches.search_records import FoundRecord


def test_trials_that_raise_diverge_or_want_memory_are_failed_with_the_reason_and_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    question = tiny_question(tmp_path, 5)
    search(question, tmp_path / "calm").run()
    doomed = [one.network for one in proposals(tmp_path / "calm")[:3]]
    doom(tmp_path / "fates", dict(zip(doomed, FATES, strict=True)))
    monkeypatch.setattr(workers, "run_trial", partial(fated, tmp_path / "fates"))
    stored = search(question, tmp_path / "wild").run()
    check_reasons(stored)
    assert [one.network for one in proposals(tmp_path / "wild")][:3] == doomed
    assert {one.state for one in stored if one.failure is None} == {"done"}
    assert len([one for one in stored if one.purpose == SEARCH]) == 5
    assert sorted(ended(tmp_path / "fates")) == sorted(one.key for one in stored if one.state == "done")
    found = stored.one(FoundRecord)
    assert found is not None
    assert "3 trials failed" in " ".join(found.lines)


@pytest.mark.slow
def test_a_driver_that_is_killed_3_times_and_a_worker_that_is_killed_once_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`kill -9` of the command with two workers, which is given again; the last time one of its workers is killed."""
    question, folder, fates = tiny_question(tmp_path, 12), tmp_path / "wild", tmp_path / "fates"
    search(question, tmp_path / "calm").run()
    command = [
        sys.executable, "-m", "triscale", *question.command().split()[1:], "--jobs", "2", "--device", "cpu",
        "--threads", "1", "--out", str(folder),
    ]  # fmt: skip
    for point in (1, 4, 7):
        killed_at(point, command, folder)
    before = done(folder)
    assert before < 12, "the last kill came before the end"
    monkeypatch.setattr(workers, "run_trial", partial(fated, fates))
    watch = After({1: lambda: kill_one(fates, "one")})
    stored = ArchitectureSearch(question, folder, jobs=2, numerics=numerics_here("cpu", 1), progress=watch).run()
    assert {one.state for one in stored} == {"done"}
    assert sum(one.losses for one in stored) == 1
    assert len([one for one in stored if one.purpose == SEARCH]) == 12
    assert set(Counter(ended(fates)).values()) == {1}, "what is done is not trained again"
    assert len(ended(fates)) == len(stored) - before
    same(folder, tmp_path / "calm")
