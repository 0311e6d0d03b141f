"""Networks that are measured side by side: open in workers, one for each engine and number of threads."""

import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from triscale.costs import Target
from triscale.engine_memory import engine_memory
from triscale.errors import InputError
from triscale.latency.measuring.measurement import Opening, Visit
from triscale.latency.measuring.messages import Load, Loaded, Multiply, Step, Timed, Weigh, Weighed
from triscale.latency.measuring.pinned_process import PinnedProcess
from triscale.latency.measuring.quiet import Reading
from triscale.spec import AnyNetwork, ForeignNetwork, to_document

_WEIGHED_STEPS = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """What is measured: a network on a target.

    Attributes:
        network: its name and the shape of its images, and what an engine without files opens.
        target: where.
        file: that the engine opens; None: it is still to be written with random weights, where the engine reads files.
    """

    network: AnyNetwork
    target: Target
    file: Path | None = None

    def load(self, key: int) -> Load:
        """The request to open it."""
        file = None if self.file is None else str(self.file)
        return Load(key=key, network=json.dumps(to_document(self.network)), target=str(self.target), file=file)


class LoadedGroup:
    """Subjects, open on the same cores; they run one at a time.

    Args:
        subjects: at least one.
        cores: the first ones are used, as many as a subject has threads.
        environment: of the workers, beside that of this process.

    Raises:
        InputError: an engine rejects a network, or a worker ended.
    """

    def __init__(self, subjects: Sequence[Subject], cores: tuple[int, ...], environment: Mapping[str, str]) -> None:
        self._stack = ExitStack()
        self._workers: dict[tuple[str, int], PinnedProcess] = {}
        most = max(subject.target.threads for subject in subjects)
        try:
            self._reference = self._stack.enter_context(PinnedProcess(cores[:most], {"OPENBLAS_NUM_THREADS": "1"}))
            self._owners = [self._worker(one.target, cores, environment) for one in subjects]
            for key, (owner, subject) in enumerate(zip(self._owners, subjects, strict=True)):
                owner.ask(subject.load(key), Loaded)
        except BaseException:
            self._stack.close()
            raise

    def _worker(self, target: Target, cores: tuple[int, ...], environment: Mapping[str, str]) -> PinnedProcess:
        at = (target.runtime, target.threads)
        if at not in self._workers:
            self._workers[at] = self._stack.enter_context(PinnedProcess(cores[: target.threads], environment))
        return self._workers[at]

    def visit(self, number: int) -> Visit:
        """Run a subject some times."""
        found = self._owners[number].ask(Step(key=number), Timed)
        return Visit(wall=tuple(found.wall), cpu=tuple(found.cpu))

    def reading(self) -> Reading:
        """Run the reference on each core; the slowest counts."""
        found = self._reference.ask(Multiply(), Timed)
        return Reading(wall=max(found.wall), cpu=max(found.cpu))

    def __enter__(self) -> "LoadedGroup":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End all processes."""
        self._stack.close()


def opening_of(subject: Subject, cores: tuple[int, ...], environment: Mapping[str, str]) -> Opening:
    """Load one subject alone in a new process, run it, and say what that took.

    Raises:
        InputError: the engine rejects the network, or the process ended.
    """
    with PinnedProcess(cores[: subject.target.threads], environment) as worker:
        loaded = worker.ask(subject.load(0), Loaded)
        for _ in range(_WEIGHED_STEPS):
            worker.ask(Step(key=0), Timed)
        weighed = worker.ask(Weigh(), Weighed)
    return Opening(
        seconds=loaded.seconds,
        file_size=loaded.file_size,
        version=loaded.version,
        memory_before=weighed.before,
        counted_growth=_counted(subject),
        resident_memory=weighed.now,
        peak_memory=weighed.peak,
    )


def _counted(subject: Subject) -> int | None:
    if isinstance(subject.network, ForeignNetwork):
        return None
    try:
        return engine_memory(subject.network, subject.target)
    except InputError:  # nothing is known of this engine
        return None
