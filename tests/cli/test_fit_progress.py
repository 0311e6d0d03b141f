"""What a fit says while it calibrates and searches by latency, where stderr is no terminal and where it is one."""

import pytest

from triscale import scaling
from triscale.cli.show.progress import calibration_progress, clock_progress
from triscale.cli.show.progress.calibration_progress import SpacedLines, calibrating
from triscale.cli.show.progress.clock_progress import ClockProgress, clocking
from triscale.cli.show.progress.fit_progress import FitProgress
from triscale.cli.signals import Wish
from triscale.costs import parse_target
from triscale.latency.measuring import Subject

SUBJECT = Subject(network=scaling.network("smallnet_24"), target=parse_target("onnxruntime:float32:t1"))


class Clock:
    """Seconds that pass when the test says so."""

    now = 50.0

    def __call__(self) -> float:
        """As `monotonic`."""
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for module in (calibration_progress, clock_progress):
        monkeypatch.setattr(module, "monotonic", clock)
    return clock


def test_a_calibration_says_now_and_then_how_far_it_is_and_what_is_left(clock: Clock) -> None:
    lines: list[str] = []
    heard = SpacedLines("calibrating it", lines.append)
    heard(30, 150)  # measured by an earlier run that was killed
    for done in range(31, 91):
        clock.now += 0.5
        heard(done, 150)
    assert lines == [
        "calibrating it: 60 of 150 measurements, 45 s left at most",
        "calibrating it: 90 of 150 measurements, 30 s left at most",
    ]


def test_a_calibration_by_its_own_command_is_silent_where_there_is_no_terminal(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    with calibrating("onnxruntime:float32:t1") as heard:
        clock.now += 100
        heard(10, 150)
    assert capsys.readouterr() == ("", "")


def test_a_search_by_latency_names_each_network_and_counts_its_seconds_down(clock: Clock) -> None:
    lines: list[str] = []
    status: list[str] = []
    watch = ClockProgress(lines.append, status.append)
    watch.opening(SUBJECT, 1, 6)
    what = "measuring smallnet_24 on onnxruntime:float32:t1:b1, network 2 of 6 at most"
    assert lines == [f"{what}: about 10 s"]
    clock.now += 4
    watch.round(3, 1, 1)
    clock.now += 60  # a loaded machine is slower
    watch.round(4, 1, 1)
    assert status == [what, f"{what}: 6 s left", f"{what}: 0 s left"]


def test_a_fit_says_both_in_lines_and_scale_says_neither(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    progress = FitProgress(Wish())
    with progress.calibrating("onnxruntime:float32:t1") as heard:
        heard(1, 150)
        clock.now += 20
        heard(11, 150)
    with progress.measuring() as watch:
        watch.opening(SUBJECT, 0, 1)
        watch.notice("something to know")
    assert capsys.readouterr().err.splitlines() == [
        "triscale: calibrating onnxruntime:float32:t1: 11 of 150 measurements, 4 min 38 s left at most",
        "triscale: measuring smallnet_24 on onnxruntime:float32:t1:b1: about 10 s",
        "triscale: note: something to know",
    ]
    with clocking() as watch:
        watch.opening(SUBJECT, 0, 6)
        watch.notice("something to know")
    assert capsys.readouterr().err == "triscale: note: something to know\n"
