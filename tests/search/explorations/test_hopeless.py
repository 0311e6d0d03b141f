"""Hopeless trainings are stopped alike by any number of workers and a resume; a fault ends its own training alone."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.search.explorations.searches import LONG, SMALL, Enough, Pretends, outcomes, pretended, proposals, search
from triscale.errors import NumericError, OutOfMemoryError, UsageError
from triscale.search.explorations.architecture_search import ArchitectureSearch
from triscale.search.explorations.proposals import accuracy_reported
from triscale.search.explorations.rungs.hopeless import FEWEST, floors
from triscale.search.explorations.search_answer import answer_lines
from triscale.search.explorations.search_question import SearchQuestion
from triscale.search.trainings.work import Trained, TrialTask, run_trial
from triscale.search.trainings.workers import Engine, Workers
from triscale.trials import RECORDS, Stored, Trial
from triscale.trials.executor import Task, Tell, local_executor
from triscale.trials.searches.search_outcomes import saved
from triscale.trials.searches.search_records import FinalistRecord, FoundRecord, ProposalRecord, SearchRecord

STOPS = replace(LONG, trials=40, epochs=6, final_epochs=6, stop_hopeless=True)


@pytest.fixture(autouse=True)
def exploring(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """What workers pretend to train has no weights, so the last trainings and the test are left out."""
    monkeypatch.setenv("TRISCALE_CACHE", str(tmp_path_factory.getbasetemp() / "search-cache"))
    monkeypatch.setattr(ArchitectureSearch, "_finish", lambda *_: None)
    monkeypatch.setattr(ArchitectureSearch, "_answer", lambda *_: None)


def searched(folder: Path, **pretends: int) -> Stored:
    return search(STOPS, folder, engine=Pretends(**pretends)).run()  # type: ignore[arg-type]


def test_any_workers_and_any_kill_stop_the_same_trainings_at_the_same_epochs(tmp_path: Path) -> None:
    whole = searched(tmp_path / "one", slots=1)
    stopped = {one.key: len(one.history) for one in whole if one.state == "stopped"}
    assert set(stopped.values()) <= {3, 4, 5}
    assert len(stopped) >= 3
    folder = tmp_path / "killed"
    for after in (30, 20):
        with pytest.raises(Enough):
            searched(folder, order=after, kill_after=after)
    again = searched(folder, slots=6, order=4)
    assert proposals(folder) == proposals(tmp_path / "one")
    assert outcomes(again) == outcomes(whole)
    assert {one.key: len(one.history) for one in again if one.state == "stopped"} == stopped


def test_what_is_saved_is_counted_and_a_stopped_trial_is_neither_done_nor_failed(tmp_path: Path) -> None:
    stored = searched(tmp_path)
    stopped = [one for one in stored if one.state == "stopped"]
    left = sum(6 - len(one.history) for one in stopped)
    assert saved(stored) == (len(stopped), left, 6 * len(stored))
    found = FoundRecord(best="", finalists=(final(stored),), front=(), lines=())
    every = stored.all(ProposalRecord)
    early = saved(stored)
    lines = answer_lines(record_in(stored), found, every, failed=0, drawn_first=0, folder="here", early=early)
    assert f"{len(stopped)} hopeless trials stopped early: {left} of the {6 * len(stored)} epochs" in lines[-2]
    assert f"{len(stored) - len(stopped)} networks of" in lines[0]
    assert accuracy_reported(stopped[0]) == stopped[0].history[-1].validation_top1


def record_in(stored: Stored) -> SearchRecord:
    found = stored.one(SearchRecord)
    assert found is not None
    return found


def final(stored: Stored) -> FinalistRecord:
    one = stored.all(ProposalRecord)[0]
    return FinalistRecord(id=one.network, rule="found", number=0, n=1, costs={}, validation=0.5)


COURSES = st.lists(st.lists(st.floats(0, 1), min_size=6, max_size=6), min_size=0, max_size=40)


@settings(max_examples=60)
@given(COURSES)
def test_a_floor_is_the_lower_quartile_of_at_least_8_earlier_trials_and_never_early(courses: list[list[float]]) -> None:
    found = floors(courses, 6)
    assert found[:2] == (None, None), "after fewer than half of its epochs nothing is stopped"
    assert found[5] is None, "nor after the last"
    assert (found[2] is not None) == (len(courses) >= FEWEST)
    if found[2] is not None:
        assert sum(course[2] < found[2] for course in courses) <= len(courses) / 4
        assert sum(course[2] <= found[2] for course in courses) > len(courses) / 4


def test_of_trainings_in_a_random_order_about_a_quarter_is_stopped_over_all_epochs() -> None:
    """Those that were stopped before count as worse, so that each epoch does not stop a quarter again."""
    dice, earlier, stopped = Random(0), list[list[float]](), 0
    for _ in range(1_000):
        course = [dice.random() for _ in range(6)]
        limit = floors(earlier[-200:], 6)
        cut = next((at for at, (top, low) in enumerate(zip(course, limit, strict=True), 1) if low and top < low), None)
        stopped += cut is not None
        earlier.append(course[:cut])
    assert 0.2 < stopped / 1_000 < 0.28


def test_a_real_training_below_its_floor_stops_there_and_says_why(tmp_path: Path) -> None:
    tasks: list[TrialTask] = []
    with pytest.raises(Enough):
        search(replace(SMALL, trials=2), tmp_path / "search", engine=Keeps(kept=tasks)).run()
    task = replace(tasks[0], folder=tmp_path / "one", floors=(1.1, None))
    found = run_trial(task, lambda *_: None)
    assert (found.trial.state, len(found.trial.history), found.trial.checkpoint) == ("stopped", 1, None)
    top1 = f"{100 * found.trial.history[0].validation_top1:.1f}%"
    assert found.trial.reason == (
        f"stopped after epoch 1 of 2: its validation accuracy of {top1} there is below 110.0%, behind three quarters "
        "of the earlier trials"
    )
    assert {path.name for path in (tmp_path / "one").iterdir()} <= {RECORDS, ".lock", "manifest.json"}
    whole = run_trial(replace(task, floors=()), lambda *_: None)
    assert whole.trial.state == "done", "without a floor the same training goes on to its end"
    assert whole.trial.history[0].validation_top1 == found.trial.history[0].validation_top1


@dataclass(frozen=True, kw_only=True)
class Keeps(Engine):
    """Workers that keep their first task, and end the search."""

    kept: list[TrialTask]

    def workers(self, *asked: object, **named: object) -> Workers:
        """As `Engine.workers`."""
        del asked, named

        def work(task: TrialTask, tell: Tell) -> Trained:
            del tell
            self.kept.append(task)
            raise Enough

        return Workers(local_executor(work, 1), shared=True)


def test_a_front_has_no_hopeless_trainings() -> None:
    with pytest.raises(UsageError, match="--stop-hopeless compares one number"):
        SearchQuestion(objective="front", stop_hopeless=True)


FAULTS: dict[int, Callable[[], Exception]] = {
    2: lambda: NumericError("the loss of step 3 is nan; use a smaller one."),
    5: MemoryError,
    7: lambda: RuntimeError("a bug"),
}


@dataclass(frozen=True, kw_only=True)
class Faulty(Engine):
    """Workers of which some trainings end in a fault, by the order in which they come."""

    def workers(self, *asked: object, **named: object) -> Workers:
        """As `Engine.workers`."""
        del asked, named
        begun: list[Trial] = []

        def work(task: TrialTask, tell: Tell) -> Trained:
            del tell
            begun.append(Trial(job=task.job))
            if fault := FAULTS.get(len(begun) - 1):
                raise fault()
            return pretended(Task(task.job.key, task), 1)

        return Workers(local_executor(work, 1), shared=True)


def test_nan_no_memory_and_a_crash_end_their_own_trial_with_the_reason_and_the_others_go_on(tmp_path: Path) -> None:
    stored = search(replace(LONG, trials=12), tmp_path, engine=Faulty()).run()
    failed = {one.failure: one.reason for one in stored if one.state == "failed"}
    assert failed == {
        NumericError.__name__: "the loss of step 3 is nan; use a smaller one.",
        OutOfMemoryError.__name__: "there was no memory left in the worker process; train fewer at a time (--jobs).",
        "RuntimeError": "a bug",
    }
    assert sum(one.state == "done" for one in stored) == 12 - 3
    again = search(replace(LONG, trials=12), tmp_path, engine=Pretends()).run()
    assert outcomes(again) == outcomes(stored), "a resume tries none of them again"
