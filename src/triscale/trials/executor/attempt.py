"""One attempt at a task inside a worker: what may be sent there, and in what form its errors come back."""

import traceback
from collections.abc import Callable
from functools import partial
from multiprocessing.reduction import ForkingPickler
from typing import Any, TypeVar

from triscale.errors import InputError, OutOfMemoryError, TriscaleError
from triscale.trials.executor.events import Ended, Failed, Task, Tell, Work

P = TypeVar("P")
R = TypeVar("R")


def importable(work: Callable[..., object]) -> None:
    """Make sure that a worker, which is another process, finds a function by its name.

    Raises:
        InputError: it is defined in a notebook or a script (`__main__`), inside another function, or is a lambda.
    """
    function = work.func if isinstance(work, partial) else work
    module, name = getattr(function, "__module__", None), getattr(function, "__qualname__", repr(function))
    if module == "__main__":
        raise InputError(
            f"{name} is defined in a notebook or a script, where worker processes cannot import it.\n"
            f"Move it into a file beside it, such as my_work.py, and write: from my_work import {name}"
        )
    if module is None or "<" in name:
        raise InputError(
            f"{name} is not at the top of a module, so worker processes cannot import it.\n"
            "Define it by `def` at the top of a file, and give its values by functools.partial."
        )


def attempt(work: Work[P, R], task: Task[P], number: int, tell: Tell) -> Ended[R] | Failed:
    """Do a task; whatever the work raises comes back as a value."""
    try:
        return Ended(task.key, number, work(task.payload, tell))
    except MemoryError:
        return Failed(task.key, number, OutOfMemoryError("there was no memory left in the worker process."))
    except Exception as error:  # noqa: BLE001  the work is the caller's, and so are its errors
        return Failed(task.key, number, error)


def packed(value: object) -> bytes:
    """A value as it travels to a worker; whatever its classes raise where it cannot."""
    return bytes(ForkingPickler.dumps(value))


def served(work: bytes, key: str, number: int, payload: bytes, tell: Tell) -> Ended[Any] | Failed:
    """In a worker: unpack work and payload, do it, and return what can be sent back."""
    try:
        function: Work[Any, Any] = ForkingPickler.loads(work)
        task = Task(key, ForkingPickler.loads(payload))
    except Exception as error:  # noqa: BLE001  importing what is another's raises anything
        text = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        return Failed(key, number, InputError(f"a worker process cannot load its task: {text}"))
    return sendable(attempt(function, task, number, tell))


def unpackable(task: Task[Any], number: int, error: Exception) -> Failed:
    """What becomes of a task whose payload cannot be packed."""
    text = " ".join(str(error).split())[:200]
    return Failed(task.key, number, TriscaleError(f"the task {task.key} cannot be sent to a worker: {text}"))


def sendable(outcome: Ended[R] | Failed) -> Ended[R] | Failed:
    """The outcome as it can travel: a failure in place of a result that cannot, words in place of such an error.

    An error that is not a mistake of the user carries the traceback of the worker as a note.
    """
    if isinstance(outcome, Ended):
        reason = _unsendable(outcome.result)
        if reason is None:
            return outcome
        kind = type(outcome.result).__name__
        return Failed(
            outcome.key, outcome.attempt, TriscaleError(f"the result, a {kind}, cannot leave the worker: {reason}")
        )
    error = outcome.error
    text = "".join(traceback.format_exception(error)).rstrip()
    if _unsendable(error) is not None:
        error = TriscaleError(f"{type(error).__name__}: {error}")
    if not isinstance(outcome.error, TriscaleError):
        error.add_note(f"in a worker process:\n{text}")
    return Failed(outcome.key, outcome.attempt, error.with_traceback(None))


def _unsendable(value: object) -> str | None:
    """Why a value does not survive the way to another process; None where it does."""
    try:
        ForkingPickler.loads(ForkingPickler.dumps(value))
    except Exception as error:  # noqa: BLE001  classes raise what they like while they are pickled
        return " ".join(str(error).split())[:200]
    return None
