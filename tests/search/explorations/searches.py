"""Small architecture searches: whole ones in this process, and ones whose workers compute nothing."""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.simulated import Chances, SimulatedExecutor
from triscale.costs import count
from triscale.search.explorations.architecture_search import ArchitectureSearch
from triscale.search.explorations.search_question import SearchQuestion
from triscale.search.trainings.work import Trained, TrialTask
from triscale.search.trainings.workers import LOCAL, Engine, Workers
from triscale.spec import AnyNetwork, content_hash
from triscale.training import numerics_here
from triscale.trials import VALIDATION, Epoch, Stored, Trial, read
from triscale.trials.executor import Event, Task
from triscale.trials.searches.search_records import ProposalRecord

SMALL = SearchQuestion(
    data="flowers:240", network="finenet_24@resolution=0.34", trials=6, lag=3, epochs=2, final_epochs=3, seeds=2,
    train_size=40,
)  # fmt: skip
CALM = Chances()
LONG = replace(SMALL, trials=80, lag=6)


def search(
    question: SearchQuestion = SMALL, folder: Path | None = None, *, engine: Engine = LOCAL
) -> ArchitectureSearch:
    """On one thread of the CPU, a training at a time."""
    return ArchitectureSearch(question, folder, jobs=1, numerics=numerics_here("cpu", 1), engine=engine)


def proposals(folder: Path) -> list[ProposalRecord]:
    """What a search proposed."""
    return read(folder).all(ProposalRecord)


class Enough(BaseException):
    """The driver is killed."""


def pretended(task: Task[TrialTask], attempt: int) -> Trained:
    """A trial whose accuracy is a function of its network and its length; it is stopped as a real one would be.

    Larger networks are better, and each is a little different.
    """
    del attempt
    job, floors = task.payload.job, task.payload.floors
    epochs = range(1, job.recipe.epochs + 1)
    tops = [accuracy_of(job.network, epoch, job.recipe.epochs) for epoch in epochs]
    floor = dict(zip(epochs, floors, strict=False))
    last = next((at for at in epochs if tops[at - 1] < (floor.get(at) or 0.0)), None)
    history = tuple(
        Epoch(epoch=at, samples=40 * at, train_loss=1.0, validation_top1=tops[at - 1], seconds=1.0)
        for at in epochs[:last]
    )
    if last is not None:
        return Trained(trial=Trial(job=job, state="stopped", history=history, reason="hopeless"))
    metrics = {VALIDATION: tops[-1], "seconds": 1.0}
    return Trained(trial=Trial(job=job, state="done", history=history, metrics=metrics, checkpoint="none"))


def accuracy_of(network: AnyNetwork, epoch: int, epochs: int) -> float:
    """After an epoch of a training."""
    length = epochs if epochs > 2 else ""
    own = random.Random(f"{content_hash(network)}{length}").random()
    whole = 0.3 + 0.3 * min(1.0, count(network).macs / 4e5) + 0.1 * own  # type: ignore[arg-type]
    return whole * math.sqrt(epoch / epochs)


@dataclass(frozen=True, kw_only=True)
class Pretends(Engine):
    """Workers that compute nothing, in another order each time; the driver is killed after some events."""

    slots: int = 4
    chances: Chances = CALM
    order: int = 0
    kill_after: int | None = None

    def workers(self, *asked: object, **named: object) -> Workers:
        """As `Engine.workers`."""
        del asked, named
        executor: SimulatedExecutor[TrialTask, Trained] = SimulatedExecutor(
            pretended, self.slots, self.chances, self.order
        )
        if self.kill_after is not None:
            executor.listen = _killed(executor.listen, self.kill_after)  # type: ignore[method-assign, assignment]
        return Workers(executor, shared=True)


def _killed(
    listen: Callable[[Callable[[Event[Trained]], None], float], None], after: int
) -> Callable[[Callable[[Event[Trained]], None], float], None]:
    left = after

    def counted(handle: Callable[[Event[Trained]], None], timeout: float) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise Enough
        listen(handle, timeout)

    return counted


def outcomes(stored: Stored) -> dict[str, tuple[str, float | None]]:
    """State and accuracy of each trial by its key."""
    return {one.key: (one.state, one.metrics.get(VALIDATION)) for one in stored}
