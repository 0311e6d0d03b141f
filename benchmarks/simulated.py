"""An executor without processes, on a clock of its own: workers die, stand still, fail, and send twice or late."""

import heapq
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from random import Random
from typing import Generic, TypeVar

from triscale.trials.executor import Ended, Event, Failed, Lost, Task, Told

P = TypeVar("P")
R = TypeVar("R")


@dataclass(frozen=True)
class Chances:
    """How likely each fate of an attempt is; what is left ends well."""

    die: float = 0.0
    stand_still: float = 0.0
    fail: float = 0.0
    twice: float = 0.0
    """Of a result, that it is sent again later."""


class SimulatedExecutor(Generic[P, R]):
    """Workers that compute nothing: an attempt takes 0.5 to 1.5 seconds, drawn.

    An attempt that stands still sends its result late, perhaps after it was killed, as a machine that was cut off.

    Args:
        result: what an attempt at a task returns.
        workers: how many there are.
        chances: of each fate.
        seed: of the draws.
        real: seconds are those of the world, and pass while the driver is busy; else they pass only while it listens.
    """

    def __init__(
        self, result: Callable[[Task[P], int], R], workers: int, chances: Chances, seed: int, *, real: bool = False
    ) -> None:
        self._result, self._workers, self._chances = result, workers, chances
        self._random = Random(seed)
        self._coming: list[tuple[float, int, Event[R]]] = []
        self._numbers, self._busy = count(), dict[str, int]()
        self.now, self.starts = 0.0, dict[str, int]()
        self._began = time.monotonic() if real else None

    def clock(self) -> float:
        """Seconds since the beginning."""
        if self._began is not None:
            self.now = time.monotonic() - self._began
        return self.now

    @property
    def slots(self) -> int:
        """Workers without a task."""
        return self._workers - len(self._busy)

    def start(self, task: Task[P], attempt: int) -> None:
        """Draw what will come of an attempt, and when."""
        if self.slots < 1 or task.key in self._busy:
            raise RuntimeError(f"{task.key} was started without a free worker, or while it runs")
        self._busy[task.key] = attempt
        self.starts[task.key] = self.starts.get(task.key, 0) + 1
        end, draw, chances = self._random.uniform(0.5, 1.5), self._random.random(), self._chances
        self._send(end / 2, Told(task.key, attempt, "half"))
        if draw < chances.die:
            self._send(end, Lost(task.key, attempt, "was killed (SIGKILL)"))
        elif draw < chances.die + chances.fail:
            self._send(end, Failed(task.key, attempt, ArithmeticError(task.key)))
        else:
            still = draw < chances.die + chances.fail + chances.stand_still
            late = self._random.uniform(4.0, 30.0) if still else 0.0
            self._send(end + late, Ended(task.key, attempt, self._result(task, attempt)))
            if self._random.random() < chances.twice:
                again = self._random.uniform(0.0, 3.0)
                self._send(end + late + again, Ended(task.key, attempt, self._result(task, attempt)))

    def _send(self, after: float, event: Event[R]) -> None:
        heapq.heappush(self._coming, (self.clock() + after, next(self._numbers), event))

    def listen(self, handle: Callable[[Event[R]], None], timeout: float) -> None:
        """Wait for the next event, at most `timeout`, and hand over all that have come by then."""
        until = self._coming[0][0] if self._coming else self.clock() + timeout
        wait = max(0.0, min(until - self.clock(), timeout))
        if self._began is None:
            self.now += wait
        else:
            time.sleep(wait)
        self.clock()
        while self._coming and self._coming[0][0] <= self.now:
            _, _, event = heapq.heappop(self._coming)
            if not isinstance(event, Told) and self._busy.get(event.key) == event.attempt:
                del self._busy[event.key]
            handle(event)

    def kill(self, key: str) -> None:
        """Free a worker; what it sent already still comes."""
        self._busy.pop(key, None)

    def close(self) -> None:
        """Free all workers."""
        self._busy.clear()
