"""What a driver and its workers say to each other, and what an executor is."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeAlias, TypeVar

P = TypeVar("P")
R = TypeVar("R")
P_co = TypeVar("P_co", covariant=True)
R_co = TypeVar("R_co", covariant=True)
P_contra = TypeVar("P_contra", contravariant=True)


@dataclass(frozen=True)
class Task(Generic[P_co]):
    """Something to do once: `payload` travels to a worker (it can be pickled), `key` names it among all tasks."""

    key: str
    payload: P_co


class Tell(Protocol):
    """Sends progress from the work to the driver; each call says that the worker is alive.

    A work that takes long calls it often (each step of a training): a worker that says nothing for `silence` seconds
    is killed. A call without a message is a heartbeat alone; a worker sends at most one of these a second.
    """

    def __call__(self, message: object = None, /) -> None:
        """Send `message`, or a heartbeat."""
        ...


Work: TypeAlias = Callable[[P, Tell], R]
"""What a worker does with a payload: a function at the top of a module, or a `functools.partial` of one."""


@dataclass(frozen=True)
class Told:
    """A worker is alive, and says `message` (None: a heartbeat alone)."""

    key: str
    attempt: int
    message: object


@dataclass(frozen=True)
class Ended(Generic[R_co]):
    """The work returned `result`."""

    key: str
    attempt: int
    result: R_co


@dataclass(frozen=True)
class Failed:
    """The work itself raised `error`: it would do so again."""

    key: str
    attempt: int
    error: Exception


@dataclass(frozen=True)
class Lost:
    """The worker is gone, and its work with it; `why` completes "the worker ...": "was killed (SIGKILL)"."""

    key: str
    attempt: int
    why: str


@dataclass(frozen=True)
class GivenUp:
    """A task whose every attempt was lost; `losses` says why, in their order."""

    key: str
    attempt: int
    losses: tuple[str, ...]

    @property
    def reason(self) -> str:
        """One sentence for a record: "the worker was killed (SIGKILL) 3 times, most often for want of memory"."""
        parts = [why if n == 1 else f"{why} {n} times" for why, n in Counter(self.losses).items()]
        hint = ", most often for want of memory" if any(why.startswith("was killed") for why in self.losses) else ""
        return f"the worker {', '.join(parts)}{hint}"


Event: TypeAlias = Told | Ended[R] | Failed | Lost
Settled: TypeAlias = Ended[R] | Failed | GivenUp


class Executor(Protocol[P_contra, R_co]):
    """Workers that each do one task at a time. It retries nothing: `settle` does."""

    @property
    def slots(self) -> int:
        """How many tasks can be started now."""
        ...

    def start(self, task: Task[P_contra], attempt: int) -> None:
        """Give a task to a free worker; what comes of it, also of a payload that cannot travel, are events."""
        ...

    def listen(self, handle: Callable[[Event[R_co]], None], timeout: float) -> None:
        """Hand over the events that have come; wait for the first of them, at most `timeout` seconds."""
        ...

    def kill(self, key: str) -> None:
        """End the worker of a task at once, and hand over nothing that it sent."""
        ...

    def close(self) -> None:
        """End all workers."""
        ...
