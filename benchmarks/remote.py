"""A subject of a measurement in a process of its own: threads, and keeping freed memory, belong to a process."""

import multiprocessing
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, NamedTuple


class Prepared(NamedTuple):
    """What a subject does when asked to, what is known of it before, and what is asked at its end."""

    step: Callable[[], object]
    facts: dict[str, Any]
    end: Callable[[], Any] = lambda: None


class Remote:
    """A subject that works only when asked to.

    Args:
        prepare: called in the process with `arguments`; a function of a module, as a new process imports it.
    """

    def __init__(self, prepare: Callable[..., Prepared], *arguments: object) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, other = context.Pipe()
        self._process = context.Process(target=_serve, args=(prepare, arguments, other), daemon=False)
        self._process.start()
        other.close()
        self.facts: dict[str, Any] = self._pipe.recv()
        self.core_seconds: list[float] = []

    def start(self) -> None:
        """Begin a step."""
        self._pipe.send("step")

    def wait(self) -> None:
        """Until the step has ended."""
        self.core_seconds.append(self._pipe.recv())

    def step(self) -> None:
        """One step."""
        self.start()
        self.wait()

    def end(self) -> Any:
        """Ends the process; what its `end` said."""
        self._pipe.send("end")
        said = self._pipe.recv()
        self._process.join()
        return said


def together(remotes: list[Remote]) -> None:
    """One step of each, side by side."""
    for one in remotes:
        one.start()
    for one in remotes:
        one.wait()


def _serve(prepare: Callable[..., Prepared], arguments: tuple[object, ...], pipe: Connection) -> None:
    start = time.perf_counter()
    prepared = prepare(*arguments)
    pipe.send({"prepared": time.perf_counter() - start, **prepared.facts})
    while pipe.recv() == "step":
        start = time.process_time()
        prepared.step()
        pipe.send(time.process_time() - start)
    pipe.send(prepared.end())
