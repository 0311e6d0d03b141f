"""Something done in a copy of this process, which ends with it."""

import os
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import TypeVar

from triscale.errors import InputError

Found = TypeVar("Found")


def in_copy(work: Callable[[], Found]) -> Found:
    """What `work` returns, done in a copy of this process; in this one where the system makes no copies.

    What it leaves on the heap is gone with the copy. The process that is copied should have run nothing in threads.

    Raises:
        InputError: that of `work`; or the copy ended before it had an answer.
    """
    if not hasattr(os, "fork"):
        return work()
    context = get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_answer, args=(sender, work), daemon=True)
    process.start()
    sender.close()
    try:
        found: Found | Exception = receiver.recv()
    except EOFError:
        found = InputError("a process that measures ended before it had an answer; was there enough memory?")
    finally:
        process.join()
        receiver.close()
    if isinstance(found, Exception):
        raise found
    return found


def _answer(sender: Connection, work: Callable[[], object]) -> None:
    try:
        answer = work()
    except InputError as error:
        answer = error
    sender.send(answer)
