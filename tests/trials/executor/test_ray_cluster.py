"""A real Ray cluster of two workers on this machine: tasks end, fail, die and stand still there as they do at home."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.trials.executor import works
from triscale.errors import InputError, NumericError, TriscaleError
from triscale.trials.executor import Ended, Event, Failed, GivenUp, Task, Told, ray_team, settle
from triscale.trials.executor.ray_cluster import Place, RayExecutor
from triscale.trials.executor.ray_connect import connect, ray_module
from triscale.trials.executor.ray_nodes import expected
from triscale.trials.executor.ray_ship import pieces, unpack

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::Warning:ray"), pytest.mark.xdist_group("ray")]


Run = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[str]:
    """One cluster for all tests; it ends with them."""
    if find_spec("ray") is None:
        pytest.skip("Ray is not installed")
    before = dict(os.environ)
    assert connect("local", cores=2)
    yield ray_module().get_runtime_context().gcs_address
    ray_module().shutdown()
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    """Settle tasks on two workers, each a function of `works` and its payload, by key."""
    executor: RayExecutor[Any, Any] = RayExecutor(works.chosen, "local", Place(workers=2))

    def settled(work: str, payloads: dict[str, object], **options: Any) -> dict[str, Any]:
        tasks = [Task(key, (work, payload)) for key, payload in payloads.items()]
        return {one.key: one for one in settle(executor, tasks, **options)}

    yield settled
    executor.close()


def test_results_messages_and_errors_come_back_as_from_local_workers(run: Run) -> None:
    """What a work told comes before its result, and its error keeps its class."""
    events: list[Event[Any]] = []
    payloads = ["fine", "numbers", "value", "unsendable error", "unsendable result"]
    found = run("odd", {one: one for one in payloads}, on_event=events.append)
    assert found["fine"] == Ended("fine", 1, "fine")
    kinds = {key: type(one.error) for key, one in found.items() if isinstance(one, Failed)}
    assert kinds == {
        "numbers": NumericError, "value": ValueError,
        "unsendable error": TriscaleError, "unsendable result": TriscaleError,
    }  # fmt: skip
    told: list[Event[Any]] = []
    assert run("double", {"2": 2}, on_event=told.append)["2"] == Ended("2", 1, 4)
    assert [one.message for one in told if isinstance(one, Told)][-1] == "doubling 2"
    assert told[-1] == Ended("2", 1, 4)


def test_a_killed_worker_costs_its_own_task_a_retry(
    run: Run, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Two deaths leave a third attempt; more than its retries give it up; the output stays ours."""
    found = run("die_twice", {"twice": tmp_path / "count"})
    assert found["twice"] == Ended("twice", 3, 3)
    given_up = run("die", {"die": tmp_path / "marks"}, retries=1)["die"]
    assert isinstance(given_up, GivenUp)
    assert (tmp_path / "marks").read_bytes() == b"xx"
    assert given_up.reason.startswith("the worker was killed on ")
    assert given_up.reason.endswith(" 2 times, most often for want of memory")
    assert capfd.readouterr().out == ""


def test_a_worker_that_stands_still_is_killed_and_its_task_done_again(run: Run, tmp_path: Path) -> None:
    """Ray kills the process, though it cannot answer."""
    found = run("stop_once", {"a": tmp_path / "mark"}, silence=8.0)
    assert found["a"] == Ended("a", 2, "done")


def test_a_node_with_other_versions_or_without_the_data_is_rejected_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything runs there."""
    host, here = os.uname().nodename, expected()
    with pytest.raises(InputError, match=rf"(?s){host}.* has no {tmp_path}/data"):
        RayExecutor(works.double, paths=[tmp_path / "data"])
    monkeypatch.setattr(ray_team, "expected", lambda: {**here, "torch": "0.1"})
    with pytest.raises(InputError, match=rf"(?s){host}.* has torch [\d.]+\S* where the driver has 0.1"):
        RayExecutor(works.double)


def test_files_are_shipped_once_through_the_object_store(tmp_path: Path) -> None:
    """To a path that a node lacks: byte for byte, or with the reason."""
    for name, content in (("a/1.jpg", b"1"), ("b/2.jpg", b"22")):
        (tmp_path / "from" / name).parent.mkdir(parents=True)
        (tmp_path / "from" / name).write_bytes(content)
    ray = ray_module()
    chunks = [ray.put(chunk) for chunk in pieces(tmp_path / "from")]
    carry = ray.remote(num_cpus=0)(unpack)
    assert ray.get(carry.remote(chunks, str(tmp_path / "deep" / "to"))) is None
    assert (tmp_path / "deep" / "to" / "b" / "2.jpg").read_bytes() == b"22"
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["to"]
    assert "cannot be written there" in str(ray.get(carry.remote(chunks, "/proc/no/to")))


def test_whether_workers_see_the_folder_of_the_driver_is_found_out(tmp_path: Path) -> None:
    """On one machine they do; the mark by which they show it is removed."""
    executor: RayExecutor[int, int] = RayExecutor(works.double, place=Place(workers=1), folder=tmp_path)
    assert executor.places == 1
    assert executor.shared
    executor.close()
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_token_is_an_error_that_names_the_remedy(cluster: str) -> None:
    """The cluster that Ray starts here wants one."""
    code = (
        f"import sys; sys.path[:] = {sys.path!r}\n"
        f"from triscale.trials.executor.ray_connect import connect; connect({cluster!r})"
    )
    start = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "RAY_AUTH_TOKEN": "w" * 43},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "rejects the token of this process" in done.stderr
    assert time.monotonic() - start < 60


TWO_NODES = """
import sys; sys.path[:] = {path!r}
from triscale.trials.executor.ray_connect import connect, ray_module
ray_module()
from ray.cluster_utils import Cluster
from tests.trials.executor import works
from triscale.trials.executor import Task, settle
from triscale.trials.executor.ray_cluster import RayExecutor

cluster = Cluster(initialize_head=True, head_node_args={{"num_cpus": 1}})
connect(cluster.address)  # to the head, while it is the only node
nodes = [cluster.add_node(num_cpus=1)]
cluster.wait_for_nodes()
executor = RayExecutor(works.sleep, cluster.address)
assert executor.places == 2
told, lost = [], []

def hear(event):
    if getattr(event, "message", None):
        told.append(event.key)
        if len(told) == 2:
            cluster.remove_node(nodes.pop(), allow_graceful=False)
    lost.extend([event.key] if type(event).__name__ == "Lost" else [])

found = list(settle(executor, [Task("a", 6.0), Task("b", 6.0), Task("c", 0.1)], on_event=hear))
assert sorted(one.key for one in found) == ["a", "b", "c"]
assert {{one.key: one.attempt for one in found}} == {{key: 2 if key in lost else 1 for key in "abc"}}
assert len(lost) == 1
cluster.add_node(num_cpus=1)
cluster.wait_for_nodes()
assert executor.places == 2
executor.close()
cluster.shutdown()
print("settled")
"""


def test_a_node_that_dies_costs_its_task_a_retry_and_one_that_joins_is_used() -> None:
    """Two nodes on one machine; the process of one is killed while both work."""
    code = TWO_NODES.format(path=sys.path)
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "RAY_worker_niceness": "0"}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)
    assert "settled" in done.stdout, done.stderr
