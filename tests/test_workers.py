"""What each process that runs tests has for itself."""

import os
from pathlib import Path

import pytest

from tests.conftest import pytest_xdist_auto_num_workers
from triscale.machine import machine


def test_what_is_kept_between_runs_lies_in_a_folder_of_this_process(tmp_path_factory: pytest.TempPathFactory) -> None:
    assert Path(os.environ["TRISCALE_CACHE"]).is_relative_to(tmp_path_factory.getbasetemp())


def test_threads_are_one_unless_they_are_asked_for_and_wait_without_turning() -> None:
    assert {"OMP_NUM_THREADS", "OMP_WAIT_POLICY"} <= os.environ.keys()


@pytest.mark.parametrize(("cores", "workers"), [(1, 1), (2, 2), (64, 4)])
def test_there_is_one_worker_a_core_and_at_most_four(monkeypatch: pytest.MonkeyPatch, cores: int, workers: int) -> None:
    monkeypatch.setattr("tests.conftest.machine", lambda: {**machine(), "cores": cores})
    assert pytest_xdist_auto_num_workers() == workers
