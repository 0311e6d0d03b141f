"""A training in its folder: what was asked, records, `best.safetensors`, and the state from which it goes on."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from torch import nn

from triscale._version import __version__
from triscale.data import open_data
from triscale.data.photos import BrokenPictureError
from triscale.evaluate import count_correct
from triscale.nn import Plan, kept_plan, kernels_missing, native
from triscale.spec import Preprocessing
from triscale.train.class_weights import class_weights
from triscale.train.engine import Engine, Epoch
from triscale.train.identity import Asked, Known, contents_of, identity_of, refuse_another, rule_in, trained_on
from triscale.train.log import RECORDS, Log, now
from triscale.train.loop import train
from triscale.train.memory import enough_memory, forecast_parts, forecast_text
from triscale.train.norms import PRECISE, REASONS, chosen, take_precise
from triscale.train.pipeline import PipelineEngine, engine_of
from triscale.train.precision import NO_INSTRUCTIONS, slow_bfloat16
from triscale.train.recipe import Precision, Recipe
from triscale.train.saved import Interrupted, Keeper
from triscale.train.start import first_model, preprocessing_of, refuse_unfit
from triscale.train.supply import TrainingFeed, Validation, broken_in, feeds_of, grown_up
from triscale.train.teacher import Teacher
from triscale.train.watch import Warnings, Watch
from triscale.train.world import ALONE, World
from triscale.trained_on import TrainedOn
from triscale.weights import Checkpoint, save, write_atomically

RUN, BEST = "run.json", "best.safetensors"
_EVAL_BATCH = 256
_CHECKS = 3
"""How often the pictures of a new training are checked, if some break meanwhile."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """What a finished training gave: the best epoch by validation, and where its weights lie."""

    folder: Path
    epochs: int
    best_epoch: int
    val_top1: float
    checkpoint: Path


class Run:
    """A training in a folder that is held by `triscale.lock.locked`.

    Args:
        asked: what is trained.
        folder: its own; the same question again goes on there.
        device: where torch computes.
        workers: how many make batches ahead.
        save_every: seconds between two saves of the state; it is also saved at the end, and on being stopped.
        split_for_memory: split batches into as many parts as memory asks for; the batch stays what it is.
        stopping: whether the training was asked to stop.
        watch: told what goes on.
        kernels: use compiled kernels for the parts of the network that a short measurement finds faster with them here.
        world: the processes that train together; the folder must be the same for all of them.
    """

    def __init__(
        self,
        asked: Asked,
        folder: Path,
        *,
        watch: Watch,
        device: torch.device | str = "cpu",
        workers: int = 1,
        save_every: float = 60.0,
        split_for_memory: bool = False,
        stopping: Callable[[], bool] = lambda: False,
        kernels: bool = True,
        world: World = ALONE,
    ) -> None:
        self.kernels = kernels
        self.folder, self.watch, self.device, self.world = folder, watch, torch.device(device), world
        self.workers, self.save_every, self._stopping = workers, save_every, stopping
        self.split_for_memory = split_for_memory
        self._warnings = Warnings(watch)
        self.log = Log(folder / RECORDS, writes=world.first)
        self.asked = asked
        self._open()

    def _open(self) -> None:
        """Check the data; the network gets as many classes as they have."""
        policy = replace(self.asked.policy, split=rule_in(self.folder / RUN, self.asked.policy.split))
        self.source = open_data(self.asked.data, policy=policy)
        self.asked = replace(self.asked, network=replace(self.asked.network, classes=len(self.source.classes)))
        refuse_unfit(self.asked, self.source.classes)
        for known in ("identity", "trained_on"):
            self.__dict__.pop(known, None)

    def result(self) -> Result:
        """Train what is missing, and say what came out.

        Raises:
            InputError: the folder holds another training, the data changed, or no state can be read.
            NumericError: a loss is not finite.
            OutOfMemoryError, OutputError, StorageError: as their names say.
            Interrupted: it was asked to stop, and has saved.
        """
        self._begin()
        finished = bool(self.log.told("result"))
        self.world.wait()  # before one of them writes
        if not finished:
            advice = "even in parts; use a smaller network" if self.split_for_memory else "use --batch auto"
            with enough_memory(self.asked.network, self.asked.recipe.batch, advice):
                self._train()
        self.world.wait()
        if finished:
            self._keeper().require(BEST)
        found = self.log.told("result")[-1]
        return Result(
            folder=self.folder,
            epochs=found["epochs"],
            best_epoch=found["epoch"],
            val_top1=found["val_top1"],
            checkpoint=self.folder / BEST,
        )

    def stopping(self) -> bool:
        """Whether one of the processes was asked to stop."""
        return self.world.any(self._stopping())

    @cached_property
    def identity(self) -> dict[str, Any]:
        """What makes this training this training, for `run.json`."""
        return identity_of(self.asked, self.source)

    @cached_property
    def trained_on(self) -> TrainedOn:
        """What it uses of its data, for its checkpoint."""
        return trained_on(self.source, seed=self.asked.seed, earlier=(self.asked.weights, self.asked.teacher))

    def _begin(self) -> None:
        """Refuse a folder that holds another training."""
        self.world.require_agreement(
            {
                **self.identity,
                **self.world.terms,
                "use of kernels": self.kernels,
                "way to split batches": self.split_for_memory,
                "triscale": __version__,
                "torch": str(torch.__version__),
            }
        )
        if (self.folder / RUN).exists():
            refuse_another(self.folder / RUN, Known(self.identity, contents_of(self.source)))

    def _train(self) -> None:
        feed, validation = self._feeds()
        keeper = self._keeper()
        engine = self._engine(feed.steps)
        going_on = keeper.restore(engine)
        self.world.require_agreement({"step to go on from": engine.step, "state to go on from": keeper.restored})
        self._keep_parts(engine)
        if not going_on:
            engine.take(self._plan(engine))
        self._warn_of_slow_bfloat16(engine)
        self._introduce(feed, engine, going_on=going_on)

        def evaluate(model: nn.Module) -> float:
            if engine.recipe.norms == "precise":
                some = -(-PRECISE // engine.recipe.batch)
                whole = grown_up(feed)
                take_precise(model, islice(whole.batches(engine.epoch, max(0, feed.steps - some)), some))
                self.world.average_statistics(model)
            at_once = max(2, min(_EVAL_BATCH, engine.recipe.batch // engine.parts)) if engine.parts > 1 else _EVAL_BATCH
            return self._top1(model, validation(at_once), lambda: keeper.check(engine))

        parts = engine.parts

        def after_step(engine: Engine) -> None:
            nonlocal parts
            if engine.parts != parts:
                parts = engine.parts
                self.watch.say(f"for want of memory a batch of {engine.recipe.batch} is taken in {parts} parts")
            self.watch.step(engine)
            keeper.after_step(engine)

        def after_epoch(engine: Engine) -> None:
            self._keep_best(engine, keeper)
            self.log.epoch(engine, self.asked.network.resolution)
            self._warnings.epoch(engine, feed, broken_in(feed, validation))
            self.watch.epoch(engine)
            if engine.epoch == engine.recipe.epochs:
                keeper.save(engine)
            else:
                keeper.after_step(engine)

        self.world.wait()  # all have read the state before one of them writes the next
        outcome = train(engine, feed, evaluate, on_step=after_step, on_epoch=after_epoch)
        best = best_of(engine.history)
        self.log.append(
            kind="result",
            epochs=engine.epoch,
            epoch=best.epoch,
            val_top1=best.validation_top1,
            checkpoint=BEST,
            seconds=outcome.seconds,
            images_per_second=outcome.images_per_second,
            finished=now(),
        )

    def _keeper(self) -> Keeper:
        return Keeper(self.folder, self.identity, every=self.save_every, stopping=self.stopping, tell=self.watch.say,
                      writes=self.world.first)  # fmt: skip

    def _feeds(self) -> tuple[TrainingFeed, Validation]:
        """Where batches come from; `run.json` is written first: a folder that takes no files is told before a step.

        A picture that broke while the pictures of a new training were rendered is named, and the others are checked
        again; where a training goes on, its data changed.
        """
        fresh = not (self.folder / RUN).exists()
        for left in reversed(range(_CHECKS)):
            if self.world.first:  # again where it is there already
                write_atomically(self.folder / RUN, Known(self.identity, contents_of(self.source)).payload())
            try:
                with self.world.first_goes_ahead():  # it renders, the others find what it has rendered
                    return feeds_of(
                        self.asked, self.source, self.preprocessing, self.workers, self._go_on, self.world.share
                    )
            except BrokenPictureError as error:
                if not left or not fresh or self.world.size > 1:
                    raise
                self.watch.say(f"warning: {str(error).splitlines()[0]} It is left out.")
            (self.folder / RUN).unlink()
            self._open()
        raise AssertionError("the last check raises")

    def _engine(self, steps: int) -> Engine:
        """Before its first step."""
        found, classes = self.asked.teacher, self.source.classes
        teacher = None if found is None else Teacher(found, classes, self.preprocessing, self.device)
        model = first_model(self.asked, classes, self.watch.say)
        engine = engine_of(
            model, self._recipe(), steps, seed=self.asked.seed, world=self.world, device=self.device, teacher=teacher,
            class_weights=class_weights(self.asked.recipe, self.source, self.asked.seed),
        )  # fmt: skip
        if self.split_for_memory:
            parts = forecast_parts(self.asked.network, engine.recipe, self.device)
            engine.parts = self.world.told_by_first(parts)
            self.watch.say(forecast_text(self.asked.network, engine.recipe, engine.parts, self.device))
            engine.halving = self.world.size == 1  # processes that average gradients must make the same steps
        return engine

    def _keep_parts(self, engine: Engine) -> None:
        """A pipeline has the micro-batches that it was asked for, whatever the state was made with."""
        if (now := self.world.parts(engine.parts)) != engine.parts:
            self.watch.say(f"warning: batches were taken in {engine.parts} parts, from here on in {now} micro-batches.")
            engine.parts = now

    def _plan(self, engine: Engine) -> Plan:
        """The fastest ways for the parts of the model on this machine, as the first process finds."""
        if not self.kernels or engine.recipe.compile or isinstance(engine, PipelineEngine):
            return Plan()
        why = kernels_missing(engine.model)
        if why:
            self.watch.say(f"warning: trained without compiled kernels, which is slower: {why}")
        found = Plan()
        if self.world.first:
            together = max(2, engine.recipe.batch // (engine.parts * self.world.size))
            how = (self.asked.network.resolution, engine.precision, self.watch.say)
            found = kept_plan(engine.model, together, *how)
        plan = Plan.from_json(self.world.told_by_first(found.to_json()))
        lacking = self.world.any(why is not None)
        return Plan() if lacking and plan.compiled else plan

    def _top1(self, model: nn.Module, batches: Iterator[Any], check: Callable[[], None]) -> float:
        """Of the pictures of all processes, each counted by one of them; or by each, which leaves the fraction."""
        if self.world.size == 1:  # several agree on stopping, which they cannot between unequal numbers of batches
            batches = _interruptible(batches, check)
        correct, seen = count_correct(model, batches)
        return self.world.total(correct) / self.world.total(seen)

    def _recipe(self) -> Recipe:
        """With what its norms do, which `auto` leaves open."""
        recipe, weights = self.asked.recipe, self.asked.weights
        together = self.world.seen_at_once(recipe.batch)
        norms = chosen(recipe.norms, together, begun=weights is not None, grown=self.asked.grow)
        if recipe.norms == "auto":
            self.watch.say(f"batch norms: {norms}; {REASONS[norms]}")
        return replace(recipe, norms=norms, precision=self._precision())

    def _precision(self) -> Precision:
        """What the recipe says; of `auto`, bfloat16 where it is fast for all processes."""
        recipe = self.asked.recipe
        if recipe.precision != "auto":
            return recipe.precision
        kernels = self.kernels and not recipe.compile and native.available()
        why = slow_bfloat16(self.device, kernels=kernels)
        if self.world.any(why is not None):
            self.watch.say(f"precision: float32; {why or 'another process has no fast bfloat16'}")
            return "float32"
        self.watch.say("precision: bfloat16; the device has instructions for it")
        return "bfloat16"

    def _warn_of_slow_bfloat16(self, engine: Engine) -> None:
        if engine.precision == "bfloat16" and slow_bfloat16(engine.device, kernels=True) == NO_INSTRUCTIONS:
            self.watch.say(
                f"warning: {NO_INSTRUCTIONS}, so that bfloat16 is several times slower than float32; "
                'set precision = "float32" or "auto" in the recipe'
            )

    @cached_property
    def preprocessing(self) -> Preprocessing:
        """What the weights are locked to."""
        return preprocessing_of(self.asked)

    def _go_on(self, done: int, whole: int) -> None:
        """Rendering may take minutes, and nothing needs saving yet."""
        del done, whole
        if self.world.size == 1 and self.stopping():
            raise Interrupted

    def _introduce(self, feed: TrainingFeed, engine: Engine, *, going_on: bool) -> None:
        """Say what is trained, or from where it goes on; write the first record."""
        if going_on:
            self.watch.say(f"going on: step {engine.step} of {engine.steps * engine.recipe.epochs}")
        for note in self.source.notes:
            self.watch.say(note)
        if feed.left_out:
            self.watch.say(f"each epoch leaves out {feed.left_out} pictures, others each time, that fill no batch")
        if engine.steps * engine.recipe.epochs == 1 and not engine.recipe.learning_rate_at(0):
            self.watch.say(
                "warning: the training has one step, the first of the warm-up, whose learning rate is 0: nothing is "
                "learned; give more --epochs or a smaller --batch"
            )
        self.log.begin(self.asked, self.identity, self.source, feed.left_out, engine)

    def _keep_best(self, engine: Engine, keeper: Keeper) -> None:
        """Write the weights of the epoch that has just ended if no earlier one was as good."""
        if best_of(engine.history) is not engine.history[-1]:
            return
        state = engine.gathered(engine.learned.state_dict())
        if not self.world.first:
            return
        path = self.folder / BEST
        save(path, Checkpoint(network=self.asked.network, state=state, classes=self.source.classes,
                              preprocessing=self.preprocessing,
                              trained_on=self.trained_on))  # fmt: skip
        keeper.note(BEST, path.read_bytes())


def best_of(history: list[Epoch]) -> Epoch:
    """The first of the epochs with the highest validation accuracy."""
    return max(history, key=lambda one: (one.validation_top1, -one.epoch))


def _interruptible(batches: Iterator[Any], check: Callable[[], None]) -> Iterator[Any]:
    for batch in batches:
        check()
        yield batch
