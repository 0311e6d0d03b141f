"""One worker that is this process: no process to start, and signals are what they are without an executor."""

from collections.abc import Callable
from typing import Generic, TypeVar

from triscale.trials.executor.attempt import attempt
from triscale.trials.executor.events import Event, Failed, Task, Told, Work

P = TypeVar("P")
R = TypeVar("R")


class InlineExecutor(Generic[P, R]):
    """Do one task at a time while the driver listens. Nothing can be killed, and silence is not noticed."""

    def __init__(self, work: Work[P, R]) -> None:
        self._work = work
        self._waiting: tuple[Task[P], int] | None = None

    @property
    def slots(self) -> int:
        """1 while nothing waits."""
        return 0 if self._waiting else 1

    def start(self, task: Task[P], attempt: int) -> None:
        """Keep a task for `listen`."""
        self._waiting = task, attempt

    def listen(self, handle: Callable[[Event[R]], None], timeout: float) -> None:  # noqa: ARG002  the work takes its time
        """Do the task that waits; an error of `handle` is the driver's and passes through."""
        if self._waiting is None:
            return
        (task, number), self._waiting = self._waiting, None
        broken: list[Exception] = []

        def tell(message: object = None, /) -> None:
            try:
                handle(Told(task.key, number, message))
            except Exception as error:
                broken.append(error)
                raise

        outcome = attempt(self._work, task, number, tell)
        if broken and isinstance(outcome, Failed):
            raise broken[0]
        handle(outcome)

    def kill(self, key: str) -> None:
        """Forget a task that waits."""
        if self._waiting and self._waiting[0].key == key:
            self._waiting = None

    def close(self) -> None:
        """Forget what waits."""
        self._waiting = None
