"""The bar of a study, on a terminal that is a string."""

import io

import pytest
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from triscale import scaling
from triscale.cli.progress import OnTerminal, Silent, terminal_progress


def test_the_bar_moves_by_epochs_and_tells_the_time_left() -> None:
    from triscale.search.jobs import Job
    from triscale.train import Epoch

    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=100)
    network = scaling.network("smallnet_24")
    jobs = [(Job(network, "search", seed, 4), weight) for seed, weight in ((0, 30.0), (1, 90.0))]
    with Progress(BarColumn(), TextColumn("{task.fields[left]}"), console=console, auto_refresh=False) as bar:
        progress = OnTerminal(bar)
        progress.say("baseline and candidates")
        progress.jobs(jobs)
        (task,) = bar.tasks
        assert (task.total, task.completed) == (120, 0)
        assert task.fields["left"] == "0/2 trainings, 2 min 00 s left"
        progress.epoch(jobs[1][0], Epoch(epoch=2, samples=1, train_loss=1.0, validation_top1=0.5))
        assert task.completed == 45
        progress.done(jobs[1][0], {"kind": "run"})
        assert task.completed == 90
        assert task.fields["left"].startswith("1/2 trainings")
        progress.done(jobs[0][0], {"kind": "failed", "reason": "the loss is nan"})
        assert task.completed == 120
        assert not task.visible
    assert "baseline and candidates" in out.getvalue()
    assert "the loss is nan" in out.getvalue()


def test_where_stderr_is_no_terminal_nothing_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with terminal_progress() as progress:
        assert isinstance(progress, Silent)
        progress.say("a step")
    assert capsys.readouterr() == ("", "")
