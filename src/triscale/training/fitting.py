"""`fit`: the one way to train a network, from a job to a trial and a checkpoint in a folder."""

from contextlib import ExitStack, nullcontext
from dataclasses import replace
from pathlib import Path

import torch

from triscale.errors import NumericError
from triscale.nn import kept_plan, kernels_missing
from triscale.spec import ForeignNetwork
from triscale.speed_plan import SpeedPlan
from triscale.training.callbacks import Callbacks, Quiet, Warnings, introduce
from triscale.training.computing import computing, here
from triscale.training.distributed.pipeline import PipelineTrainer, engine_of
from triscale.training.distributed.processes import ALONE, World, joined
from triscale.training.engine import Trainer
from triscale.training.first import first_model
from triscale.training.inputs import Inputs
from triscale.training.learning.class_weights import class_weights
from triscale.training.learning.memory import enough_memory
from triscale.training.learning.teacher import Teacher
from triscale.training.loop import Outcome, train
from triscale.training.outcome import begun, best_of, known_in, metrics_of, now
from triscale.training.saved import Interrupted, ResumeState, forget_state
from triscale.training.supply import TrainingFeed, Validation, broken_in, feeds_of
from triscale.training.validation import Validator
from triscale.trials import Deviation, Execution, Numerics, TrainJob, Trial, TrialStore
from triscale.weights import Checkpoint, save

WEIGHTS = {"best": "best.safetensors", "last": "weights.safetensors"}
"""The checkpoint in the folder of a training, by the epoch that it keeps."""

_NUMERICS, _EXECUTION = Numerics(), Execution()


def fit(
    job: TrainJob,
    folder: Path,
    numerics: Numerics = _NUMERICS,
    execution: Execution = _EXECUTION,
    callbacks: Callbacks | None = None,
    *,
    inputs: Inputs,
    world: World = ALONE,
) -> Trial:
    """Train a network, or what is missing of its training; the same job in the same folder resumes to the same bits.

    The folder is locked, the process group joined, threads and allocator set up in here.

    Args:
        job: what decides the result.
        folder: of this training alone; it gets the store of its trial, the checkpoint, and the state to resume from.
        numerics: on what it computes; a resume under another one warns and is recorded.
        execution: how it is carried out.
        callbacks: what it calls while it runs.
        inputs: the images, weights and teacher that the job names.
        world: the processes that train together; the folder must be the same for all of them.

    Returns:
        The finished trial; its `checkpoint` lies below the folder.

    Raises:
        BusyError: another process trains in the folder.
        InputError: the folder holds another training, the data changed, or no state can be read.
        NumericError: a loss, a gradient or a weight is not finite.
        OutOfMemoryError, OutputError, StorageError: as their names say.
        Interrupted: `callbacks.stopping()` was true; the state is saved.
    """
    inputs.require(job)
    callbacks = callbacks or Quiet()
    with ExitStack() as stack:
        stack.enter_context(computing(numerics, execution))
        stack.enter_context(joined(world, torch.device(numerics.device)))
        store = stack.enter_context(TrialStore(folder) if world.first else nullcontext())
        training = _Training(job, folder, here(numerics), execution, callbacks, inputs, world, store)
        callbacks.begin()
        return training.result()


