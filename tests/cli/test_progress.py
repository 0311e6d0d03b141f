"""The bar of a study, on a terminal that is a string."""

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from triscale.search.jobs import Job

from triscale import scaling
from triscale.cli.progress import OnTerminal, Silent, terminal_progress
from triscale.search.question import Question
from triscale.search.study import Study
from triscale.train import Epoch

NETWORK = scaling.network("smallnet_24")
HALF = Epoch(epoch=2, samples=1, train_loss=1.0, validation_top1=0.5)
JOBS = [(Job(NETWORK, "search", seed, 4), weight) for seed, weight in ((0, 30.0), (1, 90.0), (2, 40.0))]
FIRST, SECOND, THIRD = (job for job, _ in JOBS)


class Clock:
    """Seconds that pass when the test says so."""

    now = 1000.0

    def __call__(self) -> float:
        """As `monotonic`."""
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("triscale.cli.progress.monotonic", clock)
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
    progress.agenda(JOBS, 2, 40.0)
    assert (task.total, task.completed) == (200, 40), "what the records hold is done"
    assert task.fields["left"] == "2/5 trainings, 2 min 40 s left", "as predicted"
    clock.now += 90
    progress.epoch(SECOND, HALF)
    assert task.completed == 85
    assert task.fields["left"] == "2/5 trainings, 3 min 50 s left", "at half the predicted speed"
    clock.now += 90
    progress.done(SECOND, {"kind": "run"})
    assert task.completed == 130
    assert task.fields["left"] == "3/5 trainings, 2 min 20 s left"
    progress.done(FIRST, {"kind": "failed", "reason": "the loss is nan"})
    progress.done(THIRD, {"kind": "run"})
    assert (task.completed, task.visible) == (200, False)
    assert "baseline and candidates" in out.getvalue()
    assert "the loss is nan" in out.getvalue()


def test_a_phase_that_ends_does_not_end_the_bar(clock: Clock, bar: Progress) -> None:
    """What comes later is part of it from the start; what the first phase taught about the speed is kept."""
    progress = OnTerminal(bar)
    (task,) = bar.tasks
    progress.agenda(JOBS, 0, 0.0)
    clock.now += 60
    progress.done(FIRST, {"kind": "run"})
    assert task.visible
    clock.now += 600  # pictures are prepared
    progress.agenda(JOBS[1:], 1, 60.0)
    assert (task.total, task.completed) == (190, 60)
    assert task.fields["left"] == "1/3 trainings, 4 min 20 s left", "twice the predicted 130 s"
    progress.agenda([], 1, 60.0)
    assert not task.visible, "there is less to do than was expected"


def test_who_goes_on_is_told_what_is_done(bar: Progress, out: io.StringIO, capsys: pytest.CaptureFixture[str]) -> None:
    OnTerminal(bar).going_on(7, 17)
    assert "going on: 7 of 17 trainings are done" in out.getvalue()
    Silent().going_on(7, 17)
    assert capsys.readouterr() == ("", "triscale: going on: 7 of 17 trainings are done\n")


def test_where_stderr_is_no_terminal_nothing_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with terminal_progress() as progress:
        assert isinstance(progress, Silent)
        progress.say("a step")
    assert capsys.readouterr() == ("", "")


class Listener(Silent):
    """Keeps what it is told of the work."""

    def __init__(self) -> None:
        self.agendas: list[tuple[int, int]] = []
        self.weights: list[float] = []
        self.gone_on: list[tuple[int, int]] = []

    def agenda(self, waiting: Sequence[tuple[Job, float]], done: int, seconds: float) -> None:
        """How much is done and left."""
        assert (seconds > 0) == (done > 0)
        self.agendas.append((done, len(waiting)))
        self.weights.extend(weight for _, weight in waiting)

    def going_on(self, done: int, whole: int) -> None:
        """What there was."""
        self.gone_on.append((done, whole))

    def done(self, job: Job, record: dict[str, Any]) -> None:
        """Stops in the middle of the first phase of the first run."""
        del record
        if not self.gone_on and len(self.agendas) == 1 and job.phase == "search":
            raise KeyboardInterrupt


def test_a_study_tells_all_of_its_agenda_in_every_phase(pictures: Path, tmp_path: Path) -> None:
    question = Question(
        data=str(pictures), network="smallnet_24@resolution=0.34", phi=1, candidates=4, seeds=2, epochs=2, train_size=40
    )
    first, second = Listener(), Listener()
    with pytest.raises(KeyboardInterrupt):
        Study(question, tmp_path, workers=1, progress=first).run()
    assert first.gone_on == []
    assert first.agendas == [(0, 11)], "2 baselines, 4 candidates, each again, 1 baseline trained longer"
    records = Study(question, tmp_path, workers=1, progress=second).run()
    trained = second.gone_on[0][0]
    assert second.gone_on == [(trained, 11)]
    assert 1 <= trained < 6
    assert second.agendas == [(trained, 11 - trained), (6, 5), (10, 1)]
    assert min(second.weights) > 0
    assert len(records.all("run")) == 11 == (records.one("plan") or {})["trainings"]
