"""Workers on this machine: processes of our own, each on a pipe, so that one that is killed disturbs no other."""

import multiprocessing
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any, Generic, TypeVar

from triscale.errors import OutOfMemoryError, TriscaleError
from triscale.orphans import signals_held
from triscale.trials.executor.attempt import importable, packed, unpackable
from triscale.trials.executor.events import Ended, Event, Executor, Failed, Lost, Task, Work
from triscale.trials.executor.inline import InlineExecutor

P = TypeVar("P")
R = TypeVar("R")

_START = (
    "import sys; at = sys.argv[1:3]; sys.path[:] = sys.argv[3:]; del sys.argv[1:]; "
    "from triscale.trials.executor.worker import main; main(int(at[0]), int(at[1]))"
)
_REAP = 5.0


def local_executor(work: Work[P, R], workers: int) -> "Executor[P, R]":
    """Run tasks on this machine: in this process for one worker, else on as many processes.

    Raises:
        InputError: workers cannot import `work`.
    """
    return InlineExecutor(work) if workers == 1 else LocalExecutor(work, workers)


class LocalExecutor(Generic[P, R]):
    """Up to `workers` processes, started when they are needed, kept for the next task, replaced when they end.

    They start afresh and import `work` (the script that is running is not run again), print to the error stream, leave
    Ctrl-C to the driver, and end when it is gone, however it went. Results are plain values: no tensors.
    """

    def __init__(self, work: Work[P, R], workers: int) -> None:
        importable(work)
        self._work, self._workers = packed(work), workers
        self._idle: list[_Worker] = []
        self._busy: dict[str, _Worker] = {}
        self._events: queue.SimpleQueue[tuple[_Worker | None, Event[R]]] = queue.SimpleQueue()

    @property
    def slots(self) -> int:
        """Workers without a task, and those that are not started yet."""
        return self._workers - len(self._busy)

    def start(self, task: Task[P], attempt: int) -> None:
        """Send a task to an idle worker or a new one.

        Raises:
            OutOfMemoryError: the system starts no further process.
        """
        try:
            payload = packed(task.payload)
        except Exception as error:  # noqa: BLE001  classes raise what they like while they are pickled
            self._events.put((None, unpackable(task, attempt, error)))
            return
        worker = self._free()
        self._busy[task.key] = worker
        worker.inbox.put((task.key, attempt, payload))

    def _free(self) -> "_Worker":
        while self._idle:
            worker = self._idle.pop()
            if worker.process.poll() is None:
                return worker
            worker.end()
        return _Worker(self._work, self._events)

    def listen(self, handle: Callable[[Event[R]], None], timeout: float) -> None:
        """Hand over what workers have sent; one that ended is found at once."""
        for worker in self._busy.values():
            worker.unblock()
        with suppress(queue.Empty):
            come = self._events.get(timeout=timeout)
            while True:
                if self._released(*come):
                    handle(come[1])
                come = self._events.get_nowait()

    def _released(self, worker: "_Worker | None", event: Event[R]) -> bool:
        """Whether an event counts: of a worker that was killed, none does. After its task a worker is idle, or gone."""
        if worker is None:
            return True
        if self._busy.get(event.key) is not worker:
            return False
        if isinstance(event, Ended | Failed):
            self._idle.append(self._busy.pop(event.key))
        elif isinstance(event, Lost):
            self._busy.pop(event.key).end()
        return True

    def kill(self, key: str) -> None:
        """Kill the process of a task; the next task gets a new one."""
        worker = self._busy.pop(key, None)
        if worker is not None:
            worker.end()

    def close(self) -> None:
        """Kill all processes."""
        for worker in (*self._idle, *self._busy.values()):
            worker.end()
        self._idle.clear()
        self._busy.clear()


class _Worker:
    """A process and the thread of this one that talks to it: a pipe that stands still holds up nobody else."""

    def __init__(self, work: bytes, events: "queue.SimpleQueue[tuple[_Worker | None, Event[Any]]]") -> None:
        here, there = multiprocessing.Pipe()
        self.process, self._connection = _process(there), here
        there.close()
        self._work, self._events = work, events
        self.inbox: queue.SimpleQueue[tuple[str, int, bytes] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._talk, daemon=True)
        self._thread.start()

    def _talk(self) -> None:
        with suppress(OSError):
            self._connection.send_bytes(self._work)
        for key, attempt, payload in iter(self.inbox.get, None):
            self._events.put((self, self._outcome(key, attempt, payload)))

    def _outcome(self, key: str, attempt: int, payload: bytes) -> Event[Any]:
        """Send a task and pass on what comes back, until it is over."""
        try:
            self._connection.send((key, attempt))
            self._connection.send_bytes(payload)
            while True:
                event: Event[Any] = self._connection.recv()
                if isinstance(event, Ended | Failed):
                    return event
                self._events.put((self, event))
        except (EOFError, OSError):
            return Lost(key, attempt, self._fate())
        except Exception as error:  # noqa: BLE001  a class of the work's that cannot be made here
            text = f"what the worker sent cannot be read: {type(error).__name__}: {error}"
            return Failed(key, attempt, TriscaleError(text))

    def _fate(self) -> str:
        try:
            code = self.process.wait(_REAP)
        except subprocess.TimeoutExpired:
            return "closed its pipe"
        return f"was killed ({signal.Signals(-code).name})" if code < 0 else f"ended with exit code {code}"

    def unblock(self) -> None:
        """Where the process has ended, end the wait for it too: a process that it forked may hold the pipe open."""
        if self.process.poll() is not None:
            with suppress(OSError), socket.socket(fileno=os.dup(self._connection.fileno())) as pipe:
                pipe.shutdown(socket.SHUT_RDWR)

    def end(self) -> None:
        """Kill the process and wait for it."""
        self.inbox.put(None)
        self.process.kill()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(_REAP)
        self.unblock()
        self._thread.join(_REAP)
        self._connection.close()


def _process(there: "Connection[Any, Any]") -> "subprocess.Popen[bytes]":
    """Start a worker at the other end of a pipe; the signals to stop wait until it knows what to do with them."""
    try:
        with signals_held():
            return subprocess.Popen(  # noqa: S603  this Python, our own module
                [sys.executable, "-c", _START, str(there.fileno()), str(os.getpid()), *sys.path],
                stdin=subprocess.DEVNULL,
                stdout=2,  # the driver's own output may be one JSON document
                pass_fds=(there.fileno(),),
            )
    except OSError as error:
        raise OutOfMemoryError(
            f"a worker process cannot be started: {error.strerror or error}. Use fewer at a time."
        ) from None