class _Training:
    """A training under way in its folder; see `fit` for the arguments, of which only the first process has a store."""

    def __init__(
        self,
        job: TrainJob,
        folder: Path,
        numerics: Numerics,
        execution: Execution,
        callbacks: Callbacks,
        inputs: Inputs,
        world: World,
        store: TrialStore | None,
    ) -> None:
        self.job, self.folder, self.execution, self.callbacks = job, folder, execution, callbacks
        self.inputs, self.world, self.store = inputs, world, store
        compiled = job.recipe.compile
        self.numerics = replace(numerics, checkpointing=execution.gradient_checkpointing if compiled else None)
        self.device = torch.device(numerics.device)
        self.preprocessing = inputs.preprocessing(job)
        self.trial = known_in(store, folder, job) or begun(job, self.device)

    def result(self) -> Trial:
        """Train what is missing, and say what came out."""
        self.world.require_agreement(
            {
                **self.job.to_dict(),
                "versions": f"triscale {self.numerics.triscale}, torch {self.numerics.torch}",
                "use of kernels": self.numerics.kernels,
                "execution": self.execution.out_of_memory,
            }
        )
        self.world.wait()  # all have read the folder before one of them writes
        finished = self.trial.state == "done"
        if not finished:
            halving = self.execution.out_of_memory == "halve"
            advice = "even in parts; use a smaller network" if halving else (
                "use --gradient-checkpointing (which resumes this training), or --batch auto with another --out"
            )  # fmt: skip
            try:
                with enough_memory(self.job.network, self.job.recipe.batch, advice):
                    self._train()
            except NumericError as error:
                self._put(replace(self.trial, state="failed", reason=str(error), failure=type(error).__name__))
                raise
        self.world.wait()
        if finished:
            self._keeper().require(self._checkpoint)
        return self.trial

    def _train(self) -> None:
        feed, validation = self._feeds()
        keeper, engine = self._keeper(), self._engine(feed.steps)
        resumed = keeper.restore(engine)
        self.world.require_agreement({"step to resume at": engine.step, "state to resume from": keeper.restored})
        self._keep_parts(engine, keeper.deviations)
        if not resumed:
            engine.take(self._plan(engine))
        self._begin(engine, keeper.deviations, resumed=resumed)
        introduce(self.callbacks, self.inputs.source, feed.left_out, engine, resumed=resumed)
        validator = Validator(engine, feed, validation, keeper.check)
        warnings, parts = Warnings(self.callbacks), engine.parts

        def after_step(engine: Trainer) -> None:
            nonlocal parts
            if engine.parts != parts:
                self._halved(engine, parts)
                parts = engine.parts
            self.callbacks.step(engine)
            keeper.after_step(engine)

        def after_epoch(engine: Trainer) -> None:
            self._keep_weights(engine, keeper)
            self._record(engine)
            warnings.epoch(engine, feed, broken_in(feed, validation))
            self.callbacks.epoch(engine)
            if engine.epoch == engine.recipe.epochs and not self.execution.forget_state:
                keeper.save(engine)
            else:
                keeper.after_step(engine)

        self.world.wait()  # all have read the state before one of them writes the next
        outcome = train(engine, feed, validator, on_step=after_step, on_epoch=after_epoch)
        self._finish(outcome, validator.right_at_end() if self.job.keep == "last" else None)

    def _feeds(self) -> tuple[TrainingFeed, Validation]:
        """Where batches come from; the first process renders images, the others find what it has rendered."""
        with self.world.main_process_first():
            return feeds_of(
                self.job, self.inputs.source, self.preprocessing, self.execution.loader_workers, self._polled,
                self.world.share, self.device if self.world.size == 1 else torch.device("cpu"),
            )  # fmt: skip

    def _polled(self, done: int, whole: int) -> None:
        """Rendering may take minutes, and nothing needs saving yet."""
        del done, whole
        if self.world.size == 1 and self.callbacks.stopping():
            raise Interrupted

    def _keeper(self) -> ResumeState:
        return ResumeState(
            self.folder, self.job.key, numerics=self.numerics, every=self.execution.save_every,
            stopping=lambda: self.world.any(self.callbacks.stopping()), tell=self.callbacks.say,
            writes=self.world.first,
        )  # fmt: skip

    def _engine(self, steps: int) -> Trainer:
        """Before its first step."""
        job, found = self.job, self.inputs.teacher
        classes = self.inputs.source.classes
        teacher = None if found is None else Teacher(found, classes, self.preprocessing, self.device)
        engine = engine_of(
            first_model(job, self.inputs, self.callbacks.say), job.recipe, steps,
            seed=job.seed, world=self.world, device=self.device, teacher=teacher,
            class_weights=class_weights(job, self.inputs.source),
            checkpointing=self.execution.gradient_checkpointing,
        )  # fmt: skip
        engine.parts = job.parts
        # Processes that average gradients must make the same steps.
        engine.halving = self.execution.out_of_memory == "halve" and self.world.size == 1
        return engine

    def _keep_parts(self, engine: Trainer, deviations: list[Deviation]) -> None:
        """A pipeline has the micro-batches that it was started with, whatever the state was made with."""
        before = engine.parts
        if (now := self.world.parts(before)) != before:
            self.callbacks.say(f"warning: batches were taken in {before} parts, from here on in {now} micro-batches.")
            text = f"{before} parts of a batch then, {now} micro-batches now"
            deviations.append(Deviation(step=engine.step, kind="parts", text=text))
            engine.parts = now

    def _plan(self, engine: Trainer) -> SpeedPlan:
        """Which kernels the parts of the model take: as given, or the fastest here, as the first process finds."""
        kinds = isinstance(engine, PipelineTrainer) or isinstance(self.job.network, ForeignNetwork)
        if not self.numerics.kernels or engine.recipe.compile or kinds:
            return SpeedPlan()
        why = kernels_missing(engine.model)
        if why:
            self.callbacks.say(f"warning: trained without compiled kernels, which is slower: {why}")
        found = self.numerics.plan or SpeedPlan()
        if self.numerics.plan is None and self.world.first:
            together = max(2, engine.recipe.batch // (engine.parts * self.world.size))
            how = (self.job.network.resolution, engine.precision, self.callbacks.say)
            found = kept_plan(engine.model, together, *how)
        plan = SpeedPlan.from_dict(self.world.broadcast(found.to_dict()))
        lacking = self.world.any(why is not None)
        return SpeedPlan() if lacking and plan.compiled else plan

    def _begin(self, engine: Trainer, deviations: list[Deviation], *, resumed: bool) -> None:
        """Write the first record, or what is not as it was; what was lost with its state is forgotten."""
        before = self.trial if resumed else begun(self.job, self.device)
        self._put(
            replace(
                before,
                state="running",
                reason=None,
                failure=None,
                numerics=before.numerics or replace(self.numerics, plan=engine.plan),
                started=before.started or now(),
                history=before.history[: len(engine.history)],
                deviations=(*before.deviations, *(one for one in deviations if one not in before.deviations)),
            )
        )

    def _halved(self, engine: Trainer, before: int) -> None:
        """Batches are taken in more parts than the job says, for want of memory: it is another training from here."""
        text = f"for want of memory a batch of {engine.recipe.batch} is taken in {engine.parts} parts"
        self.callbacks.say(text)
        one = Deviation(step=engine.step - 1, kind="parts", text=f"{before} parts of a batch then, {engine.parts} now")
        if one not in self.trial.deviations:  # a step that is made again after a crash halves again
            self._put(replace(self.trial, deviations=(*self.trial.deviations, one)))

    def _record(self, engine: Trainer) -> None:
        """The epoch that has just ended; one that is made again after a crash has its record already."""
        size = engine.recipe.size_at(engine.epoch - 1, self.job.network.resolution) if engine.recipe.grows else None
        epoch = replace(engine.history[-1], seconds=engine.seconds, resolution=size)  # the state holds no clock time
        if all(one.epoch != epoch.epoch for one in self.trial.history):
            self.trial = replace(self.trial, history=(*self.trial.history, epoch))
            if self.store is not None:
                self.store.put_epoch(self.job.key, epoch)

    def _finish(self, outcome: Outcome, right: bytes | None) -> None:
        kept = best_of(outcome.history) if self.job.keep == "best" else outcome.history[-1]
        self._put(
            replace(
                self.trial, state="done", kept_epoch=kept.epoch, metrics=metrics_of(kept, outcome), right=right,
                checkpoint=self._checkpoint, finished=now(),
            )
        )  # fmt: skip
        if self.execution.forget_state and self.world.first:
            forget_state(self.folder)

    def _put(self, trial: Trial) -> None:
        self.trial = trial
        if self.store is not None:
            self.store.put(trial)

    @property
    def _checkpoint(self) -> str:
        return WEIGHTS[self.job.keep]

    def _keep_weights(self, engine: Trainer, keeper: ResumeState) -> None:
        """Write the weights of the epoch that has just ended if they are the ones to keep so far."""
        last = engine.epoch == engine.recipe.epochs
        if not (last if self.job.keep == "last" else best_of(engine.history) is engine.history[-1]):
            return
        state = engine.gathered(engine.learned.state_dict())
        if not self.world.first:
            return
        path = self.folder / self._checkpoint
        save(path, Checkpoint(network=self.job.network, state=state, classes=self.inputs.source.classes,
                              preprocessing=self.preprocessing,
                              trained_on=self.inputs.trained_on(self.job)))  # fmt: skip
        keeper.note(self._checkpoint, path.read_bytes())
