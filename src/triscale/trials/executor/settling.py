"""Settle every task exactly once, whatever happens to the workers."""

import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Generic, TypeVar

from triscale.trials.executor.events import Ended, Event, Executor, Failed, GivenUp, Lost, Settled, Task, Told

P = TypeVar("P")
R = TypeVar("R")

RETRIES = 2
"""How often a task whose worker was lost is tried again."""
SILENCE = 600.0
"""Seconds after which a worker that says nothing is killed."""
_LISTEN = 1.0


def ignore(event: object) -> None:
    """Nobody listens to progress."""


def settle(
    executor: Executor[P, R],
    tasks: Iterable[Task[P]],
    *,
    retries: int = RETRIES,
    silence: float = SILENCE,
    more: Callable[[], Iterable[Task[P]]] = tuple,
    on_event: Callable[[Event[R]], None] = ignore,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Settled[R]]:
    """Run tasks in their order on all free workers, and yield each once, as it is settled.

    A task has ended, has failed by an error of its own (which would come again, so it is not retried), or is given up
    after 1 + `retries` lost workers. A lost task is started again after all others that wait. Each start has a number,
    and what an earlier one still sends is dropped: a result counts only if it is of the latest. When the caller
    stops listening, or an error is raised, the workers that run are killed; the executor can be used again.

    Args:
        executor: what runs the tasks.
        tasks: the longest first, so that no worker idles at the end.
        retries: how often a lost task is tried again; 0 or more.
        silence: seconds without a word after which a worker is killed and counts as lost.
        more: further tasks; called whenever the caller has taken what was settled, until it gives none and none runs.
        on_event: is called with every event that counts, before the task is yielded.
        clock: tells seconds.

    Raises:
        ValueError: two tasks have one key, or `retries` or `silence` is too small.
    """
    return _one_by_one(
        settle_in_batches(executor, tasks, retries=retries, silence=silence, more=more, on_event=on_event, clock=clock)
    )


def settle_in_batches(
    executor: Executor[P, R],
    tasks: Iterable[Task[P]],
    *,
    retries: int = RETRIES,
    silence: float = SILENCE,
    more: Callable[[], Iterable[Task[P]]] = tuple,
    on_event: Callable[[Event[R]], None] = ignore,
    clock: Callable[[], float] = time.monotonic,
) -> Generator[Sequence[Settled[R]], None, None]:
    """As `settle`, but yield together what was settled while the caller was busy: one write to disk for all of it."""
    ledger = _Ledger(list(tasks), retries, on_event, clock)
    if retries < 0 or silence <= 0:
        raise ValueError(f"retries must be at least 0 and silence above 0, got {retries} and {silence}")
    return _settle(executor, ledger, silence, more)


def _one_by_one(batches: Generator[Sequence[Settled[R]], None, None]) -> Iterator[Settled[R]]:
    with closing(batches):
        for batch in batches:
            yield from batch


def _settle(
    executor: Executor[P, R], ledger: "_Ledger[P, R]", silence: float, more: Callable[[], Iterable[Task[P]]]
) -> Generator[Sequence[Settled[R]], None, None]:
    try:
        while ledger.waiting or ledger.running:
            for _ in range(min(executor.slots, len(ledger.waiting))):
                executor.start(*ledger.begin())
            executor.listen(ledger.handle, min(_LISTEN, silence))
            for key in ledger.silent(silence):
                executor.kill(key)
                ledger.handle(Lost(key, ledger.running[key].attempt, f"was silent for {silence:g} s"))
            if ledger.settled:
                batch, ledger.settled = ledger.settled, []
                yield batch
                ledger.add(more())
    finally:
        for key in ledger.running:
            executor.kill(key)


@dataclass
class _Running(Generic[P]):
    """A task on a worker: which start of it this is, and when the worker was heard last."""

    task: Task[P]
    attempt: int
    heard: float


class _Ledger(Generic[P, R]):
    """Where every task stands: it waits, runs or is settled."""

    def __init__(
        self, tasks: list[Task[P]], retries: int, on_event: Callable[[Event[R]], None], clock: Callable[[], float]
    ) -> None:
        self.waiting, self.running, self.settled = deque[Task[P]](), dict[str, _Running[P]](), list[Settled[R]]()
        self._keys = set[str]()
        self.add(tasks)
        self._losses: dict[str, list[str]] = {}
        self._retries, self._on_event, self._clock = retries, on_event, clock
        self._looked = clock()

    def add(self, tasks: Iterable[Task[P]]) -> None:
        """Let further tasks wait."""
        for task in tasks:
            if task.key in self._keys:
                raise ValueError(f"two tasks have the key {task.key!r}; each is settled once, so keys must differ")
            self._keys.add(task.key)
            self.waiting.append(task)

    def begin(self) -> tuple[Task[P], int]:
        """Take the next task, and count its start."""
        task = self.waiting.popleft()
        number = len(self._losses.get(task.key, ())) + 1
        self.running[task.key] = _Running(task, number, self._clock())
        return task, number

    def handle(self, event: Event[R]) -> None:
        """Note what an event means; one of another start than the latest means nothing."""
        current = self.running.get(event.key)
        if current is None or current.attempt != event.attempt:
            return
        current.heard = self._clock()
        if not isinstance(event, Told):
            del self.running[event.key]
        if isinstance(event, Lost):
            self._lost(current, event)
        elif isinstance(event, Ended | Failed):
            self.settled.append(event)
        self._on_event(event)

    def _lost(self, current: _Running[P], event: Lost) -> None:
        losses = self._losses.setdefault(event.key, [])
        losses.append(event.why)
        if len(losses) > self._retries:
            self.settled.append(GivenUp(event.key, event.attempt, tuple(losses)))
        else:
            self.waiting.append(current.task)

    def silent(self, seconds: float) -> list[str]:
        """The tasks of workers that were heard too long ago; looked for about once a second."""
        now = self._clock()
        if now - self._looked < min(_LISTEN, seconds):
            return []
        self._looked = now
        return [key for key, one in self.running.items() if now - one.heard > seconds]
