"""Who watches a search hears all of its trainings, the best so far, and what joins the front."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from tests.search.explorations.fronts_of import front_of
from tests.search.explorations.searches import LONG, Enough, Pretends, proposals
from triscale.search.explorations.architecture_search import ArchitectureSearch
from triscale.search.explorations.search_question import SearchQuestion
from triscale.search.trainings.progress import Quiet
from triscale.training import numerics_here
from triscale.trials import Trial, read
from triscale.trials.searches.search_outcomes import outcomes


class Hears(Quiet):
    """Keeps what it is told, and fails as the bar would: over a trial that it does not expect."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.stands: list[str] = []
        self.agendas: list[tuple[int, int]] = []
        self.seconds: list[float] = []
        self.left: Mapping[str, float] = {}

    def say(self, text: str) -> None:
        """Kept."""
        self.said.append(text)

    def standing(self, text: str) -> None:
        """Kept."""
        self.stands.append(text)

    def agenda(self, left: Mapping[str, float], done: int, seconds: float) -> None:
        """What is expected from now on."""
        self.left = left
        self.agendas.append((done, len(left)))
        self.seconds.append(seconds + sum(left.values()))

    def settled(self, trial: Trial) -> None:
        """It was expected."""
        assert trial.key in self.left


QUESTION = replace(LONG, trials=12, lag=4)


def watched(folder: Path, progress: Hears, question: SearchQuestion = QUESTION, **pretends: int) -> None:
    search = ArchitectureSearch(
        question, folder, jobs=1, numerics=numerics_here("cpu", 1), progress=progress,
        engine=Pretends(**pretends),  # type: ignore[arg-type]
    )  # fmt: skip
    search.run()


@pytest.fixture(autouse=True)
def exploring(monkeypatch: pytest.MonkeyPatch) -> None:
    """What workers pretend to train has no weights, so the last trainings and the test are left out."""
    monkeypatch.setattr(ArchitectureSearch, "_finish", lambda *_: None)
    monkeypatch.setattr(ArchitectureSearch, "_answer", lambda *_: None)


def test_the_bar_is_the_whole_search_all_the_time(tmp_path: Path) -> None:
    hears = Hears()
    watched(tmp_path, hears)
    assert {done + left for done, left in hears.agendas} == {12 + 2 * 2}, "12 trials, then two networks with two seeds"
    assert hears.agendas[0] == (0, 16)
    assert hears.agendas[-1] == (12, 4)
    assert max(hears.seconds) == pytest.approx(min(hears.seconds))


def test_the_bar_holds_the_rungs(tmp_path: Path) -> None:
    hears = Hears()
    watched(tmp_path, hears, replace(QUESTION, rungs=2, final_epochs=4))
    assert {done + left for done, left in hears.agendas} == {12 + 10 + 2 * 2}, "6 of 12 go on, and 4 that are drawn"
    assert hears.agendas[-1] == (12, 10 + 4)
    assert max(hears.seconds) == pytest.approx(min(hears.seconds))
    assert "rung 1: the best 6 and 4 drawn at random, 4 epochs each" in hears.said


def test_the_best_so_far_and_the_front_are_told_as_they_grow(tmp_path: Path) -> None:
    hears = Hears()
    watched(tmp_path, hears)
    stored = read(tmp_path)
    best = [float(re.sub(r"[^\d.]", "", text)) for text in hears.stands]
    assert best == sorted(best), "larger networks are better here, so the best reward is the best accuracy"
    assert best[-1] == round(100 * max(one.accuracy or 0 for one in outcomes(stored)), 1)
    lines = [text for text in hears.said if "on the front" in text]
    assert all(
        re.fullmatch(r"proposal \d+: [\d.]+%, [\d.]+ [kM] MACs; on the front of \d+ networks?", one) for one in lines
    )
    numbers = {one.network: one.number for one in proposals(tmp_path)}
    told = {int(line.split(":")[0].removeprefix("proposal ")) for line in lines}
    assert {numbers[one] for one in front_of(stored, ["macs"])} <= told


def test_without_a_cost_each_best_one_is_told(tmp_path: Path) -> None:
    hears = Hears()
    watched(tmp_path, hears, replace(QUESTION, objective="accuracy"))
    lines = [text for text in hears.said if text.startswith("proposal")]
    assert all(re.fullmatch(r"proposal \d+: [\d.]+%; the best so far", one) for one in lines)
    tops = [float(one.split()[2][:-2]) for one in lines]
    assert tops == sorted(set(tops))
    assert tops[-1] == round(100 * max(one.accuracy or 0 for one in outcomes(read(tmp_path))), 1)


def test_a_search_that_resumes_says_what_is_done(tmp_path: Path) -> None:
    with pytest.raises(Enough):
        watched(tmp_path, Hears(), kill_after=12)
    done = sum(one.state == "done" for one in read(tmp_path))
    hears = Hears()
    watched(tmp_path, hears)
    assert 0 < done < 12
    assert hears.agendas[0] == (done, 16 - done)
