"""A storage of Optuna shows each trial of a search once, whatever happens to it or to the search."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.search.explorations.searches import LONG, Enough, Pretends, proposals
from triscale.errors import InputError
from triscale.search.explorations.architecture_search import ArchitectureSearch
from triscale.search.explorations.optuna_mirror import Axis, OptunaMirror, Shown
from triscale.search.samplers import Value
from triscale.search.trainings.progress import Quiet
from triscale.training import numerics_here
from triscale.trials import read
from triscale.trials.searches.search_outcomes import outcomes

optuna = pytest.importorskip("optuna")
from optuna.trial import TrialState  # noqa: E402  Optuna is an extra

QUESTION = replace(LONG, trials=10, lag=4)
CHOICES: dict[str, tuple[Value, ...]] = {"kernel": (3, 5), "skip": (True, False), "operator": ("conv", None)}


class Hears(Quiet):
    """Keeps the warnings."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def say(self, text: str) -> None:
        """Kept where it warns."""
        if text.startswith("warning"):
            self.warnings.append(text)


@pytest.fixture(autouse=True)
def exploring(monkeypatch: pytest.MonkeyPatch) -> None:
    """What workers pretend to train has no weights, so the last trainings and the test are left out."""
    monkeypatch.setattr(ArchitectureSearch, "_finish", lambda *_: None)
    monkeypatch.setattr(ArchitectureSearch, "_answer", lambda *_: None)


def searched(folder: Path, url: str, question: object = QUESTION, **pretends: int) -> Hears:
    hears = Hears()
    search = ArchitectureSearch(
        question, folder, jobs=1, numerics=numerics_here("cpu", 1), progress=hears,  # type: ignore[arg-type]
        engine=Pretends(**pretends), optuna_storage=url,  # type: ignore[arg-type]
    )  # fmt: skip
    search.run()
    return hears


def study_of(url: str) -> Any:
    storage = optuna.storages.RDBStorage(url)
    (name,) = (one.study_name for one in storage.get_all_studies())
    return optuna.load_study(study_name=name, storage=storage)


def check(folder: Path, url: str) -> None:
    """Every proposal is there once, in its order, with its choices, its reward and its network."""
    study, found = study_of(url), outcomes(read(folder))
    assert [one.number for one in study.trials] == [one.proposal.number for one in found]
    for trial, one in zip(study.trials, found, strict=True):
        assert trial.params == dict(one.proposal.chosen)
        assert trial.state == TrialState.COMPLETE
        assert trial.user_attrs["network"] == one.proposal.network
        assert trial.user_attrs["accuracy"] == one.accuracy
        assert trial.user_attrs["macs"] == one.proposal.costs["macs"]
    assert study.metric_names == ["reward"]
    assert study.best_trial.value == max(trial.value or 0.0 for trial in study.trials)


def test_a_search_that_is_stopped_and_resumed_is_mirrored_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/mirror.db"
    with pytest.raises(Enough):
        searched(tmp_path / "run", url, kill_after=9)
    early = study_of(url).trials
    assert {one.state for one in early} == {TrialState.COMPLETE, TrialState.RUNNING}, "it is shown while it runs"
    assert searched(tmp_path / "run", url).warnings == []
    check(tmp_path / "run", url)
    assert len(proposals(tmp_path / "run")) == 10


