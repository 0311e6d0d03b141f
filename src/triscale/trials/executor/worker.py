"""The process of a local worker: it takes a task from its pipe, does it, sends the outcome, and waits for the next."""

import os
import signal
import threading
import time
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from triscale.orphans import end_with, release_signals
from triscale.trials.executor.attempt import served
from triscale.trials.executor.events import Told

HEARTBEAT = 1.0
"""Seconds between two heartbeats without a message, at least."""


class Line:
    """What a work tells the driver through; several threads may."""

    def __init__(self, connection: "Connection[Any, Any]", key: str, attempt: int) -> None:
        self._connection, self._key, self._attempt = connection, key, attempt
        self._lock, self._beaten = threading.Lock(), -HEARTBEAT

    def __call__(self, message: object = None, /) -> None:
        """Send a message, or a heartbeat where there was none for a second."""
        now = time.monotonic()
        if message is None and now - self._beaten < HEARTBEAT:
            return
        with self._lock:
            self._beaten = now
            self._connection.send(Told(self._key, self._attempt, message))


def main(descriptor: int, parent: int) -> None:
    """Serve the driver `parent` until it closes the pipe or is gone; leave Ctrl-C to it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    release_signals()
    end_with(parent)
    os.set_inheritable(descriptor, False)
    connection: Connection[Any, Any] = Connection(descriptor)
    with suppress(EOFError, OSError):
        work = connection.recv_bytes()
        while True:
            _serve(connection, work)


def _serve(connection: "Connection[Any, Any]", work: bytes) -> None:
    key, number = connection.recv()
    payload = connection.recv_bytes()
    connection.send(served(work, key, number, payload, Line(connection, key, number)))
