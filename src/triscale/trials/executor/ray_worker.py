"""What runs in the processes of a Ray cluster: workers, and the mailbox that carries what they tell."""

import asyncio
import os
import time
from contextlib import suppress
from typing import Any

from triscale.orphans import end_with
from triscale.trials.executor.attempt import served
from triscale.trials.executor.events import Ended, Failed, Told
from triscale.trials.executor.worker import HEARTBEAT


class Mailbox:
    """Holds what workers tell until the driver takes it."""

    def __init__(self) -> None:
        self._letters: list[Told] = []
        self._come = asyncio.Event()

    async def put(self, letter: Told) -> None:
        """Add a letter."""
        self._letters.append(letter)
        self._come.set()

    async def take(self, seconds: float) -> list[Told]:
        """All letters; waits so long for the first."""
        if not self._letters:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._come.wait(), seconds)
        letters, self._letters = self._letters, []
        self._come.clear()
        return letters


class Worker:
    """Does one task at a time."""

    def __init__(self, mailbox: Any) -> None:
        self._mailbox = mailbox
        end_with(os.getppid())  # its node: Ray lets some workers live on, which then hold the folder of their training

    def ready(self) -> None:
        """Return once the process is there."""

    def run(self, work: bytes, key: str, number: int, payload: bytes) -> Ended[Any] | Failed:
        """Do a task. Its outcome comes after all that it told."""
        post = _Post(self._mailbox, key, number)
        post()
        outcome = served(work, key, number, payload, post)
        post.flush()
        return outcome


class _Post:
    """The `Tell` of a worker."""

    def __init__(self, mailbox: Any, key: str, attempt: int) -> None:
        self._mailbox, self._key, self._attempt = mailbox, key, attempt
        self._sent: Any = None
        self._beaten = -HEARTBEAT

    def __call__(self, message: object = None, /) -> None:
        now = time.monotonic()
        if message is None and now - self._beaten < HEARTBEAT:
            return
        self._beaten = now
        self._sent = self._mailbox.put.remote(Told(self._key, self._attempt, message))

    def flush(self) -> None:
        """Wait until the last letter has arrived."""
        import ray  # noqa: PLC0415  it is here: this process is Ray's

        ray.get(self._sent)
