"""Every task is settled exactly once, whatever workers do; they are simulated, on a clock of their own."""

from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.simulated import Chances, SimulatedExecutor
from triscale.trials.executor import Ended, Event, Failed, GivenUp, Lost, Settled, Task, Told, settle

Result = tuple[str, int]
SILENCE = 5.0


def simulated(workers: int, chances: Chances, seed: int = 0) -> SimulatedExecutor[None, Result]:
    return SimulatedExecutor(lambda task, attempt: (task.key, attempt), workers, chances, seed)


def tasks(number: int) -> list[Task[None]]:
    return [Task(str(index), None) for index in range(number)]


chance = st.floats(0.0, 0.3)


@given(
    number=st.integers(0, 30),
    workers=st.integers(1, 8),
    chances=st.builds(Chances, die=chance, stand_still=chance, fail=chance, twice=st.floats(0.0, 1.0)),
    retries=st.integers(0, 3),
    seed=st.integers(0, 1_000),
)
def test_every_task_is_settled_exactly_once_in_at_most_one_attempt_and_its_retries(
    number: int, workers: int, chances: Chances, retries: int, seed: int
) -> None:
    """Workers die, stand still and come back, fail, and send results twice."""
    executor = simulated(workers, chances, seed)
    counted: list[Event[Result]] = []
    settled = list(
        settle(
            executor,
            tasks(number),
            retries=retries,
            silence=SILENCE,
            on_event=counted.append,
            clock=executor.clock,
        )
    )
    assert Counter(one.key for one in settled) == Counter(task.key for task in tasks(number))
    assert all(executor.starts[one.key] == one.attempt <= 1 + retries for one in settled)
    assert all(one.result == (one.key, one.attempt) for one in settled if isinstance(one, Ended))
    assert all(len(one.losses) == 1 + retries for one in settled if isinstance(one, GivenUp))
    losses = Counter(event.key for event in counted if isinstance(event, Lost))
    assert all(losses[one.key] == one.attempt - (not isinstance(one, GivenUp)) for one in settled)
    assert executor.slots == workers


@given(
    first=st.integers(1, 6),
    whole=st.integers(6, 30),
    workers=st.integers(1, 4),
    chances=st.builds(Chances, die=chance, fail=chance),
    seed=st.integers(0, 100),
)
def test_further_tasks_that_follow_from_results_are_settled_too(
    first: int, whole: int, workers: int, chances: Chances, seed: int
) -> None:
    """As in a search: each result makes room for one more."""
    executor = simulated(workers, chances, seed)
    given_out, told = first, 0

    def more() -> list[Task[None]]:
        nonlocal given_out
        before, given_out = given_out, min(whole, told + first)
        return tasks(whole)[before:given_out]

    settled = []
    for one in settle(executor, tasks(first), more=more, silence=SILENCE, clock=executor.clock):
        settled.append(one.key)
        told += 1
        assert given_out <= told + first, "nothing is asked for before it is due"
    assert sorted(settled, key=int) == [task.key for task in tasks(whole)]


def test_a_further_task_with_a_key_that_was_there_is_rejected() -> None:
    executor = simulated(1, Chances())
    with pytest.raises(ValueError, match="two tasks have the key"):
        list(settle(executor, tasks(1), more=lambda: tasks(1), clock=executor.clock))


def test_a_failure_is_not_retried_and_a_loss_is() -> None:
    """The work would fail again; a worker that died says nothing of the work."""
    failing = simulated(2, Chances(fail=1.0))
    assert all(isinstance(one, Failed) and one.attempt == 1 for one in settle(failing, tasks(3), clock=failing.clock))
    dying = simulated(2, Chances(die=1.0))
    given_up = list(settle(dying, tasks(3), clock=dying.clock))
    assert dying.starts == {"0": 3, "1": 3, "2": 3}
    assert {one.reason for one in given_up if isinstance(one, GivenUp)} == {
        "the worker was killed (SIGKILL) 3 times, most often for want of memory"
    }


def test_a_late_result_of_a_task_that_was_given_to_another_worker_is_refused() -> None:
    """The first worker stands still and comes back while the second one is at it."""
    executor = _Late()
    found: list[Settled[str]] = list(settle(executor, [Task("a", None)], silence=1.0, clock=executor.clock))
    assert found == [Ended("a", 2, "of the second")]
    assert executor.killed == ["a"]


class _Late:
    """One worker that is silent, and whose result comes when the next attempt is under way."""

    def __init__(self) -> None:
        self.now, self.killed, self._attempt = 0.0, list[str](), 0

    def clock(self) -> float:
        self.now += 0.3
        return self.now

    slots = 1

    def start(self, task: Task[None], attempt: int) -> None:  # noqa: ARG002
        self._attempt = attempt

    def listen(self, handle: Callable[[Event[str]], None], timeout: float) -> None:  # noqa: ARG002
        if self._attempt == 2:
            handle(Ended("a", 1, "of the first"))
            handle(Told("a", 2, None))
            handle(Ended("a", 2, "of the second"))
            handle(Ended("a", 2, "again"))

    def kill(self, key: str) -> None:
        self.killed.append(key)

    def close(self) -> None:
        raise AssertionError("the executor is the caller's to close")


def test_tasks_start_in_their_order_and_lost_ones_after_all_others() -> None:
    """The longest first is the caller's order; what was lost for want of memory waits until others are done."""
    executor = simulated(1, Chances(die=0.5), seed=3)
    order: list[str] = []
    start = executor.start
    executor.start = lambda task, attempt: (order.append(task.key), start(task, attempt))[1]  # type: ignore[method-assign,func-returns-value]
    list(settle(executor, tasks(6), clock=executor.clock))
    assert order[:6] == ["0", "1", "2", "3", "4", "5"]
    assert len(order) > 6, "nothing was lost, so nothing is shown"


def test_two_tasks_of_one_key_are_refused_before_anything_runs() -> None:
    """A key is what a trial is known by."""
    executor = simulated(1, Chances())
    with pytest.raises(ValueError, match="two tasks have the key '1'"):
        settle(executor, [*tasks(3), Task("1", None)])
    with pytest.raises(ValueError, match="got -1"):
        settle(executor, tasks(1), retries=-1)
    assert executor.starts == {}


def test_one_answer_whatever_the_number_of_workers() -> None:
    """Without losses: the same tasks, the same results."""

    def results(workers: int) -> set[Settled[Result]]:
        executor = simulated(workers, Chances())
        return set(settle(executor, tasks(20), clock=executor.clock))

    assert results(1) == results(7) == results(50)


def test_a_reason_names_each_kind_of_loss() -> None:
    """Memory is blamed only where the system killed a worker."""
    mixed = GivenUp("a", 3, ("was silent for 600 s", "was killed (SIGKILL)", "was silent for 600 s"))
    assert mixed.reason == (
        "the worker was silent for 600 s 2 times, was killed (SIGKILL), most often for want of memory"
    )
    assert GivenUp("a", 1, ("ended with exit code 3",)).reason == "the worker ended with exit code 3"