def test_a_front_is_shown_as_accuracy_and_costs(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/mirror.db"
    searched(tmp_path / "run", url, replace(QUESTION, trials=4, objective="front", cost="macs,params"))
    study, found = study_of(url), outcomes(read(tmp_path / "run"))
    assert [one.name for one in study.directions] == ["MAXIMIZE", "MINIMIZE", "MINIMIZE"]
    assert study.metric_names == ["accuracy", "macs", "params"]
    assert [trial.values for trial in study.trials] == [
        [one.accuracy, one.proposal.costs["macs"], one.proposal.costs["params"]] for one in found
    ]


def test_a_storage_that_fails_is_warned_of_once_and_the_search_goes_on(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/no/such/folder/secret.db"
    hears = searched(tmp_path / "run", url)
    (warning,) = hears.warnings
    assert "not mirrored to the Optuna storage: OperationalError" in warning
    assert "The search continues." in warning
    assert "secret" not in warning, "an address may hold a password"
    assert {one.state for one in outcomes(read(tmp_path / "run"))} == {"done"}
    (tmp_path / "no" / "such" / "folder").mkdir(parents=True)
    assert searched(tmp_path / "run", url).warnings == []
    check(tmp_path / "run", url)


def test_a_driver_that_is_missing_and_a_text_that_is_no_url_are_told_before_anything_is_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("psycopg", "oracledb"):
        monkeypatch.setitem(sys.modules, module, None)
    for url, words in (
        (
            "postgresql+psycopg://me:secret@host/db",
            r"needs the driver psycopg, which is not installed.\npip install 'psy",
        ),
        ("oracle+oracledb://me:secret@host/db", "needs the driver oracledb, .*\nInstall the package that has it"),
        ("secret.db", "is not a URL of a database: write sqlite:///search.db or postgresql://"),
        ("nothing://me:secret@host/db", "is not a URL of a database"),
    ):
        with pytest.raises(InputError, match=words) as error:
            searched(tmp_path / "run", url)
        assert "secret" not in str(error.value), "an address may hold a password"
    assert not (tmp_path / "run").exists()


def rows(done: int, running: int = 0) -> list[Shown]:
    chosen: dict[str, Value] = {"kernel": 3, "skip": False, "operator": None}
    return [
        *(Shown(number, chosen, "COMPLETE", (0.5,), {"network": str(number)}) for number in range(done)),
        *(Shown(done + number, chosen, "RUNNING", None, {}) for number in range(running)),
    ]


def test_a_storage_that_hangs_holds_up_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that takes connections and never answers, as one behind a broken network."""
    monkeypatch.setattr("triscale.search.explorations.optuna_mirror.PATIENCE", 0.2)
    hangs, said = threading.Event(), list[str]()
    monkeypatch.setattr(
        "triscale.search.explorations.optuna_mirror._OpenStudy.write", lambda *_: hangs.wait(10) or None
    )
    mirror = OptunaMirror(f"sqlite:///{tmp_path}/a.db", "s", CHOICES, [Axis("reward", True)], said.append)
    started = time.monotonic()
    for number in range(100):
        mirror.show(rows(number))
    assert time.monotonic() - started < 1
    mirror.close()
    hangs.set()
    assert said == ["warning: trials are not mirrored to the Optuna storage: it does not answer. The search continues."]


def test_a_mirror_that_was_given_up_writes_nothing_that_the_next_would_write_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow storage is still writing when the search ends; the search is resumed at once, in the same process."""
    url, said = f"sqlite:///{tmp_path}/a.db", list[str]()
    slowly = optuna.storages.RDBStorage.create_new_trial

    def slow(*arguments: Any, **named: Any) -> Any:
        time.sleep(0.3)
        return slowly(*arguments, **named)

    monkeypatch.setattr(optuna.storages.RDBStorage, "create_new_trial", slow)
    for patience in (0.1, 60.0):
        monkeypatch.setattr("triscale.search.explorations.optuna_mirror.PATIENCE", patience)
        mirror = OptunaMirror(url, "s", CHOICES, [Axis("reward", True)], said.append)
        mirror.show(rows(5))
        mirror.close()
    assert len(said) == 1
    assert [one.user_attrs["proposal"] for one in study_of(url).trials] == [0, 1, 2, 3, 4]


def test_failed_and_running_trials_are_shown_as_that_and_finish_once(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    url, said = f"sqlite:///{tmp_path}/a.db", list[str]()
    failed = Shown(2, {"kernel": 5, "skip": True, "operator": "conv"}, "FAIL", None, {"reason": "the loss is nan"})
    for shown in (rows(1, 1), [*rows(2), failed], [*rows(2), failed]):
        mirror = OptunaMirror(url, "s", CHOICES, [Axis("reward", True)], said.append)
        mirror.show(shown)
        mirror.close()
    assert (said, capfd.readouterr().err) == ([], "")
    one, two, three = study_of(url).trials
    assert [trial.state for trial in (one, two, three)] == [TrialState.COMPLETE] * 2 + [TrialState.FAIL]
    assert (one.params, two.user_attrs["network"], two.value) == (rows(1)[0].chosen, "1", 0.5)
    assert three.user_attrs["reason"] == "the loss is nan"


@pytest.fixture
def postgres() -> Iterator[str]:
    """The URL of a real server in a folder of its own; skips where there is none."""
    programs = {name: shutil.which(name) for name in ("initdb", "postgres")}
    driver = next((one for one in ("psycopg2", "psycopg", "pg8000") if find_spec(one)), None)
    if not all(programs.values()) or driver is None:
        pytest.skip("no PostgreSQL here: it needs initdb and postgres on the path, and psycopg2, psycopg or pg8000")
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="pg") as place:
        user = None if os.getuid() else "postgres"  # the server refuses to run as root
        if user:
            shutil.chown(place, user)
        data = Path(place) / "data"
        subprocess.run([str(programs["initdb"]), "-D", data, "-A", "trust", "-U", "triscale"], check=True, user=user)
        server = subprocess.Popen(
            [str(programs["postgres"]), "-D", data, "-p", str(port), "-k", place, "-h", "127.0.0.1"], user=user
        )
        try:
            _answers(port)
            yield f"postgresql+{driver}://triscale@127.0.0.1:{port}/postgres"
        finally:
            server.send_signal(signal.SIGINT)  # a fast shutdown: it does not wait for clients
            server.wait(30)


def _answers(port: int) -> None:
    for _ in range(100):
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError("the server does not start")


@pytest.mark.slow
def test_a_search_is_mirrored_to_a_real_postgresql_server(tmp_path: Path, postgres: str) -> None:
    with pytest.raises(Enough):
        searched(tmp_path / "run", postgres, kill_after=9)
    assert searched(tmp_path / "run", postgres).warnings == []
    check(tmp_path / "run", postgres)
