"""The bar of a study, on a terminal that is a string."""

import io
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from triscale import scaling, trials
from triscale.cli.show.progress.progress_lines import OnTerminal, Silent, terminal_progress
from triscale.recipes import Recipe
from triscale.search.studies.question import Question
from triscale.search.studies.study import Study
from triscale.search.trainings.progress import Quiet
from triscale.training import numerics_here
from triscale.trials import DataUse, TrainJob, Trial
from triscale.trials.study_records import PlanRecord

NETWORK = scaling.network("smallnet_24")
DATA = DataUse(fingerprint="", classes=("a", "b"), images=1, rule=2)
FIRST, SECOND, THIRD = (
    Trial(job=TrainJob(network=NETWORK, data=DATA, recipe=Recipe(), seed=seed), state="done") for seed in range(3)
)
LEFT = {FIRST.key: 30.0, SECOND.key: 90.0, THIRD.key: 40.0}


class Clock:
    """Seconds that pass when the test says so."""

    now = 1000.0

    def __call__(self) -> float:
        """As `monotonic`."""
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("triscale.search.trainings.study_course.monotonic", clock)
    return clock


@pytest.fixture
def out() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def bar(out: io.StringIO) -> Iterator[Progress]:
    console = Console(file=out, force_terminal=True, width=100)
    with Progress(BarColumn(), TextColumn("{task.fields[left]}"), console=console, auto_refresh=False) as bar:
        yield bar


def test_the_bar_is_the_whole_study_and_tells_the_time_left(clock: Clock, bar: Progress, out: io.StringIO) -> None:
    progress = OnTerminal(bar)
    (task,) = bar.tasks
    progress.say("baseline and candidates")
    progress.agenda(LEFT, 2, 40.0)
    assert (task.total, task.completed) == (200, 40), "what the records hold is done"
    assert task.fields["left"] == "2/5 trainings, 2 min 40 s left", "as predicted"
    clock.now += 90
    progress.epoch(SECOND.key, 0.5)
    assert task.completed == 85
    assert task.fields["left"] == "2/5 trainings, 3 min 50 s left", "at half the predicted speed"
    clock.now += 90
    progress.settled(SECOND)
    assert task.completed == 130
    assert task.fields["left"] == "3/5 trainings, 2 min 20 s left"
    progress.settled(replace(FIRST, state="failed", reason="the loss is nan"))
    progress.settled(THIRD)
    assert (task.completed, task.visible) == (200, False)
    assert "baseline and candidates" in out.getvalue()
    assert "the loss is nan" in out.getvalue()


def test_a_phase_that_ends_does_not_end_the_bar(clock: Clock, bar: Progress) -> None:
    """What comes later is part of it from the start; what the first phase taught about the speed is kept."""
    progress = OnTerminal(bar)
    (task,) = bar.tasks
    progress.agenda(LEFT, 0, 0.0)
    clock.now += 60
    progress.settled(FIRST)
    assert task.visible
    clock.now += 600  # images are prepared
    progress.agenda({key: one for key, one in LEFT.items() if key != FIRST.key}, 1, 60.0)
    assert (task.total, task.completed) == (190, 60)
    assert task.fields["left"] == "1/3 trainings, 4 min 20 s left", "twice the predicted 130 s"
    progress.agenda({}, 1, 60.0)
    assert not task.visible, "there is less to do than was expected"


def test_a_search_shows_its_best_and_what_runs_keeps_its_epochs(clock: Clock, bar: Progress) -> None:
    """A search reports its agenda again after each proposal, while trainings run."""
    progress = OnTerminal(bar)
    (task,) = bar.tasks
    progress.agenda({FIRST.key: 30.0, SECOND.key: 90.0, "proposal 2": 40.0}, 0, 0.0)
    clock.now += 50
    progress.epoch(SECOND.key, 0.5)
    progress.settled(FIRST)
    progress.agenda({SECOND.key: 90.0, THIRD.key: 40.0}, 1, 30.0)
    progress.standing("best 41.2%")
    assert (task.total, task.completed) == (160, 75), "45 s of the second are done"
    assert task.fields["left"] == "1/3 trainings, 57 s left, best 41.2%", "85 s at 75 s in 50"
    assert len("- " + "-" * 14 + " 100%  120/120 trainings, 59 min 59 s left, best 41.2% 0:00:00") <= 80


def test_who_resumes_hears_what_is_done(bar: Progress, out: io.StringIO, capsys: pytest.CaptureFixture[str]) -> None:
    OnTerminal(bar).resumed(7, 0, 17)
    assert "resuming: 7 of 17 trainings are done\n" in out.getvalue()
    Silent().resumed(7, 2, 17)
    said = "resuming: 7 of 17 trainings are done; 2 that were done run again, because their weights are gone"
    assert capsys.readouterr() == ("", f"triscale: {said}\n")


def test_where_stderr_is_no_terminal_only_warnings_and_failures_are_said(capsys: pytest.CaptureFixture[str]) -> None:
    with terminal_progress() as progress:
        assert isinstance(progress, Silent)
        progress.say("a step")
        assert capsys.readouterr() == ("", "")
        progress.say("warning: slow")
        progress.settled(replace(FIRST, state="failed", reason="the loss is nan"))
    said = capsys.readouterr().err
    assert said == f"triscale: warning: slow\ntriscale: {NETWORK.name}, seed 0, failed: the loss is nan\n"


class Listener(Quiet):
    """Keeps what it hears about the work."""

    def __init__(self) -> None:
        self.agendas: list[tuple[int, int]] = []
        self.weights: list[float] = []
        self.resumptions: list[tuple[int, int, int]] = []

    def agenda(self, left: Mapping[str, float], done: int, seconds: float) -> None:
        """How much is done and left."""
        assert (seconds > 0) == (done > 0)
        self.agendas.append((done, len(left)))
        self.weights.extend(left.values())

    def resumed(self, done: int, lost: int, whole: int) -> None:
        """What there was."""
        self.resumptions.append((done, lost, whole))

    def settled(self, trial: Trial) -> None:
        """Stops in the middle of the first phase of the first run."""
        if not self.resumptions and trial.purpose == "search":
            raise KeyboardInterrupt


def test_a_study_reports_all_of_its_agenda_in_every_phase(pictures: Path, tmp_path: Path) -> None:
    question = Question(
        data=str(pictures), network="smallnet_24@resolution=0.34", phi=1, candidates=4, seeds=2, epochs=2, train_size=40
    )
    first, second = Listener(), Listener()
    numerics = numerics_here("cpu", 1)
    with pytest.raises(KeyboardInterrupt):
        Study(question, tmp_path, jobs=1, numerics=numerics, progress=first).run()
    assert first.resumptions == []
    assert first.agendas == [(0, 15), (2, 13)], "2 baselines, 4 candidates and 2 rivals twice each, 1 baseline longer"
    gone = next(one for one in trials.read(tmp_path) if one.purpose == "baseline" and one.state == "done")
    (tmp_path / str(gone.checkpoint)).unlink()
    stored = Study(question, tmp_path, jobs=1, numerics=numerics, progress=second).run()
    trained = second.resumptions[0][0]
    assert second.resumptions == [(trained, 1, 15)]
    assert 1 <= trained < 10
    assert second.agendas == [(trained, 15 - trained), (trained + 1, 14 - trained), (10, 5)]
    assert min(second.weights) > 0
    plan = stored.one(PlanRecord)
    assert plan is not None
    assert len(stored) == 15 == plan.trainings
