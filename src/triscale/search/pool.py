"""Jobs on several processes, one thread of arithmetic each: results do not depend on how many there are."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.queues import SimpleQueue
from typing import Any

from triscale.errors import OutOfMemoryError
from triscale.orphans import end_with, release_signals, signals_held
from triscale.search.jobs import Job, Workplace, run_job
from triscale.train import Epoch

OnEpoch = Callable[[Job, Epoch], None]

_place: Workplace | None = None
_events: "SimpleQueue[tuple[Job, Epoch]] | None" = None


def run_all(
    place: Workplace, jobs: Sequence[Job], workers: int, on_epoch: OnEpoch
) -> Iterator[tuple[Job, dict[str, Any]]]:
    """Yield (job, record) as jobs end. When the caller stops listening, or on an error, the other jobs are ended too.

    Raises:
        OutOfMemoryError: a worker process was killed, which is what the system does when memory runs out.
    """
    if workers == 1 or len(jobs) == 1:
        for job in jobs:
            yield job, run_job(place, job, lambda epoch, job=job: on_epoch(job, epoch))  # type: ignore[misc]
        return
    context = multiprocessing.get_context("spawn")
    events: SimpleQueue[tuple[Job, Epoch]] = context.SimpleQueue()
    pool = ProcessPoolExecutor(workers, context, _start, (place, events, os.getpid()))
    try:
        with signals_held((signal.SIGINT,)):  # the first submission starts the workers
            waiting: dict[Future[dict[str, Any]], Job] = {pool.submit(_work, job): job for job in jobs}
        while waiting:
            done, _ = wait(waiting, timeout=0.2, return_when=FIRST_COMPLETED)
            while not events.empty():
                on_epoch(*events.get())
            for future in done:
                yield waiting.pop(future), future.result()
    except BrokenProcessPool:
        raise OutOfMemoryError(
            "a worker process was killed, most often for want of memory; use fewer --workers."
        ) from None
    finally:
        for process in multiprocessing.active_children():
            process.terminate()
        pool.shutdown(wait=True, cancel_futures=True)


def _start(place: Workplace, events: "SimpleQueue[tuple[Job, Epoch]]", parent: int) -> None:
    """Set up a worker: it leaves signals to its parent, and ends when the parent is gone."""
    global _place, _events
    _place, _events = place, events
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    release_signals()
    end_with(parent)


def _work(job: Job) -> dict[str, Any]:
    if _place is None or _events is None:
        raise RuntimeError("the worker was not set up")
    events = _events
    return run_job(_place, job, lambda epoch: events.put((job, epoch)))
