"""From trainings that a search asks for to trials in its store, whatever happens to the workers."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from triscale.data import CheckOptions, Source
from triscale.errors import BusyError, InputError, NumericError, OutOfMemoryError, TriscaleError
from triscale.files import write_atomically
from triscale.search.trainings.progress import StudyProgress
from triscale.search.trainings.shared_terms import SharedTerms, Training
from triscale.search.trainings.work import Progressed, Trained, TrialTask, absolute
from triscale.search.trainings.workers import Engine
from triscale.spec import AnyNetwork, content_hash, path_of_code
from triscale.speed_plan import SpeedPlan
from triscale.training import Inputs, TrainRequest, World, resolve
from triscale.trials import RECORDS, Execution, Numerics, Stored, TrainJob, Trial, TrialStore
from triscale.trials.executor import Ended, Event, Executor, Failed, GivenUp, Settled, Task, Told, settle

TRIALS = Path("trials")
"""Below the folder of a study: a folder for each training."""

_SAVE_SECONDS = 30.0

TUNED_FROM = 1_000
"""Steps of a training from which on a measurement of the kernels, about 30 steps long, is worth its time."""


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What all trainings of a search share.

    Attributes:
        job: of the baseline; the others differ in network, seed and epochs.
        numerics, execution: see `triscale.training.fit`.
        data, policy: what opens the images.
        images: to train on.
        shared: whether workers write into the folder of the study; else weights travel back.
    """

    job: TrainJob
    numerics: Numerics
    execution: Execution
    data: str
    policy: CheckOptions
    images: int
    shared: bool = True

    def job_of(self, training: Training) -> TrainJob:
        """What decides its result."""
        recipe = replace(self.job.recipe, epochs=training.epochs)
        return replace(self.job, network=training.network, seed=training.seed, recipe=recipe)


def terms_of(
    asked: SharedTerms,
    baseline: AnyNetwork,
    source: Source,
    policy: CheckOptions,
    numerics: Numerics,
    loader_workers: int,
    say: Callable[[str], None],
) -> Terms:
    """What all trainings of a search share; what its recipe leaves open is resolved once, which `say` hears about."""
    request = TrainRequest(
        network=baseline, data=asked.data, recipe=asked.to_recipe(), seed=asked.seed,
        split_seed=asked.seed, subset=asked.train_size, policy=policy, keep="last",
    )  # fmt: skip
    execution = Execution(loader_workers=loader_workers, save_every=_SAVE_SECONDS, forget_state=True)
    job = resolve(request, Inputs(source=source), numerics, execution, World(), say)
    return Terms(
        job=job, numerics=numerics, execution=execution, data=absolute(asked.data), policy=policy,
        images=asked.train_size or source.training_split(seed=asked.seed).training.size,
    )  # fmt: skip


def network_in(stored: Stored, id_: str, baseline: AnyNetwork) -> AnyNetwork:
    """A network of the store of a study.

    Raises:
        InputError: it names other code than the baseline, which the user named: that is not imported.
    """
    found = stored.network(id_)
    if path_of_code(found) not in (None, path_of_code(baseline)):
        raise InputError(
            f"the store names the Python code {path_of_code(found)}, which is not that of the baseline "
            f"{baseline.name}.\nThe file was changed; use another --out."
        )
    return found


