"""Works that go well, fail or die, as workers import them."""
# ruff: noqa: ARG001  a work has the signature of a work

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from triscale.errors import InputError, NumericError
from triscale.trials.executor import Tell


class UnsendableError(Exception):
    """Holds what no pickle takes."""

    def __init__(self) -> None:
        super().__init__("it holds a lock")
        self.lock = threading.Lock()


class UnreadableError(Exception):
    """Is pickled, but cannot be made again: its arguments are others than those it keeps."""

    def __init__(self, left: int, right: int) -> None:
        super().__init__(f"{left} is not {right}")


class OnlyInWorkers:
    """A value that is pickled, and refuses to be made in another process than a worker."""

    def __reduce__(self) -> tuple[object, tuple[int]]:
        return only_here, (os.getpid(),)


def only_here(process: int) -> str:
    if process != os.getpid():
        raise RuntimeError("not here")
    return "here"


def double(payload: int, tell: Tell) -> int:
    tell(f"doubling {payload}")
    return 2 * payload


def who(payload: object, tell: Tell) -> int:
    return os.getpid()


def odd(payload: str, tell: Tell) -> object:
    """Do what the payload names."""
    match payload:
        case "numbers":
            raise NumericError("the loss is not finite")
        case "value":
            raise ValueError("a value")
        case "memory":
            raise MemoryError
        case "unsendable error":
            raise UnsendableError
        case "unreadable error":
            raise UnreadableError(1, 2)
        case "unsendable result":
            return threading.Lock()
        case "unreadable result":
            return OnlyInWorkers()
        case "unsendable message":
            tell(threading.Lock())
        case "exit":
            sys.exit(3)
        case "print":
            print("from a worker")
    return payload


def die(payload: Path, tell: Tell) -> int:
    """Leave a mark for each attempt, and be killed."""
    with payload.open("ab") as file:
        file.write(b"x")
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def die_twice(payload: Path, tell: Tell) -> int:
    """Be killed in the first two attempts."""
    attempts = int(payload.read_text()) + 1 if payload.exists() else 1
    payload.write_text(str(attempts))
    if attempts < 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return attempts


def die_beside_a_child(payload: object, tell: Tell) -> int:
    """Be killed while a process that was forked holds all that is open."""
    if os.fork() == 0:
        time.sleep(20)
        os._exit(0)
    tell("forked")
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def stop_once(payload: Path, tell: Tell) -> str:
    """Stand still in the first attempt, in the middle of what is sent."""
    if payload.exists():
        return "done"
    payload.touch()
    threading.Timer(0.1, lambda: os.kill(os.getpid(), signal.SIGSTOP)).start()
    while True:
        tell(b"x" * 1_000_000)


def sleep(payload: float, tell: Tell) -> float:
    tell(os.getpid())
    time.sleep(payload)
    return payload


def sleep_with_heartbeats(payload: float, tell: Tell) -> float:
    end = time.monotonic() + payload
    while time.monotonic() < end:
        tell()
        time.sleep(0.01)
    return payload


def refuse(payload: object, tell: Tell) -> None:
    raise InputError("the folder is empty")


def start_a_process(payload: object, tell: Tell) -> str:
    """A worker may have processes of its own."""
    return subprocess.run([sys.executable, "-c", "print(1)"], capture_output=True, text=True, check=True).stdout


def chosen(payload: tuple[str, object], tell: Tell) -> object:
    """Any of these by its name, so that one set of workers serves many tests."""
    name, value = payload
    work: Callable[[object, Tell], object] = globals()[name]
    return work(value, tell)
