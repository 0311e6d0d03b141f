"""Trainings in a folder, from scratch or from a parent's weights; what is trained already is read."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.inheritance.pairs import Pair
from triscale.search.trainings.campaign import Terms
from triscale.search.trainings.shared_terms import Training
from triscale.search.trainings.work import opened
from triscale.spec import Network
from triscale.training import Inputs, Quiet, Trainer, fit
from triscale.trials import FirstWeights, TrainJob, Trial
from triscale.trials.executor import Ended, Task, Tell, local_executor, settle
from triscale.weights import load

SEED = 0


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """A training and its folder; `parent` is the checkpoint that it begins with, if it does."""

    terms: Terms
    job: TrainJob
    folder: Path
    parent: Path | None = None


class _Alive(Quiet):
    """Each step is a sign of life."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell

    def step(self, engine: Trainer) -> None:
        """Send it."""
        del engine
        self._tell()


def learn(lesson: Lesson, tell: Tell) -> Trial:
    """In a worker: the training, or what is missing of it."""
    tell()
    source = opened(lesson.terms.data, lesson.terms.policy)
    inputs = Inputs(source=source, weights=None if lesson.parent is None else load(lesson.parent))
    return fit(lesson.job, lesson.folder, lesson.terms.numerics, lesson.terms.execution, _Alive(tell), inputs=inputs)


class Trainings:
    """Trains in a folder, several at a time; what is trained already is read."""

    def __init__(self, terms: Terms, folder: Path, jobs: int, say: Callable[[str], None]) -> None:
        self._terms, self._folder, self._jobs, self._say = terms, folder, jobs, say

    def job(self, of: Network, epochs: int) -> TrainJob:
        """From scratch."""
        return self._terms.job_of(Training(of, "", SEED, epochs))

    def inherited(self, pair: Pair, epochs: int, parent: Trial) -> Lesson:
        """Of the child, from the weights of its trained parent."""
        path = self._folder / parent.key[:16] / str(parent.checkpoint)
        weights = FirstWeights(digest=load(path).digest, network=pair.parent.name, grow=True)
        return self.lesson(replace(self.job(pair.child, epochs), weights=weights), path)

    def lesson(self, job: TrainJob, parent: Path | None = None) -> Lesson:
        """A training in its own folder."""
        return Lesson(terms=self._terms, job=job, folder=self._folder / job.key[:16], parent=parent)

    def train(self, lessons: Iterable[Lesson]) -> dict[str, Trial]:
        """The trials by key."""
        waiting = list(lessons)
        executor, found = local_executor(learn, self._jobs), dict[str, Trial]()
        try:
            for settled in settle(executor, [Task(one.job.key, one) for one in waiting]):
                if not isinstance(settled, Ended):
                    raise RuntimeError(f"a training failed: {settled}")
                found[settled.key] = settled.result
                self._say(f"{len(found)} of {len(waiting)} trained")
        finally:
            executor.close()
        return found
