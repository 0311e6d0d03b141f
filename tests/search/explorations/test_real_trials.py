"""A search with real trainings: what fails is recorded with its reason, and the others go on."""

from functools import partial
from pathlib import Path

import pytest

from tests.search.explorations.searches import proposals, search
from tests.search.explorations.tiny import FATES, check_reasons, doom, ended, fated, tiny_question
from triscale.search.trainings import workers
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
