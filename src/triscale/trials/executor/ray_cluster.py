"""Workers on a Ray cluster: an actor for each place of a node, which Ray never restarts."""

import math
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from triscale.errors import StorageError, TriscaleError
from triscale.trials.executor.attempt import importable, packed, unpackable
from triscale.trials.executor.events import Ended, Event, Failed, Lost, Task, Told, Work
from triscale.trials.executor.ray_connect import connect, pinned, ray_module
from triscale.trials.executor.ray_nodes import Node
from triscale.trials.executor.ray_team import Team
from triscale.trials.executor.ray_worker import Mailbox, Worker

P = TypeVar("P")
R = TypeVar("R")

_TAKE, _LOOK, _PATIENCE = 0.25, 5.0, 600.0


@dataclass(frozen=True, kw_only=True)
class Place:
    """What one worker of a cluster has.

    Attributes:
        cores: of the processor, by Ray's count.
        gpus: may be a fraction.
        workers: how many there are at most, on all nodes; None: as many as fit.
    """

    cores: float = 1
    gpus: float = 0
    workers: int | None = None


class RayExecutor(Generic[P, R]):
    """Workers on the nodes of a cluster that have the driver's versions and its data.

    Ray retries nothing: a worker that dies, or whose node does, is a `Lost` event, and another takes its place. Nodes
    that come later are used as they come. Results return through the object store.

    Args:
        work: what workers do; every node can import it.
        address: see `ray_connect.connect`.
        place: what a worker has.
        paths: what every node needs, such as the data set; absolute.
        ship: carry those to nodes that lack them, instead of rejecting the nodes.
        folder: where the driver writes.
        notice: called with each node that is rejected, and why.

    Attributes:
        rejected: the reason for each rejected node, by its name.
        shared: whether every node sees `folder`; else what workers make has to be in their results.

    Raises:
        InputError: Ray is not installed, the cluster does not answer, workers cannot import `work`, or no node is fit.
    """

    def __init__(
        self,
        work: Work[P, R],
        address: str = "local",
        place: Place = Place(),
        *,
        paths: Sequence[Path] = (),
        ship: bool = False,
        folder: Path | None = None,
        notice: Callable[[str], None] = lambda text: None,  # noqa: ARG005
    ) -> None:
        importable(work)
        self._work, self._address, self._place = packed(work), address, place
        self._ours = connect(address, cores=place.workers and math.ceil(place.workers * place.cores))
        ray = ray_module()
        self._crew = _Crew(place)
        self._mailbox: Any = None
        try:
            self._team = Team(address, paths, ship=ship, notice=notice)
            self.shared = folder is not None and self._team.shares(folder)
            here = pinned(ray.get_runtime_context().get_node_id(), soft=True)
            self._mailbox = ray.remote(num_cpus=0, max_restarts=0, scheduling_strategy=here)(Mailbox).remote()
        except BaseException:
            self.close()
            raise
        self._letters: Any = None
        self._failures: list[Failed] = []
        self._looked, self._idle_since = -_LOOK, time.monotonic()

    @property
    def rejected(self) -> dict[str, str]:
        """The reason for each rejected node, by its name."""
        return dict(self._team.rejected)

    @property
    def places(self) -> int:
        """Workers that fit on the nodes that are there now, at most those that are wanted."""
        fit = sum(node.rooms(self._place.cores, self._place.gpus) for node in self._team.accepted())
        return fit if self._place.workers is None else min(fit, self._place.workers)

    @property
    def slots(self) -> int:
        """Workers that have started and have no task."""
        return len(self._crew.idle)

    def start(self, task: Task[P], attempt: int) -> None:
        """Send a task to an idle worker."""
        try:
            payload = packed(task.payload)
        except Exception as error:  # noqa: BLE001  classes raise what they like while they are pickled
            self._failures.append(unpackable(task, attempt, error))
            return
        worker = self._crew.idle.pop(0)
        ref = worker.actor.run.remote(self._work, task.key, attempt, payload)
        self._crew.busy[ref] = _Run(worker, task.key, attempt)

    def listen(self, handle: Callable[[Event[R]], None], timeout: float) -> None:
        """Take what workers told and what tasks ended in; look after nodes and workers now and then.

        Raises:
            StorageError: the cluster is gone, or none of its workers has started for ten minutes.
        """
        ray = ray_module()
        try:
            self._look_after()
            self._letters = self._letters or self._mailbox.take.remote(_TAKE)
            refs = [*self._crew.busy, *self._crew.starting, self._letters]
            ray.wait(refs, num_returns=1, timeout=timeout)
            done, _ = ray.wait(refs, num_returns=len(refs), timeout=0)
            over = any(ref in self._crew.busy for ref in done)
            told = self._told(over=over) if over or self._letters in done else []
        except ray.exceptions.RayError as error:
            raise StorageError(
                f"the Ray cluster at {self._address} is gone: {str(error).splitlines()[0]}\n"
                "Start it again; the same command resumes."
            ) from None
        events = [*told, *self._failures, *self._crew.events(done)]
        self._failures = []
        if any(isinstance(event, Lost) for event in events):
            self._looked = -_LOOK
        for event in events:
            handle(event)

    def _told(self, *, over: bool) -> list[Told]:
        """What has come of attempts that run; where one is over, all that it told before."""
        ray = ray_module()
        letters: list[Told] = ray.get(self._letters)
        self._letters = None
        if over:  # the letters that were on their way may have left before its last
            letters = [*letters, *ray.get(self._mailbox.take.remote(0))]
        running = {(run.key, run.attempt) for run in self._crew.busy.values()}
        return [letter for letter in letters if (letter.key, letter.attempt) in running]

    def _look_after(self) -> None:
        now = time.monotonic()
        if now - self._looked < _LOOK:
            return
        self._looked = now
        self._crew.recruit(self._team.accepted(), self._mailbox)
        if self._crew.idle or self._crew.busy:
            self._idle_since = now
        elif now - self._idle_since > _PATIENCE:
            raise StorageError(
                f"no worker of the Ray cluster at {self._address} has started for {_PATIENCE:g} s.\n"
                "Look at `ray status`; the same command resumes."
            )

    def kill(self, key: str) -> None:
        """Kill the worker of a task, wherever it is; Ray ends its process even where it stands still."""
        for ref, run in list(self._crew.busy.items()):
            if run.key == key:
                del self._crew.busy[ref]
                ray_module().kill(run.worker.actor)
                self._looked = -_LOOK

    def close(self) -> None:
        """End all workers; leave the cluster, and end it if it was started here."""
        ray = ray_module()
        actors = [worker.actor for worker in self._crew.all()] + ([self._mailbox] if self._mailbox is not None else [])
        for actor in actors:
            with suppress(ray.exceptions.RayError, RuntimeError, ValueError):  # a cluster that is gone
                ray.kill(actor)
        self._crew, self._mailbox = _Crew(self._place), None
        if self._ours:
            ray.shutdown()


