"""The time of a fit: what measuring latency takes is no part of it."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from triscale.costs import ANYWHERE
from triscale.errors import InputError
from triscale.latency import clocked_fit
from triscale.latency.clocked_fit import Clock
from triscale.latency.measuring import Subject
from triscale.latency.silent_watch import SilentWatch
from triscale.scaling import network
from triscale.shipping import fit_planning
from triscale.shipping.fit_planning import Planner
from triscale.shipping.fit_question import FitQuestion
from triscale.shipping.fit_watch import SilentFit
from triscale.trials import TrialStore


class Hears(SilentFit):
    """Keeps the lines."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, text: str) -> None:
        """Keep it."""
        self.lines.append(text)


@pytest.fixture
def passing(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A clock, a calibration of 100 s that is kept once it was made, and a search of 40 s."""
    seen = SimpleNamespace(now=0.0, calibrated=0)

    def takes(seconds: float, answer: object = None) -> Callable[..., Any]:
        def pass_by(*_: object, **__: object) -> object:
            seen.now += seconds
            return answer

        return pass_by

    def calibration(_target: object) -> None:
        if not seen.calibrated:
            raise InputError("never calibrated")

    def calibrate(*_: object, **__: object) -> None:
        seen.now += 100
        seen.calibrated += 1

    monkeypatch.setattr(fit_planning, "time", SimpleNamespace(monotonic=lambda: seen.now))
    monkeypatch.setattr(fit_planning, "calibration", calibration)
    monkeypatch.setattr(fit_planning, "calibrate", calibrate)
    monkeypatch.setattr(fit_planning, "baseline_for", takes(1))
    monkeypatch.setattr(Planner, "_limited", takes(40))
    monkeypatch.setattr(Planner, "written", lambda self, *_: seen.now - self.began)
    return seen


def spent(passing: SimpleNamespace, budget: dict[str, float], watch: SilentFit, tmp_path: Path) -> float:
    """Seconds of the fit's time when its plan is written, of a fit that began 7 s ago."""
    passing.now += 7
    question = FitQuestion(data="made", budget=budget)
    planner = Planner(question=question, trainings=SimpleNamespace(source=None), watch=watch, began=passing.now - 7)  # type: ignore[arg-type]
    found: Any = planner.write(TrialStore(tmp_path))
    return float(found)


def test_a_calibration_and_a_search_by_latency_are_no_part_of_the_time(
    passing: SimpleNamespace, tmp_path: Path
) -> None:
    watch = Hears()
    first = spent(passing, {"latency": 0.01}, watch, tmp_path)
    again = spent(passing, {"latency": 0.01}, watch, tmp_path)
    assert first == again == 7, "so a message about the time holds for the next run too"
    assert passing.calibrated == 1, "a calibration that is kept costs nothing"
    assert [line.startswith("calibrating onnxruntime:float32:t1") for line in watch.lines] == [True]
    assert "--time begins" in watch.lines[0]
    assert spent(passing, {"macs": 1e6}, watch, tmp_path) == 48, "a search by counts is"


def test_the_networks_of_a_search_by_latency_are_counted_for_who_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    class Watch(SilentWatch):
        opened: list[tuple[str, int, int]] = []  # noqa: RUF012

        def opening(self, subject: object, done: int, whole: int) -> None:
            assert isinstance(subject, Subject)
            self.opened.append((subject.network.name, done, whole))

    def measure(networks: list[Any], targets: list[Any], _: object, watch: Watch) -> SimpleNamespace:
        watch.opening(Subject(network=networks[0], target=targets[0]), 0, 1)
        watch.notice("noted")
        return SimpleNamespace(measurements=["measured"])

    monkeypatch.setattr(clocked_fit, "measure", measure)
    watch = Watch()
    clock = Clock(ANYWHERE, watch)
    net = network("smallnet_24")
    found: list[object] = [clock.measurement(net, done, 6) for done in range(2)]
    assert [*found, clock.measurement(net)] == ["measured"] * 3
    assert watch.opened == [("smallnet_24", 0, 6), ("smallnet_24", 1, 6), ("smallnet_24", 0, 1)]
    assert watch.lines == ["noted"] * 3
