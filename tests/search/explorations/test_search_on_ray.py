"""A search whose trainings run on a real Ray cluster of two nodes, four workers, of which some die."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.search.explorations.killing import After, done, killed_at, same
from tests.search.explorations.searches import proposals, search
from tests.search.explorations.tiny import (
    FATES,
    check_reasons,
    doom,
    ended,
    fated,
    kill_node,
    kill_one,
    tiny_question,
)
from triscale.search.explorations.architecture_search import ArchitectureSearch
from triscale.search.explorations.search_question import SearchQuestion
from triscale.search.trainings import workers
from triscale.search.trainings.workers import Engine
from triscale.training import numerics_here
from triscale.trials import Stored
from triscale.trials.executor.ray_connect import connect, ray_module
from triscale.trials.searches.search_outcomes import SEARCH

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::Warning:ray"), pytest.mark.xdist_group("ray")]

TRIALS, FEW = 80, 12
_AROUND = {
    "PYTHONPATH": os.pathsep.join(sys.path),
    "RAY_worker_niceness": "0",
    "RAY_health_check_timeout_ms": "120000",  # a busy machine is not a dead node
}


@dataclass(frozen=True)
class Nodes:
    """A cluster of a head and a node that can be taken away, two workers each."""

    cluster: Any
    other: Any

    @property
    def engine(self) -> Engine:
        """What runs trainings on it."""
        return Engine(name="ray", address=self.cluster.address)

    @property
    def process(self) -> int:
        """The one that is the other node."""
        (process,) = self.other.all_processes["raylet"]
        found: int = process.process.pid
        return found

    @property
    def is_one(self) -> bool:
        """Whether the other node has died; the cluster itself learns of it later."""
        (process,) = self.other.all_processes["raylet"]
        return process.process.poll() is not None


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    """Processes of the cluster import what this one imports."""
    if find_spec("ray") is None:
        pytest.skip("Ray is not installed")
    before = dict(os.environ)
    os.environ.update(_AROUND)
    ray_module()
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 2})
    connect(cluster.address)  # to the head, while it is the only node: the other one is to die
    other = cluster.add_node(num_cpus=2)
    cluster.wait_for_nodes()
    yield Nodes(cluster, other)
    ray_module().shutdown()
    cluster.shutdown()
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data, space, and the searches that others are compared with."""
    return tmp_path_factory.mktemp("shared")


@pytest.fixture(scope="module")
def at_home(shared: Path) -> Callable[[int], Path]:
    """A search of so many trials in this process, made once."""

    def folder(trials: int) -> Path:
        where = shared / f"home-{trials}"
        search(tiny_question(shared, trials), where).run()
        return where

    return folder


def on_ray(nodes: Nodes, question: SearchQuestion, folder: Path, after: Mapping[int, Callable[[], None]]) -> Stored:
    """Search on the cluster, on four workers."""
    engine = nodes.engine
    return ArchitectureSearch(
        question, folder, jobs=4, numerics=numerics_here("cpu", 1), progress=After(after), engine=engine
    ).run()


def test_80_trials_on_4_workers_of_which_2_are_killed_end_as_80_and_as_at_home(
    nodes: Nodes, shared: Path, at_home: Callable[[int], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None is trained twice to its end, none is left; the proposals are those of one local worker."""
    fates = tmp_path / "fates"
    monkeypatch.setattr(workers, "run_trial", partial(fated, fates))
    kills = {number: partial(kill_one, fates, str(number)) for number in (10, 40)}
    stored = on_ray(nodes, tiny_question(shared, TRIALS), tmp_path / "search", kills)
    searched = [one for one in stored if one.purpose == SEARCH]
    assert len(proposals(tmp_path / "search")) == TRIALS
    assert {one.state for one in stored} == {"done"}
    assert sum(one.losses for one in stored) == 2
    assert set(Counter(ended(fates)).values()) == {1}
    assert {*ended(fates)} >= {one.key for one in searched}
    monkeypatch.undo()
    same(tmp_path / "search", at_home(TRIALS))


def test_trials_that_fail_on_a_cluster_are_recorded_with_the_reason_and_the_others_go_on(
    nodes: Nodes, shared: Path, at_home: Callable[[int], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    doomed = [one.network for one in proposals(at_home(FEW))[1:4]]
    doom(tmp_path / "fates", dict(zip(doomed, FATES, strict=True)))
    monkeypatch.setattr(workers, "run_trial", partial(fated, tmp_path / "fates"))
    stored = on_ray(nodes, tiny_question(shared, FEW), tmp_path / "search", {})
    check_reasons(stored)
    assert len(proposals(tmp_path / "search")) == FEW
    assert {one.state for one in stored if one.failure is None} == {"done"}


def test_a_driver_that_is_killed_at_2_points_ends_as_at_home(
    nodes: Nodes, shared: Path, at_home: Callable[[int], Path], tmp_path: Path
) -> None:
    """`kill -9` of the command, which is then given again."""
    question = tiny_question(shared, FEW)
    command = [
        sys.executable, "-m", "triscale", *question.command().split()[1:], "--engine", "ray",
        "--address", nodes.cluster.address, "--jobs", "4", "--device", "cpu", "--threads", "1",
        "--out", str(tmp_path / "search"),
    ]  # fmt: skip
    for point in (2, 7):
        killed_at(point, command, tmp_path / "search")
    assert done(tmp_path / "search") < FEW + 2, "the second kill came before the end"
    last = subprocess.run(command, capture_output=True, text=True, check=False)
    assert last.returncode == 0, last.stderr
    same(tmp_path / "search", at_home(FEW))


def test_a_node_that_dies_costs_its_trials_a_retry(
    nodes: Nodes, shared: Path, at_home: Callable[[int], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last test of this cluster: what is left of it does the rest."""
    fates = tmp_path / "fates"
    monkeypatch.setattr(workers, "run_trial", partial(fated, fates))
    stored = on_ray(
        nodes, tiny_question(shared, FEW), tmp_path / "search", {3: lambda: kill_node(fates, nodes.process)}
    )
    assert {one.state for one in stored} == {"done"}
    assert 1 <= sum(one.losses for one in stored) <= 2
    assert set(Counter(ended(fates)).values()) == {1}
    assert nodes.is_one, "the other node is gone"
    monkeypatch.undo()
    same(tmp_path / "search", at_home(FEW))