@dataclass(frozen=True)
class _Hand:
    """A worker and the node that it is on."""

    actor: Any
    node: Node


@dataclass(frozen=True)
class _Run:
    """A task on a worker."""

    worker: _Hand
    key: str
    attempt: int


@dataclass
class _Crew:
    """All workers: on their way (by the reference that is ready with them), idle, and busy (by that of their task)."""

    place: Place
    starting: dict[Any, _Hand] = field(default_factory=dict)
    idle: list[_Hand] = field(default_factory=list)
    busy: dict[Any, _Run] = field(default_factory=dict)

    def all(self) -> list[_Hand]:
        return [*self.starting.values(), *self.idle, *(run.worker for run in self.busy.values())]

    def recruit(self, nodes: Sequence[Node], mailbox: Any) -> None:
        """Fill the places of the nodes; forget idle workers of nodes that are gone."""
        here = {node.id for node in nodes}
        self.idle = [worker for worker in self.idle if worker.node.id in here]
        for node in nodes:
            have = sum(worker.node.id == node.id for worker in self.all())
            for _ in range(node.rooms(self.place.cores, self.place.gpus) - have):
                if self.place.workers is not None and len(self.all()) >= self.place.workers:
                    return
                made = self._hire(node, mailbox)
                self.starting[made.ready.remote()] = _Hand(made, node)

    def _hire(self, node: Node, mailbox: Any) -> Any:
        options = {"num_cpus": self.place.cores, "num_gpus": self.place.gpus, "max_restarts": 0, "max_task_retries": 0}
        return ray_module().remote(**options, scheduling_strategy=pinned(node.id))(Worker).remote(mailbox)

    def events(self, done: Sequence[Any]) -> list[Event[Any]]:
        """What the references that are done mean."""
        found = []
        for ref in done:
            if ref in self.starting:
                worker = self.starting.pop(ref)
                if not isinstance(_got(ref, worker.node), str):
                    self.idle.append(worker)
            elif ref in self.busy:
                found.append(self._over(ref))
        return found

    def _over(self, ref: Any) -> Event[Any]:
        run = self.busy.pop(ref)
        outcome = _got(ref, run.worker.node)
        if isinstance(outcome, str):
            return Lost(run.key, run.attempt, outcome)
        self.idle.append(run.worker)
        if isinstance(outcome, Ended | Failed):
            return outcome
        return Failed(run.key, run.attempt, TriscaleError(f"what the worker sent cannot be read: {outcome}"))


def _got(ref: Any, node: Node) -> object:
    """What a reference holds; in words why its worker is lost; an error of reading it."""
    ray = ray_module()
    try:
        return ray.get(ref)
    except ray.exceptions.RayTaskError as error:
        return error
    except ray.exceptions.RayError as error:
        died = "node" if "node" in type(error).__name__.lower() or "node has died" in str(error).lower() else ""
        return f"was lost with its node {node.name}" if died else f"was killed on {node.name}"
    except Exception as error:  # noqa: BLE001  a class of the work's that cannot be made here
        return error
