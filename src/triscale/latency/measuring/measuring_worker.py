"""The process in which networks run: pinned to its cores before anything is loaded, silent between requests."""

import gc
import json
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from time import perf_counter, perf_counter_ns, process_time_ns
from typing import Any

import msgspec

from triscale.costs import parse_target
from triscale.engines import Floats, Opened, engine_named
from triscale.errors import InputError
from triscale.latency.measuring.messages import (
    Answer,
    Load,
    Loaded,
    Multiply,
    Rejected,
    Request,
    Step,
    Timed,
    Weigh,
    Weighed,
)
from triscale.latency.measuring.reference import multiply_on
from triscale.latency.measuring.resident import peak_bytes, resident_bytes
from triscale.machine import pin
from triscale.orphans import end_with, release_signals
from triscale.spec import any_from_document

VISIT_MS, FEWEST, MOST = 60.0, 3, 12
"""A visit runs a network for about so long, in so many timed runs; a run of half a second or more is timed once."""


def main(descriptor: int, parent: int, cores: str) -> None:
    """Serve the process `parent` until it closes the pipe or is gone; leave Ctrl-C to it."""
    numbers = tuple(int(core) for core in cores.split(","))
    pin(numbers)  # threads that are started from now on inherit it
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    release_signals()
    end_with(parent)
    os.set_inheritable(descriptor, False)
    connection: Connection[Any, Any] = Connection(descriptor)
    worker = Worker(numbers)
    requests = msgspec.json.Decoder(Request)
    with suppress(EOFError, OSError):
        while True:
            answer = worker.answered(requests.decode(connection.recv_bytes()))
            connection.send_bytes(msgspec.json.encode(answer))


class Worker:
    """The networks that are open in this process."""

    def __init__(self, cores: tuple[int, ...]) -> None:
        self._cores = cores
        self._open: dict[int, tuple[Opened, Floats]] = {}
        self._before: int | None = None

    def answered(self, request: Request) -> Answer:
        """Do what is requested."""
        try:
            match request:
                case Load():
                    return self._load(request)
                case Step():
                    opened, images = self._open[request.key]
                    return timed(opened.run, images)
                case Multiply():
                    return multiply_on(self._cores)
                case Weigh():
                    return Weighed(before=self._before, now=resident_bytes(), peak=peak_bytes())
        except (InputError, MemoryError) as error:
            return Rejected(message=str(error) or "not enough memory")

    def _load(self, request: Load) -> Loaded:
        import numpy as np  # noqa: PLC0415  the process is pinned before its threads are made

        network, target = any_from_document(json.loads(request.network)), parse_target(request.target)
        engine = engine_named(target.runtime)
        engine.imported()
        if not self._open:
            self._before = resident_bytes()
        start = perf_counter()
        opened = engine.open(network, target) if request.file is None else engine.open_file(Path(request.file), target)
        seconds = perf_counter() - start
        size = (target.batch, network.input_channels, *network.resolution)
        images = np.random.default_rng(0).standard_normal(size, dtype=np.float32)
        self._open[request.key] = (opened, images)
        return Loaded(seconds=seconds, file_size=opened.file_size, version=engine.version())


def timed(run: Callable[[Floats], object], images: Floats) -> Timed:
    """Run a network once or twice untimed, which brings its weights into the caches, then some times.

    Two clocks are read around each run: the wall's and the processor's, in all threads of the process.
    """
    gc.collect()
    gc.disable()
    try:
        wall, cpu = [], []
        for _ in range(_runs(run, images)):
            worked, start = process_time_ns(), perf_counter_ns()
            run(images)
            wall.append((perf_counter_ns() - start) / 1e6)
            cpu.append((process_time_ns() - worked) / 1e6)
    finally:
        gc.enable()
    return Timed(wall=wall, cpu=cpu)


def _runs(run: Callable[[Floats], object], images: Floats) -> int:
    """How many runs a visit times, by the time of untimed ones: of the second where the first is short."""
    for _ in range(2):
        start = perf_counter_ns()
        run(images)
        once = (perf_counter_ns() - start) / 1e6
        if once > VISIT_MS * 8:
            return 1
    return max(FEWEST, min(MOST, round(VISIT_MS / max(once, 1e-3))))
