"""Local workers: processes are killed, stopped and left alone for real, and no task is lost."""

import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.trials.executor import works
from triscale.errors import InputError, NumericError, OutOfMemoryError, TriscaleError
from triscale.trials.executor import (
    Ended,
    Event,
    Failed,
    GivenUp,
    InlineExecutor,
    LocalExecutor,
    Lost,
    Settled,
    Task,
    Tell,
    Told,
    Work,
    local_executor,
    settle,
)


def run(
    work: Work[Any, Any], *payloads: object, workers: int = 2, silence: float = 60.0, retries: int = 2
) -> list[Settled[Any]]:
    """Settle tasks `0`, `1`, ... on processes, in the order of their keys."""
    executor: LocalExecutor[Any, Any] = LocalExecutor(work, workers)
    tasks = [Task(str(index), payload) for index, payload in enumerate(payloads)]
    try:
        return sorted(settle(executor, tasks, silence=silence, retries=retries), key=lambda one: one.key)
    finally:
        executor.close()


def alive(process: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def gone(process: int, within: float = 5) -> bool:
    end = time.monotonic() + within
    while alive(process) and time.monotonic() < end:
        time.sleep(0.02)
    return not alive(process)


@pytest.fixture
def pair() -> Iterator[LocalExecutor[Any, Any]]:
    executor: LocalExecutor[Any, Any] = LocalExecutor(works.odd, 2)
    yield executor
    executor.close()


def test_results_and_messages_reach_the_driver_and_workers_are_used_again() -> None:
    """Six tasks on two workers take two processes."""
    executor: LocalExecutor[int, int] = LocalExecutor(works.double, 2)
    told: list[Event[int]] = []
    try:
        settled = list(settle(executor, [Task(str(n), n) for n in range(6)], on_event=told.append))
    finally:
        executor.close()
    assert sorted((one.key, one.result) for one in settled if isinstance(one, Ended)) == [
        (str(n), 2 * n) for n in range(6)
    ]
    messages = [event.message for event in told if isinstance(event, Told)]
    assert sorted(map(str, messages)) == [f"doubling {n}" for n in range(6)]
    processes = {one.result for one in run(works.who, *range(6)) if isinstance(one, Ended)}
    assert 1 <= len(processes) <= 2
    assert os.getpid() not in processes


def test_a_task_whose_worker_is_killed_three_times_is_given_up_and_the_others_end(tmp_path: Path) -> None:
    """One killed worker costs its own trial its tries, never the study."""
    marks = [tmp_path / name for name in "ab"]
    found = run(works.die, *marks)
    assert [mark.read_bytes() for mark in marks] == [b"xxx", b"xxx"]
    assert found == [GivenUp(key, 3, ("was killed (SIGKILL)",) * 3) for key in "01"]
    assert isinstance(found[0], GivenUp)
    assert found[0].reason == "the worker was killed (SIGKILL) 3 times, most often for want of memory"


def test_a_task_whose_worker_is_killed_twice_ends_at_the_third_attempt(tmp_path: Path) -> None:
    """Two retries are enough for two losses."""
    assert run(works.die_twice, tmp_path / "count") == [Ended("0", 3, 3)]


def test_a_killed_worker_is_found_at_once_though_its_child_holds_the_pipe() -> None:
    """Loaders fork children, which inherit the pipe and may outlive the worker that was killed."""
    start = time.monotonic()
    found = run(works.die_beside_a_child, None, retries=0)
    assert found == [GivenUp("0", 1, ("was killed (SIGKILL)",))]
    assert time.monotonic() - start < 8


def test_a_worker_that_stands_still_in_the_middle_of_a_message_is_killed_and_its_task_done_again(
    tmp_path: Path,
) -> None:
    """The driver never waits for the rest of a message."""
    assert run(works.stop_once, tmp_path / "mark", silence=4.0) == [Ended("0", 2, "done")]


def test_heartbeats_keep_a_worker_alive_and_silence_does_not() -> None:
    """Both sleep longer than silence is allowed; one says so."""
    assert run(works.sleep_with_heartbeats, 4.0, silence=3.0) == [Ended("0", 1, 4.0)]
    found = run(works.sleep, 60.0, silence=1.0, retries=0)
    assert found == [GivenUp("0", 1, ("was silent for 1 s",))]


@pytest.mark.parametrize(
    ("payload", "kind", "text"),
    [
        ("numbers", NumericError, "the loss is not finite"),
        ("value", ValueError, "a value"),
        ("memory", OutOfMemoryError, "no memory left"),
        ("unsendable error", TriscaleError, "UnsendableError: it holds a lock"),
        ("unreadable error", TriscaleError, "UnreadableError: 1 is not 2"),
        ("unsendable result", TriscaleError, "the result, a lock, cannot leave the worker: cannot pickle"),
        ("unreadable result", TriscaleError, "cannot be read: RuntimeError: not here"),
        ("unsendable message", TypeError, "cannot pickle"),
    ],
)
def test_an_error_of_the_work_fails_its_task_once_with_its_class(
    pair: LocalExecutor[Any, Any], payload: str, kind: type[Exception], text: str
) -> None:
    """It would fail again, so it is not retried; the worker goes on with the next task."""
    bad, good = sorted(settle(pair, [Task("a", payload), Task("b", "fine")]), key=lambda one: one.key)
    assert isinstance(bad, Failed)
    assert (type(bad.error), bad.attempt) == (kind, 1)
    assert text in str(bad.error)
    assert good == Ended("b", 1, "fine")


def test_an_error_that_is_no_mistake_carries_the_traceback_of_the_worker() -> None:
    """A message for users stays as short as it was."""
    value, numbers = run(works.odd, "value", "numbers", workers=1)
    assert isinstance(value, Failed)
    assert isinstance(numbers, Failed)
    assert "works.py" in value.error.__notes__[0]
    assert not hasattr(numbers.error, "__notes__")


def test_a_payload_that_cannot_be_sent_fails_its_task_alone(pair: LocalExecutor[Any, Any]) -> None:
    """It never takes a worker."""
    bad, good = sorted(settle(pair, [Task("a", threading.Lock()), Task("b", "fine")]), key=lambda one: one.key)
    assert isinstance(bad, Failed)
    assert str(bad.error).startswith("the task a cannot be sent to a worker: cannot pickle")
    assert good == Ended("b", 1, "fine")


def test_a_work_that_leaves_python_counts_as_a_lost_worker() -> None:
    """Its exit code is told, and memory is not blamed."""
    (found,) = run(works.odd, "exit", retries=1)
    assert isinstance(found, GivenUp)
    assert found.reason == "the worker ended with exit code 3 2 times"


def test_a_work_of_a_notebook_is_rejected_with_the_way_to_move_it() -> None:
    """Before any process starts."""

    def inner(payload: object, tell: Tell) -> None: ...

    def train(payload: object, tell: Tell) -> None: ...

    train.__module__, train.__qualname__ = "__main__", "train"
    for work in (train, partial(train, 1)):
        with pytest.raises(InputError, match="from my_work import train"):
            LocalExecutor(work, 2)
    for work in (inner, lambda payload, tell: None):  # noqa: ARG005
        with pytest.raises(InputError, match="not at the top of a module"):
            LocalExecutor(work, 2)


def test_a_work_that_workers_cannot_import_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It vanished after the driver had imported it."""
    (tmp_path / "passing_by.py").write_text("def work(payload, tell): ...\n")
    monkeypatch.syspath_prepend(tmp_path)
    import passing_by  # type: ignore[import-not-found]

    (tmp_path / "passing_by.py").unlink()
    (found,) = run(passing_by.work, None)
    assert isinstance(found, Failed)
    assert isinstance(found.error, InputError)
    assert "No module named 'passing_by'" in str(found.error)


def test_workers_end_when_the_caller_stops_listening_or_raises() -> None:
    """The tasks that run are killed, and the executor takes others: nothing of the old ones comes through."""
    executor: LocalExecutor[float, float] = LocalExecutor(works.sleep, 2)
    workers: list[int] = []

    def note(event: Event[float]) -> None:
        if isinstance(event, Told) and isinstance(event.message, int):
            workers.append(event.message)
        if len(workers) == 2:
            raise ZeroDivisionError

    try:
        with pytest.raises(ZeroDivisionError):
            list(settle(executor, [Task("a", 60.0), Task("b", 60.0)], on_event=note))
        assert all(gone(process) for process in workers)
        found = sorted(settle(executor, [Task("a", 0.0), Task("b", 0.5)]), key=lambda one: one.key)
        assert found == [Ended("a", 1, 0.0), Ended("b", 1, 0.5)]
        stopped = settle(executor, [Task("a", 0.0), Task("b", 60.0)])
        assert next(stopped) == Ended("a", 1, 0.0)
        assert executor.slots == 1
        stopped.close()  # type: ignore[attr-defined]
        assert executor.slots == 2
    finally:
        executor.close()


DRIVER = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where a shell runs tests in the background
from tests.trials.executor import works
from triscale.trials.executor import LocalExecutor, Task, settle
executor = LocalExecutor(works.sleep, 2)
for one in settle(executor, [Task("a", 60.0), Task("b", 60.0)], on_event=lambda told: print(told.message, flush=True)):
    pass
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_no_worker_outlives_a_driver_that_is_killed_or_interrupted(how: signal.Signals) -> None:
    """The driver cannot tidy up after kill -9: its workers look for it. Ctrl-C reaches the whole group at once."""
    with subprocess.Popen(
        [sys.executable, "-c", f"import sys; sys.path[:] = {sys.path!r}\n{DRIVER}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as driver:
        assert driver.stdout is not None
        workers = [int(driver.stdout.readline()) for _ in range(2)]
        os.killpg(driver.pid, how) if how == signal.SIGINT else driver.kill()
        assert driver.wait(10) == -how
        assert all(gone(process) for process in workers)
        assert driver.stderr is not None
        assert select.select([driver.stderr], [], [], 5)[0], "a process holds the streams of the driver"
        assert "works.py" not in driver.stderr.read(), "Ctrl-C interrupted a worker, which leaves it to the driver"


def test_a_worker_prints_to_the_error_stream(capfd: pytest.CaptureFixture[str]) -> None:
    """The output of the driver may be one JSON document."""
    run(works.odd, "print")
    output, errors = capfd.readouterr()
    assert (output, errors.strip()) == ("", "from a worker")


def test_a_worker_may_start_processes_and_does_not_run_the_script_again(tmp_path: Path) -> None:
    """A script that calls a study without `if __name__ == "__main__"` works."""
    script = tmp_path / "study.py"
    script.write_text(
        f"import sys; sys.path[:] = {sys.path!r}\n"
        "from tests.trials.executor import works\n"
        "from triscale.trials.executor import LocalExecutor, Task, settle\n"
        "print('once')\n"
        "executor = LocalExecutor(works.start_a_process, 2)\n"
        "print([one.result for one in settle(executor, [Task('a', 0), Task('b', 0)])])\n"
        "executor.close()\n"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["once", "['1\\n', '1\\n']"]


def test_one_worker_is_this_process() -> None:
    """There messages come while the work goes on, and an error of the listener is the listener's."""
    executor = local_executor(works.who, 1)
    assert isinstance(executor, InlineExecutor)
    assert list(settle(executor, [Task("a", 0)])) == [Ended("a", 1, os.getpid())]
    (failed,) = settle(local_executor(works.refuse, 1), [Task("a", 0)])
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, InputError)

    def complain(event: Event[int]) -> None:
        if isinstance(event, Told):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(settle(local_executor(works.double, 1), [Task("a", 1)], on_event=complain))


def test_a_lost_worker_is_an_event_that_the_driver_sees(tmp_path: Path) -> None:
    """A study says so while it goes on."""
    executor: LocalExecutor[Path, int] = LocalExecutor(works.die_twice, 2)
    seen: list[Event[int]] = []
    try:
        list(settle(executor, [Task("a", tmp_path / "count")], on_event=seen.append))
    finally:
        executor.close()
    assert seen == [
        Lost("a", 1, "was killed (SIGKILL)"),
        Lost("a", 2, "was killed (SIGKILL)"),
        Ended("a", 3, 3),
    ]