class Campaign:
    """The trainings of a study.

    Args:
        store: of the study, open.
        terms: what they share.
        executor: what runs `run_trial`.
        progress: hears about them.
    """

    def __init__(
        self, store: TrialStore, terms: Terms, executor: Executor[TrialTask, Trained], progress: StudyProgress
    ) -> None:
        self._store, self._terms, self._executor, self._progress = store, terms, executor, progress
        self._warned: set[str] = set()
        self._floors: dict[str, tuple[float | None, ...]] = {}

    def key_of(self, training: Training) -> str:
        """Of its job, and so of its trial."""
        return self._terms.job_of(training).key

    def trial_of(self, training: Training) -> Trial | None:
        """What the store knows of it."""
        key = self.key_of(training)
        return self._store.trial(key) if key in self._store else None

    def is_settled(self, training: Training, *, weights: bool = True) -> bool:
        """Whether it is done, and its weights are there where they are needed, or failed as it would again."""
        trial = self.trial_of(training)
        if trial is None:
            return False
        if trial.state == "failed":
            return trial.failure == NumericError.__name__
        return trial.state == "done" and (not weights or self.checkpoint(trial).exists())

    def checkpoint(self, trial: Trial) -> Path:
        """Where its weights lie."""
        return self._store.folder / str(trial.checkpoint)

    def seconds_of(self, training: Training) -> float:
        """Of a training that is done; 0 for others."""
        trial = self.trial_of(training)
        return trial.metrics.get("seconds", 0.0) if trial else 0.0

    def train(self, trainings: Sequence[Training]) -> None:
        """Train them, the longest first so that no worker idles at the end; each becomes a trial of the store.

        Raises:
            TriscaleError: the data changed or the disk is full; a training that fails by itself is only recorded.
        """
        self.follow(trainings, tuple)

    def follow(self, trainings: Sequence[Training], more: Callable[[], Sequence[Training]]) -> None:
        """Train them, and what `more` gives; it is called each time that trainings are settled and stored.

        Args:
            trainings: to begin with, as in `train`.
            more: further trainings, none that was given before; the last of them are those after which it gives none.
        """

        def further() -> list[Task[TrialTask]]:
            return [Task(job.key, self._task(job)) for job in self._planned(more())]

        for wave in self._waves(self._planned(trainings)):
            tasks = [Task(job.key, self._task(job)) for job in wave]
            for settled in settle(self._executor, tasks, more=further, on_event=self._hear):
                trial = self._settled(settled, self._store.trial(settled.key))
                self._store.put(trial)
                self._progress.settled(trial)

    def _planned(self, trainings: Sequence[Training]) -> list[TrainJob]:
        """Their jobs, each once, and each with a trial in the store."""
        trials = {(job := self._terms.job_of(one)).key: Trial(job=job, purpose=one.purpose) for one in trainings}
        self._floors |= {key: one.floors for key, one in zip(map(self.key_of, trainings), trainings, strict=True)}
        self._store.put(*(trial for trial in trials.values() if trial.key not in self._store))
        return [trial.job for trial in trials.values()]

    def _waves(self, jobs: Sequence[TrainJob]) -> list[list[TrainJob]]:
        """One training of each network whose kernels are to be measured goes first; the others take what it found."""
        first: dict[str, TrainJob] = {}
        for job in jobs:
            if self._is_tuned(job) and self._plan(job) is None:
                first.setdefault(content_hash(job.network), job)
        early = list(first.values())
        return [some for some in (early, [job for job in jobs if job not in early]) if some]

    def _task(self, job: TrainJob) -> TrialTask:
        terms, folder = self._terms, self._store.folder / TRIALS / job.key[:16]
        if self._store.trial(job.key).state == "done":  # its weights are gone: it begins again
            (folder / RECORDS).unlink(missing_ok=True)
        numerics = replace(terms.numerics, plan=self._plan(job))
        return TrialTask(
            job=job, numerics=numerics, execution=terms.execution, data=terms.data, policy=terms.policy,
            folder=folder.resolve() if terms.shared else None, floors=self._floors[job.key],
        )  # fmt: skip

    def _is_tuned(self, job: TrainJob) -> bool:
        """Whether the training is long enough to be worth a measurement of the kernels, which are for CPUs."""
        numerics = self._terms.numerics
        return numerics.kernels and numerics.device == "cpu" and _steps(job, self._terms.images) >= TUNED_FROM

    def _plan(self, job: TrainJob) -> SpeedPlan | None:
        """The kernels of a network: measured once in a study (None: now), and only where that is worth its time."""
        if not self._is_tuned(job):
            return SpeedPlan()
        wanted = content_hash(job.network)
        for trial in self._store:
            if trial.state == "done" and content_hash(trial.network) == wanted and self._is_tuned(trial.job):
                return trial.numerics.plan if trial.numerics else None
        return None

    def _hear(self, event: Event[Trained]) -> None:
        if isinstance(event, Told) and isinstance(event.message, Progressed):
            epochs = self._store.trial(event.key).epochs
            self._progress.epoch(event.key, event.message.epoch / epochs)
        elif isinstance(event, Told) and isinstance(event.message, str) and event.message not in self._warned:
            self._warned.add(event.message)
            self._progress.say(event.message)

    def _settled(self, settled: Settled[Trained], planned: Trial) -> Trial:
        """The trial as it stands now; errors that concern all trainings are raised."""
        match settled:
            case Ended(result=result):
                trial = replace(result.trial, purpose=planned.purpose, losses=settled.attempt - 1)
                return trial if trial.checkpoint is None else self._with_weights(trial, result.weights)
            case GivenUp():
                return replace(
                    planned, state="failed", failure="Lost", reason=settled.reason, losses=len(settled.losses)
                )
            case Failed(error=NumericError() | OutOfMemoryError() | BusyError() as error):
                return replace(planned, state="failed", failure=type(error).__name__, reason=_reason(error))
            case Failed(error=TriscaleError() as error):
                raise error
            case Failed(error=error):
                return replace(planned, state="failed", failure=type(error).__name__, reason=str(error) or repr(error))
        raise AssertionError("a task ended, failed, or was given up")

    def _with_weights(self, trial: Trial, weights: bytes | None) -> Trial:
        """The trial with the path of its checkpoint below the store, where bytes that travelled are written."""
        path = TRIALS / trial.key[:16] / str(trial.checkpoint)
        if weights is not None:
            (self._store.folder / path).parent.mkdir(parents=True, exist_ok=True)
            write_atomically(self._store.folder / path, weights)
        return replace(trial, checkpoint=str(path))


@contextmanager
def open_campaign(
    store: TrialStore, terms: Terms, engine: Engine, jobs: int, data: str, progress: StudyProgress
) -> Iterator[Campaign]:
    """A campaign on workers that are started here, and end with it.

    Args:
        store: of the search, open.
        terms: what its trainings share, but for whether workers share its folder.
        engine: what runs them.
        jobs: trainings at a time.
        data: what opens the images.
        progress: hears about them.
    """
    workers = engine.workers(jobs, terms.numerics.threads, data, store.folder, progress.say)
    try:
        yield Campaign(store, replace(terms, shared=workers.shared), workers.executor, progress)
    finally:
        workers.executor.close()


def _reason(error: NumericError | OutOfMemoryError | BusyError) -> str:
    """Its words; want of memory has the advice of a search, which trains several networks at a time."""
    if not isinstance(error, OutOfMemoryError):
        return str(error)
    return f"{str(error).partition(';')[0].rstrip('.')}; train fewer at a time (--jobs)."


def _steps(job: TrainJob, images: int) -> int:
    return job.recipe.epochs * (images // job.recipe.batch)
